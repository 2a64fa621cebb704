"""eval_info.json keeps the seed's keys."""

import json
import math
from pathlib import Path

import pytest

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
