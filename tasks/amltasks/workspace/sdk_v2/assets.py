"""Code and environments as assets of the workspace, named by the hash of their content.

Protocol: OpenAPI of Microsoft.MachineLearningServices 2024-10-01 (codes, environments) and Put Blob
of the storage service. Equal sources are uploaded once; equal environments are built once.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from urllib.parse import quote

import requests

from amltasks import errors
from amltasks.workspace.port import ServiceSpec
from amltasks.workspace.sdk_v2.ignoring import travelling_files
from amltasks.workspace.sdk_v2.rest import Rest

log = logging.getLogger("amltasks")

# Microsoft's base for images with a conda environment on top.
BASE_IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04:latest"
_STORAGE_VERSION = "2021-08-06"
_UPLOAD_TIMEOUT_SECONDS = (10, 300)
_FOLDER = "code"


def code(rest: Rest, folder: Path) -> str:
    """The id of the code asset with a folder's files, which are uploaded if there is none."""
    files = list(travelling_files(folder))
    if not files:
        raise errors.REFUSED.error(
            doing="uploading the code", detail=f"the folder {folder} holds no files that travel"
        )
    digest = hashlib.sha256()
    for name, path in files:
        digest.update(f"{name}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    at = f"codes/{digest.hexdigest()[:32]}/versions/1"
    found = rest.find(at)
    if found is None:
        log.info("Uploading %d files of %s", len(files), folder)
        place = _upload(rest, at, files)
        found = rest.arm("PUT", at, {"properties": {"codeUri": place, "isAnonymous": True}}).json()
    return str(found["id"])


def _upload(rest: Rest, at: str, files: list[tuple[str, Path]]) -> str:
    """Upload to the address that the workspace gives; returns the folder's address."""
    body = {"pendingUploadType": "TemporaryBlobReference"}
    given = rest.arm("POST", f"{at}/startPendingUpload", body).json()["blobReferenceForConsumption"]
    container, _, signature = str(given["credential"]["sasUri"]).partition("?")
    for name, path in files:
        answer = _put_blob(rest.session, f"{container}/{_FOLDER}/{quote(name)}?{signature}", path)
        answer.raise_for_status()
    return f"{str(given['blobUri']).rstrip('/')}/{_FOLDER}"


def _put_blob(session: requests.Session, address: str, path: Path) -> requests.Response:
    return session.put(
        address,
        data=path.read_bytes(),
        headers={"x-ms-blob-type": "BlockBlob", "x-ms-version": _STORAGE_VERSION},
        timeout=_UPLOAD_TIMEOUT_SECONDS,
    )


def environment_of(rest: Rest, spec: ServiceSpec) -> str:
    """The id of the environment that a service runs in.

    Raises:
        TaskError: ``ENVIRONMENT_NOT_FOUND``
    """
    if spec.environment_file is not None or spec.image:
        return environment(rest, spec.environment, spec.environment_file, spec.image)
    assert spec.registered is not None  # noqa: S101 - the task has checked that there is one
    if spec.registered.address:
        return spec.registered.address
    name, version = spec.registered.name, spec.registered.version
    if not version:
        container = rest.find(f"environments/{name}")
        version = str((container or {}).get("properties", {}).get("latestVersion") or "")
    found = rest.find(f"environments/{name}/versions/{version}") if version else None
    if found is None:
        raise errors.ENVIRONMENT_NOT_FOUND.error(
            environment=f"{name}:{version or 'latest'}", workspace=rest.name
        )
    return str(found["id"])


def environment(rest: Rest, name: str, conda_file: Path | None, image: str = "") -> str:
    """The id of the environment version for a conda file, an image or both.

    It is registered if there is none. Without an image it is made on :data:`BASE_IMAGE`.
    """
    conda = conda_file.read_text(encoding="utf-8") if conda_file else ""
    base = image or BASE_IMAGE
    version = hashlib.sha256(f"{base}\n{conda}".encode()).hexdigest()[:16]
    at = f"environments/{name}/versions/{version}"
    found = rest.find(at)
    if found is None:
        properties = {"image": base, "osType": "Linux", **({"condaFile": conda} if conda else {})}
        found = rest.arm("PUT", at, {"properties": properties}).json()
    return str(found["id"])
