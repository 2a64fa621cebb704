"""Tasks against a local Azure that fails on request."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests

from tests.patience import PATIENCE_S
from tests.running_azure import running_azure

from ..conftest import CLUSTER, Azure, Ended, start_task

RUN = {
    "v2": {"pipelineFile": "pipeline_v2.py", "experimentName": "compliance"},
    "v1": {"pipelineFile": "pipeline.py", "experimentName": "compliance"},
}
SUBMIT = {"v2": "method=PUT path=*/jobs/*", "v1": "method=POST path=*/PipelineRuns/Submit/*"}
POLL = {"v2": "method=GET path=/history/*", "v1": "method=GET path=*/runs/*/details"}

Faulty = Callable[..., AbstractContextManager[Azure]]


@pytest.fixture(params=["v2", "v1"])
def sdk(request: pytest.FixtureRequest) -> str:
    """The SDK that the tasks work with."""
    return str(request.param)


@contextlib.contextmanager
def azure_with(folder: Path, *specs: str) -> Iterator[Azure]:
    """A local Azure with faults, its state in the folder."""
    options = [word for spec in specs for word in ("--fault", spec)]
    with running_azure(folder / "state", *options) as server:
        yield Azure(environment=server.environment)


@pytest.fixture
def faulty(tmp_path: Path) -> Faulty:
    """`with faulty(spec, ...) as azure:` starts a local Azure that has a cluster, and faults."""
    folder = tmp_path / "faulty"
    folder.mkdir()

    def begin(*specs: str) -> AbstractContextManager[Azure]:
        return azure_with(folder, "creating=0", *specs)

    return begin


def _make_cluster(azure: Azure) -> None:
    given = azure.environment
    http = {"proxies": {"https": given["HTTPS_PROXY"]}, "verify": given["REQUESTS_CA_BUNDLE"]}
    signed_in = requests.post(
        f"https://login.microsoftonline.com/{given['AZURE_TENANT_ID']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": given["AZURE_CLIENT_ID"],
            "client_secret": given["AZURE_CLIENT_SECRET"],
            "scope": "https://management.azure.com/.default",
        },
        timeout=PATIENCE_S,
        **http,  # type: ignore[arg-type]
    )
    workspace = (
        f"/subscriptions/{given['AML_SUBSCRIPTION_ID']}/resourceGroups/{given['AML_RESOURCE_GROUP']}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{given['AML_WORKSPACE_NAME']}"
    )
    inner = {"vmSize": "Standard_DS3_v2", "scaleSettings": {"maxNodeCount": 2}}
    requests.put(
        f"https://management.azure.com{workspace}/computes/{CLUSTER}",
        json={"properties": {"computeType": "AmlCompute", "properties": inner}},
        headers={"Authorization": f"Bearer {signed_in.json()['access_token']}"},
        timeout=PATIENCE_S,
        **http,  # type: ignore[arg-type]
    ).raise_for_status()


def _end(azure: Azure, sdk: str, task: str, inputs: dict[str, str], folder: Path) -> Ended:
    ended = start_task(
        task,
        {**azure.place, "sdk": sdk, **inputs},
        folder=folder,
        connection=azure.connection,
        environment=azure.client_environment,
    ).end()
    assert "Traceback" not in ended.log
    assert "Traceback" not in json.dumps(ended.commands)
    return ended


def test_a_run_outlives_what_passes(sdk: str, faulty: Faulty, consumer: Path) -> None:
    polls = POLL[sdk]
    specs = (
        f"drop times=1 {SUBMIT[sdk]}",
        f"expired times=1 after=2 {polls}",
        f"status=429 retry-after=1 times=2 after=3 {polls}",
        # More than the SDK's own three tries.
        f"status=503 times=5 after=4 {polls}",
    )
    with faulty(*specs) as azure:
        _make_cluster(azure)
        ended = _end(azure, sdk, "RunAmlPipeline", RUN[sdk], consumer)
    assert ended.result == "Succeeded", ended.log
    assert ended.outputs["metric.accuracy"] == "0.9"
    log = (consumer / "faulty" / "state.log").read_text()
    struck = {kind: log.count(f"fault: {kind}") for kind in ("drop", "expired", "status")}
    assert struck == {"drop": 1, "expired": 1, "status": 7}


@pytest.mark.parametrize(
    ("spec", "code", "said"),
    [
        (
            "drop",
            "NO_NETWORK",
            "could not connect while submitting the pipeline: Remote end closed",
        ),
        ("status=503", "SERVICE_UNAVAILABLE", "could not answer while submitting the pipeline"),
        ("status=403", "FORBIDDEN", "Next: give it the role 'AzureML Data Scientist'"),
        ("expired", "UNAUTHORIZED", "refused the access token while submitting the pipeline"),
    ],
)
def test_a_submission_that_fails_is_told_in_one_sentence(
    sdk: str, spec: str, code: str, said: str, faulty: Faulty, consumer: Path
) -> None:
    with faulty(f"{spec} {SUBMIT[sdk]}") as azure:
        _make_cluster(azure)
        ended = _end(azure, sdk, "RunAmlPipeline", RUN[sdk], consumer)
    assert ended.result == "Failed"
    assert list(ended.issues) == [code]
    assert said in ended.message
    assert "\n" not in ended.message
    assert "runId" not in ended.outputs


@pytest.mark.parametrize(
    ("specs", "least", "code", "said"),
    [
        (["status=403 method=PUT path=*/computes/*"], "0", "FORBIDDEN", "'AzureML Compute Operato"),
        (["status=503 host=login.*"], "0", "SERVICE_UNAVAILABLE", "while signing in (503)"),
        (["quota=2"], "0", "COMPUTE_QUOTA", "a total vCPU quota of 2"),
        (["quota=4"], "2", "COMPUTE_QUOTA", "Additional requested: 8"),
        (["expired path=*/computes/*"], "0", "UNAUTHORIZED", "Next: verify the service connection"),
    ],
)
def test_a_cluster_that_cannot_be_made_is_told_in_one_sentence(
    sdk: str, specs: list[str], least: str, code: str, said: str, faulty: Faulty, tmp_path: Path
) -> None:
    with faulty(*specs) as azure:
        inputs = {"computeName": "cpu-more", "minNodes": least}
        ended = _end(azure, sdk, "ProvisionAmlCompute", inputs, tmp_path)
    assert ended.result == "Failed"
    assert list(ended.issues) == [code]
    assert said in ended.message
    assert "\n" not in ended.message


def test_waiting_for_a_cluster_outlives_what_passes(
    sdk: str, faulty: Faulty, tmp_path: Path
) -> None:
    with faulty("status=500 times=2 after=1 method=GET path=*/computes/cpu-more") as azure:
        ended = _end(azure, sdk, "ProvisionAmlCompute", {"computeName": "cpu-more"}, tmp_path)
    assert ended.result == "Succeeded", ended.log
    assert ended.outputs["computeOutcome"] == "created"


@pytest.mark.parametrize("when", ["method=PUT", "method=GET after=1"])
def test_a_token_that_expires_while_the_cluster_is_made_is_renewed(
    when: str, sdk: str, faulty: Faulty, tmp_path: Path
) -> None:
    """Before Azure makes it, and when azureml-core looks at what was made."""
    with faulty(f"expired times=1 {when} path=*/computes/*") as azure:
        ended = _end(azure, sdk, "ProvisionAmlCompute", {"computeName": "cpu-late"}, tmp_path)
    assert ended.result == "Succeeded", ended.log
    assert ended.outputs["computeOutcome"] == "created"
    assert (tmp_path / "faulty" / "state.log").read_text().count("fault: expired") == 1


def test_a_lost_answer_makes_one_cluster(sdk: str, faulty: Faulty, tmp_path: Path) -> None:
    """The answer to the PUT breaks off, and the workspace opens at the second try only."""
    lost = "truncate=10 times=1 method=PUT path=*/computes/*"
    opening = "truncate=10 times=1 method=GET host=management.azure.com path=*/workspaces/ws-local"
    with faulty(lost, opening) as azure:
        ended = _end(azure, sdk, "ProvisionAmlCompute", {"computeName": "lost"}, tmp_path)
    assert ended.result == "Succeeded", ended.log
    assert ended.outputs["computeOutcome"] == "created"
