"""Folders are made, renamed and refused; each error at once and with its reason."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.patience import PATIENCE_S
from tests.tasks.launcher.harness import Launcher, evaluated, finish

MAKE = """
import { makeFolders } from './folders';
makeFolders(process.env.FOLDER, new AbortController().signal).then(
  () => console.log('made'), (error) => console.log(error.code));
"""


def made(folder: Path) -> str:
    """What making a folder ends with: `made`, or the code of the error."""
    return evaluated(MAKE, {"FOLDER": str(folder)}).strip()


def test_a_folder_is_made_with_its_parents_and_is_kept_when_it_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "c"
    assert made(folder) == "made"
    (folder / "kept").touch()
    assert made(folder) == "made"
    assert (folder / "kept").exists()
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert made(link / "d") == "made"


@pytest.mark.parametrize("depth", ["", "deeper/still"])
def test_what_is_in_the_way_ends_it(tmp_path: Path, depth: str) -> None:
    file = tmp_path / "file"
    file.touch()
    nowhere = tmp_path / "nowhere"
    nowhere.symlink_to(tmp_path / "is" / "not" / "there")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    assert made(file / depth) == "ENOTDIR"
    assert made(nowhere / depth) == "EEXIST"
    assert made(loop / depth) == "ELOOP"
    assert made(tmp_path / ("x" * 300) / depth) == "ENAMETOOLONG"


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
@pytest.mark.parametrize("folder", ["/proc/nope", "/proc/nope/deeper", "/proc/self/fd/tools"])
def test_a_file_system_that_takes_no_folders_fails_the_task_at_once(
    fresh_launcher: Launcher, folder: str
) -> None:
    outcome = fresh_launcher.run(variables={"Agent.ToolsDirectory": folder})
    (error,) = outcome.errors
    assert error.startswith(
        f"ENVIRONMENT_INSTALL_FAILED: The Python environment cannot be kept in {folder}/"
    )
    assert "AGENT_TOOLSDIRECTORY" in error


def test_windows_tries_a_rename_again_and_others_do_not() -> None:
    said = evaluated("""
import { renameFolder } from './folders';
import { POSIX, WINDOWS } from './system';
async function tried(system, code, failures) {
  let calls = 0;
  const rename = async () => {
    calls += 1;
    if (calls <= failures) throw Object.assign(new Error(code), { code });
  };
  const told = await renameFolder('/no/from', '/no/to', system, rename).catch((e) => e.code);
  return [told, calls];
}
(async () => console.log(JSON.stringify({
  held: await tried(WINDOWS, 'EPERM', 3),
  busy: await tried(WINDOWS, 'EBUSY', 1),
  forever: await tried(WINDOWS, 'EACCES', 1000),
  full: await tried(WINDOWS, 'ENOSPC', 1000),
  posix: await tried(POSIX, 'EPERM', 3),
  taken: await tried(POSIX, 'ENOTEMPTY', 3),
})))();
""")
    assert json.loads(said) == {
        "held": [True, 4],
        "busy": [True, 2],
        "forever": ["EACCES", 20],
        "full": ["ENOSPC", 1],
        "posix": ["EPERM", 1],
        "taken": [False, 1],
    }


def test_windows_says_eperm_for_a_name_that_is_taken(tmp_path: Path) -> None:
    said = evaluated(
        """
import { renameFolder } from './folders';
import { WINDOWS } from './system';
const rename = async () => { throw Object.assign(new Error('EPERM'), { code: 'EPERM' }); };
renameFolder('/no/from', process.env.TO, WINDOWS, rename).then((told) => console.log(told));
""",
        {"TO": str(tmp_path)},
    )
    assert said.strip() == "false"


def test_a_cancel_is_heard_while_another_task_holds_the_lock(fresh_launcher: Launcher) -> None:
    fresh_launcher.run()
    tools = fresh_launcher.tools / "azure-machine-learning-tasks"
    (folder,) = tools.iterdir()
    (folder / ".complete").unlink()
    lock = folder.with_name(f"{folder.name}.lock")
    lock.mkdir()
    (lock / "owner.json").write_text(json.dumps({"pid": 1, "machine": "another"}))
    process = fresh_launcher.start()
    assert process.stdout
    deadline = time.monotonic() + PATIENCE_S
    seen = ""
    while "Waiting for another task" not in seen and time.monotonic() < deadline:
        seen += process.stdout.readline()
    process.send_signal(signal.SIGINT)
    assert finish(process).result[0] == "Canceled"
    assert lock.exists()
