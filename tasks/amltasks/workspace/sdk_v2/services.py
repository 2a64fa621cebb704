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

from amltasks import errors
from amltasks.workspace.failures import http_status, problems, translated
from amltasks.workspace.port import (
    Answer,
    Kept,
    Revision,
    Rollout,
    Service,
    Services,
    ServiceSpec,
)
from amltasks.workspace.sdk_v2 import assets, endpoints
from amltasks.workspace.sdk_v2.endpoints import (
    SERVED_TAG,
    endpoint,
    identity_of,
    model_of,
    served_of,
    served_tag,
    shared,
    state_of,
    traffic_of,
)
from amltasks.workspace.sdk_v2.rest import Rest, name_of

SCORE_TIMEOUT_SECONDS = (10, 70)
LOG_LINES = 200
# learn.microsoft.com/azure/machine-learning/how-to-authenticate-online-endpoint
_SCORING_SCOPE = "https://ml.azure.com/.default"
_HEADER = "azureml-model-deployment"
# The revision that is being ramped up, and the traffic before: JSON.
_RELEASE_TAG = "azure-machine-learning-tasks-release"
# The step that went back to an earlier revision.
_WENT_BACK_TAG = "azure-machine-learning-tasks-went-back"
_ENDED = frozenset({"Succeeded", "Failed", "Canceled"})
_KINDS = {"K8S": "Kubernetes", "Managed": "Managed"}


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
        self._served_before: dict[str, list[str]] = {}
        # A scoring request is never repeated: the user's code may not be idempotent.
        self._scoring = requests.Session()

    def find(self, name: str) -> Service | None:
        with translated(f"looking for the service '{name}'"):
            found = self._rest.find(endpoint(name))
            if found is None:
                return None
            deployments = list(self._rest.every(endpoint(name) + "/deployments"))
        properties = found["properties"]
        serving = [d for d in deployments if traffic_of(found).get(d["name"], 0) > 0]
        return Service(
            name=found["name"],
            kind=_KINDS.get(str(found.get("kind")), str(found.get("kind") or "")),
            state=state_of(found, serving),
            cluster=name_of(str(properties.get("compute") or "")),
            scoring_uri=str(properties.get("scoringUri") or ""),
            models=tuple(
                model
                for each in serving or deployments
                if (model := model_of(str(each["properties"].get("model") or "")))
            ),
            serving=tuple(d["name"] for d in serving),
            auth=endpoints.auth_of(found),
            identities=tuple(endpoints.identity_of(found).get("userAssignedIdentities") or ()),
            public_access=properties.get("publicNetworkAccess") != "Disabled",
        )

    def plan(self, spec: ServiceSpec, live: Service | None, mark: str) -> Revision:
        # The build's id is the name, with a number if a retry finds it taken.
        taken: set[str] = set()
        if live is not None:
            with translated(f"looking at the revisions of '{spec.name}'"):
                found = self._rest.every(endpoint(spec.name) + "/deployments")
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
            code = environment = ""
            if spec.source_directory is not None:
                code = assets.code(self._rest, spec.source_directory)
                environment = assets.environment_of(self._rest, spec)
            body = endpoints.new_deployment(self._rest, spec, code, environment)
            at = f"{endpoint(revision.service)}/deployments/{revision.name}"
            if self._rest.find(endpoint(spec.name)) is None:
                answer = self._rest.arm(
                    "PUT", endpoint(spec.name), endpoints.new_endpoint(self._rest, spec)
                )
                self._watch(revision, endpoint(spec.name), answer, then=(at, body))
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
            found = self._rest.find(endpoint(name))
        if found is None:
            return None
        noted = json.loads((found.get("tags") or {}).get(_RELEASE_TAG) or "{}")
        shared = {one for one, percent in traffic_of(found).items() if percent > 0}
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
            found = self._rest.arm("GET", endpoint(spec.name)).json()
            before = self._traffic_before.setdefault(spec.name, traffic_of(found))
            served = self._served_before.setdefault(spec.name, served_of(found))
            tags = dict(found.get("tags") or {})
            if percent < 100:
                # A later run reads this when our agent dies before the ramp ends.
                tags[_RELEASE_TAG] = json.dumps({"revision": revision.name, "before": before})
            else:
                tags.pop(_RELEASE_TAG, None)
                tags.pop(_WENT_BACK_TAG, None)
                last = [one for one, share in before.items() if share > 0 and one not in served]
                names = [revision.name, *(n for n in (*last, *served) if n != revision.name)]
                tags[SERVED_TAG] = served_tag(names)
            found["tags"] = tags
            self._route(promoted, found, shared(before, revision.name, percent), spec)
        return promoted

    def restore(self, revision: Revision) -> None:
        with translated(f"giving the traffic of '{revision.service}' back"):
            found = self._rest.arm("GET", endpoint(revision.service)).json()
            tags = dict(found.get("tags") or {})
            tags.pop(_RELEASE_TAG, None)
            if revision.service in self._served_before:
                tags[SERVED_TAG] = served_tag(self._served_before[revision.service])
            found["tags"] = tags
            self._route(revision, found, self._traffic_before[revision.service])

    def kept(self, name: str) -> tuple[Kept, ...]:
        with translated(f"looking for earlier revisions of '{name}'"):
            found = self._rest.arm("GET", endpoint(name)).json()
            deployments = list(self._rest.every(endpoint(name) + "/deployments"))
        return endpoints.kept(found, deployments)

    def went_back(self, name: str) -> str:
        with translated(f"looking at the service '{name}'"):
            found = self._rest.arm("GET", endpoint(name)).json()
        return str((found.get("tags") or {}).get(_WENT_BACK_TAG) or "")

    def go_back(self, revision: Revision, mark: str) -> Revision:
        back = Revision(
            service=revision.service,
            name=revision.name,
            label=revision.service,
            fresh=False,
            in_service=True,
        )
        with translated(f"going back to '{revision.label}'"):
            found = self._rest.arm("GET", endpoint(revision.service)).json()
            served, tags = served_of(found), dict(found.get("tags") or {})
            older = served[served.index(revision.name) + 1 :] if revision.name in served else served
            tags[SERVED_TAG] = served_tag([revision.name, *older])
            tags.pop(_RELEASE_TAG, None)
            tags.pop(_WENT_BACK_TAG, None)
            found["tags"] = {**tags, **({_WENT_BACK_TAG: mark} if mark else {})}
            self._route(back, found, {revision.name: 100})
        return back

    def remove(self, name: str) -> tuple[str, ...]:
        with translated(f"deleting the service '{name}'"):
            found = self._rest.find(endpoint(name))
            if found is None:
                return ()
            deployments = list(self._rest.every(endpoint(name) + "/deployments"))
            foreign = [str(each["name"]) for each in deployments if not endpoints.ours(each)]
            if not endpoints.ours(found):
                detail = "it is not one that this task made"
                raise errors.SERVICE_NOT_OURS.error(service=name, detail=detail)
            if foreign:
                detail = "this task did not make its deployment " + ", ".join(foreign)
                raise errors.SERVICE_NOT_OURS.error(service=name, detail=detail)
            if found["properties"].get("provisioningState") != "Deleting":
                self._rest.arm("DELETE", endpoint(name))
        going = [f"deployment {each['name']} of {name}" for each in deployments]
        return (*going, f"endpoint {name}")

    def clean_up(self, revision: Revision, keep: int = 0) -> tuple[str, ...]:
        removed: list[str] = []
        before = self._traffic_before.get(revision.service) or {}
        at = endpoint(revision.service)
        with translated(f"removing old revisions of '{revision.service}'"):
            found = self._rest.arm("GET", at).json()
            deployments = list(self._rest.every(at + "/deployments"))
            if revision.in_service:
                useless = endpoints.useless(found, deployments, revision.name, before, keep)
            else:
                useless = [n for each in deployments if (n := each["name"]) == revision.name]
            for name in useless:
                self._rest.arm("DELETE", f"{at}/deployments/{name}")
                removed.append(f"deployment {name} of {revision.service}")
        return tuple(removed)

    def logs(self, revision: Revision) -> list[str]:
        at = f"{endpoint(revision.service)}/deployments/{revision.name}/getLogs"
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
            found = self._rest.arm("POST", f"{endpoint(name)}/listKeys").json()
            return str(found.get("primaryKey") or "")

    def _bearer(self, found: Mapping[str, Any]) -> str:
        """What an endpoint's caller shows: its key, its token, or ours of Entra."""
        name, mode = str(found["name"]), endpoints.auth_of(found)
        if mode == "key":
            return self.key(name)
        if mode == "aad_token":
            return self._rest.sign_in.get_token(_SCORING_SCOPE).token
        given = self._rest.arm("POST", f"{endpoint(name)}/token").json()
        return str(given["accessToken"])

    def score(self, revision: Revision, body: str) -> Answer:
        headers = {"Content-Type": "application/json"}
        if not revision.in_service:
            headers[_HEADER] = revision.name
        with translated(f"calling the service '{revision.label}'"):
            found = self._rest.arm("GET", endpoint(revision.service)).json()
            headers["Authorization"] = f"Bearer {self._bearer(found)}"
            said = self._scoring.post(
                str(found["properties"]["scoringUri"]),
                data=body.encode("utf-8"),
                headers=headers,
                timeout=SCORE_TIMEOUT_SECONDS,
            )
        return Answer(status=said.status_code, body=said.text, seconds=said.elapsed.total_seconds())

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
        body["identity"] = identity_of(found)
        body |= {"tags": tags, "properties": {**properties, "traffic": dict(traffic)}}
        at = endpoint(revision.service)
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
