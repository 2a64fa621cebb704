"""The instance metadata service's tokens for the machine's managed identity.

Plain HTTP at the proxy's own address, where AZURE_POD_IDENTITY_AUTHORITY_HOST leads azure-identity;
learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from local.azure.identity.entra import AUDIENCES, issue_token
from local.azure.identity.principals import managed_identity
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Response, json_response

PATH = "/metadata/"
_TOKEN_PATH = "/metadata/identity/oauth2/token"  # noqa: S105  (a path)
_HOSTS = ("127.0.0.1", "localhost", "169.254.169.254")
_CHOICES = ("client_id", "object_id", "msi_res_id", "mi_res_id")


def answer(cloud: Cloud, method: str, headers: Mapping[str, str], target: str) -> Response:
    """A token for the resource that is asked for, or the service's own refusal."""
    host = urlsplit(f"//{headers.get('host', '')}").hostname
    if host not in _HOSTS or "x-forwarded-for" in headers:  # a name that leads here by rebinding
        return _refused("The request did not come from this machine, by its Host or a proxy's word")
    parts = urlsplit(target)
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    if (method, parts.path) != ("GET", _TOKEN_PATH):
        return json_response({"error": "not_found", "newest-versions": ["2018-02-01"]}, 404)
    if headers.get("metadata", "").lower() != "true":  # what keeps a browser's page from asking
        return _refused("Required metadata header not specified")
    resource = asked.get("resource", "")
    if resource.rstrip("/") not in AUDIENCES:
        return _refused(f"The resource principal named {resource} was not found in the tenant")
    identity = managed_identity(cloud)
    known = {"client_id": identity.client_id, "object_id": identity.object_id}
    if any(asked[name].lower() != known.get(name) for name in _CHOICES if name in asked):
        return _refused("Identity not found")
    lifetime = cloud.token_lifetime_s
    token = issue_token(cloud, audience=resource, lifetime_s=lifetime, **identity.claims)
    now = int(time.time())
    return json_response(
        {
            "access_token": token,
            "client_id": identity.client_id,
            "expires_in": str(lifetime),
            "expires_on": str(now + lifetime),
            "ext_expires_in": str(lifetime),
            "not_before": str(now),
            "resource": resource,
            "token_type": "Bearer",
        }
    )


def _refused(why: str) -> Response:
    return json_response({"error": "invalid_request", "error_description": why}, 400)
