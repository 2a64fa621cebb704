"""Microsoft Graph: the application's principal and its federated credentials.

learn.microsoft.com/graph/api/resources/federatedidentitycredential (v1.0).
"""

from __future__ import annotations

import uuid

from local.azure.identity.principals import FEDERATED, FederatedCredential, federated_credentials
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.web import GRAPH_HOST, Router

router = Router(host=GRAPH_HOST)
_CREDENTIALS = "/v1.0/applications(appId='{application}')/federatedIdentityCredentials"


@router.route("GET", "/v1.0/servicePrincipals(appId='{application}')", query=("$select",))
def get_principal(cloud: Cloud, request: Request) -> Response:
    """The application's service principal."""
    _check_application(cloud, request)
    known = {"id": cloud.object_id, "appId": cloud.client_id}
    wanted = [name for name in request.query.get("$select", "").split(",") if name] or [*known]
    if unknown := [name for name in wanted if name not in known]:
        what = f"$select={','.join(unknown)}"
        raise ServiceError(501, "NotImplemented", f"The local Azure does not know {what}.")
    return json_response({name: known[name] for name in wanted})


@router.route("GET", _CREDENTIALS)
def list_credentials(cloud: Cloud, request: Request) -> Response:
    """All federated credentials of the application."""
    _check_application(cloud, request)
    return json_response({"value": federated_credentials(cloud)})


@router.route("POST", _CREDENTIALS)
def create_credential(cloud: Cloud, request: Request) -> Response:
    """Add a federated credential. Entra compares issuer, subject and audience letter by letter."""
    _check_application(cloud, request)
    body = request.json_object()
    made: FederatedCredential = {
        "id": str(uuid.uuid4()),
        "name": fields.text(body, "name"),
        "issuer": fields.text(body, "issuer"),
        "subject": fields.text(body, "subject"),
        "audiences": fields.names(body, "audiences"),
    }
    if not made["audiences"]:
        raise ServiceError(400, "Request_BadRequest", "The field 'audiences' is required.")
    wanted = (made["issuer"], made["subject"])
    if any((one["issuer"], one["subject"]) == wanted for one in federated_credentials(cloud)):
        raise _conflict("issuer and subject")
    try:
        FEDERATED.insert(cloud, made["name"].lower(), made)
    except AlreadyExists:
        raise _conflict("name") from None
    return json_response(made, 201)


@router.route("DELETE", _CREDENTIALS + "/{credential}")
def delete_credential(cloud: Cloud, request: Request) -> Response:
    """Delete a federated credential, by its id or its name."""
    _check_application(cloud, request)
    asked = request.params["credential"].lower()
    for one in federated_credentials(cloud):
        if asked in (one["id"], one["name"].lower()):
            FEDERATED.delete(cloud, one["name"].lower())
            return Response(status=204)
    raise ServiceError(404, "Request_ResourceNotFound", f"Resource '{asked}' does not exist.")


def _check_application(cloud: Cloud, request: Request) -> None:
    asked = request.params["application"]
    if asked.lower() != cloud.client_id:
        raise ServiceError(
            404,
            "Request_ResourceNotFound",
            f"Resource '{asked}' does not exist or one of its queried reference-property objects "
            "are not present.",
        )
    if (request.caller or {}).get("oid") != cloud.object_id:  # an application may change itself
        raise ServiceError(
            403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."
        )


def _conflict(what: str) -> ServiceError:
    return ServiceError(
        409,
        "Request_MultipleObjectsWithSameKeyValue",
        f"FederatedIdentityCredential with the same {what} already exists.",
    )
