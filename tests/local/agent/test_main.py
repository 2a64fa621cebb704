"""The command line as users and dev.py call it: exit codes, messages, JSON, Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[3]
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")


@pytest.fixture
def command(tmp_path, connection_settings):
    """Return the arguments and environment of an agent for a pipeline's text."""

    def build(text, *options):
        file = tmp_path / "repository" / "azure-pipelines.yml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(textwrap.dedent(text))
        environment = {
            **os.environ,
            **connection_settings,
            "AGENT_TOOLSDIRECTORY": str(tmp_path / "tools"),
        }
        arguments = [sys.executable, "-m", "local.agent", "run", str(file)]
        arguments += ["--work", str(tmp_path / "work"), "--json", str(tmp_path / "result.json")]
        return {
            "args": [*arguments, *options],
            "env": environment,
            "cwd": ROOT,
            "text": True,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
        }

    return build


@pytest.fixture
def document(tmp_path):
    return lambda: json.loads((tmp_path / "result.json").read_text())


GOOD = """
name: $(Date:yyyyMMdd)$(Rev:.r)
parameters:
- {name: code, type: number, default: 0}
variables: {who: world}
steps:
- script: echo hello $(who); exit ${{ parameters.code }}
  name: hello
"""


def test_success(command, document, tmp_path):
    done = subprocess.run(**command(GOOD, "--variable", "who=you=me"), check=False)
    assert done.returncode == 0, done.stdout
    assert "hello | hello you=me" in done.stdout
    found = document()
    assert found["result"] == "succeeded"
    assert found["buildNumber"].endswith(".1")
    assert list(found) == [
        "result",
        "seconds",
        "pipeline",
        "buildNumber",
        "build",
        "stages",
        "steps",
        "artifacts",
        "summaries",
        "attachments",
        "testResults",
        "tags",
        "folder",
    ]
    assert Path(found["folder"]).parent == tmp_path / "work"
    assert not [line for line in done.stdout.splitlines() if "Traceback" in line]


def test_every_line_has_a_time_and_the_next_run_the_next_number(command, document):
    subprocess.run(**command(GOOD), check=True)
    done = subprocess.run(**command(GOOD), check=True)
    assert document()["buildNumber"].endswith(".2")
    assert all(line[2] == line[5] == ":" for line in done.stdout.splitlines())


def test_failure(command, document):
    done = subprocess.run(**command(GOOD, "--parameter", "code=3"), check=False)
    assert done.returncode == 1
    assert document()["result"] == "failed"


@pytest.mark.parametrize(
    ("text", "options", "part"),
    [
        ("steps:\n- scrip: a\n", (), "azure-pipelines.yml:2: a step starts with one of"),
        (GOOD, ("--variable", "novalue"), "--variable novalue: write it as NAME=VALUE"),
        (GOOD, ("--parameter", "cod=1"), "has no such parameter; did you mean 'code'?"),
        (GOOD, ("--vsix", "none.vsix"), "none.vsix is not a readable .vsix"),
        ("steps:\n- task: Nosuch@1\n", (), "'Nosuch@1' is neither in the .vsix nor built in"),
    ],
)
def test_refusals_are_one_sentence(command, tmp_path, text, options, part):
    (tmp_path / "result.json").write_text("an earlier one's")
    done = subprocess.run(**command(text, *options), check=False)
    assert done.returncode == 2
    (line,) = done.stdout.splitlines()
    assert line.startswith("agent: ")
    assert part in line
    assert not (tmp_path / "result.json").exists()


def start(arguments, until):
    """Start an agent and return it when its output holds a line with ``until``."""
    agent = subprocess.Popen(**arguments, start_new_session=True)
    shown = []
    assert agent.stdout is not None
    for line in agent.stdout:
        shown.append(line)
        if until in line:
            return agent, shown
    raise AssertionError("".join(shown))


STUBBORN = """
    for (const s of ['SIGINT', 'SIGTERM']) process.on(s, () => console.log('ignored', s));
    const child = require('child_process').spawn(process.execPath,
      ['-e', 'setInterval(() => {}, 1000)'], {stdio: 'ignore'});
    console.log('child', child.pid);
    setInterval(() => {}, 1000);
"""
POLITE = """
    process.on('SIGINT', () => {
      console.log('##vso[task.complete result=Canceled]bye');
      console.log('polite');
      process.exit(0);
    });
    console.log('child', process.pid);
    setInterval(() => {}, 1000);
"""
CANCEL = """
steps:
- task: Wait@1
  name: wait
- script: echo
  name: after
- script: echo cleaned $AGENT_JOBSTATUS
  name: cleanup
  condition: always()
"""


def child_of(shown):
    return psutil.Process(int(shown[-1].rsplit(maxsplit=1)[1]))


def gone(process):
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


@posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_cancels(command, document, make_vsix, task_json, number):
    vsix = make_vsix((task_json("Wait"), {"main.js": POLITE}))
    agent, shown = start(command(CANCEL, "--vsix", str(vsix)), "child")
    child = child_of(shown)
    agent.send_signal(number)
    rest, _ = agent.communicate(timeout=PATIENCE_S)
    assert agent.returncode == 130
    assert "wait | polite" in rest
    assert "cleanup | cleaned Canceled" in rest
    assert gone(child)
    results = {step["name"]: step["result"] for step in document()["steps"]}
    assert results == {
        "__checkout": "succeeded",
        "wait": "canceled",
        "after": "skipped",
        "cleanup": "succeeded",
    }
    assert document()["result"] == "canceled"


@posix
def test_a_console_that_goes_away_does_not_stop_the_run(command, document):
    text = "steps:\n- script: 'sleep 0.5; echo one; echo two'\n- script: echo three\n  name: last\n"
    agent, _ = start(command(text), "run ")
    assert agent.stdout is not None
    agent.stdout.close()
    assert agent.wait(PATIENCE_S) == 0
    assert document()["steps"][-1]["result"] == "succeeded"


@posix
def test_it_is_canceled_when_its_starter_is_gone(command, document, make_vsix, task_json):
    vsix = make_vsix((task_json("Wait"), {"main.js": POLITE}))
    arguments = command(CANCEL, "--vsix", str(vsix), "--until-stdin-closes")
    agent, shown = start({**arguments, "stdin": subprocess.PIPE}, "child")
    child = child_of(shown)
    agent.communicate(timeout=PATIENCE_S)  # closes its standard input
    assert agent.returncode == 130
    assert gone(child)
    assert document()["result"] == "canceled"


@posix
def test_a_second_interrupt_kills(command, document, make_vsix, task_json):
    vsix = make_vsix((task_json("Wait"), {"main.js": STUBBORN}))
    # Without the second interrupt the task would have ten minutes before it is killed.
    patient = ("--variable", "PROCESS_SIGINT_TIMEOUT=600000")
    agent, shown = start(command(CANCEL, "--vsix", str(vsix), *patient), "child")
    child = child_of(shown)
    agent.send_signal(signal.SIGINT)
    assert agent.stdout is not None
    for line in agent.stdout:
        if "ignored SIGINT" in line:
            break
    agent.send_signal(signal.SIGINT)
    rest, _ = agent.communicate(timeout=PATIENCE_S)
    assert agent.returncode == 130
    assert "cleaned" not in rest
    assert gone(child)
    assert document()["result"] == "canceled"


@posix
def test_a_stubborn_task_is_killed_after_ten_seconds(command, make_vsix, task_json):
    vsix = make_vsix((task_json("Wait"), {"main.js": STUBBORN}))
    agent, shown = start(command(CANCEL, "--vsix", str(vsix)), "child")
    child = child_of(shown)
    began = time.monotonic()
    agent.send_signal(signal.SIGINT)
    rest, _ = agent.communicate(timeout=PATIENCE_S)
    assert agent.returncode == 130
    assert time.monotonic() - began > 9.5
    assert "ignored SIGTERM" in rest
    assert f"Terminate orphan process: pid {child.pid}" in rest
    assert gone(child)
