"""Entra ID: instance discovery, openid-configuration, keys, and tokens for an application.

Protocol: OAuth 2.0 client credentials (RFC 6749, 4.4) with Microsoft's v1 and v2 endpoints; error
codes and texts as in learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations

import base64
import functools
import hmac
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

from local.azure.identity import assertions
from local.azure.identity.entra_error import EntraError, refused_client
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import ARM_HOST, GRAPH_HOST, LOGIN_HOST, Router

RUN_AUDIENCE = "azureml"
_ARM_AUDIENCES = frozenset({"https://management.azure.com", "https://management.core.windows.net"})
_ML_AUDIENCES = frozenset({"https://ml.azure.com"})
_STORAGE_AUDIENCES = frozenset({"https://storage.azure.com"})
_GRAPH_AUDIENCES = frozenset({f"https://{GRAPH_HOST}"})
AUDIENCES = _ARM_AUDIENCES | _ML_AUDIENCES | _STORAGE_AUDIENCES | _GRAPH_AUDIENCES
# What msal asks the discovery about.
_ASKED = ("authorization_endpoint",)
_KEY_ID = "local-azure"

router = Router(host=LOGIN_HOST)


def issue_token(cloud: Cloud, *, audience: str, lifetime_s: float, **claims: Any) -> str:
    """A signed JWT (RS256), of the application unless `claims`, which are added, name another."""
    now = int(time.time())
    payload = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{cloud.tenant_id}/",
        "iat": now,
        "nbf": now,
        "exp": int(now + lifetime_s),
        "appid": cloud.client_id,
        "idtyp": "app",
        "oid": cloud.object_id,
        "sub": cloud.object_id,
        "tid": cloud.tenant_id,
        "uti": uuid.uuid4().hex,
        "ver": "1.0",
        **claims,
    }
    return jwt.encode(payload, cloud.signing_key, algorithm="RS256", headers={"kid": _KEY_ID})


def verify_token(
    cloud: Cloud, token: str, *, host: str, audience: str | None = None
) -> Mapping[str, Any]:
    """The claims of a bearer token sent to `host`. Raises ServiceError 401 when it is no good.

    ARM, Graph and storage take their own; Azure ML's data planes take ARM's, their
    own, and those of a run. audience: the only one that is taken, where it is not the host's.
    """
    try:
        claims = _signed_claims(cloud.signing_key, token)
    except jwt.InvalidTokenError as error:
        raise ServiceError(
            401, "InvalidAuthenticationToken", f"The access token is invalid: {error}."
        ) from None
    if claims["exp"] <= time.time():
        raise ServiceError(401, "ExpiredAuthenticationToken", "The access token has expired.")
    sent_for = str(claims["aud"]).rstrip("/")
    accepted: frozenset[str]
    if audience is not None:
        accepted = frozenset({audience})
    elif host == ARM_HOST:
        accepted = _ARM_AUDIENCES
    elif host == GRAPH_HOST:
        accepted = _GRAPH_AUDIENCES
    elif host.endswith(".blob.core.windows.net"):
        accepted = _STORAGE_AUDIENCES
    else:
        accepted = _ARM_AUDIENCES | _ML_AUDIENCES | {RUN_AUDIENCE}
    if sent_for not in accepted:
        raise ServiceError(
            401,
            "InvalidAuthenticationTokenAudience",
            f"The access token has been obtained for wrong audience or resource '{sent_for}'. "
            "It should exactly match one of the allowed audiences "
            + ", ".join(f"'{name}/'" for name in sorted(accepted))
            + ".",
        )
    if audience is None and "endpointName" in claims:
        # Tokens of endpoints have the audience of those of runs, and score only.
        raise ServiceError(
            401, "InvalidAuthenticationToken", "The access token is for scoring only."
        )
    return claims


@functools.lru_cache(maxsize=4096)
def _signed_claims(key: rsa.RSAPrivateKey, token: str) -> Mapping[str, Any]:
    """The claims of a token that the key signed, which stays true; the caller looks at the time.

    Raises jwt.InvalidTokenError.
    """
    claims: dict[str, Any] = jwt.decode(
        token,
        key.public_key(),
        algorithms=["RS256"],
        options={"verify_aud": False, "verify_exp": False, "require": ["exp", "aud"]},
    )
    return claims


@router.route("GET", "/{tenant}/discovery/instance", authenticated=False, query=_ASKED)
def instance_discovery(cloud: Cloud, _request: Request) -> Response:
    """Which authorities belong together. Clients ask this before a tenant's own configuration."""
    names = [LOGIN_HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net"]
    tenant = cloud.tenant_id
    return json_response(
        {
            "tenant_discovery_endpoint": (
                f"https://{LOGIN_HOST}/{tenant}/v2.0/.well-known/openid-configuration"
            ),
            "api-version": "1.1",
            "metadata": [
                {
                    "preferred_network": LOGIN_HOST,
                    "preferred_cache": "login.windows.net",
                    "aliases": names,
                }
            ],
        }
    )


@router.route("GET", "/{tenant}/.well-known/openid-configuration", authenticated=False)
@router.route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", authenticated=False)
def openid_configuration(cloud: Cloud, request: Request) -> Response:
    """The tenant's endpoints."""
    try:
        _check_tenant(cloud, request, error="invalid_tenant")
    except EntraError as error:
        return _error(cloud, error)
    base = f"https://{LOGIN_HOST}/{cloud.tenant_id}"
    version = "/v2.0" if "/v2.0/" in request.path else ""
    return json_response(
        {
            "issuer": base + version,
            "authorization_endpoint": f"{base}/oauth2{version}/authorize",
            "token_endpoint": f"{base}/oauth2{version}/token",
            "jwks_uri": f"{base}/discovery{version}/keys",
            "response_types_supported": ["token"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "tenant_region_scope": "NA",
            "cloud_instance_name": "microsoftonline.com",
        }
    )


@router.route("GET", "/{tenant}/discovery/keys", authenticated=False)
@router.route("GET", "/{tenant}/discovery/v2.0/keys", authenticated=False)
def signing_keys(cloud: Cloud, _request: Request) -> Response:
    """The public part of the key that signs tokens (RFC 7517)."""
    numbers = cloud.signing_key.public_key().public_numbers()

    def encoded(number: int) -> str:
        raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": _KEY_ID}
    return json_response({"keys": [{**key, "n": encoded(numbers.n), "e": encoded(numbers.e)}]})


@router.route("POST", "/{tenant}/oauth2/token", authenticated=False)
@router.route("POST", "/{tenant}/oauth2/v2.0/token", authenticated=False)
def token(cloud: Cloud, request: Request) -> Response:
    """A token for the application, which proves itself by its secret or an assertion."""
    try:
        _check_tenant(cloud, request, error="invalid_request")
        form = {
            name: values[0]
            for name, values in parse_qs(request.body.decode("utf-8", "replace")).items()
        }
        audience = _audience(cloud, form)
    except EntraError as error:
        return _error(cloud, error)
    lifetime = cloud.token_lifetime_s
    access_token = issue_token(cloud, audience=audience, lifetime_s=lifetime)
    expires_on = int(time.time()) + lifetime
    answer: dict[str, object] = {
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": access_token,
    }
    if "/v2.0/" not in request.path:  # The v1 endpoint writes numbers as text and says for what.
        answer = {name: str(value) for name, value in answer.items()}
        answer |= {"expires_on": str(expires_on), "resource": audience}
    return json_response(answer)


def _audience(cloud: Cloud, form: dict[str, str]) -> str:
    for name in ("grant_type", "client_id"):
        if not form.get(name):
            raise EntraError(
                400,
                "invalid_request",
                900144,
                f"The request body must contain the following parameter: '{name}'.",
            )
    if form["grant_type"] != "client_credentials":
        raise EntraError(
            400,
            "unsupported_grant_type",
            70003,
            f"The app requested an unsupported grant type '{form['grant_type']}'.",
        )
    if form["client_id"].lower() != cloud.client_id:
        raise EntraError(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{form['client_id']}' was not found in the directory "
            "'Local Azure'. This can happen if the application has not been installed by the "
            "administrator of the tenant or consented to by any user in the tenant. You may have "
            "sent your authentication request to the wrong tenant.",
        )
    if form.get("client_assertion"):
        assertions.check(cloud, form["client_assertion"], form.get("client_assertion_type", ""))
    else:
        _check_secret(cloud, form.get("client_secret", ""))
    scope = form.get("scope", "").removesuffix("/.default")
    audience = form.get("resource") or scope
    if not audience:
        raise EntraError(
            400,
            "invalid_request",
            900144,
            "The request body must contain the following parameter: 'scope'.",
        )
    if audience.rstrip("/") not in AUDIENCES:
        raise EntraError(
            400,
            "invalid_resource",
            500011,
            f"The resource principal named {audience} was not found in the tenant named "
            "Local Azure.",
        )
    return audience


def _check_secret(cloud: Cloud, secret: str) -> None:
    if not secret:
        raise refused_client(
            7000216,
            "'client_assertion', 'client_secret' or 'request' is required for the "
            "'client_credentials' grant type.",
        )
    if not hmac.compare_digest(secret.encode(), cloud.client_secret.encode()):
        raise refused_client(
            7000215,
            "Invalid client secret provided. Ensure the secret being sent in the request is the "
            "client secret value, not the client secret ID, for a secret added to app "
            f"'{cloud.client_id}'.",
        )


def _check_tenant(cloud: Cloud, request: Request, *, error: str) -> None:
    tenant = request.params["tenant"]
    if tenant.lower() != cloud.tenant_id:
        raise EntraError(
            400,
            error,
            90002,
            f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and "
            "are signing into the correct cloud. Check with your subscription administrator, this "
            "may happen if there are no active subscriptions for the tenant.",
        )


def _error(cloud: Cloud, error: EntraError) -> Response:
    trace, correlation = str(uuid.uuid4()), str(uuid.uuid4())
    timestamp = cloud.now().strftime("%Y-%m-%d %H:%M:%SZ")
    return json_response(
        {
            "error": error.error,
            "error_description": (
                f"AADSTS{error.code}: {error.text} Trace ID: {trace} "
                f"Correlation ID: {correlation} Timestamp: {timestamp}"
            ),
            "error_codes": [error.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": f"https://{LOGIN_HOST}/error?code={error.code}",
        },
        error.status,
    )
