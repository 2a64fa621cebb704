"""Who may call: the personal access token, or the access token of a job while its build runs."""

from __future__ import annotations

import base64
import hmac
from typing import Any

from local.azure import entra
from local.azure.azure import Azure
from local.azure.devops.organization import organization
from local.azure.web import Request, ServiceError

_JOB_AUDIENCE = "azure-devops-job"
# The service lets a job's token live as long as its longest job may run.
_JOB_TOKEN_LIFETIME_S = 48 * 3600


def issue_job_token(azure: Azure, build: dict[str, Any]) -> str:
    """The access token of a build's job; it ends with the build."""
    return entra.issue_token(
        azure,
        audience=_JOB_AUDIENCE,
        lifetime_s=_JOB_TOKEN_LIFETIME_S,
        scp="app_token",
        build=build["id"],
        plan=build["plan"],
        project=build["project"],
    )


def authenticate(azure: Azure, request: Request) -> dict[str, Any]:
    """Who calls: `{}` for the organisation's user, or a job's `build`, `plan` and `project`.

    Raises:
        ServiceError: 401 without a token, or with one that is no good (any more).
    """
    kind, _, sent = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        if _is_personal(azure, _password(sent)):
            return {}
    elif kind.lower() == "bearer" and sent:
        if _is_personal(azure, sent.strip()):
            return {}
        claims = _job(azure, sent.strip(), request.host)
        if claims is not None:
            return claims
    raise ServiceError(
        401,
        "UnauthorizedRequestException",
        "TF400813: The user '' is not authorized to access this resource.",
    )


def _password(sent: str) -> str:
    try:
        return base64.b64decode(sent, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _is_personal(azure: Azure, token: str) -> bool:
    known = organization(azure).personal_access_token
    return hmac.compare_digest(token.encode(), known.encode())


def _job(azure: Azure, token: str, host: str) -> dict[str, Any] | None:
    try:
        claims = entra.verify_token(azure, token, host=host, audience=_JOB_AUDIENCE)
    except ServiceError:
        return None
    build = azure.store.get("devops-build", build_key(claims["build"]))
    if build is None or build["status"] == "completed":
        return None
    return {name: claims[name] for name in ("build", "plan", "project")}


def build_key(number: int | str) -> str:
    """The key of a build's document: builds sort by number."""
    return f"{int(number):010}"
