"""A step without an agent that waits for a callback: the wait for a run of Azure ML, as built."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.local.agent.organization.test_organization import ask, devops
from tests.patience import PATIENCE_S

__all__ = ["ask", "devops"]

ROOT = Path(__file__).parents[4]
TASK = json.loads((ROOT / "tasks" / "WaitForAmlRunV1" / "task.json").read_text())
PIPELINE = """
jobs:
- job: wait
  pool: server
  steps:
  - task: WaitForAmlRun@1
    name: wait
    inputs:
      azureSubscription: aml-connection
      resourceGroupName: {AML_RESOURCE_GROUP}
      workspaceName: {AML_WORKSPACE_NAME}
      runId: {run}
"""


class History:
    """Runs in run history, which nothing but the test moves."""

    def __init__(self, azure: Mapping[str, str]) -> None:
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.proxies = {"https": azure["HTTPS_PROXY"]}
        self.http.verify = azure["REQUESTS_CA_BUNDLE"]
        answer = self.http.post(
            f"https://login.microsoftonline.com/{azure['AZURE_TENANT_ID']}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": azure["AZURE_CLIENT_ID"],
                "client_secret": azure["AZURE_CLIENT_SECRET"],
                "scope": "https://management.azure.com/.default",
            },
        )
        self.http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        self.scope = (
            f"/subscriptions/{azure['AML_SUBSCRIPTION_ID']}/resourceGroups/"
            f"{azure['AML_RESOURCE_GROUP']}/providers/Microsoft.MachineLearningServices/workspaces/"
            f"{azure['AML_WORKSPACE_NAME']}"
        )

    def patch(self, run: str, **fields: str) -> None:
        place = f"https://eastus.api.azureml.ms/history/v1.0{self.scope}/experiments/waits"
        assert self.http.post(place).ok
        answer = self.http.patch(f"{place}/runs/{run}", json={"runId": run, **fields})
        assert answer.ok, answer.text

    def job(self, run: str, method: str = "GET", body: Any = None) -> requests.Response:
        address = f"https://management.azure.com{self.scope}/jobs/{run}?api-version=2024-04-01"
        return self.http.request(method, address, json=body)

    def begin(self) -> str:
        run = str(uuid.uuid4())
        self.patch(run, status="Running", runType="azureml.PipelineRun")
        return run


@pytest.fixture
def history(devops: Mapping[str, str]) -> History:
    return History(devops)


@pytest.fixture
def wait(
    ask: Callable[..., Any],
    play: Callable[..., Any],
    make_vsix: Callable[..., Path],
    devops: Mapping[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Any]:
    """Play a job that waits for a run, as the local Azure's service principal."""

    def begin(run: str, *, change: Callable[..., Any] | None = None) -> Any:
        for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET"):
            monkeypatch.setenv(f"AZURE_{name}", devops[f"AZURE_{name}"])
        monkeypatch.setenv("AML_SUBSCRIPTION_ID", devops["AML_SUBSCRIPTION_ID"])
        return play(PIPELINE.format(run=run, **devops), vsix=make_vsix((TASK, {})), change=change)

    return begin


@pytest.mark.parametrize(
    ("status", "result"),
    [("Completed", "succeeded"), ("Failed", "failed"), ("Canceled", "canceled")],
)
def test_the_step_ends_as_the_run_does(
    history: History, wait: Callable[..., Any], status: str, result: str
) -> None:
    run = history.begin()
    timer = threading.Timer(2.0, history.patch, (run,), {"status": status})
    timer.start()
    played = wait(run)
    timer.join()
    assert played.results["wait"] == result, played.console
    assert "Waiting for the event TaskCompleted" in played.console
    assert played.step("wait")["seconds"] > 1
    # The token of the job is in Azure ML now, and nowhere to be read.
    assert "AuthToken" not in history.job(run).text + played.console


def test_a_run_that_has_ended_is_not_waited_for(history: History, wait: Callable[..., Any]) -> None:
    run = history.begin()
    history.patch(run, status="Completed")
    assert wait(run).results == {"wait": "succeeded"}


def test_a_run_that_is_not_there_fails_at_once(wait: Callable[..., Any]) -> None:
    played = wait("nosuchrun")
    assert played.results == {"wait": "failed"}
    (issue,) = played.step("wait")["issues"]
    assert (
        "jobs/nosuchrun?api-version=2024-04-01 was answered with 404 Not Found" in issue["message"]
    )


def test_a_cancel_cancels_the_run_too(history: History, wait: Callable[..., Any]) -> None:
    run = history.begin()

    def later(prepared: Any) -> Any:
        session = prepared.session

        def cancel() -> None:
            end = time.monotonic() + PATIENCE_S
            logs = session.folders.logs
            while time.monotonic() < end and not any(
                "Waiting for" in log.read_text() for log in logs.glob("*wait*")
            ):
                time.sleep(0.1)
            session.cancellation.interrupt()

        threading.Thread(target=cancel, daemon=True).start()
        return prepared

    played = wait(run, change=later)
    assert played.results["wait"] == "canceled", played.console
    assert f"POST https://management.azure.com{history.scope}/jobs/{run}/cancel" in played.console


HOOK = TASK["execution"]["HttpRequest"]["Execute"]["Body"]


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"EventType": "RunStarted"}, 501, "not AzureDevOps for RunStarted"),
        ({"WebhookType": "Other"}, 501, "not Other for RunTerminated"),
        ({"Colour": "red"}, 501, "does not know Colour of a webhook"),
        ({"AuthToken": ""}, 400, "has no AuthToken"),
        ({"PlanUri": "http://elsewhere/"}, 400, "is not https"),
    ],
)
def test_webhooks_that_the_local_azure_refuses(
    history: History, changed: dict[str, str], status: int, words: str
) -> None:
    body = json.loads(HOOK.replace("$(system.CollectionUri)", "https://dev.azure.com/x/"))
    (hook,) = body["Properties"]["NotificationSetting"]["Webhooks"].values()
    hook.update(changed)
    answer = history.job(history.begin(), "PATCH", body)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


def test_nothing_else_of_a_job_is_patched(history: History) -> None:
    answer = history.job(history.begin(), "PATCH", {"properties": {"tags": {}}})
    assert (answer.status_code, "does not patch tags" in answer.text) == (501, True)
