"""The model registry through Resource Manager."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

from amltasks import errors
from amltasks.workspace.failures import http_status, translated
from amltasks.workspace.port import Elsewhere, Model, Models, Place, RegistryPlace
from amltasks.workspace.sdk_v2.bodies import ModelBody
from amltasks.workspace.sdk_v2.registries import RestRegistry
from amltasks.workspace.sdk_v2.rest import Rest

log = logging.getLogger("amltasks")

_REGISTER_TRIES = 5
# What a PUT that changes the tags must repeat, or Azure would clear it.
_KEPT = frozenset(
    {
        "modelUri",
        "modelType",
        "description",
        "properties",
        "flavors",
        "stage",
        "jobName",
        "isArchived",
    }
)


class RestModels(Models):
    """The port's ``Models``."""

    def __init__(self, rest: Rest) -> None:
        """Work in this workspace."""
        self._rest = rest

    def get(self, name: str, version: int) -> Model:
        return to_model(name, self._version(name, version))

    def versions(self, name: str) -> tuple[Model, ...]:
        # Leaves out versions whose name is not a number, which no task makes.
        with translated(f"looking for models '{name}'"):
            try:
                found: list[ModelBody] = list(self._rest.every(f"models/{name}/versions"))
            except requests.HTTPError as cause:
                if http_status(cause) != 404:
                    raise
                found = []
        numbered = [to_model(name, each) for each in found if str(each["name"]).isdecimal()]
        return tuple(sorted(numbered, key=lambda model: -model.version))

    def shared(self, registry: str, name: str) -> tuple[Model, ...]:
        found = []
        for each in RestRegistry(self._rest, registry).versions(name):
            # What a registry lists has the model's name, and the version only in its id.
            address = str(each["id"])
            version = address.rpartition("/")[2]
            if version.isdecimal():
                model = to_model(name, {**each, "name": version})
                found.append(dataclasses.replace(model, address=address))
        return tuple(sorted(found, key=lambda model: -model.version))

    def register(
        self, *, run_id: str, path: str, name: str, tags: Mapping[str, str], description: str
    ) -> Model:
        properties: dict[str, Any] = {
            "modelUri": f"azureml://jobs/{run_id}/outputs/artifacts/paths/{path}",
            "modelType": "custom_model",
            "tags": dict(tags),
        }
        if description:
            properties["description"] = description
        with translated(f"registering the model '{name}'"):
            if self._is_mlflow(run_id, path):
                properties["modelType"] = "mlflow_model"
            container: ModelBody | None = self._rest.find(f"models/{name}")
            following = container["properties"].get("nextVersion") if container else None
            version = int(following or 1)
            for _ in range(_REGISTER_TRIES):
                made = self._register(name, version, properties)
                if made is not None:
                    return to_model(name, made)
                log.info("Another build registered %s:%d first", name, version)
                version += 1
        raise errors.REFUSED.error(
            doing=f"registering the model '{name}'",
            detail=f"other builds took each of the next {_REGISTER_TRIES} versions",
        )

    def _is_mlflow(self, run_id: str, path: str) -> bool:
        at = f"ExperimentRun/dcid.{quote(run_id)}/{quote(path)}/MLmodel"
        found = self._rest.data("GET", "artifact/v2.0", f"artifacts/prefix/contentinfo/{at}").json()
        return any(each["path"] == f"{path}/MLmodel" for each in found.get("value") or [])

    def _register(self, name: str, version: int, properties: dict[str, Any]) -> ModelBody | None:
        """The version that was made, None when that number is taken."""
        path = f"models/{name}/versions/{version}"
        if self._rest.find(path):
            return None
        try:
            made: ModelBody = self._rest.arm("PUT", path, {"properties": properties}).json()
        except requests.HTTPError as cause:
            # A version's files cannot be changed: the first build to register it has it.
            if http_status(cause) in (400, 409) and self._rest.find(path):
                return None
            raise
        return made

    def tag(self, model: Model, tags: Mapping[str, str]) -> Model:
        found = self._version(model.name, model.version)
        before = found["properties"]
        kept: dict[str, object] = {k: v for k, v in before.items() if k in _KEPT and v is not None}
        kept["tags"] = {**(before.get("tags") or {}), **tags}
        with translated(f"tagging the model '{model.name}:{model.version}'"):
            path = f"models/{model.name}/versions/{model.version}"
            return to_model(model.name, self._rest.arm("PUT", path, {"properties": kept}).json())

    def elsewhere(self, place: Place) -> Elsewhere:
        if not isinstance(place, RegistryPlace):
            raise errors.COPY_UNSUPPORTED.error(sdk="v2", kind="registry")
        return RestRegistry(self._rest, place.name)

    def _version(self, name: str, version: int) -> ModelBody:
        with translated(f"looking for the model '{name}:{version}'"):
            found: ModelBody | None = self._rest.find(f"models/{name}/versions/{version}")
        if found is None:
            raise errors.MODEL_NOT_FOUND.error(model=f"{name}:{version}", workspace=self._rest.name)
        return found


def to_model(name: str, found: ModelBody) -> Model:
    """A version as Resource Manager shows it, as the port's model."""
    properties = found["properties"]
    return Model(
        name=name,
        version=int(found["name"]),
        run_id=str(properties.get("jobName") or ""),
        description=str(properties.get("description") or ""),
        tags={str(k): str(v) for k, v in (properties.get("tags") or {}).items()},
        mlflow=properties.get("modelType") == "mlflow_model",
    )
