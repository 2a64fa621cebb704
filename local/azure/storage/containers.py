"""Blob containers as folders in the state, and the list of what they hold.

Protocol: learn.microsoft.com/rest/api/storageservices/operations-on-containers (2019-07-07).
"""

from __future__ import annotations

import re
import shutil
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError
from local.azure.storage import blob_files
from local.azure.storage.blob import (
    blob_headers,
    common_headers,
    not_covered,
)

_PAGE = 5000
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def container_operation(cloud: Cloud, request: Request, container: str) -> Response:
    """Create, look at, list or delete a container."""
    if not blob_files.CONTAINER_NAME.fullmatch(container):
        raise ServiceError(400, "InvalidResourceName", "The container name is invalid.")
    folder = cloud.root / "blobs" / container
    comp = request.query.get("comp")
    if request.query.get("restype") != "container" or comp not in (None, "list"):
        raise not_covered(request)
    if request.method == "PUT":
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            raise ServiceError(
                409, "ContainerAlreadyExists", "The specified container already exists."
            ) from None
        return Response(status=201, headers=_folder_headers(folder))
    if not folder.is_dir():
        raise ServiceError(404, "ContainerNotFound", "The specified container does not exist.")
    if request.method == "DELETE":
        shutil.rmtree(folder)
        blob_files.forget_all(cloud, container)
        return Response(status=202, headers=common_headers())
    if comp == "list":
        return _list_blobs(cloud, request, container)
    return Response(headers=_folder_headers(folder))


def _folder_headers(folder: Path) -> dict[str, str]:
    stat = folder.stat()
    return {
        **common_headers(),
        "etag": f'"0x{stat.st_mtime_ns:X}"',
        "last-modified": formatdate(stat.st_mtime, usegmt=True),
    }


def _list_blobs(cloud: Cloud, request: Request, container: str) -> Response:
    prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter", "")
    asked = request.query.get("maxresults") or str(_PAGE)
    if not asked.isdecimal() or int(asked) < 1:
        raise ServiceError(400, "OutOfRangeQueryParameterValue", "maxresults is not valid.")
    limit = min(int(asked), _PAGE)
    marker = request.query.get("marker", "")
    entries: list[str] = []
    seen_prefixes: set[str] = set()
    next_marker = ""
    for name in blob_files.names(cloud, container):
        if not name.startswith(prefix) or name < marker:
            continue
        head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name, "", "")
        group = prefix + head + found
        if found and group in seen_prefixes:
            continue
        if len(entries) == limit:
            next_marker = name
            break
        if found:
            seen_prefixes.add(group)
            entries.append(f"<BlobPrefix>{_name(group)}</BlobPrefix>")
        else:
            entries.append(_list_entry(cloud, container, name))
    text = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f'<EnumerationResults ServiceEndpoint="https://{request.host}/"'
        f' ContainerName="{container}">'
        f"<Prefix>{escape(prefix)}</Prefix><Marker>{escape(marker)}</Marker>"
        f"<MaxResults>{limit}</MaxResults><Delimiter>{escape(delimiter)}</Delimiter>"
        f"<Blobs>{''.join(entries)}</Blobs><NextMarker>{escape(next_marker)}</NextMarker>"
        "</EnumerationResults>"
    )
    return Response(
        body=text.encode(), headers={**common_headers(), "content-type": "application/xml"}
    )


def _name(name: str) -> str:
    """A name as XML holds it; characters that XML has not are quoted, as the service does."""
    if _NOT_IN_XML.search(name):
        return f'<Name Encoded="true">{quote(name)}</Name>'
    return f"<Name>{escape(name)}</Name>"


def _list_entry(cloud: Cloud, container: str, name: str) -> str:
    headers = blob_headers(cloud, container, name)
    elements = {
        "Creation-Time": headers["x-ms-creation-time"],
        "Last-Modified": headers["last-modified"],
        "Etag": headers["etag"].strip('"'),
        "Content-Length": headers["content-length"],
        "Content-Type": headers["content-type"],
        "Content-MD5": headers.get("content-md5", ""),
        "BlobType": headers["x-ms-blob-type"],
        "LeaseStatus": "unlocked",
        "LeaseState": "available",
    }
    properties = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in elements.items())
    return f"<Blob>{_name(name)}<Properties>{properties}</Properties></Blob>"
