"""A wrong input, told by a whole task from start to end, against the bare import of the SDK."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from bench.measure import Comparison, compare

ROOT = Path(__file__).resolve().parents[1]
TASK = "tasks/ProvisionAmlComputeV1"
CONNECTION = "11111111-2222-3333-4444-555555555555"


def run() -> Comparison:
    """Run the task out of a freshly built .vsix, in an environment that is there already."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build = [sys.executable, "-m", "extension.package", "--out", str(folder)]
        built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=True)
        with zipfile.ZipFile(built.stdout.strip().splitlines()[-1]) as vsix:
            vsix.extractall(folder)
        wrong = {"INPUT_COMPUTENAME": "-not-a-name-"}
        environment = {**os.environ, **agent_environment(folder), **wrong, "UV_OFFLINE": "1"}
        launcher = ["node", str(folder / TASK / "launcher.js")]
        interpreter = None

        def task() -> None:
            result = subprocess.run(
                launcher, env=environment, capture_output=True, text=True, check=False
            )
            if "COMPUTE_NAME_INVALID" not in result.stdout:
                raise RuntimeError(f"the task did not refuse the input:\n{result.stdout}")

        task()
        (interpreter,) = (folder / "tools").glob("azure-machine-learning-tasks/*/bin/python")
        sdk = [str(interpreter), "-c", "import azureml.core"]
        return compare(
            "a wrong input is told sooner than the SDK is imported",
            ours=("the whole task, from node's start to its result", task),
            other=(
                "python -c 'import azureml.core'",
                lambda: subprocess.run(sdk, capture_output=True, check=True),
            ),
            rounds=10,
        )


def agent_environment(folder: Path) -> dict[str, str]:
    """Return what the agent gives a task, as far as this one reads it."""
    return {
        "AGENT_TOOLSDIRECTORY": str(folder / "tools"),
        "AGENT_TEMPDIRECTORY": str(folder),
        "AGENT_VERSION": "4.265.1",
        "SYSTEM_DEFAULTWORKINGDIRECTORY": str(folder),
        "INPUT_CONNECTEDSERVICENAMEARM": CONNECTION,
        "INPUT_RESOURCEGROUP": "rg",
        "INPUT_WORKSPACE": "ws",
        "INPUT_SDK": "v1",
        f"ENDPOINT_URL_{CONNECTION}": "https://management.azure.com/",
        f"ENDPOINT_AUTH_{CONNECTION}": json.dumps(
            {
                "scheme": "ServicePrincipal",
                "parameters": {
                    "tenantid": "t",
                    "serviceprincipalid": "p",
                    "serviceprincipalkey": "k",
                    "authenticationType": "spnKey",
                },
            }
        ),
        f"ENDPOINT_DATA_{CONNECTION}": json.dumps({"subscriptionid": "s"}),
    }
