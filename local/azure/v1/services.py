"""Web services on AKS and ACI: deploy, update, list, keys, logs, delete.

Protocol: azureml.core.webservice over the model management service ("MMS"). What runs is in
deployments.py, what answers scoring calls in scoring.py.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, cast

from local.azure.kernel import fields, operations
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.errors import model_management_error
from local.azure.kernel.http import Request, Response, ServiceError, json_response, required
from local.azure.kernel.web import Router
from local.azure.registry.models import has_pairs
from local.azure.serving import rollout, scoring
from local.azure.serving.service_records import (
    SERVICES,
    Service,
    ServiceRecord,
    new_keys,
    set_key,
)
from local.azure.v1.service_requests import (
    build,
    check,
    check_image,
    check_name,
    check_settled,
    find_model,
)

_FILTERS = ("computeType", "modelName", "modelId", "tags", "properties", "expand=true")
router = Router(errors=model_management_error)
_API = "/modelmanagement/v1.0{workspace}"
_SERVICE = _API + "/services/{name}"


@router.at_start
def start_again(cloud: Cloud) -> None:
    """Start the services that were in service when the server ended."""
    rollout.start_again(cloud)


@router.at_stop
def stop(cloud: Cloud) -> None:
    """End all services."""
    rollout.stop_all(cloud)


@router.route("POST", _API + "/services/validate/name/{name}")
def validate_name(cloud: Cloud, request: Request) -> Response:
    """What speaks against a new service of this name; null when nothing does."""
    return _verdict(lambda: check_name(cloud, request.params["name"], overwrite=False))


@router.route("POST", _API + "/services/validate/resource")
def validate_resource(_cloud: Cloud, request: Request) -> Response:
    """What speaks against the size of a service: the local Azure knows no limits, so nothing."""
    request.json_object()
    return json_response(None)


@router.route("POST", _API + "/services/validate")
def validate(cloud: Cloud, request: Request) -> Response:
    """What speaks against a request to create, update or delete; null when nothing does."""
    asked = request.json_object()
    creation = asked.get("createRequest")
    return _verdict(lambda: check(cloud, creation) if creation else None)


def _verdict(check: Callable[[], None]) -> Response:
    try:
        check()
    except ServiceError as error:
        return json_response({"error": {"code": error.code, "message": error.message}})
    return json_response(None)


@router.route("POST", _API + "/services")
def create(cloud: Cloud, request: Request) -> Response:
    """Deploy a service; with `overwrite` in the place of the one that has its name."""
    asked = request.json_object()
    check(cloud, asked)
    name = asked["name"]
    before = SERVICES.get(cloud, name)
    service = build(cloud, asked)
    if before is None:
        record: ServiceRecord = {
            "service": service,
            "keys": new_keys(fields.mapping(asked, "keys")),
            "revision": None,
            "operation": None,
            "settled": True,
            "error": None,
        }
        SERVICES.insert(cloud, name, record)
    return _roll_out(cloud, name, service)


def _roll_out(cloud: Cloud, name: str, service: Service) -> Response:
    operation = operations.start(cloud, "Service", f"services/{name}")
    rollout.start(cloud, name, service, operation)
    return operations.accepted(operation)


@router.route("PATCH", _SERVICE)
def update(cloud: Cloud, request: Request) -> Response:
    """Change a service by JSON patch (RFC 6902); a new image is rolled out beside the old one."""
    name = request.params["name"]
    service = _existing(cloud, name)["service"]
    check_settled(name)
    patch = request.json()
    if not isinstance(patch, list):
        raise ServiceError(400, "BadRequest", "The body must be a JSON patch document.")
    for change in patch:
        _apply(cast("MutableMapping[str, Any]", service), change)
    service["updatedTime"] = cloud.timestamp()
    paths = {str(change.get("path")).strip("/") for change in patch}
    if "imageId" in paths:
        raise ServiceError(501, "NotImplemented", "The local Azure's services have no images.")
    if service.get("aadAuthEnabled") and service["authEnabled"]:
        raise ServiceError(400, "BadArgument", "A service takes keys or tokens, not both.")
    if "environmentImageRequest" in paths:
        image = service["environmentImageRequest"]
        check_image(cloud, image)
        service["models"] = [
            find_model(cloud, model_id) for model_id in image.get("modelIds") or []
        ]
        return _roll_out(cloud, name, service)
    SERVICES.update(cloud, name, lambda record: record.update({"service": service}))
    operation = operations.start(cloud, "Service", f"services/{name}")
    operations.finish(cloud, operation)
    return operations.accepted(operation)


def _apply(service: MutableMapping[str, Any], change: Mapping[str, Any]) -> None:
    *parents, last = str(required(change, "path")).strip("/").split("/")
    place = service
    for parent in parents:
        if not isinstance(place.get(parent), dict):
            place[parent] = {}
        place = place[parent]
    kind = required(change, "op")
    if kind in ("add", "replace"):
        place[last] = change.get("value")
    elif kind == "remove":
        place.pop(last, None)
    else:
        raise ServiceError(501, "NotImplemented", f"The local Azure has no patch operation {kind}.")


@router.route("GET", _API + "/services", query=_FILTERS)
def list_all(cloud: Cloud, request: Request) -> Response:
    """The services that match every given filter."""
    query = request.query
    found = [rollout.show(record) for record in SERVICES.list(cloud)]
    if "computeType" in query:
        found = [each for each in found if each["computeType"] == query["computeType"].upper()]
    if "modelName" in query:
        found = [
            each for each in found if query["modelName"] in [m["name"] for m in each["models"]]
        ]
    if "modelId" in query:
        found = [each for each in found if query["modelId"] in [m["id"] for m in each["models"]]]
    found = [
        each
        for each in found
        if has_pairs(each["kvTags"], query.get("tags"))
        and has_pairs(each["properties"], query.get("properties"))
    ]
    return json_response({"value": found})  # the SDK follows any nextLink


@router.route("GET", _SERVICE, query=("expand=true",))
def show(cloud: Cloud, request: Request) -> Response:
    """A service."""
    return json_response(rollout.show(_existing(cloud, request.params["name"])))


@router.route("DELETE", _SERVICE)
def delete(cloud: Cloud, request: Request) -> Response:
    """End a service, also while it is being deployed, and forget it. 204 when there is none."""
    name = request.params["name"]
    if SERVICES.get(cloud, name) is None:
        return Response(status=204)
    rollout.remove(cloud, name)
    SERVICES.delete(cloud, name)
    return Response(status=200)


@router.route("POST", _SERVICE + "/listkeys")
def list_keys(cloud: Cloud, request: Request) -> Response:
    """Both keys."""
    return json_response(_existing(cloud, request.params["name"])["keys"])


@router.route("POST", _SERVICE + "/token")
def get_token(cloud: Cloud, request: Request) -> Response:
    """A token that scores on this service only, as `AksServiceAccessToken.deserialize` reads it."""
    service = _existing(cloud, request.params["name"])["service"]
    if not service.get("aadAuthEnabled"):
        raise ServiceError(
            400, "BadRequest", f"Service {service['name']} does not take tokens: it has keys."
        )
    now = int(time.time())
    return json_response(
        {
            "accessToken": scoring.issue_token(cloud, service),
            "tokenType": "Bearer",
            "expiryOn": now + scoring.TOKEN_LIFETIME_S,
            "refreshAfter": now + scoring.TOKEN_LIFETIME_S // 2,
        }
    )


@router.route("POST", _SERVICE + "/regenerateKeys")
def regenerate_key(cloud: Cloud, request: Request) -> Response:
    """Replace one key, by the given value or a new one."""
    name, asked = request.params["name"], request.json_object()
    _existing(cloud, name)
    which = str(required(asked, "keyType")).lower()
    if which not in ("primary", "secondary"):
        raise ServiceError(400, "BadArgument", f"There is no key '{which}'.")
    value = asked.get("keyValue") or secrets.token_urlsafe(24)
    SERVICES.update(cloud, name, lambda record: set_key(record["keys"], f"{which}Key", value))
    operation = operations.start(cloud, "Service", f"services/{name}")
    operations.finish(cloud, operation)
    return operations.accepted(operation)


@router.route("GET", _SERVICE + "/logs", query=("tail", "init=false"))
def logs(cloud: Cloud, request: Request) -> Response:
    """The end of the log of the newest revision, whether it came up or not."""
    record = _existing(cloud, request.params["name"])
    text = rollout.log_text(cloud, record)
    lines = text.splitlines(keepends=True)
    tail = request.query.get("tail", "5000")
    count = int(tail) if tail.isdigit() else 5000
    return json_response({"content": "".join(lines[-count:] if count else [])})


def _existing(cloud: Cloud, name: str) -> ServiceRecord:
    record = SERVICES.get(cloud, name)
    if record is None:
        raise ServiceError(404, "ServiceNotFound", f"Service with name {name} was not found.")
    return record
