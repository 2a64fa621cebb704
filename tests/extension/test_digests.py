"""Digests of tasks: they follow what is shipped, and nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from extension.digests import digest, digests

TASK = {"name": "A", "version": {"Major": 1, "Minor": 0, "Patch": 0}, "releaseNotes": "first"}


def task(folder: Path, **changed: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "task.json").write_text(json.dumps({**TASK, **changed}), encoding="utf-8")
    (folder / "launcher.js").write_text("run()", encoding="utf-8")
    (folder / "python").mkdir(exist_ok=True)
    (folder / "python" / "a.py").write_text("A = 1", encoding="utf-8")
    return folder


def test_version_and_release_notes_are_no_change(tmp_path: Path) -> None:
    first = digest(task(tmp_path / "a"))
    version = {"Major": 1, "Minor": 0, "Patch": 7}
    assert digest(task(tmp_path / "b", version=version, releaseNotes="second")) == first
    # Nor is the order of its members.
    turned = tmp_path / "b" / "task.json"
    turned.write_text(json.dumps(dict(reversed(TASK.items())), indent=2), encoding="utf-8")
    assert digest(tmp_path / "b") == first


def _renamed(folder: Path) -> None:
    (folder / "python" / "a.py").rename(folder / "python" / "b.py")


def _moved(folder: Path) -> None:
    (folder / "python" / "a.py").rename(folder / "a.py")


def _changed(folder: Path) -> None:
    (folder / "launcher.js").write_text("run();", encoding="utf-8")


def _added(folder: Path) -> None:
    (folder / "empty").touch()


def _removed(folder: Path) -> None:
    (folder / "launcher.js").unlink()


def _of_task_json(folder: Path) -> None:
    task(folder, name="B")


@pytest.mark.parametrize("change", [_renamed, _moved, _changed, _added, _removed, _of_task_json])
def test_whatever_is_shipped_counts(tmp_path: Path, change: Callable[[Path], None]) -> None:
    folder = task(tmp_path / "a")
    before = digest(folder)
    change(folder)
    assert digest(folder) != before


def test_times_and_places_do_not_count(tmp_path: Path) -> None:
    first = digest(task(tmp_path / "a"))
    os.utime(tmp_path / "a" / "launcher.js", (1, 1))
    assert digest(tmp_path / "a") == digest(task(tmp_path / "elsewhere" / "b")) == first


def test_each_task_of_an_extension_by_its_folder(tmp_path: Path) -> None:
    one, two = task(tmp_path / "tasks" / "AV1"), task(tmp_path / "tasks" / "BV1", name="B")
    assert digests(tmp_path) == {"AV1": digest(one), "BV1": digest(two)}
