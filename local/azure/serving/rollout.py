"""Brings revisions of services into service, one at a time and service, and keeps them there."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager

from local.azure.kernel import operations
from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.serving import deployments, leftovers
from local.azure.serving.deployments import DeploymentFailure, Revision, Running
from local.azure.serving.fleet import STOPPED, Fleet
from local.azure.serving.service_records import (
    SERVICES,
    Failure,
    Service,
    ServiceRecord,
    ServiceView,
)

logger = logging.getLogger(__name__)

_BROKEN = ("InternalServerError", "The local Azure failed to deploy this; its log says why.")

_fleet = Fleet()


def under_way(name: str) -> bool:
    """Whether a revision of the service is being brought up."""
    return _fleet.under_way(name)


def show(record: ServiceRecord) -> ServiceView:
    """A service as the SDK reads it, with its state."""
    service = record["service"]
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


def start(cloud: Cloud, name: str, service: Service, operation: str) -> None:
    """Roll `service` out in the background; the record is changed once the new revision answers."""

    def work(stop: Stop) -> None:
        def begin(record: ServiceRecord) -> None:
            record["operation"], record["settled"], record["error"] = operation, False, None

        SERVICES.update(cloud, name, begin)
        try:
            _roll_out(cloud, name, service, operation, stop)
        except Exception:
            # Whoever waits for the operation must hear of its end, also when the fault is ours.
            _fail(cloud, name, operation, _error(service, DeploymentFailure(*_BROKEN)))
            raise

    _fleet.begin(name, work)


def start_again(cloud: Cloud) -> None:
    """After a restart: bring up what was in service, end what was being brought up."""
    for record in SERVICES.list(cloud):
        name = record["service"]["name"]
        if not record["settled"]:
            error = _error(record["service"], DeploymentFailure("ServiceInterrupted", STOPPED))
            _fail(cloud, name, record["operation"] or "", error)
        if record["revision"]:
            _fleet.serve_again(cloud, name, Revision(**record["revision"]))


def stop_all(cloud: Cloud) -> None:
    """End every process and everything being brought up."""
    _fleet.stop_all(cloud)


def remove(cloud: Cloud, name: str) -> None:
    """End what a service runs and what is being brought up for it, and remove its files."""
    _fleet.cancel(name)
    _fleet.retire(cloud, _fleet.switch(name, None), leftovers.discard_all(cloud, name))


def lent(cloud: Cloud, name: str) -> AbstractContextManager[Running | None]:
    """The process that answers for a service, for one call. None: there is none."""
    return _fleet.lent(cloud, name)


def log_text(cloud: Cloud, record: ServiceRecord) -> str:
    """The log of the newest revision of a service."""
    folder = cloud.root / "services" / record["service"]["name"]
    newest = max(folder.glob("*/log.txt"), default=None)
    return newest.read_text("utf-8", "replace") if newest else ""


def _roll_out(cloud: Cloud, name: str, service: Service, operation: str, stop: Stop) -> None:
    def tell(text: str, part: str) -> None:
        operations.tell(cloud, operation, text, part=part)

    try:
        revision = deployments.prepare(
            cloud,
            name,
            service["environmentImageRequest"],
            stop=stop,
            progress=lambda text: tell(text, "BuildEnvironment"),
        )
        tell("Starting the container", "DeployService")
        running = deployments.start(cloud, revision, stop=stop)
    except DeploymentFailure as failure:
        logger.info("service %s was not deployed: %s", name, failure)
        _fail(cloud, name, operation, _error(service, failure))
        return
    tell("Checking the status of the deployment: healthy", "DeployService")

    def change(record: ServiceRecord) -> None:
        record["service"] = {**service, "createdTime": record["service"]["createdTime"]}
        record["revision"] = revision.record()
        record["settled"], record["error"] = True, None

    SERVICES.update(cloud, name, change)
    before = _fleet.switch(name, running)
    _fleet.settle(name)
    operations.finish(cloud, operation)
    _fleet.retire(cloud, before, lambda: leftovers.discard_before(cloud, revision))


def _fail(cloud: Cloud, name: str, operation: str, error: Failure) -> None:
    def change(record: ServiceRecord) -> None:
        record["settled"], record["error"] = True, error

    SERVICES.update(cloud, name, change)
    _fleet.settle(name)
    operations.finish(cloud, operation, error)


def _error(service: Service, failure: DeploymentFailure) -> Failure:
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
