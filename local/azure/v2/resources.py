"""What all v2 resources have in common: api-versions, views, pages, ids, long-running operations.

Protocol: Azure/azure-resource-manager-rpc, async-api-reference and common-api-details.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from local.azure.kernel.cloud import PROVIDER, Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import ARM_HOST, Handler, Router

# Milliseconds until a client asks again. (`Retry-After: 0` would be read as absent: 30 seconds.)
RETRY_AFTER_MS = "200"

_VERSION = re.compile(r"(202[2-6])-(0[1-9]|1[0-2])-01(-preview)?")
_OLDEST = "2022-02-01"
_OPERATION = "mfe-operation"

router = Router(host=ARM_HOST)


def arm_route(routes: Router, methods: str, path: str) -> Callable[[Handler], Handler]:
    """Declare a handler of Resource Manager that insists on an api-version of the v2 plane.

    path: below the workspace, without a leading slash.
    """

    def declare(handler: Handler) -> Handler:
        def checked(cloud: Cloud, request: Request) -> Response:
            check_api_version(request)
            return handler(cloud, request)

        routes.route(methods, "{workspace}/" + path, host=ARM_HOST)(checked)
        return handler

    return declare


def check_api_version(request: Request) -> None:
    """Raises ServiceError 400 when there is no api-version, 501 for one that is not known."""
    version = request.query.get("api-version")
    if not version:
        raise ServiceError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    if not _VERSION.fullmatch(version) or version < _OLDEST:
        raise ServiceError(
            501,
            "NotImplemented",
            f"The local Azure does not know the api-version '{version}' of {PROVIDER}.",
        )


def view(
    cloud: Cloud, tail: str, properties: Any, *, created: str, modified: str | None = None
) -> dict[str, Any]:
    """A resource as Resource Manager shows it. tail: its path below the workspace."""
    parts = tail.split("/")
    return {
        "id": f"{cloud.workspace_scope}/{tail}",
        "name": parts[-1],
        "type": "/".join([PROVIDER, "workspaces", *parts[::2]]),
        "properties": properties,
        "systemData": {
            "createdAt": created,
            "createdBy": cloud.client_id,
            "createdByType": "Application",
            "lastModifiedAt": modified or created,
            "lastModifiedBy": cloud.client_id,
            "lastModifiedByType": "Application",
        },
    }


def page(request: Request, values: Sequence[Any]) -> Response:
    """A page of a list: `$top` of them, or `count`, from `$skip` on, with a link to the rest."""
    try:
        start = int(request.query.get("$skip") or 0)
        size = int(request.query.get("$top") or request.query.get("count") or 500)
    except ValueError:
        raise ServiceError(400, "UserError", "$top or $skip is not valid.") from None
    answer: dict[str, Any] = {"value": list(values[start : start + size])}
    if start + size < len(values):
        kept = "&".join(
            term for term in request.raw_query.split("&") if not term.lower().startswith("%24skip=")
        )
        answer["nextLink"] = (
            f"https://{request.host}{request.raw_path}?{kept}&%24skip={start + size}"
        )
    return json_response(answer)


def missing(what: str) -> ServiceError:
    """404 in the service's words."""
    return ServiceError(404, "UserError", f"Not found {what}.")


# --- ids ------------------------------------------------------------------------------------------

_VERSIONED = re.compile(r"(?:^|/)(\w+)/([^/]+)/(versions|labels)/([^/]+)$")


def parse_asset_id(text: str, plural: str) -> tuple[str, str | None, str | None]:
    """Name, version and label of an asset of this workspace that an id names.

    Takes ARM ids, `azureml:` before them, and `azureml:name:version` or `azureml:name@label`.
    Raises ServiceError 400 for what is no id of such an asset.
    """
    short = text.removeprefix("azureml:")
    found = _VERSIONED.search(short)
    if found and found[1].lower() == plural.lower():
        version, label = (found[4], None) if found[3] == "versions" else (None, found[4])
        return found[2], version, label
    simple = re.fullmatch(r"([^/:@]+)(?::([^/:@]+)|@([^/:@]+))", short)
    if simple:
        return simple[1], simple[2], simple[3]
    raise ServiceError(400, "UserError", f"'{text}' names no version of any of the {plural}.")


# --- long-running operations ----------------------------------------------------------------------


def start_operation(cloud: Cloud) -> str:
    """A new operation that runs; returns its id."""
    operation = str(uuid.uuid4())
    cloud.store.insert(
        _OPERATION,
        operation,
        {
            "id": operation,
            "status": "InProgress",
            "started": cloud.timestamp(),
            "ended": None,
            "error": None,
        },
    )
    return operation


def finish_operation(cloud: Cloud, operation: str, error: dict[str, Any] | None = None) -> None:
    """End an operation: it failed when there is an error ({code, message})."""
    cloud.store.update(
        _OPERATION,
        operation,
        lambda record: record.update(
            status="Failed" if error else "Succeeded", error=error, ended=cloud.timestamp()
        ),
    )


def operation_headers(cloud: Cloud, operation: str) -> dict[str, str]:
    """The headers of a 201 or 202 whose end is to be asked for."""
    return {
        "Azure-AsyncOperation": _operation_url(cloud, operation, "mfeOperationsStatus"),
        "x-ms-async-operation-timeout": "PT1H",
        "retry-after-ms": RETRY_AFTER_MS,
    }


def deletion_headers(cloud: Cloud, operation: str) -> dict[str, str]:
    """The headers of a 202 to a DELETE or an action, which some clients follow by `Location`."""
    return {
        **operation_headers(cloud, operation),
        "Location": _operation_url(cloud, operation, "mfeOperationResults"),
    }


def _operation_url(cloud: Cloud, operation: str, kind: str) -> str:
    return (
        f"https://{ARM_HOST}/subscriptions/{cloud.subscription_id}/providers/{PROVIDER}/locations/"
        f"{cloud.location}/{kind}/{operation}?api-version=2023-04-01"
    )


_LOCATION = f"/subscriptions/{{subscription}}/providers/{PROVIDER}/locations/{{location}}"


@router.route("GET", _LOCATION + "/mfeOperationsStatus/{operation}")
def show_operation(cloud: Cloud, request: Request) -> Response:
    """How far an operation is."""
    record = _existing_operation(cloud, request)
    answer = {
        "id": request.path,
        "name": record["id"],
        "status": record["status"],
        "startTime": record["started"],
        "endTime": record["ended"],
        "percentComplete": 0 if record["status"] == "InProgress" else 100,
        **({"error": record["error"]} if record["error"] else {}),
    }
    return json_response(answer, headers={"retry-after-ms": RETRY_AFTER_MS})


@router.route("GET", _LOCATION + "/mfeOperationResults/{operation}")
def show_operation_result(cloud: Cloud, request: Request) -> Response:
    """202 while it runs, then an empty 200 or the error."""
    record = _existing_operation(cloud, request)
    if record["status"] == "InProgress":
        headers = {"retry-after-ms": RETRY_AFTER_MS, "Location": f"https://{ARM_HOST}"}
        headers["Location"] += request.raw_path + "?" + request.raw_query
        return Response(status=202, headers=headers)
    if record["error"]:
        raise ServiceError(400, record["error"]["code"], record["error"]["message"])
    return Response(status=200)


def _existing_operation(cloud: Cloud, request: Request) -> dict[str, Any]:
    record = cloud.store.get(_OPERATION, request.params["operation"])
    if record is None:
        raise ServiceError(404, "NotFound", "There is no operation with this id.")
    return record
