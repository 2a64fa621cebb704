"""Online endpoints and their deployments through Resource Manager.

A service is an endpoint; a revision of it is a deployment, which takes no request until it is given
the endpoint's traffic, but those that name it in the header ``azureml-model-deployment``.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from amltasks.workspace.failures import http_status, problems, translated
from amltasks.workspace.port import (
    Answer,
    Model,
    Revision,
    Rollout,
    Service,
    Services,
    ServiceSpec,
)
from amltasks.workspace.sdk_v2 import assets
from amltasks.workspace.sdk_v2.rest import Rest, name_of

SCORE_TIMEOUT_SECONDS = (10, 70)
LOG_LINES = 200
_HEADER = "azureml-model-deployment"
# Marks what a task made. It deletes nothing but that and what it replaces.
_MARK = "azure-machine-learning-tasks"
# The revision that is being ramped up, and the traffic before: JSON.
_RELEASE_TAG = "azure-machine-learning-tasks-release"
_NAME_LENGTH = 32
_REQUEST_TIMEOUT = "PT60S"
_ENDED = frozenset({"Succeeded", "Failed", "Canceled"})
_KINDS = {"K8S": "Kubernetes", "Managed": "Managed"}
# The service's own limits for a container; a request above them raises the limit.
_LEAST_CPU_LIMIT, _LEAST_MEMORY_LIMIT_GB = 2.0, 4.0


@dataclass(kw_only=True)
class _Progress:
    """An operation in Azure. ``then`` is the PUT that follows when it has succeeded."""

    address: str
    then: tuple[str, dict[str, Any]] | None = None


class RestServices(Services):
    """The port's ``Services``. Keeps the operations that it started, to report their progress."""

    restores = True

    def __init__(self, rest: Rest) -> None:
        """Work in this workspace."""
        self._rest = rest
        self._progress: dict[str, _Progress] = {}
        self._traffic_before: dict[str, dict[str, int]] = {}
        # A scoring request is never repeated: the user's code may not be idempotent.
        self._scoring = requests.Session()

    def find(self, name: str) -> Service | None:
        with translated(f"looking for the service '{name}'"):
            found = self._rest.find(_endpoint(name))
            if found is None:
                return None
            deployments = list(self._rest.every(_endpoint(name) + "/deployments"))
        properties = found["properties"]
        serving = [d for d in deployments if _traffic(found).get(d["name"], 0) > 0]
        return Service(
            name=found["name"],
            kind=_KINDS.get(str(found.get("kind")), str(found.get("kind") or "")),
            state=_state(found, serving),
            cluster=name_of(str(properties.get("compute") or "")),
            scoring_uri=str(properties.get("scoringUri") or ""),
            models=tuple(
                model
                for each in serving or deployments
                if (model := _model(str(each["properties"].get("model") or "")))
            ),
            serving=tuple(d["name"] for d in serving),
        )

    def plan(self, spec: ServiceSpec, live: Service | None, mark: str) -> Revision:
        # The build's id is the name, with a number if a retry finds it taken.
        taken: set[str] = set()
        if live is not None:
            with translated(f"looking at the revisions of '{spec.name}'"):
                found = self._rest.every(_endpoint(spec.name) + "/deployments")
                taken = {str(each["name"]) for each in found}
        base = "build-" + (re.sub(r"[^a-z0-9]", "", mark.lower())[-20:] or uuid.uuid4().hex[:8])
        names = (base, *(f"{base}-{number}" for number in range(2, len(taken) + 3)))
        name = next(name for name in names if name not in taken)
        return Revision(
            service=spec.name,
            name=name,
            label=f"{spec.name}/{name}",
            fresh=live is None or not live.serving,
        )

    def deploy(self, spec: ServiceSpec, revision: Revision) -> None:
        with translated(f"deploying the service '{revision.label}'"):
            code = assets.code(self._rest, spec.source_directory)
            environment = assets.environment(self._rest, spec.environment, spec.environment_file)
            body = self._deployment(spec, code, environment)
            at = f"{_endpoint(revision.service)}/deployments/{revision.name}"
            if self._rest.find(_endpoint(spec.name)) is None:
                answer = self._rest.arm("PUT", _endpoint(spec.name), self._new_endpoint(spec))
                self._watch(revision, _endpoint(spec.name), answer, then=(at, body))
            else:
                self._watch(revision, at, self._rest.arm("PUT", at, body))

    def rollout(self, revision: Revision) -> Rollout:
        progress = self._progress[revision.label]
        with translated(f"waiting for the service '{revision.label}'"):
            found = self._rest.ask("GET", progress.address).json()
            state = str(found.get("status") or found["properties"]["provisioningState"])
            if state == "Succeeded" and progress.then:
                at, body = progress.then
                self._watch(revision, at, self._rest.arm("PUT", at, body))
                return Rollout(state="Creating", done=False, succeeded=False)
        return Rollout(
            state=state,
            done=state in _ENDED,
            succeeded=state == "Succeeded",
            problem="; ".join(problems(found.get("error"))) if state != "Succeeded" else "",
        )

    def unfinished(self, name: str) -> Revision | None:
        with translated(f"looking for an unfinished release of '{name}'"):
            found = self._rest.find(_endpoint(name))
        if found is None:
            return None
        noted = json.loads((found.get("tags") or {}).get(_RELEASE_TAG) or "{}")
        shared = {one for one, percent in _traffic(found).items() if percent > 0}
        candidate, before = str(noted.get("revision")), noted.get("before") or {}
        if candidate not in shared or not before or not shared - {candidate}:
            return None
        self._traffic_before[name] = {str(one): int(percent) for one, percent in before.items()}
        return Revision(
            service=name, name=candidate, label=f"{name}/{candidate}", fresh=False, in_service=True
        )

    def promote(self, spec: ServiceSpec, revision: Revision, percent: int = 100) -> Revision:
        promoted = Revision(
            service=revision.service,
            name=revision.name,
            label=revision.service,
            fresh=revision.fresh,
            in_service=True,
        )
        with translated(f"giving the traffic of '{spec.name}' to {revision.name}"):
            found = self._rest.arm("GET", _endpoint(spec.name)).json()
            before = self._traffic_before.setdefault(spec.name, _traffic(found))
            if percent < 100:
                # A later run reads this when our agent dies before the ramp ends.
                noted = json.dumps({"revision": revision.name, "before": before})
                found["tags"] = {**(found.get("tags") or {}), _RELEASE_TAG: noted}
            self._route(promoted, found, _shared(before, revision.name, percent), spec)
        return promoted

    def restore(self, revision: Revision) -> None:
        with translated(f"giving the traffic of '{revision.service}' back"):
            found = self._rest.arm("GET", _endpoint(revision.service)).json()
            self._route(revision, found, self._traffic_before[revision.service])

    def clean_up(self, revision: Revision) -> tuple[str, ...]:
        removed: list[str] = []
        before = self._traffic_before.get(revision.service) or {}
        with translated(f"removing old revisions of '{revision.service}'"):
            for each in list(self._rest.every(_endpoint(revision.service) + "/deployments")):
                name, ours = each["name"], _MARK in (each["properties"].get("properties") or {})
                if revision.in_service:
                    useless = name != revision.name and (ours or before.get(name, 0) > 0)
                else:
                    useless = name == revision.name
                if useless:
                    at = f"{_endpoint(revision.service)}/deployments/{name}"
                    self._rest.arm("DELETE", at)
                    removed.append(f"deployment {name} of {revision.service}")
        return tuple(removed)

    def logs(self, revision: Revision) -> list[str]:
        at = f"{_endpoint(revision.service)}/deployments/{revision.name}/getLogs"
        body = {"containerType": "InferenceServer", "tail": LOG_LINES}
        with translated(f"reading the log of the service '{revision.label}'"):
            try:
                said = self._rest.arm("POST", at, body).json()
            except requests.HTTPError as cause:
                if http_status(cause) != 404:
                    raise
                return []
            return str(said.get("content") or "").splitlines()

    def key(self, name: str) -> str:
        with translated(f"reading the key of the service '{name}'"):
            found = self._rest.arm("POST", f"{_endpoint(name)}/listKeys").json()
            return str(found.get("primaryKey") or "")

    def score(self, revision: Revision, body: str) -> Answer:
        headers = {"Content-Type": "application/json"}
        headers["Authorization"] = f"Bearer {self.key(revision.service)}"
        if not revision.in_service:
            headers[_HEADER] = revision.name
        with translated(f"calling the service '{revision.label}'"):
            found = self._rest.arm("GET", _endpoint(revision.service)).json()
            said = self._scoring.post(
                str(found["properties"]["scoringUri"]),
                data=body.encode("utf-8"),
                headers=headers,
                timeout=SCORE_TIMEOUT_SECONDS,
            )
        return Answer(status=said.status_code, body=said.text, seconds=said.elapsed.total_seconds())

    def _new_endpoint(self, spec: ServiceSpec) -> dict[str, Any]:
        properties: dict[str, Any] = {"authMode": "Key", "traffic": {}}
        if spec.description:
            properties["description"] = spec.description
        if spec.target == "kubernetes":
            properties["compute"] = f"{self._rest.scope}/computes/{spec.cluster}"
        return {
            "location": self._rest.workspace["location"],
            "kind": "K8S" if spec.target == "kubernetes" else "Managed",
            "identity": {"type": "SystemAssigned"},
            "tags": dict(spec.tags),
            "properties": properties,
        }

    def _deployment(self, spec: ServiceSpec, code: str, environment: str) -> dict[str, Any]:
        model = f"models/{spec.model.name}/versions/{spec.model.version}"
        properties: dict[str, Any] = {
            "model": f"{self._rest.scope}/{model}",
            "environmentId": environment,
            "codeConfiguration": {
                "codeId": code,
                "scoringScript": spec.entry_script.relative_to(spec.source_directory).as_posix(),
            },
            # The timeout of azureml-sdk's services; the default of 5 s fails a cold start.
            "requestSettings": {"requestTimeout": _REQUEST_TIMEOUT},
            "scaleSettings": {"scaleType": "Default"},
            "properties": {_MARK: "1"},
        }
        if spec.description:
            properties["description"] = spec.description
        if spec.target == "kubernetes":
            properties["endpointComputeType"] = "Kubernetes"
            properties["containerResourceRequirements"] = {
                "containerResourceRequests": _resources(spec.cpu_cores, spec.memory_gb),
                "containerResourceLimits": _resources(
                    max(spec.cpu_cores, _LEAST_CPU_LIMIT),
                    max(spec.memory_gb, _LEAST_MEMORY_LIMIT_GB),
                ),
            }
        else:
            properties["endpointComputeType"] = "Managed"
            properties["instanceType"] = spec.instance_type
        return {
            "location": self._rest.workspace["location"],
            "sku": {"name": "Default", "capacity": spec.replicas},
            "tags": dict(spec.tags),
            "properties": properties,
        }

    def _route(
        self,
        revision: Revision,
        found: dict[str, Any],
        traffic: Mapping[str, int],
        spec: ServiceSpec | None = None,
    ) -> None:
        """PUT the endpoint with other traffic, and with the spec's description and tags."""
        kept = ("authMode", "compute", "description", "properties", "publicNetworkAccess")
        properties = {k: found["properties"][k] for k in kept if found["properties"].get(k)}
        if spec is not None and spec.description:
            properties["description"] = spec.description
        tags = {**(found.get("tags") or {}), **(spec.tags if spec is not None else {})}
        body = {k: found[k] for k in ("location", "kind", "sku") if found.get(k)}
        body["identity"] = _identity(found)
        body |= {"tags": tags, "properties": {**properties, "traffic": dict(traffic)}}
        at = _endpoint(revision.service)
        self._watch(revision, at, self._rest.arm("PUT", at, body))

    def _watch(
        self,
        revision: Revision,
        at: str,
        answer: requests.Response,
        then: tuple[str, dict[str, Any]] | None = None,
    ) -> None:
        address = answer.headers.get("Azure-AsyncOperation") or self._rest.address(at)
        self._progress[revision.label] = _Progress(address=address, then=then)


def _endpoint(name: str) -> str:
    return f"onlineEndpoints/{name}"


def _traffic(endpoint: Mapping[str, Any]) -> dict[str, int]:
    return {str(k): int(v) for k, v in (endpoint["properties"].get("traffic") or {}).items()}


def _shared(before: Mapping[str, int], name: str, percent: int) -> dict[str, int]:
    """Traffic in whole percent: ``percent`` for one revision, the rest as it was shared before."""
    rest, traffic = 100 - percent, {}
    served = {one: share for one, share in before.items() if share > 0 and one != name}
    total = sum(served.values())
    for number, (one, share) in enumerate(served.items(), start=1):
        part = rest if number == len(served) else round((100 - percent) * share / total)
        traffic[one] = min(part, rest)
        rest -= traffic[one]
    return {**{one: share for one, share in traffic.items() if share}, name: percent}


def _state(endpoint: Mapping[str, Any], serving: list[dict[str, Any]]) -> str:
    """``Healthy``, as in azureml-sdk, or Azure's state of the first part that is not."""
    states = [str(each["properties"].get("provisioningState")) for each in (endpoint, *serving)]
    unwell = next((state for state in states if state != "Succeeded"), None)
    return unwell or ("Healthy" if serving else "Unserved")


def _model(model_id: str) -> Model | None:
    found = re.search(r"/models/([^/]+)/versions/(\d+)$", model_id)
    if found is None:
        return None
    return Model(name=found[1], version=int(found[2]), run_id="", description="", tags={})


def _resources(cpu_cores: float, memory_gb: float) -> dict[str, str]:
    return {"cpu": f"{cpu_cores:g}", "memory": f"{memory_gb:g}Gi"}


def _identity(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """The identity without the fields that only the service may set."""
    found = endpoint.get("identity") or {"type": "SystemAssigned"}
    users: dict[str, Any] = {name: {} for name in found.get("userAssignedIdentities") or {}}
    return {"type": found["type"], **({"userAssignedIdentities": users} if users else {})}
