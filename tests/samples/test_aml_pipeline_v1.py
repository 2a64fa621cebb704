"""build_pipeline by the unmodified azureml-sdk against the local Azure: built, checked, not run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.running_azure import running_azure

pytestmark = pytest.mark.slow


ROOT = Path(__file__).resolve().parents[2]

# In a process of its own, for the SDK keeps what it learned of a workspace until its process ends.
DESCRIBE = """
import json, os, runpy, sys, warnings
warnings.simplefilter("ignore")
from azureml.core import Workspace
from azureml.core.compute import AmlCompute
from azureml.core.authentication import ServicePrincipalAuthentication
env = os.environ
login = ServicePrincipalAuthentication(
    env["AZURE_TENANT_ID"], env["AZURE_CLIENT_ID"], env["AZURE_CLIENT_SECRET"]
)
workspace = Workspace.get(
    env["AML_WORKSPACE_NAME"], auth=login, subscription_id=env["AML_SUBSCRIPTION_ID"],
    resource_group=env["AML_RESOURCE_GROUP"],
)
if "cpu-cluster" not in workspace.compute_targets:
    asked = AmlCompute.provisioning_configuration(vm_size="STANDARD_DS3_V2", max_nodes=1)
    AmlCompute.create(workspace, "cpu-cluster", asked).wait_for_completion()
build = runpy.run_path(sys.argv[1])["build_pipeline"]
pipeline = build(workspace, "cpu-cluster", **json.loads(sys.argv[2]))
nodes = {node.name: node for node in pipeline.graph.nodes}
print("RESULT", json.dumps({
    "errors": [str(error) for error in pipeline.validate()],
    "scripts": {name: node.get_param("Script").value for name, node in nodes.items()},
    "targets": {name: node.get_param("Target").value for name, node in nodes.items()},
    "arguments": {
        name: [str(argument) for argument in node._module_builder._arguments]
        for name, node in nodes.items()
    },
    "from": {
        name: [edge.source_port.node.name for edge in pipeline.graph.edges
               if edge.dest_port.node is node]
        for name, node in nodes.items()
    },
    "reuse": {name: node._module_builder._module_def.allow_reuse for name, node in nodes.items()},
}))
"""


@pytest.fixture(scope="module")
def describe_pipeline(
    sample_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Any]]:
    folder = tmp_path_factory.mktemp("azure")
    with running_azure(folder / "state") as server:
        home = {"HOME": str(folder), "USERPROFILE": str(folder)}

        def describe(**parameters: Any) -> Any:
            script = str(sample_folder / "aml_pipeline_v1.py")
            result = subprocess.run(
                [sys.executable, "-c", DESCRIBE, script, json.dumps(parameters)],
                env={**os.environ, **server.environment, **home},
                cwd=folder,
                capture_output=True,
                text=True,
                check=False,
            )
            assert result.returncode == 0, result.stdout + result.stderr
            return json.loads(result.stdout.rpartition("RESULT ")[2].splitlines()[0])

        yield describe


def test_train_hands_its_model_to_evaluate(describe_pipeline: Callable[..., Any]) -> None:
    found = describe_pipeline(
        rows=4000, learning_rate=0.02, data="own.csv", glove="https://example.org/glove.txt"
    )
    assert found == {
        "errors": [],
        "scripts": {"train": "train.py", "evaluate": "evaluate.py"},
        "targets": {"train": "cpu-cluster", "evaluate": "cpu-cluster"},
        "from": {"train": [], "evaluate": ["train"]},
        # A reused step would hand an earlier build's model on.
        "reuse": {"train": False, "evaluate": False},
        "arguments": {
            "train": [
                *("--model-output", "output:model", "--data", "own.csv", "--rows", "4000"),
                *("--network", "small", "--epochs", "10"),
                *("--learning-rate", "0.02", "--batch-size", "256", "--seed", "1"),
                *("--glove", "https://example.org/glove.txt"),
                *("--model-name", "compliance-classifier"),
            ],
            "evaluate": ["--model", "input:model", "--data", "own.csv"],
        },
    }


def test_nothing_given_is_no_argument(describe_pipeline: Callable[..., Any]) -> None:
    arguments = describe_pipeline(data="", glove=None)["arguments"]
    assert arguments["evaluate"] == ["--model", "input:model"]
    assert "--glove" not in arguments["train"]
