"""Web services on AKS with azureml-core."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import uuid
from typing import Any

import requests

from amltasks import errors
from amltasks.workspace.failures import http_status, problems, translated
from amltasks.workspace.port import (
    Answer,
    Kept,
    Probe,
    Revision,
    Rollout,
    Service,
    Services,
    ServiceSpec,
)
from amltasks.workspace.sdk_v1.models import find as find_model
from amltasks.workspace.sdk_v1.models import to_model

_NAME_LENGTH = 32
# Marks a service that proves a revision beside a live one; its value is the live one's name.
_BESIDE = "azure-machine-learning-tasks-beside"
# A property, which nobody can change: a task made this service.
_MARK = "azure-machine-learning-tasks"
_ENDED = frozenset({"Succeeded", "Failed", "Cancelled", "TimedOut"})
_SCORE_TIMEOUT_SECONDS = (10, 60)


class SdkServices(Services):
    """The port's ``Services``. Keeps the SDK's objects: only they know their operations."""

    restores = False

    def __init__(self, sdk: Any) -> None:
        """Work in this ``azureml.core.Workspace``."""
        self._sdk = sdk
        self._deployed: dict[str, Any] = {}
        self._beside = ""
        self._session = requests.Session()

    def find(self, name: str) -> Service | None:
        found = self._find(name)
        if found is None:
            return None
        return Service(
            name=found.name,
            kind=str(found.compute_type or ""),
            state=str(found.state or ""),
            cluster=str(getattr(found, "compute_name", None) or ""),
            scoring_uri=str(getattr(found, "scoring_uri", None) or ""),
            models=tuple(to_model(model) for model in getattr(found, "models", None) or []),
            auth=_auth(found),
        )

    def plan(self, spec: ServiceSpec, live: Service | None, mark: str) -> Revision:
        # The revision beside a live service is a service of its own.
        name = spec.name if live is None else candidate_name(spec.name, mark)
        return Revision(service=spec.name, name=name, label=name, fresh=live is None)

    def deploy(self, spec: ServiceSpec, revision: Revision) -> None:
        from azureml.core.compute import AksCompute
        from azureml.core.model import Model
        from azureml.core.webservice import AksWebservice

        if not revision.fresh:
            self._beside = revision.name
            self._delete(revision.name)  # a killed attempt of this build may have left it
        model = find_model(self._sdk, spec.model.name, spec.model.version)
        with translated(f"deploying the service '{revision.name}'"), _hushed():
            self._deployed[revision.name] = Model.deploy(
                self._sdk,
                revision.name,
                [model],
                inference_config=self._inference(spec),
                deployment_config=AksWebservice.deploy_configuration(
                    **_configuration(spec),
                    auth_enabled=spec.settings.auth in ("", "key"),
                    token_auth_enabled=spec.settings.auth == "aml_token" or None,
                    properties={**spec.settings.properties, _MARK: "1"},
                    tags=dict(spec.tags) if revision.fresh else {**spec.tags, _BESIDE: spec.name},
                ),
                deployment_target=AksCompute(self._sdk, spec.cluster),
                overwrite=False,
            )

    def unfinished(self, name: str) -> Revision | None:  # noqa: ARG002 - the port's
        return None  # a service is updated in place: no two revisions share its requests

    def promote(self, spec: ServiceSpec, revision: Revision, percent: int = 100) -> Revision:
        if percent != 100:
            raise ValueError("a service of azureml-sdk takes all requests or none")
        # The service is updated to the new model, code and size, replica by replica.
        promoted = dataclasses.replace(revision, name=spec.name, label=spec.name, in_service=True)
        if revision.fresh:
            return promoted
        model = find_model(self._sdk, spec.model.name, spec.model.version)
        found = self._find(spec.name)
        with translated(f"updating the service '{spec.name}'"), _hushed():
            found.update(
                models=[model],
                inference_config=self._inference(spec),
                **_configuration(spec),
                properties=dict(spec.settings.properties) or None,
                tags=dict(spec.tags),
            )
            self._deployed[spec.name] = found
        return promoted

    def restore(self, revision: Revision) -> None:
        pass  # v1 keeps nothing of what a service was before

    def rollout(self, revision: Revision) -> Rollout:
        with translated(f"waiting for the service '{revision.name}'"):
            # The service's own state is Healthy while its old replicas still run, so this reads
            # the operation's. The SDK's public method, wait_for_deployment, blocks silently.
            state, error, _ = self._deployed[revision.name]._get_operation_state()
        return Rollout(
            state=state,
            done=state in _ENDED,
            succeeded=state == "Succeeded",
            problem="; ".join(problems(error)) if state != "Succeeded" else "",
        )

    def kept(self, name: str) -> tuple[Kept, ...]:  # noqa: ARG002 - the port's
        return ()

    def went_back(self, name: str) -> str:  # noqa: ARG002 - the port's
        return ""

    def go_back(self, revision: Revision, mark: str) -> Revision:  # noqa: ARG002 - the port's
        raise ValueError("azureml-sdk keeps no revision to go back to")

    def remove(self, name: str) -> tuple[str, ...]:
        found = self._find(name)
        if found is not None and _MARK not in (found.properties or {}):
            raise errors.SERVICE_NOT_OURS.error(
                service=name, detail="it is not one that this task made"
            )
        going = [*self._left_beside(name), *([name] if found is not None else [])]
        for one in going:
            self._delete(one)
        return tuple(f"service {one}" for one in going)

    def clean_up(self, revision: Revision, keep: int = 0) -> tuple[str, ...]:
        if keep:
            raise ValueError("azureml-sdk keeps no revision to go back to")
        left = [self._beside] if self._beside else []
        if revision.in_service:
            left += [name for name in self._left_beside(revision.service) if name not in left]
        for name in left:
            self._delete(name)
        return tuple(f"service {name}" for name in left)

    def _left_beside(self, name: str) -> list[str]:
        from azureml.core.webservice import Webservice

        with translated(f"looking for what releases of '{name}' left"):
            return [one.name for one in Webservice.list(self._sdk, tags=[[_BESIDE, name]])]

    def logs(self, revision: Revision) -> list[str]:
        found = self._find(revision.name)
        if found is None:
            return []
        with translated(f"reading the log of the service '{revision.name}'"):
            return str(found.get_logs() or "").splitlines()

    def key(self, name: str) -> str:
        found = self._find(name)
        if found is None or not found.auth_enabled:
            return ""
        with translated(f"reading the key of the service '{name}'"):
            return str(found.get_keys()[0] or "")

    def score(self, revision: Revision, body: str) -> Answer:
        found, key = self._find(revision.name), self.key(revision.name)
        headers = {"Content-Type": "application/json"}
        with translated(f"calling the service '{revision.name}'"):
            if found.token_auth_enabled:
                key = found.get_access_token().access_token
            if key:
                headers["Authorization"] = f"Bearer {key}"
            said = self._session.post(
                found.scoring_uri,
                data=body.encode("utf-8"),
                headers=headers,
                timeout=_SCORE_TIMEOUT_SECONDS,
            )
        return Answer(status=said.status_code, body=said.text, seconds=said.elapsed.total_seconds())

    def _inference(self, spec: ServiceSpec) -> Any:
        from azureml.core.model import InferenceConfig

        if spec.entry_script is None or spec.source_directory is None:
            raise ValueError("azureml-sdk deploys no model without a script")
        environment = self._environment(spec)
        environment.environment_variables.update(spec.variables)
        return InferenceConfig(
            entry_script=spec.entry_script.relative_to(spec.source_directory).as_posix(),
            source_directory=str(spec.source_directory),
            environment=environment,
        )

    def _environment(self, spec: ServiceSpec) -> Any:
        from azureml.core import Environment

        if spec.image:
            return Environment.from_docker_image(
                spec.environment,
                spec.image,
                conda_specification=str(spec.environment_file) if spec.environment_file else None,
            )
        if spec.environment_file is not None:
            return Environment.from_conda_specification(
                name=spec.environment, file_path=str(spec.environment_file)
            )
        assert spec.registered is not None  # noqa: S101 - the task has checked that there is one
        name, version = spec.registered.name, spec.registered.version
        try:
            return Environment.get(self._sdk, name, version or None)
        except Exception as cause:
            # The SDK raises Exception itself, with the service's answer as its text.
            if "not found" not in str(cause).lower() and http_status(cause) != 404:
                raise
            raise errors.ENVIRONMENT_NOT_FOUND.error(
                environment=f"{name}:{version or 'latest'}", workspace=self._sdk.name
            ) from cause

    def _delete(self, name: str) -> None:
        found = self._find(name)
        if found is not None:
            with translated(f"deleting the service '{name}'"), _hushed():
                found.delete()

    def _find(self, name: str) -> Any:
        from azureml.core.webservice import Webservice
        from azureml.exceptions import WebserviceException

        with translated(f"looking for the service '{name}'"):
            try:
                return Webservice(self._sdk, name=name)
            except WebserviceException as cause:
                if "WebserviceNotFound" in str(cause) or http_status(cause) == 404:
                    return None
                raise


def _auth(found: Any) -> str:
    """How callers of a service show who they are, as the port names it."""
    if getattr(found, "token_auth_enabled", False):
        return "aml_token"
    return "key" if getattr(found, "auth_enabled", True) else "none"


def _configuration(spec: ServiceSpec) -> dict[str, Any]:
    """What a deployment and an update take alike; an update keeps what is None."""
    settings, scaling = spec.settings, spec.settings.scaling
    # An update would keep the earlier release's probe: a member that nobody asks for is Azure's.
    probe = settings.liveness or Probe()
    found: dict[str, Any] = {
        "autoscale_enabled": scaling is not None,
        "num_replicas": spec.replicas if scaling is None else None,
        "cpu_cores": spec.cpu_cores,
        "memory_gb": spec.memory_gb,
        "cpu_cores_limit": settings.cpu_limit or None,
        "memory_gb_limit": settings.memory_limit or None,
        "gpu_cores": settings.gpus or None,
        "enable_app_insights": spec.app_insights,
        "scoring_timeout_ms": round(spec.limits.timeout * 1000),
        "replica_max_concurrent_requests": spec.limits.concurrent,
        "max_request_wait_time": round(spec.limits.queue_wait * 1000),
        "initial_delay_seconds": probe.initial_delay or 310,
        "period_seconds": probe.period or 10,
        "timeout_seconds": probe.timeout or 2,
        "success_threshold": probe.successes or 1,
        "failure_threshold": probe.failures or 3,
        "namespace": settings.namespace or None,
        "description": spec.description or None,
    }
    if scaling is not None:
        found |= {
            "autoscale_min_replicas": scaling.least,
            "autoscale_max_replicas": scaling.most,
            "autoscale_target_utilization": scaling.percent,
            "autoscale_refresh_seconds": scaling.seconds,
        }
    return found


def candidate_name(service: str, mark: str) -> str:
    """The name of the service beside a live one: ``<service>-c<suffix>``, at most 32 characters.

    The suffix is the build's id, so that a retry finds what its first attempt left; without a
    build it is random.
    """
    suffix = "-c" + (re.sub(r"[^a-z0-9]", "", mark.lower())[-8:] or uuid.uuid4().hex[:6])
    return service[: _NAME_LENGTH - len(suffix)].rstrip("-") + suffix


@contextlib.contextmanager
def _hushed() -> Any:
    """Hide the tips and states that the SDK prints; the task logs its own."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
