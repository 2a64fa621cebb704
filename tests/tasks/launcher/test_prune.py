"""Environments that nobody uses go; one in use never does."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from tests.patience import PATIENCE_S
from tests.tasks.launcher.harness import Launcher, evaluated, finish

DAY_S = 24 * 3600
HELD = """
import time
from pathlib import Path
print("at work", flush=True)
while not Path(document["inputs"]["computeName"]).exists():
    time.sleep(0.05)
import json
send(type='result', result='Succeeded')
"""


def aged(tools: Path, name: str, days: float) -> Path:
    """A complete environment that was last used so many days ago."""
    folder = tools / name
    folder.mkdir(parents=True)
    (folder / "file").touch()
    marker = folder / ".complete"
    marker.touch()
    then = time.time() - days * DAY_S
    os.utime(marker, (then, then))
    return folder


def tools_of(launcher: Launcher) -> Path:
    return launcher.tools / "azure-machine-learning-tasks"


def test_which_are_outdated() -> None:
    said = evaluated("""
import { outdated } from './prune';
const day = 24 * 3600 * 1000, now = 1000 * day;
const told = (days) => outdated(new Map(days.map((d, at) => [String(at), now - d * day])), now);
console.log(JSON.stringify([
  told([0, 29, 31]),
  told([0, 0, 0, 0, 0, 0, 0, 0, 0.5, 0.9]),
  told([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]),
  told([40]),
  told([]),
]));
""")
    assert json.loads(said) == [["2"], [], ["8", "9"], ["0"], []]


def test_by_age_and_by_number(fresh_launcher: Launcher) -> None:
    tools = tools_of(fresh_launcher)
    old = aged(tools, "0" * 16, 31)
    recent = [aged(tools, f"{number:016x}", number) for number in range(2, 12)]
    others = [tools / name for name in ("uv", "0123456789abcdef.lock.mine", "a-folder-of-another")]
    for other in others:
        other.mkdir()
        os.utime(other, (0, 0))
    leftover = tools / f"{'1' * 16}.new-00ff00ff"
    leftover.mkdir()
    os.utime(leftover, (0, 0))
    fresh = tools / f"{'1' * 16}.new-11ff00ff"
    fresh.mkdir()
    outcome = fresh_launcher.run()
    assert outcome.result[0] == "Succeeded"
    assert f"Removing the Python environment {old}" in outcome.log
    assert not old.exists()
    # The one that the task uses now is the eighth.
    assert [folder.exists() for folder in recent] == [True] * 7 + [False] * 3
    assert all(other.exists() for other in others)
    assert not leftover.exists()
    assert fresh.exists()
    assert not list(tools.glob("*.old-*"))


def test_one_in_use_stays_however_long_ago_it_was_made(fresh_launcher: Launcher) -> None:
    fresh_launcher.run()
    tools = tools_of(fresh_launcher)
    (used,) = tools.iterdir()
    then = time.time() - 60 * DAY_S
    os.utime(used / ".complete", (then, then))
    done = fresh_launcher.temp / "done"
    at_work = fresh_launcher.start(HELD, inputs={"computeName": str(done)})
    assert at_work.stdout
    deadline = time.monotonic() + PATIENCE_S
    while "at work" not in at_work.stdout.readline() and time.monotonic() < deadline:
        pass
    # Another version of the extension, on the same agent.
    (fresh_launcher.folder / "requirements" / "v2.txt").write_text("# another lock\n")
    old = aged(tools, "0" * 16, 31)
    assert fresh_launcher.run().result[0] == "Succeeded"
    assert not old.exists()
    assert used.exists()
    done.touch()
    assert finish(at_work).result[0] == "Succeeded"


def test_one_whose_lock_another_holds_stays(fresh_launcher: Launcher) -> None:
    old = aged(tools_of(fresh_launcher), "0" * 16, 31)
    lock = old.with_name(f"{old.name}.lock")
    lock.mkdir()
    (lock / "owner.json").write_text(json.dumps({"pid": 1, "machine": "another"}))
    assert fresh_launcher.run().result[0] == "Succeeded"
    assert old.exists()


def test_the_lock_of_a_killed_task_is_taken_over_at_once(fresh_launcher: Launcher) -> None:
    slow = fresh_launcher.temp / "bin" / "uv"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\n[ $1 = --version ] && echo uv 9.9.9 && exit\nexec sleep 600\n")
    slow.chmod(0o755)
    path = f"{slow.parent}{os.pathsep}{os.environ['PATH']}"
    process = fresh_launcher.start(env={"PATH": path})
    tools = tools_of(fresh_launcher)
    deadline = time.monotonic() + PATIENCE_S
    while not list(tools.glob("*.lock/owner.json")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    outcome = fresh_launcher.run()
    assert outcome.result[0] == "Succeeded"
    assert "Waiting for another task" not in outcome.log
    (folder,) = tools.iterdir()
    assert (folder / ".complete").exists()
