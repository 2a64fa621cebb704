"""Whole tasks that find their work done, on either SDK, against the bare import of that SDK.

And whole tasks on a new agent (`cold_start`).
"""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import cold_start
from bench.measure import Comparison, compare
from bench.wrong_input import CONNECTION, ROOT, agent_environment
from local.demo.children import running_azure

ROUNDS = 5
CLUSTER = "cpu-cluster"
# A run for each SDK that has ended, with a model and without metrics.
PIPELINES = {
    "v2": f"""
type: pipeline
jobs:
  train:
    type: command
    compute: azureml:{CLUSTER}
    environment:
      image: python:3.11
    command: mkdir -p outputs/model && echo 1 > outputs/model/weights
""",
    "v1": f"""
import sys
from azureml.core import Environment, RunConfiguration
from azureml.pipeline.core import Pipeline
from azureml.pipeline.steps import PythonScriptStep

def build_pipeline(workspace):
    configuration = RunConfiguration()
    configuration.environment = Environment("at-hand")
    configuration.environment.python.user_managed_dependencies = True
    configuration.environment.python.interpreter_path = {sys.executable!r}
    step = PythonScriptStep(
        "train.py", "train", compute_target="{CLUSTER}", source_directory="src",
        runconfig=configuration, allow_reuse=False,
    )
    return Pipeline(workspace, steps=[step])
""",
}
# Where each SDK lies in an environment, and its import.
SDKS = {
    "v2": ("azure/ai/ml", "import azure.ai.ml"),
    "v1": ("azureml/core", "import azureml.core"),
}
FILES = {"v2": "pipeline.yml", "v1": "pipeline.py"}
TRAIN = "import pathlib\npathlib.Path('outputs/model').mkdir(parents=True)\n"
TRAIN += "pathlib.Path('outputs/model/weights').write_text('1')\n"
# Input values, and the word with which the task ends: each asks Azure all it wants to know, and has
# nothing to do.
FOUND = {
    "ProvisionAmlCompute": ({"computeName": CLUSTER}, "was reused"),
    "RunAmlPipeline": ({"experimentName": "bench"}, "Going on with run"),
    "EvaluateAndGate": ({"modelName": "m", "baseline": "none"}, "METRIC_MISSING"),
    "DeployToAks": (
        {
            "serviceName": "absent",
            "modelName": "absent",
            "modelVersion": "1",
            "aksName": "absent",
            "entryScript": "score.py",
            "environmentFile": "conda.yml",
        },
        "MODEL_NOT_FOUND",
    ),
}


def run() -> dict[str, Comparison]:
    """Run the tasks out of a freshly built .vsix against a local Azure, environments warm."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        build = [sys.executable, "-m", "extension.package", "--out", str(folder)]
        built = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=True)
        with zipfile.ZipFile(built.stdout.strip().splitlines()[-1]) as vsix:
            vsix.extractall(folder)
        for file in ("score.py", "conda.yml"):
            (folder / file).touch()
        (folder / "src").mkdir()
        (folder / "src" / "train.py").write_text(TRAIN, encoding="utf-8")
        for sdk, file in FILES.items():
            (folder / file).write_text(PIPELINES[sdk], encoding="utf-8")
        with running_azure(folder / "state", folder) as azure:
            environment = client_environment(folder, azure)
            task("ProvisionAmlCompute", "v2", {"computeName": CLUSTER}, "created", environment)
            runs = {sdk: trained(sdk, environment) for sdk in FILES}
            found = measured(folder, environment, runs)
        return found | cold_start.measured(folder / "tasks")


def trained(sdk: str, environment: Mapping[str, str]) -> str:
    """Run the pipeline of an SDK; returns the run's id."""
    inputs = {"pipelineFile": FILES[sdk], "experimentName": "bench"}
    said = task("RunAmlPipeline", sdk, inputs, "is Completed", environment)
    found = re.search(r"variable=runId;[^\]]*\](\S+)", said)
    if not found:
        raise RuntimeError(f"the run has no id:\n{said}")
    return found[1]


def measured(
    folder: Path, environment: Mapping[str, str], runs: Mapping[str, str]
) -> dict[str, Comparison]:
    """Time each task on each SDK, side by side with the import."""
    results = {}
    attempts = itertools.count(2)
    for name, (inputs, word) in FOUND.items():
        for sdk, file in FILES.items():
            of_sdk = {
                "EvaluateAndGate": {"candidateRunId": runs[sdk]},
                "RunAmlPipeline": {"pipelineFile": file},
            }
            given = {**inputs, **of_sdk.get(name, {})}

            def whole(
                name: str = name,
                sdk: str = sdk,
                given: Mapping[str, str] = given,
                word: str = word,
            ) -> object:
                # A job that is tried again goes on with the run of its earlier attempt.
                attempt = {"SYSTEM_JOBATTEMPT": str(next(attempts))}
                return task(name, sdk, given, word, {**environment, **attempt})

            bare = bare_import(folder, sdk)
            results[f"startup {name} {sdk}"] = compare(
                f"{name} with sdk {sdk} that finds nothing to do, against a bare import",
                ours=("the whole task, from node's start to its result", whole),
                other=(f"python -c '{bare[-1]}'", importing(bare)),
                rounds=ROUNDS,
            )
    return results


def bare_import(folder: Path, sdk: str) -> list[str]:
    """Return the command that imports an SDK in the tasks' own environment."""
    place, statement = SDKS[sdk]
    interpreters = folder.glob("tools/azure-machine-learning-tasks/*/bin/python")
    found = next(
        python
        for python in interpreters
        if any(python.parents[1].glob(f"lib/*/site-packages/{place}"))
    )
    return [str(found), "-W", "ignore", "-c", statement]


def importing(command: list[str]) -> Callable[[], object]:
    """What the import costs, in the tasks' own environment."""
    return lambda: subprocess.run(command, capture_output=True, check=True)


def task(
    name: str, sdk: str, inputs: Mapping[str, str], word: str, environment: Mapping[str, str]
) -> str:
    """Run one task as the agent does; returns what it said.

    Raises:
        RuntimeError: it did not end with that word.
    """
    folder = Path(environment["AGENT_TEMPDIRECTORY"])
    given = {f"INPUT_{key.upper()}": value for key, value in {**inputs, "sdk": sdk}.items()}
    result = subprocess.run(
        ["node", str(folder / "tasks" / f"{name}V1" / "launcher.js")],
        cwd=folder,
        env={**environment, **given},
        capture_output=True,
        text=True,
        check=False,
    )
    if word not in result.stdout:
        raise RuntimeError(f"{name} did not say {word!r}:\n{result.stdout}{result.stderr}")
    return result.stdout


def client_environment(folder: Path, azure: Mapping[str, str]) -> dict[str, str]:
    """What the agent gives a task that is to reach the local Azure."""
    parameters = {
        "tenantid": azure["AZURE_TENANT_ID"],
        "serviceprincipalid": azure["AZURE_CLIENT_ID"],
        "serviceprincipalkey": azure["AZURE_CLIENT_SECRET"],
        "authenticationType": "spnKey",
    }
    subscription = {
        "subscriptionid": azure["AML_SUBSCRIPTION_ID"],
        "environment": "AzureCloud",
    }
    # The tasks get credentials by the connection alone.
    reach = {key: value for key, value in azure.items() if not key.startswith(("AZURE_", "AML_"))}
    return {
        **os.environ,
        **agent_environment(folder),
        **reach,
        "UV_OFFLINE": "1",
        "VSTS_PUBLIC_VARIABLES": json.dumps(
            ["Build.BuildId", "System.JobAttempt", "System.DefaultWorkingDirectory"]
        ),
        "BUILD_BUILDID": "1",
        "SYSTEM_JOBATTEMPT": "1",
        "INPUT_RESOURCEGROUP": azure["AML_RESOURCE_GROUP"],
        "INPUT_WORKSPACE": azure["AML_WORKSPACE_NAME"],
        f"ENDPOINT_AUTH_{CONNECTION}": json.dumps(
            {"scheme": "ServicePrincipal", "parameters": parameters}
        ),
        f"ENDPOINT_DATA_{CONNECTION}": json.dumps(subscription),
    }
