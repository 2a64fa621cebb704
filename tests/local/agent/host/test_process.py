"""Real processes: their lines, the escalation on cancel, what they leave behind.

Rules: the agent's src/Agent.Sdk/ProcessInvoker.cs at 42bde98.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from local.agent.host.process import Wish, end_orphans, run_process

NODE = shutil.which("node") or "node"
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


def run(script, tmp_path, *, then=Wish.RUN, **options):
    """Run a script; ``then`` is the wish from its first line on, however long that takes."""
    lines = []
    outcome = run_process(
        [NODE, "-e", script],
        environment={**os.environ, **options.pop("environment", {})},
        folder=tmp_path,
        on_line=lambda line, from_stderr: lines.append((line, from_stderr)),
        wish=lambda: then if lines else Wish.RUN,
        **options,
    )
    return outcome, lines


def test_lines_of_both_streams(tmp_path):
    script = (
        "process.stdout.write('a\\r\\nb\\rc\\n\\u00e9'); console.error('e'); process.exitCode=3"
    )
    outcome, lines = run(script, tmp_path)
    assert (outcome.code, outcome.stopped) == (3, False)
    assert [line for line, from_stderr in lines if not from_stderr] == ["a", "b", "c", "é"]
    assert [line for line, from_stderr in lines if from_stderr] == ["e"]


def test_bytes_that_are_no_text_do_no_harm(tmp_path):
    _, lines = run("process.stdout.write(Buffer.from([0x61, 0xff, 0x0a]))", tmp_path)
    assert lines == [("a�", False)]


def test_a_program_that_is_not_there(tmp_path):
    with pytest.raises(OSError, match="no-such-program"):
        run_process(
            ["no-such-program"],
            environment={},
            folder=tmp_path,
            on_line=lambda *_: None,
            wish=lambda: Wish.RUN,
        )


@posix
def test_it_runs_in_a_session_of_its_own(tmp_path):
    script = "import os, sys; print(os.getsid(0))"
    found = []
    run_process(
        [sys.executable, "-c", script],
        environment=os.environ,
        folder=tmp_path,
        on_line=lambda line, _: found.append(int(line)),
        wish=lambda: Wish.RUN,
    )
    assert found != [os.getsid(0)]


@posix
def test_first_an_interrupt(tmp_path):
    script = "process.on('SIGINT', () => {console.log('INT'); process.exit(0)});"
    script += "console.log('ready'); setInterval(() => {}, 1000)"
    outcome, lines = run(script, tmp_path, then=Wish.STOP)
    assert outcome.stopped
    assert [line for line, _ in lines] == ["ready", "INT"]


@posix
def test_then_a_termination_then_the_kill(tmp_path):
    script = (
        "for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => console.log(s, Date.now()));"
    )
    script += "console.log('ready'); setInterval(() => {}, 1000)"
    limits = {"sigint_s": 2.0, "sigterm_s": 1.0}
    outcome, lines = run(script, tmp_path, then=Wish.STOP, **limits)
    ended = time.time() * 1000
    assert outcome.code == -signal.SIGKILL
    (first, interrupted), (second, terminated) = [line.split() for line, _ in lines[1:]]
    assert (first, second) == ("SIGINT", "SIGTERM")
    assert int(terminated) - int(interrupted) >= 500
    assert ended - int(terminated) >= 250


@posix
def test_kill_asks_nobody(tmp_path):
    script = "process.on('SIGINT', () => {}); console.log('ready'); setInterval(() => {}, 1000)"
    outcome, _ = run(script, tmp_path, then=Wish.KILL)
    assert outcome.code == -signal.SIGKILL


@posix
def test_only_the_process_itself_is_signalled_and_orphans_end_later(tmp_path):
    variable, value = "VSTS_PROCESS_LOOKUP_ID", "vsts_test_orphans"
    began = time.time()
    script = (
        "const c = require('child_process').spawn(process.execPath, "
        "['-e', 'setInterval(() => {}, 1000)'], {stdio: 'ignore'}); console.log(c.pid)"
    )
    _, lines = run(
        script,
        tmp_path,
        then=Wish.STOP,
        environment={variable: value},
    )
    child = psutil.Process(int(lines[0][0]))
    assert child.is_running()
    assert end_orphans(variable, "vsts_another", began) == []
    assert end_orphans(variable, value, time.time() + 60) == []
    (ended,) = end_orphans(variable, value, began)
    assert ended.startswith(f"{child.pid} (")
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_left_running_when_the_task_says_it_is_done(tmp_path):
    began = time.time()
    script = "console.log('done'); setInterval(() => {}, 1000)"
    outcome, lines = run(script, tmp_path, then=Wish.LEAVE, environment={"LOOKUP": "left-running"})
    assert outcome.code is None
    assert lines == [("done", False)]
    assert len(end_orphans("LOOKUP", "left-running", began)) == 1


def test_a_silent_process_is_waited_for(tmp_path):
    script = "require('fs').closeSync(1); require('fs').closeSync(2); setTimeout(() => {}, 600)"
    began = time.monotonic()
    outcome, _ = run(script, tmp_path)
    assert outcome.code == 0
    assert time.monotonic() - began > 0.5


@posix
def test_output_held_open_is_not_waited_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr("local.agent.host.process.STREAMS_S", 0.3)
    began = time.time()
    holder = subprocess.list2cmdline([sys.executable, "-c", "import time; time.sleep(600)"])
    script = f"require('child_process').spawn({holder!r}, {{shell: true, stdio: 'inherit', "
    script += "detached: true}).unref(); console.log('gone')"
    outcome, lines = run(script, tmp_path, environment={"LOOKUP": "held-open"})
    assert outcome.code == 0
    assert lines == [("gone", False)]
    assert end_orphans("LOOKUP", "held-open", began)
