"""The processes of steps: shells and Node."""

from __future__ import annotations

import pytest

from local.agent.errors import AgentError
from local.agent.job.handlers import find_node
from tests.local.agent.job.shortened import steps


def test_failing_on_standard_error(play):
    line = "{bash: 'echo oops >&2', name: s, failOnStderr: true}"
    assert play(steps(line)).results["s"] == "failed"
    assert play(steps(line.replace("true", "false"))).results["s"] == "succeeded"


def test_a_task_that_crashes(play, make_vsix, task_json):
    vsix = make_vsix((task_json("Crash"), {"main.js": "process.exit(9)"}), (task_json("Empty"), {}))
    played = play(
        steps("{task: Crash@1, name: s}", "{task: Empty@1, name: t, condition: always()}"),
        vsix=vsix,
    )
    assert played.results == {"s": "failed", "t": "failed"}
    assert (
        "Exit code 9 returned from process: file name" in played.step("s")["issues"][0]["message"]
    )
    assert "has no file main.js" in played.step("t")["issues"][0]["message"]


@pytest.mark.parametrize(
    ("says", "words"),
    [("v18.19.0", "is v18.19.0; install Node 20 or later"), ("", "is unusable; install Node")],
)
def test_a_node_that_is_too_old(tmp_path, says, words):
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {says}\n")
    node.chmod(0o755)
    with pytest.raises(AgentError, match=words):
        find_node(str(tmp_path))


def test_no_node_at_all(tmp_path):
    with pytest.raises(AgentError, match="Node was not found on PATH"):
        find_node(str(tmp_path))


def test_a_working_directory_that_is_not_there(play):
    played = play(steps("{script: echo, name: s, workingDirectory: gone}"))
    assert "Not found workingDirectory" in played.step("s")["issues"][0]["message"]


def test_a_script_that_is_not_there(play):
    played = play(
        steps("{task: Bash@3, name: s, inputs: {targetType: filePath, filePath: gone.sh}}")
    )
    assert "Invalid file path" in played.step("s")["issues"][0]["message"]
