"""Paths of tasks and of their environments that Windows takes."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from extension import lengths
from extension.sources import ROOT

# The default tool directory, ours below it, and an environment while it is made.
TOOLS = lengths.WORK_FOLDER + r"\_tool\azure-machine-learning-tasks"
SITE_PACKAGES = TOOLS + r"\0123456789abcdef.new-01234567\Lib\site-packages"


def test_each_file_of_the_package_fits(built_vsix: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(built_vsix) as archive:
        archive.extractall(tmp_path)
    assert len(list(tmp_path.glob("tasks/*/task.json"))) == 6
    assert list(lengths.problems(tmp_path / "tasks")) == []


def test_a_file_that_is_too_deep_is_named(tmp_path: Path) -> None:
    task = tmp_path / "FakeV1"
    task.mkdir()
    (task / "task.json").write_text(json.dumps({"name": "Fake", "id": "0" * 36}))
    place = len(lengths.WORK_FOLDER + r"\_tasks\Fake_" + "0" * 36 + r"\999.999.999" + "\\")
    longest = lengths.MAX_PATH - 1 - place
    (task / ("a" * longest)).touch()
    bytecode = len("__pycache__/") + len(".cpython-312.pyc")
    (task / ("b" * (longest - bytecode) + ".py")).touch()
    assert list(lengths.problems(tmp_path)) == []
    (task / ("c" * (longest + 1))).touch()
    (task / ("d" * (longest - bytecode + 1) + ".py")).touch()
    told = list(lengths.problems(tmp_path))
    assert len(told) == 2
    assert all("has 260 characters below" in each for each in told)


@pytest.mark.parametrize("name", ["v1", "v1-gate", "v2", "v2-gate", "v2-rest"])
def test_each_installed_file_fits(name: str) -> None:
    packages = next((ROOT / ".envs" / name).glob("lib/python*/site-packages"), None)
    if packages is None:
        pytest.skip(f"there is no .envs/{name}: dev.py test makes it")
    files = [path.relative_to(packages) for path in packages.rglob("*") if path.suffix != ".pyc"]
    deepest = max(files, key=lambda path: len(str(path)))
    assert len(SITE_PACKAGES) + 1 + len(str(deepest)) < lengths.MAX_PATH, deepest
