"""eval_info.json keeps the seed's keys."""

import json
import math
from pathlib import Path

import pytest

from amltasks.errors import TaskError
from amltasks.report import eval_info


def test_the_seeds_keys_are_there(tmp_path: Path) -> None:
    path = eval_info.write(
        eval_info.EvalInfo(
            model_name="m",
            model_version="3",
            model_path="outputs/model",
            model_acc=0.9,
            deployed_model_acc=eval_info.NONE,
            deploy_model=True,
            train_run_id="t",
            eval_run_id="e",
            model_description="d",
        ),
        tmp_path / "new" / "folder",
    )
    assert json.loads(path.read_text(encoding="utf-8")) == {
        "model_name": "m",
        "model_version": "3",
        "model_path": "outputs/model",
        "model_acc": 0.9,
        "deployed_model_acc": -1,
        "deploy_model": True,
        "image_name": "",
        "image_id": "",
        "train_run_id": "t",
        "eval_run_id": "e",
        "model_description": "d",
    }


@pytest.mark.parametrize(
    ("value", "shown"), [(0.5, 0.5), (None, -1), (math.nan, -1), (math.inf, -1)]
)
def test_the_file_is_always_json(value: float | None, shown: float) -> None:
    assert eval_info.accuracy(value) == shown


PASSED = {"model_name": "m", "model_version": "3", "deploy_model": True}


@pytest.mark.parametrize("version", ["3", 3])
def test_the_model_that_passed_is_read(tmp_path: Path, version: object) -> None:
    (tmp_path / "eval_info.json").write_text(json.dumps({**PASSED, "model_version": version}))
    assert eval_info.passed_model(tmp_path / "eval_info.json") == ("m", 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no json", "EVAL_INFO_INVALID"),
        ("[1]", "EVAL_INFO_INVALID"),
        ("{}", "it has no 'deploy_model'"),
        (json.dumps({**PASSED, "model_version": ""}), "it names no model version"),
        (json.dumps({**PASSED, "model_version": True}), "it names no model version"),
        (json.dumps({**PASSED, "model_name": None}), "it names no model version"),
        (json.dumps({**PASSED, "deploy_model": "true"}), "neither true nor false"),
        (json.dumps({**PASSED, "deploy_model": 1}), "neither true nor false"),
        (json.dumps({**PASSED, "deploy_model": False}), "GATE_REJECTED"),
    ],
)
def test_anything_but_a_pass_is_refused(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "eval_info.json").write_text(text)
    with pytest.raises(TaskError, match=words):
        eval_info.passed_model(tmp_path / "eval_info.json")
