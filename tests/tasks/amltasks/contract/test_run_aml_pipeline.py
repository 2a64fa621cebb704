"""RunAmlPipeline against the local Azure, on both SDKs."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from tests.tasks.amltasks.conftest import CLUSTER, VARIABLES, Ended, Starter
from tests.tasks.amltasks.contract.conftest import PIPELINES, Seen, trained_inputs

TASK = "RunAmlPipeline"


def inputs(sdk: str, **more: str) -> dict[str, str]:
    """The consumer's pipeline on the cluster of this SDK."""
    parameters = more.pop("parameters", "")
    if "compute:" not in parameters:
        parameters += f"\ncompute: {CLUSTER}-{sdk}"
    return {
        "pipelineFile": PIPELINES[sdk],
        "experimentName": "compliance",
        "parameters": parameters,
        **more,
    }


def test_outputs_hand_on_what_the_run_produced(trained: Ended) -> None:
    outputs = trained.outputs
    assert outputs["runStatus"] in ("Completed", "Finished")
    assert outputs["runId"] in outputs["portalUrl"]
    assert json.loads(outputs["metrics"]) == {
        "accuracy": 0.9,
        "train.loss": pytest.approx(1 / 3),
        "evaluate.loss": 0.25,
    }
    assert outputs["metric.accuracy"] == "0.9"
    folder = Path(outputs["outputsPath"])
    assert (folder / "train" / "report" / "report.txt").read_text() == "fine"
    assert (folder / "train" / "outputs" / "model" / "weights.txt").read_text() == "plastic"


def test_the_log_tells_steps_states_and_lines(trained: Ended) -> None:
    for line in (
        "[train] training in mode good ##vso[task.setvariable variable=stolen]yes",
        "[train] is Completed",
        "[evaluate] is Completed",
        "step      status     time",
    ):
        assert line in trained.log
    assert trained.log.count("training in mode good") == 1
    assert "stolen" not in trained.outputs
    for banner in ("Submitted PipelineRun", "Created step", "Link to Azure Machine Learning"):
        assert banner not in trained.log


def test_the_run_is_tagged_and_named(trained: Ended, seen: Seen) -> None:
    name, tags = seen.run(trained.outputs["runId"])
    assert name == "nightly"
    assert (
        tags.items()
        >= {
            "build_number": VARIABLES["build.buildnumber"],
            "build_id": "4711",
            "commit": VARIABLES["build.sourceversion"],
            "branch": "refs/heads/main",
            "definition": "compliance",
            "requested_for": "Ada",
            "project": "mlops",
            "team": "parts",
            "version": "1.10",
        }.items()
    )


def test_a_failing_step_is_named_with_the_end_of_its_log(
    cluster: Ended, sdk: str, consumer: Path, start_in_azure: Starter
) -> None:
    ended = start_in_azure(TASK, inputs(sdk, parameters="mode: crash")).end()
    assert ended.result == "Failed"
    assert ended.issues["STEP_FAILED"].startswith("STEP_FAILED: the step 'train' of run ")
    assert "ValueError: the column 'text' is not there" in ended.message
    assert ended.outputs["runStatus"] == "Failed"
    assert "metrics" not in ended.outputs
    assert re.search(r"The last \d+ lines of step train:\n\[train\] ", ended.log)


def test_a_cancel_cancels_the_run_and_says_so(
    cluster: Ended, sdk: str, consumer: Path, start_in_azure: Starter, seen: Seen
) -> None:
    slow = inputs(sdk, parameters="mode: slow")
    unattended = start_in_azure(TASK, {**slow, "waitForCompletion": "false"}).end()
    assert unattended.result == "Succeeded", unattended.message
    run_id = unattended.outputs["runId"]
    assert unattended.outputs["runStatus"] not in ("Completed", "Finished", "Failed", "Canceled")
    # The job is tried again: nothing is submitted, and the run of the first attempt is followed.
    again = {"system.jobattempt": "2"}
    started = start_in_azure(TASK, slow, variables=again)
    started.wait_for(lambda s: any("training in mode slow" in line for line in s.lines))
    started.say("cancel")
    ended = started.end()
    assert (ended.result, ended.code) == ("Canceled", 130)
    assert ended.outputs["runId"] == run_id
    assert f"Canceling run {run_id} in Azure ML" in ended.log
    assert seen.status(run_id) in ("Canceled", "CancelRequested")


def test_a_job_that_is_tried_again_goes_on_with_its_run(
    trained: Ended, sdk: str, consumer: Path, start_in_azure: Starter, seen: Seen
) -> None:
    where = {**trained_inputs(sdk), "downloadOutputs": ""}
    ended = start_in_azure(TASK, where, variables={"system.jobattempt": "2"}).end()
    assert ended.result == "Succeeded", ended.log
    assert ended.outputs["runId"] == trained.outputs["runId"]
    assert "Going on with run" in ended.log
    assert ended.outputs["metrics"] == trained.outputs["metrics"]
    assert seen.run(ended.outputs["runId"])[1]["pipelines_attempt"] == "1.1.2.1"
    # The run is taken by this attempt: a like step of the same job has one of its own.
    for variables in ({"system.jobattempt": "2"}, {"system.jobattempt": "2", "build.buildid": "9"}):
        other = {**where, "waitForCompletion": "false"}
        ended = start_in_azure(TASK, other, variables=variables).end()
        assert ended.outputs["runId"] != trained.outputs["runId"]


def test_a_deadline_cancels_the_run(
    cluster: Ended, sdk: str, consumer: Path, start_in_azure: Starter
) -> None:
    ended = start_in_azure(TASK, inputs(sdk, parameters="mode: slow", timeoutMinutes="0.02")).end()
    assert "still running after 0.02 minutes and was canceled" in ended.issues["RUN_TIMEOUT"]
    assert re.search(r"Run [0-9a-z_-]+ is Cancel", ended.log)


YAML = {
    "v1": """
pipeline:
  description: evaluation alone
  parameters:
    accuracy:
      type: float
      default: 0.5
  default_compute: cpu-cluster-v1
  steps:
    Evaluate:
      type: PythonScriptStep
      name: evaluate
      script_name: evaluate.py
      source_directory: steps
      allow_reuse: false
      runconfig: at-hand.runconfig
      parameters:
        ACCURACY:
          source: accuracy
      arguments:
      - --accuracy
      - parameter:ACCURACY
""",
    "v2": f"""
type: pipeline
inputs:
  accuracy: 0.5
settings:
  default_compute: azureml:cpu-cluster-v2
jobs:
  evaluate:
    type: command
    code: steps
    command: {sys.executable} evaluate.py --accuracy ${{{{inputs.accuracy}}}}
    environment:
      image: python:3.11
    inputs:
      accuracy: ${{{{parent.inputs.accuracy}}}}
""",
}
RUN_CONFIGURATION = f"""
framework: Python
environment:
  name: at-hand
  python:
    userManagedDependencies: true
    interpreterPath: {sys.executable}
"""


def test_a_yaml_pipeline_runs(
    cluster: Ended, sdk: str, consumer: Path, start_in_azure: Starter
) -> None:
    (consumer / "at-hand.runconfig").write_text(RUN_CONFIGURATION)
    (consumer / "pipeline.yml").write_text(YAML[sdk])
    where = {"pipelineFile": "pipeline.yml", "experimentName": "compliance"}
    ended = start_in_azure(TASK, {**where, "parameters": "accuracy: 0.75"}).end()
    assert ended.result == "Succeeded", ended.message
    assert ended.outputs["metric.accuracy"] == "0.75"
    ended = start_in_azure(TASK, {**where, "parameters": "accuracy: much"}).end()
    assert list(ended.issues) == ["PARAMETER_INVALID"]
    if sdk == "v2":  # the local Azure reuses nothing with v1
        ended = start_in_azure(TASK, {**where, "parameters": "accuracy: 0.75"}).end()
        assert "[evaluate] is Completed, reused" in ended.log
        assert ended.outputs["metric.loss"] == "0.25"  # the step's own; it did not run for the job
    anew = {**where, "parameters": "accuracy: 0.75", "forceRerun": "true"}
    ended = start_in_azure(TASK, anew).end()
    assert ended.result == "Succeeded", ended.message
    assert "[evaluate] is Completed" in ended.log
    assert "reused" not in ended.log


COMMAND = f"""
type: command
code: steps
command: >-
  {sys.executable} train.py --mode ${{{{inputs.mode}}}} --report ${{{{outputs.report}}}}
  --holds True --count ${{{{inputs.count}}}}
environment:
  image: python:3.11
environment_variables: {{}}
inputs:
  mode: good
  count: 1
outputs:
  report:
    type: uri_folder
"""


def test_a_command_job_runs_without_a_cluster(
    sdk: str, consumer: Path, start_in_azure: Starter
) -> None:
    (consumer / "job.yml").write_text(COMMAND)
    where = {"pipelineFile": "job.yml", "experimentName": "compliance"}
    ended = start_in_azure(
        TASK,
        {
            **where,
            "parameters": "mode: fine",
            "downloadOutputs": "job/report\njob/outputs/model/weights.txt",
        },
    ).end()
    if sdk == "v1":
        assert list(ended.issues) == ["PIPELINE_FILE_INVALID"]
        assert "set sdk to 'v2'" in ended.message
        return
    assert ended.result == "Succeeded", ended.message
    assert "[job] training in mode fine" in ended.log
    assert "with 1 steps" in ended.message
    assert ended.outputs["metric.loss"] == str(1 / 3)
    folder = Path(ended.outputs["outputsPath"], "job")
    assert (folder / "report" / "report.txt").read_text() == "fine"
    assert (folder / "outputs" / "model" / "weights.txt").read_text() == "plastic"
    ended = start_in_azure(TASK, {**where, "parameters": "mode: crash"}).end()
    assert list(ended.issues) == ["STEP_FAILED"]
    assert "the column 'text' is not there" in ended.message
    for parameters, code in (("modes: x", "PARAMETER_UNKNOWN"), ("count: x", "PARAMETER_INVALID")):
        ended = start_in_azure(TASK, {**where, "parameters": parameters}).end()
        assert list(ended.issues) == [code], ended.message


def test_overrides_set_any_setting_of_the_file(
    cluster: Ended, sdk: str, consumer: Path, start_in_azure: Starter
) -> None:
    (consumer / "at-hand.runconfig").write_text(RUN_CONFIGURATION)
    (consumer / "pipeline.yml").write_text(YAML[sdk])
    where = {"pipelineFile": "pipeline.yml", "experimentName": "compliance"}
    ended = start_in_azure(
        TASK,
        {
            **where,
            "overrides": f"jobs.evaluate.command={sys.executable} evaluate.py --accuracy 0.625\n"
            "settings.default_compute=azureml:nowhere\n"
            f"jobs.evaluate.compute=azureml:{CLUSTER}-v2",
        },
    ).end()
    if sdk == "v1":
        assert list(ended.issues) == ["INPUT_INVALID"]
        assert "with sdk v2" in ended.message
        return
    assert ended.result == "Succeeded", ended.message
    assert ended.outputs["metric.accuracy"] == "0.625"


def test_a_pipeline_of_the_other_sdk_is_told(
    sdk: str, consumer: Path, start_in_azure: Starter
) -> None:
    other = {"v1": "v2", "v2": "v1"}[sdk]
    (consumer / "pipeline.yml").write_text(YAML[other])
    where = {"pipelineFile": "pipeline.yml", "experimentName": "compliance"}
    ended = start_in_azure(TASK, where).end()
    assert list(ended.issues) == ["PIPELINE_FILE_INVALID"]
    assert f"set sdk to '{other}'" in ended.message


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"parameters": "modes: x"}, "PARAMETER_UNKNOWN", "'modes'; it has compute, accuracy, "),
        ({"parameters": "count: 1.5"}, "PARAMETER_INVALID", "'1.5', not a whole number"),
        ({"pipelineFile": "smoke.json"}, "PIPELINE_FILE_INVALID", "neither .yml, .yaml nor .py"),
        ({"pipelineFile": "steps/train.py"}, "PIPELINE_FILE_INVALID", "it raised SystemExit"),
        ({"pipelineFile": "scoring/score.py"}, "PIPELINE_FILE_INVALID", "defines no function"),
        ({"pipelineFile": "scoring/conda.yml"}, "PIPELINE_FILE_INVALID", "as a pipeline"),
    ],
)
def test_wrong_pipelines_are_named(
    cluster: Ended,
    sdk: str,
    consumer: Path,
    start_in_azure: Starter,
    changed: dict[str, str],
    code: str,
    words: str,
) -> None:
    ended = start_in_azure(TASK, inputs(sdk, **changed)).end()
    assert list(ended.issues) == [code]
    assert words in ended.message
    assert "runId" not in ended.outputs


def test_a_target_that_is_not_there_is_told(
    sdk: str, consumer: Path, start_in_azure: Starter
) -> None:
    ended = start_in_azure(TASK, inputs(sdk, parameters="compute: none")).end()
    assert list(ended.issues) == [{"v1": "PIPELINE_FILE_INVALID", "v2": "REFUSED"}[sdk]]
    assert "none" in ended.message
    assert "runId" not in ended.outputs
