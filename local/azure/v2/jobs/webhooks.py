"""Webhooks of jobs: Azure DevOps hears when a job has ended, and completes the step that waits.

Source: `PATCH .../jobs/{name}` with `NotificationSetting`, in articles/machine-learning/
how-to-devops-machine-learning.md of MicrosoftDocs/azure-docs; the event `TaskCompleted` in
docs/authoring/servertaskauthoring.md of microsoft/azure-pipelines-tasks. Neither says what becomes
of a webhook for a job that has ended already: here it is called at once.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, TypedDict
from urllib.parse import urlsplit

import requests

from local.azure.history import runs as history
from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.tables import Table
from local.azure.v2 import resources
from local.azure.v2.jobs import job_views
from local.azure.v2.jobs.jobs import existing_job
from local.azure.v2.resources import api_version, arm_route

logger = logging.getLogger(__name__)

router = resources.front_end_router()

_MEMBERS = (
    *("WebhookType", "EventType", "PlanUri", "ProjectId", "HubName", "PlanId", "JobId"),
    *("TimelineId", "TaskInstanceId", "AuthToken"),
)
_RESULTS = {"Completed": "succeeded", "Failed": "failed", "Canceled": "canceled"}
# What may pass: such an answer is asked for again.
_PASSING = (429, 500, 502, 503, 504)
_LOOK_S = 0.3
_TIMEOUT_S = 30.0
# Pauses in seconds between attempts to reach Azure DevOps.
_PAUSES_S = (0.5, 1.0, 2.0, 5.0, 10.0, 20.0)


class Webhook(TypedDict):
    """What is called when a job has ended; `told` is by the names of the request."""

    key: str
    job: str
    told: dict[str, str]


_WEBHOOKS: Table[Webhook] = Table("v2-job-webhook")


@router.at_start
def recover(cloud: Cloud) -> None:
    """Go on with what a server was waiting for when it was killed."""
    for webhook in _WEBHOOKS.list(cloud):
        _follow(cloud, webhook)


@arm_route(router, "PATCH", "jobs/{name}")
def patch_job(cloud: Cloud, request: Request) -> Response:
    """Add webhooks to a job. Nothing else of a job can be patched here."""
    run = existing_job(cloud, request.params["name"])
    settings = _only(_only(request.json_object(), "properties"), "notificationSetting")
    webhooks = _only(settings, "webhooks")
    read = [_read(run["runId"], name, given) for name, given in webhooks.items()]
    for webhook in read:
        _WEBHOOKS.put(cloud, webhook["key"], webhook)
        _follow(cloud, webhook)
    return json_response(job_views.show(cloud, run, api_version(request)))


def _only(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The one member that a body may have; the service does not mind its case."""
    strange = [key for key in given if key.lower() != name.lower()]
    if strange:
        raise ServiceError(
            501, "NotImplemented", f"The local Azure does not patch {strange[0]} of a job."
        )
    found = next(iter(given.values()), None)
    if not isinstance(found, dict):
        raise ServiceError(400, "UserError", f"The request body has no object '{name}'.")
    return found


def _read(job: str, name: str, given: Any) -> Webhook:
    if not isinstance(given, dict):
        raise ServiceError(400, "UserError", f"The webhook '{name}' is no object.")
    names = {known.lower(): known for known in _MEMBERS}
    told: dict[str, str] = {}
    for key, value in given.items():
        if key.lower() not in names:
            raise ServiceError(
                501, "NotImplemented", f"The local Azure does not know {key} of a webhook."
            )
        told[names[key.lower()]] = str(value)
    for known in _MEMBERS:
        if not told.get(known):
            raise ServiceError(400, "UserError", f"The webhook '{name}' has no {known}.")
    kinds = (told["WebhookType"], told["EventType"])
    if kinds != ("AzureDevOps", "RunTerminated"):
        raise ServiceError(
            501,
            "NotImplemented",
            "The local Azure knows webhooks of type AzureDevOps for RunTerminated, "
            f"not {' for '.join(kinds)}.",
        )
    if urlsplit(told["PlanUri"]).scheme != "https":
        raise ServiceError(400, "UserError", f"The PlanUri of the webhook '{name}' is not https.")
    return {"key": f"{job}/{name}", "job": job, "told": told}


def _follow(cloud: Cloud, webhook: Webhook) -> None:
    """Call in the background when the job has ended."""

    def work(stop: Stop) -> None:
        while True:
            run = history.get_run(cloud, webhook["job"])
            if run is None or run["status"] in history.TERMINAL:
                break
            if stop.wait(_LOOK_S):
                return
        if run is None or _told(cloud, webhook, _RESULTS[run["status"]], stop):
            _WEBHOOKS.delete(cloud, webhook["key"])

    cloud.background.start(f"webhook {webhook['key']}", work, broken=lambda: None)


def _told(cloud: Cloud, webhook: Webhook, result: str, stop: Stop) -> bool:
    """Send the event; whether Azure DevOps took or refused it, so that nothing is left to do."""
    told = webhook["told"]
    plan = f"_apis/distributedtask/hubs/{told['HubName']}/plans/{told['PlanId']}/events"
    address = f"{told['PlanUri'].rstrip('/')}/{told['ProjectId']}/{plan}"
    event = {
        "name": "TaskCompleted",
        "taskId": told["TaskInstanceId"],
        "jobId": told["JobId"],
        "result": result,
    }
    with requests.Session() as session:
        # Through our own front door, whatever the environment says: nothing leaves the machine.
        session.trust_env = False
        session.proxies = {"https": cloud.proxy_url}
        session.verify = str(cloud.ca_file)
        for pause in _PAUSES_S:
            try:
                answer = session.post(
                    address,
                    params={"api-version": "2.0-preview.1"},
                    json=event,
                    headers={"Authorization": f"Bearer {told['AuthToken']}"},
                    timeout=_TIMEOUT_S,
                )
            except requests.RequestException as error:
                logger.info("%s has no answer (%s)", address, type(error).__name__)
            else:
                if answer.status_code not in _PASSING:
                    level = logging.INFO if answer.ok else logging.WARNING
                    logger.log(level, "%s was answered %d", address, answer.status_code)
                    return True
            if stop.wait(pause):
                return False
    return True
