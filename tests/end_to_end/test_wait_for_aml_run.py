"""A job submits runs and ends; jobs without an agent wait for them, on both SDKs' runs."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import ROOT, run_agent

CONSUMER = ROOT / "tests" / "tasks" / "amltasks" / "consumer"
FILES = {"v2": "pipeline_v2.py", "v1": "pipeline.py"}
PLACE = """
      azureSubscription: aml-connection
      resourceGroupName: $(AML_RESOURCE_GROUP)
      workspaceName: $(AML_WORKSPACE_NAME)"""
SUBMIT = """
  - task: RunAmlPipeline@1
    name: {mode}
    inputs:{place}
      pipelineFile: {file}
      experimentName: waited
      waitForCompletion: false
      parameters: |
        mode: {mode}
        compute: cpu
      sdk: $(sdk)
      pythonPath: $(interpreter)"""
WAIT = """
- job: wait_{mode}
  dependsOn: submit
  pool: server
  timeoutInMinutes: 10
  variables:
    run: $[ dependencies.submit.outputs['{mode}.runId'] ]
  steps:
  - task: WaitForAmlRun@1
    name: wait_{mode}
    inputs:{place}
      runId: $(run)"""
PIPELINE = """
jobs:
- job: submit
  steps:
  - task: ProvisionAmlCompute@1
    inputs:{place}
      computeName: cpu
      sdk: $(sdk)
      pythonPath: $(interpreter)"""


@pytest.fixture(scope="module", params=["v2", "v1"])
def sdk(request: pytest.FixtureRequest) -> str:
    """Whose runs are waited for."""
    return str(request.param)


def test_a_job_without_an_agent_ends_as_the_run_does(
    vsix: Path, azure_environment: dict[str, str], sdk: str, tmp_path: Path
) -> None:
    repository = Path(shutil.copytree(CONSUMER, tmp_path / "repository"))
    for script in ("train.py", "evaluate.py"):  # without the SDK, which no task needs for this
        (repository / "steps" / script).write_text("import sys\nsys.exit('crash' in sys.argv)\n")
    pipeline = repository / "azure-pipelines.yml"
    text = PIPELINE.format(place=PLACE)
    for part in (SUBMIT, WAIT):
        for mode in ("good", "crash"):
            text += part.format(mode=mode, place=PLACE, file=FILES[sdk])
    pipeline.write_text(text + "\n")
    given = {"interpreter": sys.executable, "sdk": sdk}.items()
    options = [word for name, value in given for word in ("--variable", f"{name}={value}")]
    run = run_agent(pipeline, vsix, azure_environment, tmp_path, *options)
    assert run.step("good")["result"] == run.step("crash")["result"] == "succeeded", run.console
    assert run.step("wait_good")["result"] == "succeeded", run.console
    assert run.step("wait_crash")["result"] == "failed", run.console
    assert azure_environment["AZURE_CLIENT_SECRET"] not in run.console
    assert "is not allowed in this step" not in run.console
    assert run.exit_code == 1
