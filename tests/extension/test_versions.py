"""A task's version follows what it ships: what is stale, and how a patch number rises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from extension import versions
from extension.versions import Version, dotted, parsed, raise_patch, stale, version_of

WRITTEN = """{
    "name": "A",
    "preview": {"Patch": 3},
    "version": {
        "Major": 1,
        "Minor": 2,
        "Patch": 3
    },
    "minimumAgentVersion": "2.144.0"
}
"""


def folder(root: Path, name: str = "AV1") -> Path:
    found = root / "tasks" / name
    found.mkdir(parents=True)
    (found / "task.json").write_text(WRITTEN, encoding="utf-8")
    return found


def released(root: Path, **tasks: tuple[str, str]) -> None:
    (root / "extension").mkdir(exist_ok=True)
    told = {name: {"version": each[0], "digest": each[1]} for name, each in tasks.items()}
    (root / versions.RELEASED).write_text(json.dumps(told), encoding="utf-8")


@pytest.mark.parametrize("version", [(1, 2, 3), (0, 0, 0), (10, 0, 120)])
def test_a_version_is_read_as_it_is_written(version: Version) -> None:
    assert parsed(dotted(version)) == version
    major, minor, patch = version
    assert version_of({"version": {"Major": str(major), "Minor": minor, "Patch": patch}}) == version


@pytest.mark.parametrize(
    ("last", "shipped", "said"),
    [
        (("1.2.3", "same"), "same", ""),
        # Raised in vain is allowed: only what is not received is a fault.
        (("1.2.2", "same"), "same", ""),
        (("1.2.2", "old"), "new", ""),
        (("1.2.3", "old"), "new", "it ships other files than the released 1.2.3"),
        (("1.10.0", "old"), "new", "it ships other files than the released 1.10.0"),
        (("1.3.0", "same"), "same", "1.3.0 was released already"),
    ],
)
def test_which_versions_do_not_fit(
    tmp_path: Path, last: tuple[str, str], shipped: str, said: str
) -> None:
    place = folder(tmp_path)
    released(tmp_path, AV1=last)
    found = list(stale(tmp_path, {"AV1": shipped}))
    assert [(each, version) for each, version, _ in found] == ([(place, (1, 2, 3))] if said else [])
    assert all(said in why and "Next: " in why for _, _, why in found)


def test_a_new_task_needs_no_higher_version(tmp_path: Path) -> None:
    folder(tmp_path, "BV1")
    released(tmp_path, AV1=("1.2.3", "old"))
    assert list(stale(tmp_path, {"BV1": "new"})) == []


@pytest.mark.parametrize(
    ("least", "raised"), [((1, 2, 0), "1.2.4"), ((1, 2, 3), "1.2.4"), ((1, 4, 0), "1.4.1")]
)
def test_a_patch_number_rises_beyond_both(tmp_path: Path, least: Version, raised: str) -> None:
    place = folder(tmp_path)
    assert raise_patch(place, least) == raised
    text = (place / "task.json").read_text(encoding="utf-8")
    assert version_of(json.loads(text)) == parsed(raised)
    # Nothing else changes, not even how it is written.
    minor, patch = raised.split(".")[1:]
    version = WRITTEN.partition('"version"')[2]
    version = version.replace('"Minor": 2', f'"Minor": {minor}')
    version = version.replace('"Patch": 3', f'"Patch": {patch}')
    assert text == WRITTEN.partition('"version"')[0] + '"version"' + version


def test_before_the_first_release_nothing_is_wrong(tmp_path: Path) -> None:
    folder(tmp_path)
    released(tmp_path)
    assert versions.problems(tmp_path) == []


def test_a_problem_names_the_file_and_the_next_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder(tmp_path)
    released(tmp_path, AV1=("1.2.3", "old"))
    monkeypatch.setattr(versions, "staged_digests", lambda: {"AV1": "new"})
    (problem,) = versions.problems(tmp_path)
    assert problem.startswith("tasks/AV1/task.json: version 1.2.3: it ships other files")
    assert problem.endswith("Next: run python -m extension.versions raise.")


def test_a_release_is_noted_down_and_raised_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder(tmp_path)
    released(tmp_path)
    shipped = {"AV1": "first"}
    monkeypatch.setattr(versions, "ROOT", tmp_path)
    monkeypatch.setattr(versions, "staged_digests", lambda: shipped)
    monkeypatch.setattr(versions, "task_folders", lambda root=tmp_path: [place])
    monkeypatch.setattr(versions, "released", lambda root=tmp_path: _read(root))
    assert CliRunner().invoke(versions.main, ["record"]).exit_code == 0
    assert _read(tmp_path) == {"AV1": {"version": "1.2.3", "digest": "first"}}
    assert CliRunner().invoke(versions.main, ["raise"]).output == ""
    shipped["AV1"] = "second"
    assert CliRunner().invoke(versions.main, ["raise"]).output == "AV1: 1.2.4\n"


def _read(root: Path) -> dict[str, versions.Released]:
    found: dict[str, versions.Released] = json.loads(
        (root / versions.RELEASED).read_text(encoding="utf-8")
    )
    return found
