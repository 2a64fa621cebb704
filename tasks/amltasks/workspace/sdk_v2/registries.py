"""Registries: copies of models in a place that several workspaces share.

Protocol: as azure.ai.ml's ``models.share``: discovery, an import by reference, an operation to
follow. A copy bears the id of its source as ``originAssetId`` (recorded in test_promote_model of
Azure/azure-sdk-for-python), so a version is never copied twice.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator

import requests

from amltasks import errors
from amltasks.workspace.failures import http_status, translated
from amltasks.workspace.port import Elsewhere, Model
from amltasks.workspace.sdk_v2.bodies import ModelBody
from amltasks.workspace.sdk_v2.rest import Rest

log = logging.getLogger("amltasks")

API_VERSION = "2021-10-01-dataplanepreview"
_TRIES = 5


class RestRegistry(Elsewhere):
    """The port's ``Elsewhere``, in a registry."""

    def __init__(self, rest: Rest, name: str) -> None:
        """Look for the registry. Raises ``REGISTRY_NOT_FOUND``."""
        self._rest = rest
        self._name = name
        with translated(f"looking for the registry '{name}'"):
            address = f"{rest.data_plane}/registrymanagement/v1.0/registries/{name}/discovery"
            try:
                found = rest.ask("GET", address).json()
            except requests.HTTPError as cause:
                if http_status(cause) != 404:
                    raise
                raise errors.REGISTRY_NOT_FOUND.error(registry=name) from cause
        host = str(found["primaryRegionResourceProviderUri"]).rstrip("/")
        self._base = (
            f"{host}/mferp/managementfrontend/subscriptions/{found['subscriptionId']}"
            f"/resourceGroups/{found['resourceGroup']}"
            f"/providers/Microsoft.MachineLearningServices/registries/{found['registryName']}"
        )

    def versions(self, name: str) -> list[ModelBody]:
        """The versions of a model in the registry; empty when there is none."""
        with translated(f"looking for models '{name}' in the registry '{self._name}'"):
            return list(self._versions(name))

    def find(self, model: Model) -> str:
        with translated(self._doing(model)):
            same = (each for each in self._versions(model.name) if self._is_copy(each, model))
            return next((str(each["id"]) for each in same), "")

    def start(self, model: Model) -> str:
        with translated(self._doing(model)):
            taken = {str(each["id"]).rpartition("/")[2] for each in self._versions(model.name)}
            numbers = [int(version) for version in taken if version.isdecimal()]
            version = model.version
            if str(version) in taken:
                version = max(numbers) + 1
            for _ in range(_TRIES):
                operation = self._import(model, version)
                if operation is not None:
                    return operation
                version += 1
        raise errors.REFUSED.error(
            doing=self._doing(model),
            detail=f"others took each of the next {_TRIES} versions in the registry",
        )

    def ended(self, operation: str) -> bool:
        with translated(f"copying a model to the registry '{self._name}'"):
            return self._rest.ask("GET", operation).status_code != 202

    def _import(self, model: Model, version: int) -> str | None:
        """The operation to follow, empty if another build began the same; None: it is taken."""
        reference = {
            "referenceType": "Id",
            "destinationName": model.name,
            "destinationVersion": str(version),
            "sourceAssetId": self._origin(model),
        }
        try:
            answer = self._rest.ask("POST", self._address("import"), {"properties": reference})
        except requests.HTTPError as cause:
            if http_status(cause) != 409:
                raise
            there = self._version(model.name, version)
            # One that is not there yet is being copied, and nobody else would take this number.
            return "" if there is None or self._is_copy(there, model) else None
        log.info("Copying %s:%d to the registry %s", model.name, model.version, self._name)
        return str(answer.headers.get("Location") or "")

    def _version(self, name: str, version: int) -> ModelBody | None:
        try:
            path = f"models/{name}/versions/{version}"
            found: ModelBody = self._rest.ask("GET", self._address(path)).json()
        except requests.HTTPError as cause:
            if http_status(cause) != 404:
                raise
            return None
        return found

    def _versions(self, name: str) -> Iterator[ModelBody]:
        address = self._address(f"models/{name}/versions")
        while address:
            try:
                page = self._rest.ask("GET", address).json()
            except requests.HTTPError as cause:
                if http_status(cause) != 404:
                    raise
                return
            yield from page.get("value") or []
            address = str(page.get("nextLink") or "")

    def _is_copy(self, found: ModelBody, model: Model) -> bool:
        return found["properties"].get("originAssetId") == self._origin(model)

    def _origin(self, model: Model) -> str:
        workspace = self._rest.workspace
        return (
            f"azureml://locations/{workspace['location']}/workspaces/"
            f"{workspace['properties']['workspaceId']}/models/{model.name}/versions/{model.version}"
        )

    def _address(self, path: str) -> str:
        return f"{self._base}/{path}?api-version={API_VERSION}"

    def _doing(self, model: Model) -> str:
        return f"copying the model '{model.name}:{model.version}' to the registry '{self._name}'"
