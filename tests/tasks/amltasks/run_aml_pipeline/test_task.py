"""RunAmlPipeline: what is told before any call. contract/ has the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from amltasks.run_aml_pipeline.task import _last_words
from tests.tasks.amltasks.conftest import Starter

TASK = "RunAmlPipeline"
WHERE = {"pipelineFile": "pipeline.py", "experimentName": "compliance"}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"pipelineFile": "nowhere.py"}, "FILE_NOT_FOUND"),
        ({"downloadOutputs": "train"}, "INPUT_INVALID"),
        ({"downloadOutputs": "train/report", "waitForCompletion": "false"}, "INPUT_INVALID"),
        ({"timeoutMinutes": "-1"}, "INPUT_INVALID"),
        ({"experimentName": ""}, "INPUT_MISSING"),
    ],
)
def test_wrong_inputs_stop_before_any_call(
    consumer: Path, start: Starter, changed: dict[str, str], code: str
) -> None:
    place = {"resourceGroup": "rg", "workspace": "ws"}
    assert list(start(TASK, {**place, **WHERE, **changed}).end().issues) == [code]


def test_a_wrong_override_is_told_whole_or_not_at_all(consumer: Path, start: Starter) -> None:
    place = {"resourceGroup": "rg", "workspace": "ws", "pipelineFile": "pipeline.yml"}
    (consumer / "pipeline.yml").write_text("type: pipeline\n")
    secret = "tell-nobody-" * 9
    for lines, words in (
        (f"jobs.train.environment_variables.KEY: {secret}", "characters …"),
        (f"inputs.count=3\ninputs.count={secret}", "characters …"),
        ("inputs.count=3", "the input 'parameters' sets 'count'"),
    ):
        given = {**WHERE, **place, "parameters": "count: 4", "overrides": lines}
        if secret in lines:
            del given["parameters"]
        ended = start(TASK, given).end()
        assert list(ended.issues) == ["INPUT_INVALID"]
        assert words in ended.message
        assert "tell-nobody" not in ended.message


@pytest.mark.parametrize(
    ("tail", "words"),
    [
        (["a", "ValueError: x", "  more", "Cleanup took 1 seconds"], "ValueError: x"),
        (["a", "my.own.PartError: y", "b"], "my.own.PartError: y"),
        (["a", "no such column", "2 items cleaning up..."], "no such column"),
        (["", " "], ""),
        ([], ""),
    ],
)
def test_the_telling_line_is_found(tail: list[str], words: str) -> None:
    assert _last_words(tail) == words
