"""Brings deployments of online endpoints into service and keeps them there, restarts included.

A deployment is one process, whatever number of instances it asks for. A changed one is brought up
beside the one in service, which stays when the new one does not come up.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import yaml

from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.registry.environments import Definition
from local.azure.running.conda import EnvironmentFailure, read_definition
from local.azure.serving import data_collector, deployments, leftovers
from local.azure.serving.deployments import (
    INFERENCE_SERVER,
    DeploymentFailure,
    Revision,
    Running,
)
from local.azure.serving.fleet import STOPPED, Fleet
from local.azure.v2 import operations, registries
from local.azure.v2.assets import (
    environments,
    models,
    plain_assets,
    uris,
    versions,
)
from local.azure.v2.online import collecting, records
from local.azure.v2.online.bodies import seconds
from local.azure.v2.online.deployment_records import (
    DEPLOYMENTS,
    Deployment,
    Properties,
    key_of,
    place_of,
)
from local.azure.v2.online.records import Endpoint
from local.azure.v2.operations import Failure
from local.azure.v2.resources import parse_asset_id

logger = logging.getLogger(__name__)

# Packages that bring the inference server: an environment for serving must list one of them.
_SERVERS = (INFERENCE_SERVER, "azureml-defaults")
_BROKEN = ("InternalServerError", "The local Azure failed to deploy this; its log says why.")
_MLFLOW_SCORE = Path(__file__).with_name("mlflow_score.py")
_UNSETTLED = ("Creating", "Updating")

fleet = Fleet()


def start(cloud: Cloud, record: Deployment, operation: str) -> None:
    """Bring the record's deployment up in the background. Raises ServiceError 409."""
    key = key_of(record["endpoint"], record["name"])

    def work(stop: Stop) -> None:
        try:
            _bring_up(cloud, record, operation, stop)
        except DeploymentFailure as failure:
            logger.info("deployment %s did not come up: %s", key, failure)
            _fail(cloud, key, operation, failure)
        except Exception:
            # Whoever waits for the operation must hear of its end, also when the fault is ours.
            _fail(cloud, key, operation, DeploymentFailure(*_BROKEN))
            raise

    fleet.begin(key, work)


def start_again(cloud: Cloud) -> None:
    """After a restart: bring up what was in service, end what was being brought up."""
    for record in DEPLOYMENTS.list(cloud):
        key = key_of(record["endpoint"], record["name"])
        if record["state"] in _UNSETTLED:
            failure = DeploymentFailure("DeploymentInterrupted", STOPPED)
            _fail(cloud, key, record["operation"], failure)
        if record["revision"]:
            fleet.serve_again(cloud, key, Revision(**record["revision"]))


def remove(cloud: Cloud, record: Deployment, *, lasts_s: float | None = None) -> None:
    """End a deployment, also while it is being brought up, and forget it: at once, or later."""
    key = key_of(record["endpoint"], record["name"])
    fleet.cancel(key)
    discard = leftovers.discard_all(cloud, place_of(record))
    fleet.retire(cloud, fleet.switch(key, None), discard)
    if lasts_s is None:
        DEPLOYMENTS.delete(cloud, key)
    else:
        until = time.time() + lasts_s

        def change(known: Deployment) -> None:
            known["state"], known["until"], known["revision"] = "Deleting", until, None

        DEPLOYMENTS.update(cloud, key, change)


def lent(cloud: Cloud, endpoint: str, deployment: str) -> AbstractContextManager[Running | None]:
    """The process that answers for a deployment, for one call. None: there is none."""
    return fleet.lent(cloud, key_of(endpoint, deployment))


def log_text(cloud: Cloud, record: Deployment, *, lines: int) -> str:
    """The log of the newest revision of a deployment, whether it came up or not, and how it is.

    lines: how many of the container's last ones.
    """
    folder = cloud.root / "services" / place_of(record)
    newest = max(folder.glob("*/log.txt"), default=None)
    logged = newest.read_text("utf-8", "replace") if newest else ""
    steps = ("SystemSetup", "UserContainerImagePull", "ModelDownload", "UserContainerStart")
    started = {"Succeeded": "Succeeded", "Failed": "Failed"}.get(record["state"], "InProgress")
    status = {**dict.fromkeys(steps, "Succeeded"), steps[-1]: started}
    return (
        "Instance status:\n"
        + "".join(f"{step}: {outcome}\n" for step, outcome in status.items())
        + "\nContainer events:\n"
        + f"Kind: Pod, Name: Downloading, Type: Normal, Time: {record['created']}\n"
        + "\nContainer logs:\n"
        + "".join(logged.splitlines(keepends=True)[-lines:])
    )


def placed_text(cloud: Cloud, record: Deployment) -> str:
    """What was placed for the newest revision of a deployment: the files of its model."""
    newest = max((cloud.root / "services" / place_of(record)).glob("*"), default=None)
    if newest is None:
        return ""
    app = newest / "app"
    placed = sorted(one for one in app.glob("azureml-models/**/*") if one.is_file())
    return "".join(f"Downloaded {one.relative_to(app).as_posix()}\n" for one in placed)


def forget_traffic(cloud: Cloud, record: Deployment) -> None:
    """Remove a deployment from the traffic of its endpoint; it has no share then, not even of 0."""

    def change(endpoint: Endpoint) -> None:
        for shares in (endpoint["properties"]["traffic"], endpoint["properties"]["mirrorTraffic"]):
            shares.pop(record["name"], None)

    records.change(cloud, record["endpoint"], change)


def model_id(cloud: Cloud, reference: str) -> str:
    """`name:version` of a registered model that a deployment names. Raises ServiceError."""
    name, version, label = parse_asset_id(reference, "models")
    found = versions.existing(cloud, models.KIND, name, version, label)
    return f"{found['name']}:{found['version']}"


def code_folder(cloud: Cloud, reference: str) -> Path:
    """Where the files of a code asset lie. Raises ServiceError."""
    name, version, label = parse_asset_id(reference, "codes")
    found = versions.existing(cloud, plain_assets.CODES, name, version, label)
    return uris.locate(cloud, str(found["properties"]["codeUri"]))


def _bring_up(cloud: Cloud, record: Deployment, operation: str, stop: Stop) -> None:
    key = key_of(record["endpoint"], record["name"])
    properties = record["properties"]
    try:
        parts = _parts(cloud, properties)
    except ServiceError as error:
        raise DeploymentFailure(error.code, error.message) from None
    revision = deployments.assemble(
        cloud,
        place_of(record),
        definition=parts.definition,
        extra=parts.extra,
        models=_models(cloud, properties["model"]),
        entry=parts.entry,
        place_sources=parts.place_sources,
        variables={"SERVICE_NAME": record["endpoint"], **properties["environmentVariables"]},
        stop=stop,
        progress=lambda _text: None,
    )
    _note(cloud, revision, parts.notes)
    asked = properties.get("dataCollector")
    collects = collecting.config(cloud, asked, record["endpoint"], record["name"])
    if collects:
        data_collector.configure(revision.folder(cloud), collects)
    probe = properties["readinessProbe"]
    patience = seconds(probe["initialDelay"]) + probe["failureThreshold"] * (
        seconds(probe["period"]) or 10
    )
    running = deployments.start(cloud, revision, stop=stop, healthy_within_s=patience)

    def change(known: Deployment) -> None:
        known["state"], known["error"], known["revision"] = "Succeeded", None, revision.record()

    try:
        DEPLOYMENTS.update(cloud, key, change)
    except KeyError:  # deleted meanwhile
        deployments.end(cloud, running)
        raise DeploymentFailure("Canceled", "The deployment was deleted.") from None
    before = fleet.switch(key, running)
    fleet.settle(key)
    operations.finish(cloud, operation)
    fleet.retire(cloud, before, lambda: leftovers.discard_before(cloud, revision))


def _models(cloud: Cloud, reference: str | None) -> dict[str, Path | None]:
    """The model of a deployment as `assemble` takes it: a registry's has its files there."""
    shared = registries.model_files(cloud, reference or "")
    if shared:
        name, version, _, files = shared
        return {f"{name}:{version}": files}
    return {model_id(cloud, reference): None} if reference else {}


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """What a revision is made of, besides its model."""

    definition: Definition
    notes: list[str]
    extra: tuple[str, ...]
    entry: str
    place_sources: Callable[[Path], None]


def _parts(cloud: Cloud, properties: Properties) -> _Parts:
    """The deployment's code and environment, or those that an MLflow model brings."""
    code = properties["codeConfiguration"]
    if code is None:
        return _Parts(
            definition=mlflow_definition(cloud, properties["model"]),
            notes=["the MLflow model is deployed without code, in its own environment"],
            extra=(INFERENCE_SERVER,),
            entry=_MLFLOW_SCORE.name,
            place_sources=_place_mlflow_score,
        )
    definition, notes = environments.definition(cloud, properties["environmentId"] or "")
    _check_server(definition)
    return _Parts(
        definition=definition,
        notes=notes,
        extra=(),
        entry=code["scoringScript"],
        place_sources=_copier(code_folder(cloud, code["codeId"])),
    )


def mlflow_definition(cloud: Cloud, reference: str | None) -> Definition:
    """The environment of an MLflow model, of its conda.yaml. Raises ServiceError 400 for others."""
    name, version, label = parse_asset_id(reference or "", "models")
    shared = registries.model_files(cloud, reference or "")
    if shared:
        properties, folder = shared[2], shared[3]
    else:
        properties = versions.existing(cloud, models.KIND, name, version, label)["properties"]
        folder = uris.locate(cloud, str(properties["modelUri"]))
    if properties["modelType"] != "mlflow_model" or not (folder / "MLmodel").is_file():
        raise ServiceError(
            400,
            "UserError",
            f"The model '{name}' is no MLflow model with a file MLmodel. Give the deployment a "
            "code configuration with a scoring script, and an environment.",
        )
    try:
        conda = yaml.safe_load((folder / "conda.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ServiceError(
            400, "UserError", f"The conda.yaml of the MLflow model '{name}' is no good: {error}"
        ) from None
    return {"name": name, "python": {"condaDependencies": conda}}


def _place_mlflow_score(app: Path) -> None:
    app.mkdir(exist_ok=True)
    shutil.copyfile(_MLFLOW_SCORE, app / _MLFLOW_SCORE.name)


def _check_server(definition: Definition) -> None:
    """Check that the environment brings an inference server. Raises DeploymentFailure."""
    try:
        spec = read_definition(definition)
    except EnvironmentFailure as failure:
        raise DeploymentFailure("ImageBuildFailure", str(failure)) from None
    listed = {requirement.lower().replace("_", "-") for requirement in spec.requirements}
    if spec.interpreter is None and not any(one.startswith(_SERVERS) for one in listed):
        raise DeploymentFailure(
            "ResourceNotReady",
            "A required package azureml-inference-server-http is missing. Add it to the conda "
            f"dependencies of the environment '{spec.name}', under pip.",
        )


def _copier(source: Path) -> Callable[[Path], None]:
    def copy(app: Path) -> None:
        shutil.copytree(source, app, dirs_exist_ok=True)  # the model may be there

    return copy


def _note(cloud: Cloud, revision: Revision, notes: list[str]) -> None:
    with (revision.folder(cloud) / "log.txt").open("a", encoding="utf-8") as log:
        log.writelines(f"Note: {note}.\n" for note in notes)


def _fail(cloud: Cloud, key: str, operation: str, failure: DeploymentFailure) -> None:
    error = _error(failure)

    def change(record: Deployment) -> None:
        record["state"], record["error"] = "Failed", error

    with contextlib.suppress(KeyError):  # deleted meanwhile
        DEPLOYMENTS.update(cloud, key, change)
    fleet.settle(key)
    operations.finish(cloud, operation, error)


def _error(failure: DeploymentFailure) -> Failure:
    """The service's code for a failure, with the reason in the message."""
    codes = {
        "CrashLoopBackOff": "ResourceNotReady",
        "DeploymentTimedOut": "ResourceNotReady",
        "EnvironmentBuildFailed": "ImageBuildFailure",
    }
    words = {
        "ResourceNotReady": "User container has crashed or terminated. ",
        "ImageBuildFailure": "The environment could not be built. ",
    }
    code = codes.get(failure.code, failure.code)
    return {"code": code, "message": words.get(code, "") + str(failure)}
