"""Where data lies: the URIs of v2 (azureml://, runs:/, https://) and the files they stand for.

Forms: learn.microsoft.com/azure/machine-learning/concept-data, "Data types" and "URI".
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TypedDict
from urllib.parse import unquote, urlsplit

from local.azure.history.artifacts import container_of_run
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.kernel.tables import Table
from local.azure.storage import blob, blob_auth, datastores
from local.azure.v2.assets import kinds
from local.azure.v2.resources import parse_asset_id

_DATASTORE = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resource[gG]roups/[^/]+(?:/providers/[^/]+)?/workspaces/[^/]+/)?"
    r"datastores/([^/]+)/(?:paths/)?(.*)"
)
_JOB_OUTPUT = re.compile(r"azureml://jobs/([^/]+)/outputs/([^/]+)(?:/paths?/?(.*))?/?")
_ADDRESSES = ("https", "http", "wasbs", "wasb", "abfss", "adl")
_RUN = re.compile(r"runs:/([^/]+)/(.*)")


class KeptOutput(TypedDict):
    """Where an output of a job lies. type: uri_folder, uri_file, mltable or a type of model."""

    uri: str | None
    type: str


class Outputs(TypedDict):
    """The outputs of a job."""

    outputs: dict[str, KeptOutput]


# By the job's name.
_OUTPUTS: Table[Outputs] = Table("v2-outputs")


def outputs_of(cloud: Cloud, job: str) -> dict[str, KeptOutput]:
    """The outputs of a job or a node, by name, as far as they are known."""
    kept = _OUTPUTS.get(cloud, job)
    return kept["outputs"] if kept else {}


def keep_outputs(cloud: Cloud, job: str, outputs: dict[str, KeptOutput]) -> None:
    """Make the outputs of a job or a node known."""
    _OUTPUTS.put(cloud, job, {"outputs": outputs})


def datastore_uri(cloud: Cloud, store: str, path: str, *, short: bool = False) -> str:
    """The URI of a path in a datastore; the long form names the workspace."""
    if short:
        return f"azureml://datastores/{store}/paths/{path}"
    return (
        f"azureml://subscriptions/{cloud.subscription_id}/resourcegroups/{cloud.resource_group}"
        f"/workspaces/{cloud.workspace_name}/datastores/{store}/paths/{path}"
    )


def artifacts_uri(run_id: str) -> str:
    """Where the files of a run lie, in the form that the SDK takes apart when it streams logs."""
    return (
        f"azureml://datastores/{datastores.ARTIFACT_STORE}/ExperimentRun/{container_of_run(run_id)}"
    )


def resolve(cloud: Cloud, uri: str) -> str:
    """A URI in a datastore (long form), or of a blob, that `uri` stands for.

    Raises ServiceError for what does not exist or is not on this machine.
    """
    found = _DATASTORE.fullmatch(uri)
    if found:
        return datastore_uri(cloud, found[1], found[2])
    found = _JOB_OUTPUT.fullmatch(uri)
    if found:
        base = _output_uri(cloud, found[1], found[2])
        return f"{base.rstrip('/')}/{found[3]}" if found[3] else base
    found = _RUN.fullmatch(uri)
    if found:
        path = f"ExperimentRun/{container_of_run(found[1])}/{found[2]}"
        return datastore_uri(cloud, datastores.ARTIFACT_STORE, path)
    if urlsplit(uri).scheme in _ADDRESSES:
        _own_blob(cloud, uri)
        return uri
    return _asset_uri(cloud, uri)


def is_elsewhere(cloud: Cloud, uri: str) -> bool:
    """Whether a URI is an address outside the workspace's own storage account."""
    parts = urlsplit(uri)
    return parts.scheme in _ADDRESSES and parts.hostname != blob_auth.account_host(cloud)


def locate(cloud: Cloud, uri: str) -> Path:
    """The file or folder behind a URI; it need not exist. Raises ServiceError as `resolve` does."""
    resolved = resolve(cloud, uri)
    found = _DATASTORE.fullmatch(resolved)
    if not found:
        container, name = _own_blob(cloud, resolved)
        return _path(cloud, container, name)
    return _path(cloud, datastores.container_of(cloud, found[1]), found[2])


def _path(cloud: Cloud, container: str, name: str) -> Path:
    if name.strip("/"):
        return blob.path_of(cloud, container, name)
    return blob.path_of(cloud, container, "any").parent


def _output_uri(cloud: Cloud, job: str, name: str) -> str:
    if name in ("default", "artifacts"):
        path = f"ExperimentRun/{container_of_run(job)}/"
        return datastore_uri(cloud, datastores.ARTIFACT_STORE, path)
    outputs = outputs_of(cloud, job)
    if name not in outputs:
        raise ServiceError(404, "UserError", f"The job '{job}' has no output '{name}'.")
    return resolve(cloud, str(outputs[name]["uri"]))


def _own_blob(cloud: Cloud, uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    if parts.scheme in ("wasbs", "wasb") and parts.username:
        host, container, name = parts.hostname, parts.username, parts.path.lstrip("/")
    else:
        host = parts.hostname
        container, _, name = parts.path.lstrip("/").partition("/")
    if host != blob_auth.account_host(cloud):
        raise ServiceError(
            400,
            "UserError",
            f"'{uri}' is not on this machine: the local Azure reads only its own storage account "
            f"{cloud.storage_account}. Download it, and give its local path instead.",
        )
    return unquote(container), unquote(name)


def _asset_uri(cloud: Cloud, uri: str) -> str:
    """The URI kept by a data or model asset that `uri` is the id of."""
    plurals = [kind for kind in ("data", "models") if f"/{kind}/" in uri] or ["data", "models"]
    for plural in plurals:
        name, version, label = parse_asset_id(uri, plural)
        found = kinds.find(cloud, kinds.KINDS[plural], name, version, label)
        if found:
            kept = found["properties"]["modelUri" if plural == "models" else "dataUri"]
            return resolve(cloud, str(kept))
    raise ServiceError(404, "UserError", f"Not found: no data or model asset is '{uri}'.")
