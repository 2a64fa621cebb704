"""Overrides of a job's file: what they reach, and what is told of the others."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

from amltasks.errors import TaskError
from amltasks.workspace.port import Scalar

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


COMMAND = """
command: echo ${{inputs.count}}
environment: azureml:bare:1
inputs:
  count: 3
  rate: 0.5
  rows: {type: uri_file, path: azureml:rows:1}
"""


def loaded(
    folder: Path,
    overrides: dict[str, object],
    text: str = PIPELINE,
    parameters: dict[str, Scalar] | None = None,
) -> Any:
    with warnings.catch_warnings():
        # azure-ai-ml marks much of itself as experimental when it is imported.
        warnings.simplefilter("ignore")
        from amltasks.workspace.sdk_v2 import submission

        path = folder / "train.yml"
        path.write_text(text)
        return submission.load(path, None, parameters or {}, overrides)


@pytest.mark.parametrize("text", [PIPELINE, COMMAND])
def test_settings_of_every_job(text: str, tmp_path: Path) -> None:
    asked: dict[str, object] = {
        "display_name": "at night",
        "description": "tonight's",
        "tags.team": "parts",
        "experiment_name": "nightly",
        "compute": "gpu",
    }
    job = loaded(tmp_path, asked, text)
    assert (job.display_name, job.description, job.tags) == (
        "at night",
        "tonight's",
        {"team": "parts"},
    )
    assert (job.experiment_name, job.compute) == ("nightly", "gpu")
    if text == COMMAND:
        loaded(tmp_path, {"limits.timeout": 60, "resources.instance_count": 2}, text)
        loaded(tmp_path, {"environment_variables.A": "b", "queue_settings.job_tier": "Spot"}, text)
    for unknown in ("computee", "tags_.a", "displayname"):
        with pytest.raises(TaskError, match="INPUT_INVALID"):
            loaded(tmp_path, {unknown: "x"}, text)


def test_parameters_of_a_command_job_are_of_its_types(tmp_path: Path) -> None:
    given = {
        "count": Scalar(value=5, written="5"),
        "rate": Scalar(value=1, written="1"),
        "rows": Scalar(value="azureml:rows:2", written="azureml:rows:2"),
    }
    inputs = loaded(tmp_path, {}, COMMAND, given).inputs
    assert (inputs.count._data, inputs.rate._data) == (5, 1.0)
    assert inputs.rows._data.path.endswith("rows:2")
    with pytest.raises(TaskError, match="PARAMETER_INVALID"):
        loaded(tmp_path, {}, COMMAND, {"count": Scalar(value=1.5, written="1.5")})


@pytest.mark.parametrize("inputs", ["", "inputs:", "inputs: [count]"])
def test_a_command_job_without_inputs_has_no_parameters(inputs: str, tmp_path: Path) -> None:
    text = f"command: echo\nenvironment: azureml:bare:1\n{inputs}\n"
    with pytest.raises(TaskError, match="PARAMETER_UNKNOWN"):
        loaded(tmp_path, {}, text, {"count": Scalar(value=1, written="1")})


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


def test_no_part_of_a_value_is_told(tmp_path: Path) -> None:
    with pytest.raises(TaskError) as raised:
        loaded(tmp_path, {"jobs.trian.environment_variables.KEY": "tell-nobody-" * 9})
    assert "tell-nobody" not in str(raised.value)
