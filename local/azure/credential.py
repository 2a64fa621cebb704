"""Secrets of the workspace's key vault. Shapes as azureml-core's CredentialDto."""

from __future__ import annotations

import re
from typing import Any

from local.azure import fields
from local.azure.azure import Azure
from local.azure.web import Request, Response, Router, ServiceError, json_response

# learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates: object names.
_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")

router = Router()
_PATH = "/credential/v2.0{workspace}/secrets"


@router.route("PUT", _PATH)
def put_secret(azure: Azure, request: Request) -> Response:
    """Create or replace a secret."""
    _put(azure, request.json_object())
    return json_response({})


@router.route("PUT", _PATH + ":putbatch")
def put_secrets(azure: Azure, request: Request) -> Response:
    """Create or replace several secrets."""
    for secret in fields.objects(request.json_object(), "secrets"):
        _put(azure, secret)
    return json_response({})


@router.route("GET", _PATH)
def list_secrets(azure: Azure, _request: Request) -> Response:
    """The secrets without their values."""
    found = [{**secret, "value": None} for secret in azure.store.list("secret")]
    return json_response({"value": found, "continuationToken": None})


@router.route("GET", _PATH + "/{name}")
def get_secret(azure: Azure, request: Request) -> Response:
    """A secret with its value."""
    secret = azure.store.get("secret", request.params["name"].lower())
    if secret is None:
        raise ServiceError(
            404, "UserError", f"The secret '{request.params['name']}' was not found."
        )
    return json_response(secret)


@router.route("POST|PUT", _PATH + ":getbatch")
def get_secrets(azure: Azure, request: Request) -> Response:
    """Several secrets, and the names of those that are not there."""
    names = [
        fields.text(secret, "name") for secret in fields.objects(request.json_object(), "secrets")
    ]
    found = {name: azure.store.get("secret", name.lower()) for name in names}
    return json_response(
        {
            "secrets": [{**secret, "name": name} for name, secret in found.items() if secret],
            "notFoundSecrets": [name for name, secret in found.items() if not secret],
        }
    )


@router.route("DELETE", _PATH + "/{name}")
def delete_secret(azure: Azure, request: Request) -> Response:
    """Remove a secret, if it is there."""
    azure.store.delete("secret", request.params["name"].lower())
    return json_response({})


def _put(azure: Azure, body: dict[str, Any]) -> None:
    name = fields.text(body, "name")
    if not _NAME.fullmatch(name):
        raise ServiceError(
            400, "UserError", f"The secret name '{name}' may hold only letters, digits and dashes."
        )
    now = azure.timestamp()
    # Key vault compares names without regard to case.
    present = azure.store.get("secret", name.lower()) or {}
    secret = {
        "name": name,
        "value": fields.text(body, "value"),
        "contentType": fields.optional_text(body, "contentType"),
        "createdTime": present.get("createdTime", now),
        "modifiedTime": now,
    }
    azure.store.put("secret", name.lower(), secret)
