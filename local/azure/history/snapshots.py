"""Project content: snapshots of source folders, each file kept once.

Protocol as azureml-core's SnapshotsClient speaks it: ask for upload addresses, upload, then post a
snapshot that names its parent, its whole tree and the files that differ from the parent.
"""

from __future__ import annotations

import hashlib
import shutil
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from local.azure.history.records import SNAPSHOTS, Snapshot
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router
from local.azure.storage import blob, blob_auth

_UPLOADS = "snapshots"
_ZIPS = "snapshotzips"
_NO_SNAPSHOT = "00000000-0000-0000-0000-000000000000"

router = Router()
_V1 = "/content/v1.0{workspace}/snapshots"
_V2 = "/content/v2.0{workspace}/snapshots"


@router.at_start
def make_folders(cloud: Cloud) -> None:
    """Make the containers for uploads and archives, and the folder of the files themselves."""
    for container in (_UPLOADS, _ZIPS):
        (cloud.root / "blobs" / container).mkdir(parents=True, exist_ok=True)
    (cloud.root / "snapshot-files").mkdir(exist_ok=True)


def restore_snapshot(cloud: Cloud, snapshot_id: str, destination: Path) -> None:
    """Write the files of a snapshot below `destination`. Raises ServiceError 404."""
    for name, source in _files(cloud, _existing(cloud, snapshot_id)):
        target = destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)


def _files(cloud: Cloud, snapshot: Snapshot) -> Iterator[tuple[PurePosixPath, Path]]:
    for name, digest in snapshot["files"].items():
        yield _relative(name), cloud.root / "snapshot-files" / digest


def _relative(name: str) -> PurePosixPath:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise ServiceError(400, "UserError", f"The file name '{name}' leaves the snapshot.")
    return path


def _existing(cloud: Cloud, snapshot_id: str) -> Snapshot:
    snapshot = SNAPSHOTS.get(cloud, snapshot_id)
    if snapshot is None:
        raise ServiceError(404, "UserError", f"Snapshot {snapshot_id} was not found.")
    return snapshot


@router.route("GET", _V1 + "/latest/metadata")
def show_latest(_cloud: Cloud, _request: Request) -> Response:
    """Where a client without a cache begins: at the empty snapshot."""
    return json_response({"id": _NO_SNAPSHOT, "root": {}})


@router.route("GET", _V1 + "/{snapshot}/metadata")
@router.route("GET", _V2 + "/{snapshot}/metadata")
@router.route("GET", _V1 + "/{snapshot}")
@router.route("GET", _V2 + "/{snapshot}")
def show_snapshot(cloud: Cloud, request: Request) -> Response:
    """A snapshot's tree."""
    snapshot = _existing(cloud, request.params["snapshot"])
    return json_response({"id": snapshot["id"], "root": snapshot["root"]})


@router.route("POST", _V2 + "/getblob")
def upload_addresses(cloud: Cloud, request: Request) -> Response:
    """An address for each file that the client wants to upload."""
    names = fields.names(request.json_object(), "FileNames")
    folder = uuid.uuid4().hex
    nodes = [
        {
            "fullName": name,
            "blobUri": blob.sas_url(cloud, _UPLOADS, f"{folder}/{number}", permissions="rcw"),
        }
        for number, name in enumerate(names)
    ]
    return json_response({"fileNodes": nodes})


@router.route("POST", _V2 + "/{snapshot}")
def create_snapshot(cloud: Cloud, request: Request) -> Response:
    """Keep a snapshot. 400 when a file of its tree is neither uploaded nor in the parent."""
    body = request.json_object()
    root = fields.mapping(body, "DirTreeNode")
    parent_id = fields.optional_text(body, "ParentSnapshotId") or _NO_SNAPSHOT
    known = {} if parent_id == _NO_SNAPSHOT else _existing(cloud, parent_id)["files"]
    uploads = fields.objects(fields.mapping(body, "FileRevisionList"), "FileNodes")
    uploaded = {
        fields.text(node, "FullName").replace("\\", "/"): fields.text(node, "BlobUri")
        for node in uploads
    }
    files = {}
    for name in _names(root):
        _relative(name)
        if name in uploaded:
            files[name] = _keep(cloud, uploaded[name])
        elif name in known:
            files[name] = known[name]
        else:
            raise ServiceError(400, "UserError", f"The file '{name}' was not uploaded.")
    snapshot_id = request.params["snapshot"]
    SNAPSHOTS.put(cloud, snapshot_id, {"id": snapshot_id, "root": root, "files": files})
    return json_response({"id": snapshot_id, "parentId": parent_id})


def _names(node: Mapping[str, object], prefix: str = "") -> Iterator[str]:
    children = fields.mapping(node, "children")
    for name in children:
        child = fields.mapping(children, name)
        if child.get("type") == "File":
            yield prefix + name
        else:
            yield from _names(child, f"{prefix}{name}/")


def _keep(cloud: Cloud, address: str) -> str:
    """Move an upload to where its content belongs, and give that place's name."""
    parts = urlsplit(address)
    container, _, name = unquote(parts.path).lstrip("/").partition("/")
    upload = blob.path_of(cloud, container, name)
    if parts.netloc != blob_auth.account_host(cloud) or container != _UPLOADS:
        raise ServiceError(400, "UserError", "A snapshot is made of its own uploads only.")
    if not upload.is_file():
        raise ServiceError(400, "UserError", "A file of the snapshot was not uploaded.")
    with upload.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    upload.replace(cloud.root / "snapshot-files" / digest)
    return digest


@router.route("POST", _V2 + "/{snapshot}/zip")
def zip_snapshot(cloud: Cloud, request: Request) -> Response:
    """An archive of a snapshot, and where to read it."""
    snapshot = _existing(cloud, request.params["snapshot"])
    name = f"{snapshot['id']}.zip"
    archive = blob.path_of(cloud, _ZIPS, name)
    temporary = archive.with_suffix(f".{uuid.uuid4().hex}")
    with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED) as file:
        for path, source in _files(cloud, snapshot):
            file.write(source, str(path))
    temporary.replace(archive)
    return json_response({"zipSasUri": blob.sas_url(cloud, _ZIPS, name, permissions="r")})
