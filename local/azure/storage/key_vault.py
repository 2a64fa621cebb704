"""Secrets of the workspace's key vault. Shapes as azureml-core's CredentialDto."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypedDict

from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.tables import Table
from local.azure.kernel.web import Router

# learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates: object names.
_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")

router = Router()


class Secret(TypedDict):
    """A secret with its value."""

    name: str
    value: str
    contentType: str | None
    createdTime: str
    modifiedTime: str


# By name, in lower case: key vault compares names without regard to case.
_SECRETS: Table[Secret] = Table("secret")

_PATH = "/credential/v2.0{workspace}/secrets"


@router.route("PUT", _PATH)
def put_secret(cloud: Cloud, request: Request) -> Response:
    """Create or replace a secret."""
    _put(cloud, request.json_object())
    return json_response({})


@router.route("PUT", _PATH + ":putbatch")
def put_secrets(cloud: Cloud, request: Request) -> Response:
    """Create or replace several secrets."""
    for secret in fields.objects(request.json_object(), "secrets"):
        _put(cloud, secret)
    return json_response({})


@router.route("GET", _PATH)
def list_secrets(cloud: Cloud, _request: Request) -> Response:
    """The secrets without their values."""
    found = [{**secret, "value": None} for secret in _SECRETS.list(cloud)]
    return json_response({"value": found, "continuationToken": None})


@router.route("GET", _PATH + "/{name}")
def get_secret(cloud: Cloud, request: Request) -> Response:
    """A secret with its value."""
    secret = _SECRETS.get(cloud, request.params["name"].lower())
    if secret is None:
        raise ServiceError(
            404, "UserError", f"The secret '{request.params['name']}' was not found."
        )
    return json_response(secret)


@router.route("POST|PUT", _PATH + ":getbatch")
def get_secrets(cloud: Cloud, request: Request) -> Response:
    """Several secrets, and the names of those that are not there."""
    names = [
        fields.text(secret, "name") for secret in fields.objects(request.json_object(), "secrets")
    ]
    found = {name: _SECRETS.get(cloud, name.lower()) for name in names}
    return json_response(
        {
            "secrets": [{**secret, "name": name} for name, secret in found.items() if secret],
            "notFoundSecrets": [name for name, secret in found.items() if not secret],
        }
    )


@router.route("DELETE", _PATH + "/{name}")
def delete_secret(cloud: Cloud, request: Request) -> Response:
    """Remove a secret, if it is there."""
    _SECRETS.delete(cloud, request.params["name"].lower())
    return json_response({})


def _put(cloud: Cloud, body: Mapping[str, object]) -> None:
    name = fields.text(body, "name")
    if not _NAME.fullmatch(name):
        raise ServiceError(
            400, "UserError", f"The secret name '{name}' may hold only letters, digits and dashes."
        )
    now = cloud.ml_timestamp()
    present = _SECRETS.get(cloud, name.lower())
    secret: Secret = {
        "name": name,
        "value": fields.text(body, "value"),
        "contentType": fields.optional_text(body, "contentType"),
        "createdTime": present["createdTime"] if present else now,
        "modifiedTime": now,
    }
    _SECRETS.put(cloud, name.lower(), secret)
