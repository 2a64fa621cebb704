"""Overrides of a job's file: what they reach, and what is told of the others."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from amltasks.errors import TaskError

PIPELINE = """
type: pipeline
inputs: {count: 3}
jobs:
  train:
    type: command
    command: echo ${{inputs.count}}
    environment: azureml:bare:1
    compute: azureml:cpu-cluster
    inputs: {count: "${{parent.inputs.count}}"}
"""


def loaded(folder: Path, overrides: dict[str, object]) -> Any:
    with warnings.catch_warnings():
        # azure-ai-ml marks much of itself as experimental when it is imported.
        warnings.simplefilter("ignore")
        from amltasks.workspace.sdk_v2 import submission

        path = folder / "train.yml"
        path.write_text(PIPELINE)
        return submission.load(path, None, {}, overrides)


def test_settings_that_the_file_has_or_may_have_are_set(tmp_path: Path) -> None:
    job = loaded(
        tmp_path,
        {
            "jobs.train.compute": "gpu",
            "jobs.train.resources.instance_count": 2,
            "jobs.train.environment_variables.MODE": "fine",
            "settings.continue_on_step_failure": False,
            "description": "tonight's",
        },
    )
    train = job.jobs["train"]
    assert train.compute == "gpu"
    assert train.resources["instance_count"] == 2
    assert train.environment_variables == {"MODE": "fine"}
    assert job.settings.continue_on_step_failure is False
    assert job.description == "tonight's"


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        ("jobs.trian.compute", "jobs.train.compute"),
        ("jobs.train.inputs.counts", "jobs.train.inputs.count"),
        ("inputs.epochs", "inputs.count"),
        ("settings.default_computer", "jobs.train.compute"),
        ("jobs..compute", "jobs.train.compute"),
        ("jobs.train.nonsense", "jobs.train.inputs"),
        ("jobs.train.resources.instance_count", "jobs.train.inputs.count"),
    ],
)
def test_a_path_that_leads_nowhere_is_told_with_the_nearest(
    path: str, nearest: str, tmp_path: Path
) -> None:
    with pytest.raises(TaskError) as raised:
        loaded(tmp_path, {path: "x"})
    assert raised.value.cause.code == "INPUT_INVALID"
    assert f"{path}=x" in str(raised.value)
    assert f"the nearest in the file is '{nearest}'" in str(raised.value)
