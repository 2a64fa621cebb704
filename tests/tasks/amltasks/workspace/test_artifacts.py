"""Which artifacts a path means, and that none leads out of its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from amltasks import errors
from amltasks.workspace.artifacts import holds, inside


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        ("outputs/model", "outputs/model/a.h5", True),
        ("outputs/model/", "outputs/model/a.h5", True),
        ("outputs/model/a.h5", "outputs/model/a.h5", True),
        ("outputs/model", "outputs/modeller", False),
        ("outputs/model", "outputs", False),
        ("model", "outputs/model", False),
        ("", "outputs/model", False),
        ("outputs//model", "outputs/model/a", True),
        ("./outputs", "outputs/a", True),
    ],
)
def test_a_path_means_a_file_or_what_is_below_it(path: str, name: str, expected: bool) -> None:
    assert holds(path, name) is expected


@pytest.mark.parametrize("name", ["a.txt", "a/b.txt", "a/../b.txt", "a..b"])
def test_files_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    assert inside(tmp_path, name).is_relative_to(tmp_path.resolve())


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/etc/passwd"])
def test_a_name_that_leads_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.TaskError, match=f"the path '{name}' leads outside") as raised:
        inside(tmp_path / "folder", name)
    assert raised.value.cause is errors.REFUSED


def test_a_link_does_not_lead_out_either(tmp_path: Path) -> None:
    folder, other = tmp_path / "folder", tmp_path / "other"
    folder.mkdir()
    other.mkdir()
    (folder / "link").symlink_to(other)
    with pytest.raises(errors.TaskError):
        inside(folder, "link/a.txt")
