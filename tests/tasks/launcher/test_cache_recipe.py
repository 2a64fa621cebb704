"""The recipe for `Cache@2` in the launcher's page, beside what the launcher does."""

from __future__ import annotations

import re
import shutil
import tarfile
from pathlib import Path

import yaml

from tests.tasks.launcher.harness import ROOT, Launcher, evaluated
from tests.tasks.launcher.test_environment import CLICK, locked


def recipe() -> dict[str, str]:
    """The inputs of `Cache@2` in the launcher's page."""
    page = (ROOT / "tasks" / "launcher" / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(variables:.*?)```", page, re.DOTALL)
    (step,) = (each for each in yaml.safe_load(block)["steps"] if each["task"] == "Cache@2")
    inputs: dict[str, str] = step["inputs"]
    return inputs


def test_the_recipe_for_a_cache_names_the_launchers_folder_and_what_it_depends_on() -> None:
    code = """
    import { ourFolder } from './environment';
    import { POSIX, WINDOWS } from './system';
    console.log(ourFolder('$(Agent.ToolsDirectory)', POSIX));
    console.log(ourFolder('$(Agent.ToolsDirectory)', WINDOWS));
    """
    posix, windows = evaluated(code).splitlines()
    assert recipe()["path"] == posix == windows.replace("\\", "/")
    parts = [part.strip() for part in recipe()["key"].split("|")]
    # The Python's folder has its full version; the lock changes with the extension only.
    for needed in ("$(amlTasks)", "$(Agent.OS)", "$(Agent.OSArchitecture)", "$(pythonLocation)"):
        assert f'"{needed}"' in parts


def test_an_environment_from_a_cache_serves(fresh_launcher: Launcher, tmp_path: Path) -> None:
    (fresh_launcher.folder / "requirements" / "v2.txt").write_text(locked("click"))
    assert "environment is ready" in fresh_launcher.run(CLICK).log
    folder = fresh_launcher.tools / "azure-machine-learning-tasks"
    archive = tmp_path / "cache.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(folder, arcname=".")
    shutil.rmtree(fresh_launcher.tools)
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="tar")
    outcome = fresh_launcher.run(CLICK)
    assert outcome.result[0] == "Succeeded"
    assert "Preparing" not in outcome.log
