"""Where data lies: the URIs of v2 (azureml://, runs:/, https://) and the files they stand for.

Forms: learn.microsoft.com/azure/machine-learning/concept-data, "Data types" and "URI".
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from local.azure import blob, blob_auth, datastore
from local.azure.artifacts import container_of_run
from local.azure.azure import Azure
from local.azure.v2.resources import parse_asset_id
from local.azure.web import ServiceError

_DATASTORE = re.compile(
    r"azureml://(?:subscriptions/[^/]+/resource[gG]roups/[^/]+(?:/providers/[^/]+)?/workspaces/[^/]+/)?"
    r"datastores/([^/]+)/(?:paths/)?(.*)"
)
_JOB_OUTPUT = re.compile(r"azureml://jobs/([^/]+)/outputs/([^/]+)(?:/paths?/?(.*))?/?")
_RUN = re.compile(r"runs:/([^/]+)/(.*)")

# The outputs of a job, by the job's name: {"outputs": {name: {"uri", "type"}}}.
OUTPUTS = "v2-outputs"


def datastore_uri(azure: Azure, store: str, path: str, *, short: bool = False) -> str:
    """The URI of a path in a datastore; the long form names the workspace."""
    if short:
        return f"azureml://datastores/{store}/paths/{path}"
    return (
        f"azureml://subscriptions/{azure.subscription_id}/resourcegroups/{azure.resource_group}"
        f"/workspaces/{azure.workspace_name}/datastores/{store}/paths/{path}"
    )


def artifacts_uri(run_id: str) -> str:
    """Where the files of a run lie, in the form that the SDK takes apart when it streams logs."""
    return (
        f"azureml://datastores/{datastore.ARTIFACT_STORE}/ExperimentRun/{container_of_run(run_id)}"
    )


def resolve(azure: Azure, uri: str) -> str:
    """A URI in a datastore (long form), or of a blob, that `uri` stands for.

    Raises ServiceError for what does not exist or is not on this machine.
    """
    found = _DATASTORE.fullmatch(uri)
    if found:
        return datastore_uri(azure, found[1], found[2])
    found = _JOB_OUTPUT.fullmatch(uri)
    if found:
        base = _output_uri(azure, found[1], found[2])
        return f"{base.rstrip('/')}/{found[3]}" if found[3] else base
    found = _RUN.fullmatch(uri)
    if found:
        path = f"ExperimentRun/{container_of_run(found[1])}/{found[2]}"
        return datastore_uri(azure, datastore.ARTIFACT_STORE, path)
    if urlsplit(uri).scheme in ("https", "http", "wasbs", "wasb", "abfss", "adl"):
        _own_blob(azure, uri)
        return uri
    return _asset_uri(azure, uri)


def locate(azure: Azure, uri: str) -> Path:
    """The file or folder behind a URI; it need not exist. Raises ServiceError as `resolve` does."""
    resolved = resolve(azure, uri)
    found = _DATASTORE.fullmatch(resolved)
    if not found:
        container, name = _own_blob(azure, resolved)
        return _path(azure, container, name)
    return _path(azure, datastore.container_of(azure, found[1]), found[2])


def _path(azure: Azure, container: str, name: str) -> Path:
    if name.strip("/"):
        return blob.path_of(azure, container, name)
    return blob.path_of(azure, container, "any").parent


def _output_uri(azure: Azure, job: str, name: str) -> str:
    if name in ("default", "artifacts"):
        path = f"ExperimentRun/{container_of_run(job)}/"
        return datastore_uri(azure, datastore.ARTIFACT_STORE, path)
    record = azure.store.get(OUTPUTS, job) or {"outputs": {}}
    if name not in record["outputs"]:
        raise ServiceError(404, "UserError", f"The job '{job}' has no output '{name}'.")
    return resolve(azure, record["outputs"][name]["uri"])


def _own_blob(azure: Azure, uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    if parts.scheme in ("wasbs", "wasb") and parts.username:
        host, container, name = parts.hostname, parts.username, parts.path.lstrip("/")
    else:
        host = parts.hostname
        container, _, name = parts.path.lstrip("/").partition("/")
    if host != blob_auth.account_host(azure):
        raise ServiceError(
            400,
            "UserError",
            f"'{uri}' is not on this machine: the local Azure reads only its own storage account "
            f"{azure.storage_account}. Download it, and give its local path instead.",
        )
    return unquote(container), unquote(name)


def _asset_uri(azure: Azure, uri: str) -> str:
    """The URI kept by a data or model asset that `uri` is the id of."""
    # Imported here: those modules take URIs apart too.
    from local.azure.v2 import assets, models, plain_assets

    plurals = [kind for kind in ("data", "models") if f"/{kind}/" in uri] or ["data", "models"]
    for plural in plurals:
        name, version, label = parse_asset_id(uri, plural)
        kind = models.KIND if plural == "models" else plain_assets.DATA
        found = assets.find(azure, kind, name, version, label)
        if found:
            kept = found["properties"]["modelUri" if plural == "models" else "dataUri"]
            return resolve(azure, str(kept))
    raise ServiceError(404, "UserError", f"Not found: no data or model asset is '{uri}'.")
