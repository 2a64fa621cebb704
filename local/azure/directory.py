"""Microsoft Graph: the application's principal and its federated credentials.

learn.microsoft.com/graph/api/resources/federatedidentitycredential (v1.0).
"""

from __future__ import annotations

import uuid
from typing import Any

from local.azure import fields
from local.azure.azure import Azure
from local.azure.principals import FEDERATED, federated_credentials
from local.azure.store import AlreadyExists
from local.azure.web import GRAPH_HOST, Request, Response, Router, ServiceError, json_response

router = Router(host=GRAPH_HOST)
_CREDENTIALS = "/v1.0/applications(appId='{application}')/federatedIdentityCredentials"


@router.route("GET", "/v1.0/servicePrincipals(appId='{application}')")
def get_principal(azure: Azure, request: Request) -> Response:
    """Who the application is in the directory."""
    _check_application(azure, request)
    return json_response({"id": azure.object_id, "appId": azure.client_id})


@router.route("GET", _CREDENTIALS)
def list_credentials(azure: Azure, request: Request) -> Response:
    """All of them."""
    _check_application(azure, request)
    return json_response({"value": federated_credentials(azure)})


@router.route("POST", _CREDENTIALS)
def create_credential(azure: Azure, request: Request) -> Response:
    """Trust one more issuer and subject; both, and the audience, are compared letter by letter."""
    _check_application(azure, request)
    body = request.json_object()
    made: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "name": fields.text(body, "name"),
        "issuer": fields.text(body, "issuer"),
        "subject": fields.text(body, "subject"),
        "audiences": fields.names(body, "audiences"),
    }
    same = ("issuer", "subject")
    if any(all(one[key] == made[key] for key in same) for one in federated_credentials(azure)):
        raise _conflict("issuer and subject")
    try:
        azure.store.insert(FEDERATED, made["name"].lower(), made)
    except AlreadyExists:
        raise _conflict("name") from None
    return json_response(made, 201)


@router.route("DELETE", _CREDENTIALS + "/{credential}")
def delete_credential(azure: Azure, request: Request) -> Response:
    """Trust it no more; named by its id or its name."""
    _check_application(azure, request)
    asked = request.params["credential"].lower()
    for one in federated_credentials(azure):
        if asked in (one["id"], one["name"].lower()):
            azure.store.delete(FEDERATED, one["name"].lower())
            return Response(status=204)
    raise ServiceError(404, "Request_ResourceNotFound", f"Resource '{asked}' does not exist.")


def _check_application(azure: Azure, request: Request) -> None:
    asked = request.params["application"]
    if asked.lower() != azure.client_id:
        raise ServiceError(
            404,
            "Request_ResourceNotFound",
            f"Resource '{asked}' does not exist or one of its queried reference-property objects "
            "are not present.",
        )
    if (request.caller or {}).get("oid") != azure.object_id:  # an application may change itself
        raise ServiceError(
            403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
        )


def _conflict(what: str) -> ServiceError:
    return ServiceError(
        409,
        "Request_MultipleObjectsWithSameKeyValue",
        f"FederatedIdentityCredential with the same {what} already exists.",
    )
