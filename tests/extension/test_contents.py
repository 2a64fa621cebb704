"""What is in a .vsix: each entry is of one part, and the parts add up."""

from __future__ import annotations

import zipfile
from pathlib import Path, PurePosixPath

import pytest

from extension.contents import OTHERS, part_of, report


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("tasks/AV1/python/amltasks/a.py", "the tasks' Python code"),
        ("tasks/AV1/requirements/v1.txt", "locks with hashes"),
        ("tasks/AV1/Strings/resources.resjson/de-DE/resources.resjson", "translations"),
        ("tasks/AV1/launcher.js", "launcher"),
        ("tasks/AV1/cleanUp.js", "launcher"),
        ("tasks/AV1/task.json", "task.json, icons and licences of tasks"),
        ("tasks/AV1/icon.png", "task.json, icons and licences of tasks"),
        ("extension/tab/tab.js", "report tab and widget"),
        ("extension/tab/a.png", "report tab and widget"),
        ("docs/gate-report.png", "pictures"),
        ("extension.vsixmanifest", "manifest, texts and bill of materials"),
    ],
)
def test_each_entry_is_of_one_part(path: str, part: str) -> None:
    assert part_of(PurePosixPath(path)) == part


def test_the_largest_part_comes_first(tmp_path: Path) -> None:
    vsix = tmp_path / "a.vsix"
    with zipfile.ZipFile(vsix, "w") as archive:
        archive.writestr("tasks/AV1/launcher.js", "x" * 2_000)
        archive.writestr("tasks/AV1/cleanUp.js", "x" * 3_000)
        archive.writestr("docs/a.png", "x" * 9_000)
    head, first, second, *others = report(vsix)
    assert head.endswith(" kB, 3 files")
    assert (first.split("kB  ")[1], second.split("kB  ")[1]) == ("pictures (1)", "launcher (2)")
    assert (int(first.split()[0]), int(second.split()[0])) == (9, 5)
    assert [line.partition("times as large: ")[2] for line in others] == list(OTHERS)
