"""``agent release`` as users call it: exit codes, the question on the terminal, Ctrl-C at it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[3]
posix = pytest.mark.skipif(sys.platform == "win32", reason="POSIX terminals and signals")


@pytest.fixture
def definition(release_json, stage_json, json_file):
    """A release with a stage of its own, and one that Jo approves."""
    approvals = [{"rank": 1, "isAutomated": False, "approver": {"displayName": "Jo"}}]
    asked = {"preDeployApprovals": {"approvals": approvals}}
    started = {"name": "Test", "conditionType": "environmentState", "value": "4"}
    stages = (
        stage_json("Test", "echo tested"),
        stage_json("Production", "echo deployed", conditions=[started], **asked),
    )
    filters = [{"sourceBranch": "main", "tags": []}]
    trigger = {"triggerType": 1, "artifactAlias": "_made", "triggerConditions": filters}
    return json_file(release_json(*stages, triggers=[trigger]), "release.json")


@pytest.fixture
def command(definition, tmp_path):
    def build(*options, verb="release", file=None):
        arguments = [sys.executable, "-m", "local.agent", verb, str(file or definition)]
        arguments += ["--work", str(tmp_path / "work"), "--json", str(tmp_path / "result.json")]
        return {
            "args": [*arguments, *options],
            "cwd": ROOT,
            "env": {**os.environ, "AGENT_TOOLSDIRECTORY": str(tmp_path / "tools")},
            "text": True,
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
        }

    return build


@pytest.fixture
def results(tmp_path):
    def read():
        document = json.loads((tmp_path / "result.json").read_text())
        return {stage["name"]: stage["result"] for stage in document["stages"]}

    return read


@pytest.fixture
def terminal():
    """A pseudo terminal: what a person types, and the end that the agent reads."""
    if sys.platform == "win32":
        pytest.skip("POSIX terminals")
    import pty

    ours, theirs = pty.openpty()
    yield ours, theirs
    for end in (ours, theirs):
        os.close(end)


def test_a_build_goes_through_its_trigger(command, build_json, json_file, results, tmp_path):
    publish = {
        "task": {"id": "2ff763a7-ce83-4e1f-bc89-0ae63477cebe", "versionSpec": "1.*"},
        "inputs": {"PathtoPublish": "$(Build.ArtifactStagingDirectory)"},
    }
    file = json_file(build_json(publish), "build.json")
    built = tmp_path / "built.json"
    git = ["git", "-C", str(file.parent), "-c", "user.name=T", "-c", "user.email=t@example.com"]
    for words in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *words], check=True)
    done = subprocess.run(**command("--json", str(built), verb="run", file=file), check=False)
    assert done.returncode == 0, done.stdout
    done = subprocess.run(**command("--after", str(built), "--approve", "Production"), check=False)
    assert done.returncode == 0, done.stdout
    assert "release.json Release-1: succeeded in" in done.stdout
    assert results() == {"Test": "succeeded", "Production": "succeeded"}
    # The same build of another branch.
    document = json.loads(built.read_text())
    document["build"]["sourceBranch"] = "refs/heads/topic"
    built.write_text(json.dumps(document))
    done = subprocess.run(**command("--after", str(built), "--approve", "Production"), check=False)
    assert done.returncode == 3
    (line,) = done.stdout.splitlines()
    assert "is of refs/heads/topic, and the trigger is for main: no release" in line
    assert not (tmp_path / "result.json").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "the release deploys _made; say what"),
        (("--artifact", "x"), "--artifact x: write it as NAME=VALUE"),
        (
            ("--artifact", "_made=."),
            "Production needs the approval of Jo, and there is no terminal",
        ),
    ],
)
def test_refusals_are_one_sentence(command, options, words):
    done = subprocess.run(**command(*options), check=False)
    assert done.returncode == 2
    (line,) = done.stdout.splitlines()
    assert line.startswith("agent: ")
    assert words in line


def until(agent, text):
    for line in agent.stdout:
        if text in line:
            return
    raise AssertionError(f"no line with {text!r}")


@pytest.mark.parametrize(
    ("typed", "code", "result"),
    [("y\n", 0, "succeeded"), ("\n", 1, "failed"), ("no\n", 1, "failed")],
)
def test_the_terminal_is_asked(command, terminal, results, tmp_path, typed, code, result):
    ours, theirs = terminal
    options = {**command("--artifact", f"_made={tmp_path / 'repository'}"), "stdin": theirs}
    with subprocess.Popen(**options) as agent:
        until(agent, "Start the stage Production? (Jo) y/n")
        os.write(ours, typed.encode())
        assert agent.stdout is not None
        rest = agent.stdout.read()
    assert agent.returncode == code, rest
    assert results() == {"Test": "succeeded", "Production": result}
    assert ("deployed" in rest) is (code == 0)


@posix
def test_an_interrupt_at_the_question_is_no_approval(command, terminal, results, tmp_path):
    _, theirs = terminal
    options = {**command("--artifact", f"_made={tmp_path / 'repository'}"), "stdin": theirs}
    with subprocess.Popen(**options) as agent:
        until(agent, "Start the stage Production? (Jo) y/n")
        agent.send_signal(signal.SIGINT)
        assert agent.stdout is not None
        rest = agent.stdout.read()
    assert agent.returncode == 130, rest
    assert results() == {"Test": "succeeded", "Production": "canceled"}
    assert "deployed" not in rest
