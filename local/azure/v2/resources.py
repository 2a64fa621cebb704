"""What all v2 resources have in common: api-versions, views, pages and ids.

Protocol: Azure/azure-resource-manager-rpc, async-api-reference and common-api-details.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypedDict, TypeVar
from urllib.parse import unquote

from local.azure.kernel.cloud import PROVIDER, Cloud
from local.azure.kernel.errors import management_frontend_error
from local.azure.kernel.http import Detail, Request, Response, ServiceError, json_response
from local.azure.kernel.web import ARM_HOST, Handler, Router

# Milliseconds until a client asks again; without it the SDK would wait for 30 seconds.
RETRY_AFTER_MS = "200"

_VERSION = re.compile(r"(202[2-6]-(?:0[1-9]|1[0-2])-01)(-preview)?")
_OLDEST = "2022-02-01"
T = TypeVar("T")
P = TypeVar("P")

# The members of `systemData`, which differ from kind to kind.
CREATED = ("createdAt", "createdBy", "createdByType")
CREATED_AND_MODIFIED = (*CREATED, "lastModifiedAt", "lastModifiedBy", "lastModifiedByType")


def front_end_router() -> Router:
    """A router of Azure ML's management front end, which has a form of its own for errors."""
    return Router(host=ARM_HOST, errors=management_frontend_error)


def arm_route(
    routes: Router, methods: str, path: str, *, query: Iterable[str] = ()
) -> Callable[[Handler], Handler]:
    """Declare a handler of Resource Manager that insists on an api-version of the v2 plane.

    path: below the workspace, without a leading slash. query: the parameters that it reads.
    """

    def declare(handler: Handler) -> Handler:
        def checked(cloud: Cloud, request: Request) -> Response:
            api_version(request)
            return handler(cloud, request)

        routes.route(methods, "{workspace}/" + path, host=ARM_HOST, query=query)(checked)
        return handler

    return declare


@dataclass(frozen=True, kw_only=True)
class ApiVersion:
    """The api-version of a request: shapes depend on it. `date` as in 2024-04-01."""

    date: str
    is_preview: bool


def api_version(request: Request) -> ApiVersion:
    """Raises ServiceError 400 when there is no api-version, 501 for one that is not known."""
    version = request.query.get("api-version")
    if not version:
        raise ServiceError(
            400,
            "MissingApiVersionParameter",
            "The api-version query parameter (?api-version=) is required for all requests.",
        )
    found = _VERSION.fullmatch(version)
    if not found or version < _OLDEST:
        raise ServiceError(
            501,
            "NotImplemented",
            f"The local Azure does not know the api-version '{version}' of {PROVIDER}.",
        )
    return ApiVersion(date=found[1], is_preview=bool(found[2]))


class Resource(TypedDict, Generic[P]):
    """A resource as Resource Manager shows it. systemData: who made and changed it, and when."""

    id: str
    name: str
    type: str
    properties: P
    systemData: Mapping[str, str]


def view(
    cloud: Cloud,
    tail: str,
    properties: P,
    *,
    created: str,
    modified: str | None = None,
    system_data: Iterable[str] = CREATED_AND_MODIFIED,
) -> Resource[P]:
    """A resource as Resource Manager shows it. tail: its path below the workspace."""
    parts = tail.split("/")
    by = {"By": cloud.client_id, "ByType": "Application"}
    known = {
        "createdAt": created,
        "lastModifiedAt": modified or created,
        **{
            f"{what}{end}": value
            for what in ("created", "lastModified")
            for end, value in by.items()
        },
    }
    return {
        "id": f"{cloud.workspace_scope}/{tail}",
        "name": parts[-1],
        "type": "/".join([PROVIDER, "workspaces", *parts[::2]]),
        "properties": properties,
        "systemData": {name: known[name] for name in system_data},
    }


def put_response(
    request: Request,
    shown: Mapping[str, object],
    *,
    new: bool,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to a PUT: 201 with the resource's address when it is new, otherwise 200."""
    if not new:
        return json_response(shown, 200, headers)
    version = request.query.get("api-version")
    location = f"https://{ARM_HOST}{shown['id']}?api-version={version}"
    return json_response(shown, 201, {"Location": location, **(headers or {})})


def page(
    request: Request, values: Sequence[T], show: Callable[[T], Any] = lambda value: value
) -> Response:
    """A page of a list: `$top` of them, or `count`, from `$skip` on, with a link to the rest.

    show: makes what the page shows of a value.
    """
    try:
        start = int(request.query.get("$skip") or 0)
        size = int(request.query.get("$top") or request.query.get("count") or 500)
    except ValueError:
        raise ServiceError(400, "UserError", "$top or $skip is not valid.") from None
    answer: dict[str, Any] = {"value": [show(value) for value in values[start : start + size]]}
    if start + size < len(values):
        kept = "&".join(
            term
            for term in request.raw_query.split("&")
            if unquote(term.partition("=")[0]).lower() != "$skip"
        )
        answer["nextLink"] = (
            f"https://{request.host}{request.raw_path}?{kept}&%24skip={start + size}"
        )
    return json_response(answer)


def archived_states(request: Request) -> tuple[bool, ...]:
    """Whether `listViewType` asks for what is archived (True), for what is not, or for both."""
    asked = request.query.get("listViewType", "ActiveOnly").lower()
    return {"activeonly": (False,), "archivedonly": (True,)}.get(asked, (True, False))


# The parameters that `page` reads.
PAGED = ("$top", "$skip", "count")


def missing(what: str, *, code: str | None = None) -> ServiceError:
    """404 in the service's words; `code` of what is missing stands in the details."""
    if code is None:
        return ServiceError(404, "UserError", f"Not found {what}.")
    return ServiceError(
        404,
        "UserError",
        "The specified resource was not found.",
        details=[Detail(code=code, message=f"{what} not found.")],
    )


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
