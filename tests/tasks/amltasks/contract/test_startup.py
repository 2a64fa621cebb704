"""What a task imports: azure-ai-ml takes seconds, and only a submission is worth them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ..conftest import CLUSTER, Azure, Ended, start_task

GATE = {
    "modelName": "m",
    "baseline": "none",
    "rules": "rules: [{metric: accuracy, floor: 1}]\nsingle_numbers: pass",
}


@pytest.mark.parametrize("task", ["ProvisionAmlCompute", "EvaluateAndGate", "DeployToAks"])
def test_what_only_asks_imports_no_sdk_of_v2(
    aml_azure: Azure, trained: Ended, sdk: str, task: str, consumer: Path
) -> None:
    inputs = {
        "ProvisionAmlCompute": {"computeName": f"{CLUSTER}-{sdk}"},
        "EvaluateAndGate": {**GATE, "candidateRunId": trained.outputs["runId"]},
        "DeployToAks": {
            "serviceName": "absent",
            "modelName": "absent",
            "modelVersion": "1",
            "aksName": "absent",
            "entryScript": "scoring/score.py",
            "environmentFile": "scoring/conda.yml",
        },
    }[task]
    ended = start_task(
        task,
        {**aml_azure.place, "sdk": sdk, **inputs},
        folder=consumer,
        connection=aml_azure.connection,
        environment={**aml_azure.client_environment, "PYTHONPROFILEIMPORTTIME": "1"},
    ).end()
    assert list(ended.issues) in ([], ["BELOW_FLOOR"], ["MODEL_NOT_FOUND"])
    imported = set(re.findall(r"^import time: .*\| +([\w.]+)$", ended.log, re.MULTILINE))
    assert "requests" in imported
    sdks = {"azure.ai.ml", "mlflow", "azureml.core"}
    if sdk == "v2":
        assert imported & sdks == set()
    else:  # where one is imported, this would see it
        assert "azureml.core" in imported
