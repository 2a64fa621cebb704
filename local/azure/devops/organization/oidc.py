"""ID tokens for service connections with workload identity federation.

A job asks with its access token, for one connection; Entra trusts the issuer, and gives an access
token to the application whose federated credential names the connection as subject
(learn.microsoft.com/azure/devops/pipelines/release/configure-workload-identity).
"""

from __future__ import annotations

import time
import uuid
from typing import TypedDict

import jwt

from local.azure.devops.builds.plans import area, plan_of
from local.azure.devops.organization.endpoints import FEDERATION, endpoints_of, scheme_of, subject
from local.azure.devops.organization.projects import project_of
from local.azure.identity import entra
from local.azure.identity.organization import TOKEN_HOST, organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router

AUDIENCE = "api://AzureADTokenExchange"
LIFETIME_S = 600
KEY_ID = "local-azure"

OIDC_TOKEN = area.location(
    "69a319f4-28c1-4bfd-93e6-ea0ff5c6f1a2",
    "{scopeIdentifier}/_apis/{area}/hubs/{hubName}/plans/{planId}/jobs/{jobId}/{resource}",
    resource="oidctoken",
    minimum=7.1,
)
issuer = Router(host=TOKEN_HOST)


class OidcQuery(TypedDict):
    """The connection that the token is for."""

    serviceConnectionId: str


class OidcToken(TypedDict):
    """An ID token."""

    oidcToken: str


@area.on("POST", OIDC_TOKEN, "scopeIdentifier", "hubName", "planId", "jobId")
def create_oidc_token(cloud: Cloud, request: Request, query: OidcQuery) -> OidcToken:
    """An ID token for a connection of the job's project; it lives ten minutes."""
    plan_of(cloud, request)
    if not request.caller:
        raise ServiceError(
            403, "AccessDeniedException", "Only a job's own access token may ask for its ID tokens."
        )
    project = project_of(cloud, request)
    asked = query["serviceConnectionId"].lower()
    found = [one for one in endpoints_of(cloud, project) if one["id"] == asked]
    if not found:
        raise ServiceError(
            404,
            "ServiceEndpointNotFoundException",
            f"The service connection '{asked}' was not found in project {project['name']}.",
        )
    scheme = scheme_of(found[0])
    if scheme.lower() != FEDERATION.lower():
        raise ServiceError(
            400,
            "ArgumentException",
            f"The service connection uses the scheme '{scheme}', which takes no ID token.",
        )
    now = int(time.time())
    claims = {
        "iss": organization(cloud).issuer,
        "sub": subject(cloud, project, found[0]),
        "aud": AUDIENCE,
        "jti": str(uuid.uuid4()),
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_S,
    }
    token = jwt.encode(claims, cloud.signing_key, algorithm="RS256", headers={"kid": KEY_ID})
    return {"oidcToken": token}


@issuer.route("GET", "/{id}/.well-known/openid-configuration", authenticated=False)
def openid_configuration(cloud: Cloud, request: Request) -> Response:
    """What Entra reads to trust the tokens (OpenID Connect Discovery 1.0)."""
    _check(cloud, request)
    base = organization(cloud).issuer
    return json_response(
        {
            "issuer": base,
            "jwks_uri": f"{base}/.well-known/jwks",
            "subject_types_supported": ["public", "pairwise"],
            "response_types_supported": ["id_token"],
            "claims_supported": ["sub", "aud", "exp", "iat", "iss", "nbf"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid"],
        }
    )


@issuer.route("GET", "/{id}/.well-known/jwks", authenticated=False)
def signing_keys(cloud: Cloud, request: Request) -> Response:
    """The public key of the tokens (RFC 7517)."""
    _check(cloud, request)
    return entra.signing_keys(cloud, request)


def _check(cloud: Cloud, request: Request) -> None:
    if request.params["id"].lower() != organization(cloud).id:
        raise ServiceError(404, "HostNotFoundException", "There is no such organization.")
