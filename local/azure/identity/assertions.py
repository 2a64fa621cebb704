"""Client assertions: a JWT that proves the application, signed with its certificate or by somebody
whom a federated credential names (RFC 7523).

learn.microsoft.com/entra/identity-platform/certificate-credentials and
.../entra/workload-id/workload-identity-federation.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import jwt
import requests
from cryptography.hazmat.primitives import hashes

from local.azure.identity.entra_error import EntraError, refused_client
from local.azure.identity.principals import certificate, federated_credentials
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.web import LOGIN_HOST

TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_TIMEOUT_S = 10


def check(cloud: Cloud, assertion: str, kind: str) -> None:
    """Check that an assertion proves the application. Raises EntraError when it does not."""
    if kind != TYPE:
        raise EntraError(
            400,
            "invalid_request",
            50027,
            f"JWT token is invalid or malformed: the client assertion type '{kind}' is unknown.",
        )
    try:
        header = jwt.get_unverified_header(assertion)
        claims: Mapping[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise EntraError(
            400, "invalid_request", 50027, "JWT token is invalid or malformed."
        ) from None
    if str(claims.get("iss", "")).lower() == cloud.client_id:
        _check_certificate(cloud, assertion, header, claims)
    else:
        _check_federation(cloud, assertion, header, claims)


def _check_certificate(
    cloud: Cloud, assertion: str, header: Mapping[str, Any], claims: Mapping[str, Any]
) -> None:
    known = certificate(cloud)
    thumbprints = {
        "x5t": _encoded(known.fingerprint(hashes.SHA1())),  # noqa: S303  (the header is defined so)
        "x5t#S256": _encoded(known.fingerprint(hashes.SHA256())),
    }
    given = {name: str(header[name]).rstrip("=") for name in thumbprints if name in header}
    if not given or any(thumbprints[name] != value for name, value in given.items()):
        used = ", ".join(given.values()) or "none"
        raise refused_client(
            700027,
            "The certificate with identifier used to sign the client assertion is not registered "
            f"on application. [Reason - The key was not found., Thumbprint of key used by client: "
            f"'{used}']",
        )
    if str(claims.get("sub", "")).lower() != cloud.client_id:
        raise refused_client(
            700021,
            "Client assertion application identifier doesn't match 'client_id' parameter.",
        )
    base = f"https://{LOGIN_HOST}/{cloud.tenant_id}"
    audiences = [f"{base}/oauth2/v2.0/token", f"{base}/oauth2/token", f"{base}/v2.0"]
    try:
        _decode(assertion, known.public_key(), audiences)
    except jwt.InvalidAudienceError:
        raise refused_client(
            700023, "Client assertion audience claim does not match Realm issuer."
        ) from None
    except jwt.InvalidSignatureError:
        raise refused_client(
            700027,
            "Client assertion contains an invalid signature. [Reason - The key used to sign does "
            "not match.]",
        ) from None


def _check_federation(
    cloud: Cloud, assertion: str, header: Mapping[str, Any], claims: Mapping[str, Any]
) -> None:
    issuer, subject = str(claims.get("iss", "")), str(claims.get("sub", ""))
    sent = claims.get("aud")
    audiences = [str(one) for one in sent] if isinstance(sent, list) else [str(sent)]
    same_issuer = [one for one in federated_credentials(cloud) if one["issuer"] == issuer]
    same_subject = [one for one in same_issuer if one["subject"] == subject]
    if not same_issuer:
        raise _unmatched(700211, "issuer", issuer)
    if not same_subject:
        near = any(one["subject"].lower() == subject.lower() for one in same_issuer)
        raise _unmatched(7002138 if near else 700213, "subject", subject)
    if not any(set(audiences) & set(one["audiences"]) for one in same_subject):
        raise _unmatched(700212, "audience", ", ".join(audiences))
    try:
        _decode(assertion, _key(cloud, issuer, str(header.get("kid", ""))), audiences)
    except jwt.InvalidSignatureError:
        raise refused_client(50013, "Assertion failed signature validation.") from None


def _decode(assertion: str, key: Any, audiences: list[str]) -> None:
    try:
        jwt.decode(
            assertion,
            key,
            algorithms=["RS256", "PS256"],
            audience=audiences,
            options={"require": ["exp", "aud"]},
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError):
        raise refused_client(
            700024, "Client assertion is not within its valid time range."
        ) from None
    except (jwt.InvalidSignatureError, jwt.InvalidAudienceError):
        raise
    except jwt.InvalidTokenError as error:
        raise EntraError(
            400, "invalid_request", 50027, f"JWT token is invalid or malformed: {error}."
        ) from None


def _key(cloud: Cloud, issuer: str, key_id: str) -> Any:
    """The issuer's key of that id, read where OpenID Connect Discovery says; over the wire."""
    with requests.Session() as session:
        session.trust_env = False
        session.proxies = {"https": cloud.proxy_url}
        session.verify = str(cloud.ca_file)
        try:
            configuration = session.get(
                f"{issuer}/.well-known/openid-configuration", timeout=_TIMEOUT_S
            )
            configuration.raise_for_status()
            found = session.get(configuration.json()["jwks_uri"], timeout=_TIMEOUT_S)
            found.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(found.json())
            return next(one.key for one in keys.keys if one.key_id == key_id)
        except (requests.RequestException, ValueError, KeyError, jwt.PyJWTError) as error:
            raise EntraError(
                400,
                "invalid_request",
                50166,
                f"Request to External OIDC endpoint failed for issuer '{issuer}': "
                f"{type(error).__name__}.",
            ) from None
        except StopIteration:
            raise refused_client(
                50013, "Assertion failed signature validation: the key was not found."
            ) from None


def _unmatched(code: int, what: str, value: str) -> EntraError:
    return refused_client(
        code,
        f"No matching federated identity record found for presented assertion {what} '{value}'. "
        "Check your federated identity credential Subject, Audience and Issuer against the "
        "presented assertion. https://learn.microsoft.com/entra/workload-id/"
        "workload-identity-federation",
    )


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
