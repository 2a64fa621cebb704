"""The Blob service: who asks, for which container or blob, and errors in its own form (XML)."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from xml.sax.saxutils import escape

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError
from local.azure.kernel.uploads import UPLOADS
from local.azure.kernel.web import ANY, BLOB_HOST, Router
from local.azure.storage import blob_auth
from local.azure.storage.blob import blob_operation, common_headers
from local.azure.storage.containers import container_operation

logger = logging.getLogger(__name__)

router = Router(host=BLOB_HOST)
_VERSION = "2019-07-07"


@router.at_start
def clear_uploads(cloud: Cloud) -> None:
    """Forget what was half uploaded when a server was killed."""
    shutil.rmtree(cloud.root / UPLOADS, ignore_errors=True)


@router.route("GET|HEAD|PUT|DELETE", "/{container}", authenticated=False, streams=True, query=ANY)
def container_request(cloud: Cloud, request: Request) -> Response:
    """Operations on a container: create, look, list, delete."""
    return _answer(cloud, request, request.params["container"], "")


@router.route(
    "GET|HEAD|PUT|DELETE", "/{container}/{name:rest}", authenticated=False, streams=True, query=ANY
)
def blob_request(cloud: Cloud, request: Request) -> Response:
    """Operations on a blob."""
    return _answer(cloud, request, request.params["container"], request.params["name"])


def _answer(cloud: Cloud, request: Request, container: str, name: str) -> Response:
    try:
        if request.host != blob_auth.account_host(cloud):
            logger.warning("there is no storage account %s here", request.host)
            if _asks_whether_public(request, name):
                return Response(status=200, headers=common_headers())
            raise ServiceError(404, "AccountNotFound", f"There is no account {request.host} here.")
        blob_auth.check(cloud, request, container, name)
        if name:
            answer = blob_operation(request)(cloud, request, container, name)
        else:
            answer = container_operation(cloud, request, container)
    except ServiceError as error:
        answer = _error(request, error)
    # The service answers in the version that it was asked in.
    version = request.headers.get("x-ms-version") or request.query.get("sv") or _VERSION
    own = {"x-ms-version": version, "server": "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0"}
    return replace(answer, headers={**answer.headers, **own})


def _asks_whether_public(request: Request, name: str) -> bool:
    """Whether this is the first question of azureml-dataprep's native client about an account.

    It asks for the container's properties without credentials. Whatever refusal it gets, or none,
    makes it sign in by a browser again and again for minutes. So another account's container is
    there, and the next answer, that of the blob, says that there is nothing: the client ends.
    """
    has_credentials = "authorization" in request.headers or "sig" in request.query
    return request.method == "HEAD" and not name and not has_credentials


def _error(request: Request, error: ServiceError) -> Response:
    headers = {**common_headers(), "x-ms-error-code": error.code}
    if request.method == "HEAD":
        return Response(status=error.status, headers=headers)
    text = (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<Error><Code>{error.code}</Code><Message>{escape(error.message)}</Message></Error>"
    )
    return Response(
        status=error.status,
        body=text.encode(),
        headers={**headers, "content-type": "application/xml"},
    )
