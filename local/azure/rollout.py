"""Brings revisions of services into service, one at a time and service, and keeps them there."""

from __future__ import annotations

import logging
from typing import Any

from local.azure import deployments, operations
from local.azure.azure import Azure
from local.azure.deployments import DeploymentFailure, Revision, Running
from local.azure.fleet import STOPPED, Fleet
from local.azure.processes import Stop

logger = logging.getLogger(__name__)

KIND = "service"

_BROKEN = ("InternalServerError", "The local Azure failed to deploy this; its log says why.")

_fleet = Fleet()


def under_way(name: str) -> bool:
    """Whether a revision of the service is being brought up."""
    return _fleet.under_way(name)


def show(record: dict[str, Any]) -> dict[str, Any]:
    """A service as the SDK reads it, with its state."""
    service: dict[str, Any] = record["service"]
    live = _fleet.is_live(service["name"])
    busy = under_way(service["name"])
    failed = record["error"] is not None
    state = "Transitioning" if busy else "Failed" if failed else "Healthy" if live else "Unhealthy"
    return {
        **service,
        "state": state,
        "error": None if busy else record["error"],
        "operationId": record["operation"],
        "scoringUri": service["scoringUri"] if record["revision"] else None,
        "deploymentStatus": {
            "replicas": 1,
            "updatedReplicas": int(live and not busy),
            "availableReplicas": int(live),
            "error": record["error"],
        },
    }


def start(azure: Azure, name: str, service: dict[str, Any], operation: str) -> None:
    """Roll `service` out in the background; the record is changed once the new revision answers."""

    def work(stop: Stop) -> None:
        azure.store.update(
            KIND, name, lambda record: record.update(operation=operation, settled=False, error=None)
        )
        try:
            _roll_out(azure, name, service, operation, stop)
        except Exception:
            # Whoever waits for the operation must hear of its end, also when the fault is ours.
            _fail(azure, name, operation, _error(service, DeploymentFailure(*_BROKEN)))
            raise

    _fleet.begin(name, work)


def start_again(azure: Azure) -> None:
    """After a restart: bring up what was in service, end what was being brought up."""
    for record in azure.store.list(KIND):
        name = record["service"]["name"]
        if not record["settled"]:
            error = _error(record["service"], DeploymentFailure("ServiceInterrupted", STOPPED))
            _fail(azure, name, record["operation"], error)
        if record["revision"]:
            _fleet.serve_again(azure, name, Revision(**record["revision"]))


def stop_all(azure: Azure) -> None:
    """End every process and everything being brought up."""
    _fleet.stop_all(azure)


def remove(azure: Azure, name: str) -> None:
    """End what a service runs and what is being brought up for it."""
    _fleet.remove(azure, name)


def find(azure: Azure, name: str) -> Running | None:
    """The process that answers for a service, started again if it has died. None: there is none."""
    return _fleet.find(azure, name)


def log_text(azure: Azure, record: dict[str, Any]) -> str:
    """The log of the newest revision of a service."""
    folder = azure.root / "services" / record["service"]["name"]
    newest = max(folder.glob("*/log.txt"), default=None)
    return newest.read_text("utf-8", "replace") if newest else ""


def _roll_out(azure: Azure, name: str, service: dict[str, Any], operation: str, stop: Stop) -> None:
    def tell(text: str, part: str) -> None:
        operations.tell(azure, operation, text, part=part)

    try:
        revision = deployments.prepare(
            azure,
            name,
            service["environmentImageRequest"],
            stop=stop,
            progress=lambda text: tell(text, "BuildEnvironment"),
        )
        tell("Starting the container", "DeployService")
        running = deployments.start(azure, revision, stop=stop)
    except DeploymentFailure as failure:
        logger.info("service %s was not deployed: %s", name, failure)
        _fail(azure, name, operation, _error(service, failure))
        return
    tell("Checking the status of the deployment: healthy", "DeployService")

    def change(record: dict[str, Any]) -> None:
        created = record["service"]["createdTime"]
        record.update(
            service={**service, "createdTime": created},
            revision=vars(revision),
            settled=True,
            error=None,
        )

    azure.store.update(KIND, name, change)
    before = _fleet.switch(name, running)
    _fleet.settle(name)
    operations.finish(azure, operation)
    if before is not None:
        deployments.end(azure, before, drain=True)
    deployments.discard_before(azure, revision)


def _fail(azure: Azure, name: str, operation: str, error: dict[str, Any]) -> None:
    azure.store.update(KIND, name, lambda record: record.update(settled=True, error=error))
    _fleet.settle(name)
    operations.finish(azure, operation, error)


def _error(service: dict[str, Any], failure: DeploymentFailure) -> dict[str, Any]:
    """An error in the service's own words, with the reason among its details."""
    kind = "Kubernetes" if service["computeType"] == "AKS" else "Aci"
    code, message = f"{kind}DeploymentFailed", f"{kind} Deployment failed"
    if failure.code == "EnvironmentBuildFailed":
        code, message = failure.code, "Failed building the Environment."
    return {
        "code": code,
        "statusCode": 400,
        "message": message,
        "details": [{"code": failure.code, "message": str(failure)}],
    }
