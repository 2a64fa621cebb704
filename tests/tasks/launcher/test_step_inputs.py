"""Nothing that a user wrote into a step is ignored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.tasks.launcher.harness import Launcher

SUCCEED = "print('ran'); send(type='result', result='Succeeded')"


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("computeNme", "computeName"),
        ("ComputName", "computeName"),
        ("pythonpth", "pythonPath"),
        ("azureSubscripton", "azureSubscription"),
        ("kode", "code"),
    ],
)
def test_an_unknown_input_fails_first_and_names_the_nearest(
    fresh_launcher: Launcher, written: str, nearest: str
) -> None:
    outcome = fresh_launcher.run(SUCCEED, inputs={written: "1"})
    (error,) = outcome.errors
    given = written.lower()
    assert error.startswith(
        f"INPUT_UNKNOWN: Fake@1 has no input '{given}' (did you mean '{nearest}'?). Next: "
    )
    assert "the inputs are azureSubscription, code, computeName, pythonPath." in error
    assert outcome.result == ("Failed", error)
    # Not even a Python was looked for.
    assert "Using Python" not in outcome.log
    assert not fresh_launcher.tools.exists()


def test_all_unknown_inputs_are_named_also_empty_ones(launcher: Launcher) -> None:
    (error,) = launcher.run(SUCCEED, inputs={"computNam": "", "cod": "x"}).errors
    assert "no input 'computnam' (did you mean 'computeName'?)" in error
    assert "no input 'cod' (did you mean 'code'?)" in error


def test_the_value_of_an_unknown_input_is_not_shown(launcher: Launcher) -> None:
    outcome = launcher.run(
        SUCCEED, inputs={"pasword": "hunter2-hunter2"}, variables={"System.Debug": "true"}
    )
    assert outcome.result[0] == "Failed"
    assert "hunter2" not in outcome.stdout + outcome.stderr


def test_aliases_and_what_others_put_there_are_no_inputs_of_the_step(launcher: Launcher) -> None:
    outcome = launcher.run(
        SUCCEED,
        env={"INPUT_METHOD": "ibus", "INPUT_FOLDER": "a variable of the pipeline"},
        variables={"Input.Folder": "a variable of the pipeline"},
    )
    assert outcome.result[0] == "Succeeded", outcome.stdout


def test_an_input_is_also_read_by_its_alias(launcher: Launcher) -> None:
    connection = launcher.environment(SUCCEED, {}, {})["INPUT_CONNECTEDSERVICENAMEARM"]
    outcome = launcher.run(
        SUCCEED, inputs={"connectedServiceNameARM": "", "azureSubscription": connection}
    )
    assert outcome.result[0] == "Succeeded", outcome.stdout


def test_a_variable_without_a_value_is_told_where_the_launcher_reads_an_input(
    launcher: Launcher,
) -> None:
    outcome = launcher.run(SUCCEED, inputs={"pythonPath": "$(usePython.pythonLocation)/bin"})
    (error,) = outcome.errors
    assert error.startswith(
        "INPUT_VARIABLE_UNSET: The input 'pythonPath' names the variable "
        "'usePython.pythonLocation', which has no value in this job. Next: "
    )
    outcome = launcher.run(SUCCEED, inputs={"connectedServiceNameARM": "$(connection)"})
    assert "The input 'azureSubscription' names the variable 'connection'" in outcome.errors[0]


def test_every_task_knows_its_own_inputs() -> None:
    """Each task.json declares the names under which the agent hands inputs on just once."""
    from extension.sources import task_folders

    for folder in task_folders():
        task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
        names = [n for i in task["inputs"] for n in [i["name"], *i.get("aliases", [])]]
        assert len({name.upper() for name in names}) == len(names)


@pytest.mark.parametrize("system_debug", ["false", "true"])
def test_a_very_long_text_is_not_repeated(launcher: Launcher, system_debug: str) -> None:
    long = "Ab3-" * 25_000
    places: tuple[dict[str, dict[str, str]], ...] = (
        {"inputs": {"pythonPath": long}},
        {"inputs": {"pythonPath": f"/{long}/{long[:20]}"}},
        {"inputs": {"pythonPath": f"$({long})"}},
        {"inputs": {"connectedServiceNameARM": long}},
        {"inputs": {long: "x"}},
        {"variables": {"Agent.ToolsDirectory": f"/{long}"}},
        {"env": {"SSL_CERT_FILE": long}},
    )
    for place in places:
        options: dict[str, Any] = {"variables": {}, **place}
        options["variables"] = {**options["variables"], "System.Debug": system_debug}
        outcome = launcher.run(SUCCEED, **options)
        assert outcome.result[0] == "Failed"
        assert "characters …" in outcome.errors[0]
        assert len(outcome.stdout) < 20_000
        assert long[:1000].lower() not in outcome.stdout.lower()
