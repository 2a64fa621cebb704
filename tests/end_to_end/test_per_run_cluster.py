"""A cluster for one job, in the local agent: the post-job execution deletes it after a failure."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.end_to_end.conftest import run_agent

PIPELINE = """
steps:
  - task: ProvisionAmlCompute@1
    name: provision
    inputs:
      azureSubscription: aml-connection
      resourceGroupName: $(AML_RESOURCE_GROUP)
      workspaceName: $(AML_WORKSPACE_NAME)
      computeName: once
      lifecycle: perRun
      sdk: $(sdk)
      pythonPath: $(interpreter)
  - script: exit 1
    displayName: Fail on purpose
"""


@pytest.fixture(scope="module", params=["v2"])
def sdk(request: pytest.FixtureRequest) -> str:
    """The tests of the task itself use both SDKs."""
    return str(request.param)


def names_of_clusters(azure: Mapping[str, str]) -> list[str]:
    """The AmlCompute clusters in the workspace."""
    trust = ["--proxy", azure["HTTPS_PROXY"], "--cacert", azure["SSL_CERT_FILE"]]
    curl = ["curl", "--silent", "--fail", *trust]
    form = {
        "grant_type": "client_credentials",
        "client_id": azure["AZURE_CLIENT_ID"],
        "client_secret": azure["AZURE_CLIENT_SECRET"],
        "scope": "https://management.azure.com/.default",
    }
    fields = [
        word for name, text in form.items() for word in ("--data-urlencode", f"{name}={text}")
    ]
    address = f"https://login.microsoftonline.com/{azure['AZURE_TENANT_ID']}/oauth2/v2.0/token"
    signed = subprocess.run([*curl, *fields, address], capture_output=True, check=True)
    token = json.loads(signed.stdout)["access_token"]
    workspace = (
        f"https://management.azure.com/subscriptions/{azure['AML_SUBSCRIPTION_ID']}/resourceGroups/"
        f"{azure['AML_RESOURCE_GROUP']}/providers/Microsoft.MachineLearningServices/workspaces/"
        f"{azure['AML_WORKSPACE_NAME']}/computes?api-version=2024-10-01"
    )
    found = subprocess.run(
        [*curl, "--header", f"Authorization: Bearer {token}", workspace],
        capture_output=True,
        check=True,
    )
    return [
        each["name"]
        for each in json.loads(found.stdout)["value"]
        if each["properties"]["computeType"] == "AmlCompute"
        and each["properties"]["provisioningState"] != "Deleting"
    ]


def test_the_cluster_goes_although_the_job_failed(
    vsix: Path, azure_environment: dict[str, str], sdk: str, tmp_path: Path
) -> None:
    pipeline = tmp_path / "azure-pipelines.yml"
    pipeline.write_text(PIPELINE)
    given = {"interpreter": sys.executable, "sdk": sdk}.items()
    options = [word for name, value in given for word in ("--variable", f"{name}={value}")]
    run = run_agent(pipeline, vsix, azure_environment, tmp_path, *options)
    assert run.exit_code == 1, run.console
    outputs = run.step("provision")["outputs"]
    assert outputs["computeOutcome"] == "created"
    assert f"Cluster {outputs['computeName']} of this job was deleted" in run.console
    assert run.document["steps"][-1]["displayName"].startswith("Post-job: ")
    assert run.document["steps"][-1]["result"] == "succeeded"
    assert names_of_clusters(azure_environment) == []
