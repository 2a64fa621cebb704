"""Blobs as files in the state: the operations on one blob that the SDKs use.

Protocol: learn.microsoft.com/rest/api/storageservices/blob-service-rest-api (2019-07-07). A blob is
the file blobs/<container>/<name> (see blob_files); what a file system cannot hold (type, metadata,
MD5) is in the store.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import threading
import uuid
from collections.abc import Callable
from email.utils import formatdate
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError
from local.azure.kernel.tables import Table
from local.azure.kernel.uploads import UPLOADS, FilePart, Upload, upload_of
from local.azure.storage import blob_auth, blob_files

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")

# The service computes the MD5 of a range only up to this size.
_LARGEST_MD5_RANGE = 4 * 1024 * 1024
_CHUNK = 1024 * 1024

_append_lock = threading.Lock()


class BlobRecord(TypedDict):
    """What a blob says about itself besides its file. md5: in base64, of the content of `etag`."""

    type: str
    contentType: str | None
    metadata: dict[str, str]
    md5: str | None
    etag: str


_BLOBS: Table[BlobRecord] = Table("blob")


def _unknown() -> BlobRecord:
    """Of a file that no client uploaded, such as the output of a job."""
    return {"type": "BlockBlob", "contentType": None, "metadata": {}, "md5": None, "etag": ""}


def path_of(cloud: Cloud, container: str, name: str) -> Path:
    """The file that holds a blob, or the folder of that name where there is no such blob.

    Neither need exist. Raises ServiceError 400 for a bad name.
    """
    place = blob_files.place_of(cloud, container, name)
    folder = blob_files.folder_of(cloud, container, name)
    return folder if folder is not None and not place.is_file() else place


def sas_url(cloud: Cloud, container: str, name: str, *, permissions: str = "rcwa") -> str:
    """The address of a blob, signed for a day. Default: read, create, write and append.

    Blanks and letters beyond ASCII stand as they are, as in .NET's Uri.ToString(): azureml-core
    takes the name out of the address as it finds it, and quotes it itself.
    """
    signed = blob_auth.make_sas(cloud, container, name, permissions=permissions)
    path = re.sub("[%?#]", lambda found: quote(found[0]), name)
    return f"https://{blob_auth.account_host(cloud)}/{container}/{path}?{signed}"


def common_headers() -> dict[str, str]:
    """Headers of every answer."""
    return {"x-ms-request-id": str(uuid.uuid4())}


def blob_operation(request: Request) -> Callable[[Cloud, Request, str, str], Response]:
    """The function that does what a request for a blob asks. Raises ServiceError 501."""
    comp = request.query.get("comp")
    if request.method == "PUT" and "x-ms-copy-source" not in request.headers:
        operations = {
            None: _put_blob,
            "block": _put_block,
            "blocklist": _put_block_list,
            "appendblock": _append_block,
            "metadata": _set_metadata,
        }
        if comp in operations:
            return operations[comp]
    elif request.method in ("GET", "HEAD") and comp in (None, "metadata"):
        return _get_blob
    elif request.method == "DELETE" and comp is None:
        return _delete_blob
    raise not_covered(request)


def not_covered(request: Request) -> ServiceError:
    """The answer to what this service does not do."""
    what = f"{request.method} with comp={request.query.get('comp')}"
    return ServiceError(501, "NotImplemented", f"The local Azure's blob service has no {what}.")


def _record_key(container: str, name: str) -> str:
    return f"{container}/{name}"


def _existing(cloud: Cloud, container: str, name: str) -> Path:
    path = path_of(cloud, container, name)
    if not path.is_file():
        raise ServiceError(404, "BlobNotFound", "The specified blob does not exist.")
    return path


def blob_headers(cloud: Cloud, container: str, name: str) -> dict[str, str]:
    """What a blob says about itself; its file must exist."""
    stat = path_of(cloud, container, name).stat()
    record = _BLOBS.get(cloud, _record_key(container, name)) or _unknown()
    headers = {
        **common_headers(),
        "etag": f'"0x{stat.st_mtime_ns:X}"',
        "last-modified": formatdate(stat.st_mtime, usegmt=True),
        "content-length": str(stat.st_size),
        "content-type": record["contentType"] or "application/octet-stream",
        "accept-ranges": "bytes",
        "x-ms-blob-type": record["type"],
        "x-ms-creation-time": formatdate(stat.st_ctime, usegmt=True),
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
        "x-ms-server-encrypted": "true",
        **{f"x-ms-meta-{key}": value for key, value in record["metadata"].items()},
    }
    if headers["x-ms-blob-type"] == "BlockBlob":
        headers |= {"x-ms-access-tier": "Hot", "x-ms-access-tier-inferred": "true"}
    # A file may also grow without this service, as a run's log does; its MD5 is then unknown.
    if record["md5"] and record["etag"] == headers["etag"]:
        headers["content-md5"] = record["md5"]
    return headers


def _get_blob(cloud: Cloud, request: Request, container: str, name: str) -> Response:
    path = _existing(cloud, container, name)
    headers = blob_headers(cloud, container, name)
    size = int(headers["content-length"])
    if request.method == "HEAD":
        return Response(headers=headers)
    asked = _RANGE.fullmatch(
        request.headers.get("x-ms-range") or request.headers.get("range") or ""
    )
    if not asked:
        return Response(headers=headers, file=FilePart(file=path.open("rb"), first=0, size=size))
    first = int(asked[1])
    last = min(int(asked[2]) if asked[2] else size - 1, size - 1)
    if first >= size or last < first:
        raise ServiceError(416, "InvalidRange", "The range specified is invalid for the blob.")
    part = FilePart(file=path.open("rb"), first=first, size=last - first + 1)
    whole = headers.pop("content-md5", None)
    if whole:
        headers["x-ms-blob-content-md5"] = whole
    if request.headers.get("x-ms-range-get-content-md5") == "true":
        if part.size > _LARGEST_MD5_RANGE:
            part.file.close()
            raise ServiceError(400, "OutOfRangeInput", "One of the request inputs is out of range.")
        headers["content-md5"] = _md5(b"".join(part.chunks()))
    headers["content-range"] = f"bytes {first}-{last}/{size}"
    return Response(status=206, headers=headers, file=part)


def _put_blob(cloud: Cloud, request: Request, container: str, name: str) -> Response:
    kind = request.headers.get("x-ms-blob-type")
    if kind not in ("BlockBlob", "AppendBlob"):
        raise ServiceError(400, "InvalidHeaderValue", f"The blob type '{kind}' is not served.")
    digest = _check_md5(cloud, request)
    path = _writable(cloud, request, container, name)
    _body(cloud, request).move_to(path)
    _record(cloud, request, container, name, kind, digest)
    return _written(cloud, container, name, {"content-md5": digest})


def _put_block(cloud: Cloud, request: Request, container: str, name: str) -> Response:
    path_of(cloud, container, name)
    digest = _check_md5(cloud, request)
    folder = _block_folder(cloud, container, name)
    folder.mkdir(parents=True, exist_ok=True)
    _body(cloud, request).move_to(folder / _block_file(request.query.get("blockid", "")))
    headers = {**common_headers(), "content-md5": digest, "x-ms-request-server-encrypted": "true"}
    return Response(status=201, headers=headers)


def _put_block_list(cloud: Cloud, request: Request, container: str, name: str) -> Response:
    body = _body(cloud, request).read()
    wanted = re.findall(rb"<(?:Latest|Uncommitted)>([^<]+)</", body)
    if b"<Committed>" in body:
        raise ServiceError(501, "NotImplemented", "The local Azure keeps no committed blocks.")
    folder = _block_folder(cloud, container, name)
    blocks = [folder / _block_file(block.decode()) for block in wanted]
    if not all(block.is_file() for block in blocks):
        raise ServiceError(400, "InvalidBlockList", "The specified block list is invalid.")
    path = _writable(cloud, request, container, name)
    _join(cloud, blocks, path)
    shutil.rmtree(folder, ignore_errors=True)
    _record(cloud, request, container, name, "BlockBlob", None)
    return _written(cloud, container, name, {})


def _append_block(cloud: Cloud, request: Request, container: str, name: str) -> Response:
    digest = _check_md5(cloud, request)
    path = _existing(cloud, container, name)
    record = _BLOBS.get(cloud, _record_key(container, name))
    if record is None or record["type"] != "AppendBlob":
        raise ServiceError(409, "InvalidBlobType", "The blob type is invalid for this operation.")
    position = request.headers.get("x-ms-blob-condition-appendpos")
    with _append_lock, path.open("ab") as file:
        offset = file.tell()
        if position not in (None, str(offset)):
            raise ServiceError(
                412, "AppendPositionConditionNotMet", "The append position condition is not met."
            )
        _body(cloud, request).copy_to(file)
    headers = {"content-md5": digest, "x-ms-blob-append-offset": str(offset)}
    return _written(cloud, container, name, {**headers, "x-ms-blob-committed-block-count": "1"})


def _set_metadata(cloud: Cloud, request: Request, container: str, name: str) -> Response:
    _existing(cloud, container, name)
    record = _BLOBS.get(cloud, _record_key(container, name)) or _unknown()
    record["metadata"] = _metadata(request)
    _BLOBS.put(cloud, _record_key(container, name), record)
    return Response(headers=_write_headers(cloud, container, name))


def _delete_blob(cloud: Cloud, _request: Request, container: str, name: str) -> Response:
    _existing(cloud, container, name).unlink()
    blob_files.forget(cloud, container, name)
    _BLOBS.delete(cloud, _record_key(container, name))
    return Response(status=202, headers=common_headers())


def _writable(cloud: Cloud, request: Request, container: str, name: str) -> Path:
    path = blob_files.place_of(cloud, container, name)
    if request.headers.get("if-none-match") == "*" and path.is_file():
        raise ServiceError(409, "BlobAlreadyExists", "The specified blob already exists.")
    match = request.headers.get("if-match")
    if match and (
        not path.is_file() or match not in ("*", blob_headers(cloud, container, name)["etag"])
    ):
        raise ServiceError(
            412,
            "ConditionNotMet",
            "The condition specified using HTTP conditional header(s) is not met.",
        )
    if not (cloud.root / "blobs" / container).is_dir():
        raise ServiceError(404, "ContainerNotFound", "The specified container does not exist.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):  # one above it came at the same time
        path = blob_files.place_of(cloud, container, name)
        path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _body(cloud: Cloud, request: Request) -> Upload:
    return request.upload or upload_of(cloud.root / UPLOADS, request.body)


def _join(cloud: Cloud, blocks: list[Path], path: Path) -> None:
    folder = cloud.root / UPLOADS
    folder.mkdir(exist_ok=True)
    temporary = folder / uuid.uuid4().hex
    with temporary.open("wb") as file:
        for block in blocks:
            with block.open("rb") as source:
                shutil.copyfileobj(source, file, _CHUNK)
    temporary.replace(path)


def _record(
    cloud: Cloud, request: Request, container: str, name: str, kind: str, digest: str | None
) -> None:
    etag = blob_headers(cloud, container, name)["etag"]
    headers = request.headers
    record: BlobRecord = {
        "type": kind,
        "contentType": headers.get("x-ms-blob-content-type"),
        "metadata": _metadata(request),
        "md5": headers.get("x-ms-blob-content-md5") or (digest if kind == "BlockBlob" else None),
        "etag": etag,
    }
    _BLOBS.put(cloud, _record_key(container, name), record)
    blob_files.note(cloud, container, name, blob_files.place_of(cloud, container, name))


def _metadata(request: Request) -> dict[str, str]:
    mark = "x-ms-meta-"
    return {
        name.removeprefix(mark): value
        for name, value in request.headers.items()
        if name.startswith(mark)
    }


def _write_headers(cloud: Cloud, container: str, name: str) -> dict[str, str]:
    headers = blob_headers(cloud, container, name)
    return {
        **common_headers(),
        "etag": headers["etag"],
        "last-modified": headers["last-modified"],
        "x-ms-request-server-encrypted": "true",
    }


def _written(cloud: Cloud, container: str, name: str, extra: dict[str, str]) -> Response:
    return Response(status=201, headers={**_write_headers(cloud, container, name), **extra})


def _check_md5(cloud: Cloud, request: Request) -> str:
    digest = _body(cloud, request).md5
    if request.headers.get("content-md5", digest) != digest:
        raise ServiceError(
            400, "Md5Mismatch", "The MD5 value specified in the request did not match."
        )
    return digest


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()


def _block_folder(cloud: Cloud, container: str, name: str) -> Path:
    digest = hashlib.sha256(_record_key(container, name).encode()).hexdigest()
    return cloud.root / "blocks" / digest


def _block_file(block_id: str) -> str:
    if not block_id:
        raise ServiceError(400, "InvalidQueryParameterValue", "A block needs an id.")
    return hashlib.sha256(block_id.encode()).hexdigest()
