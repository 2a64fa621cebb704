"""Who may call: the personal access token, or the access token of a job while it runs.

A job is of a build or of a release, its owner: `build` or `release`, with a number.
"""

from __future__ import annotations

import base64
import hmac
from typing import Any

from local.azure.identity import entra
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError

_JOB_AUDIENCE = "azure-devops-job"
# The service lets a job's token live as long as its longest job may run.
_JOB_TOKEN_LIFETIME_S = 48 * 3600
BUILD, RELEASE = "build", "release"
_KINDS = {BUILD: "devops-build", RELEASE: "devops-release"}


def issue_job_token(cloud: Cloud, owner: str, stored: dict[str, Any]) -> str:
    """The access token of the jobs of a build or a release, as it is stored.

    It is good while the build runs; that of a release, while one of its stages does.
    """
    return entra.issue_token(
        cloud,
        audience=_JOB_AUDIENCE,
        lifetime_s=_JOB_TOKEN_LIFETIME_S,
        scp="app_token",
        owner=owner,
        number=stored["id"],
        project=stored["project"],
    )


def authenticate(cloud: Cloud, request: Request) -> dict[str, Any]:
    """Who calls: `{}` for the organisation's user, or a job's `owner`, `number` and `project`.

    Raises:
        ServiceError: 401 without a token, or with one that is no good (any more).
    """
    kind, _, sent = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        if _is_personal(cloud, _password(sent)):
            return {}
    elif kind.lower() == "bearer" and sent:
        if _is_personal(cloud, sent.strip()):
            return {}
        claims = _job(cloud, sent.strip(), request.host)
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


def _is_personal(cloud: Cloud, token: str) -> bool:
    known = organization(cloud).personal_access_token
    return hmac.compare_digest(token.encode(), known.encode())


def _job(cloud: Cloud, token: str, host: str) -> dict[str, Any] | None:
    try:
        claims = entra.verify_token(cloud, token, host=host, audience=_JOB_AUDIENCE)
    except ServiceError:
        return None
    found = owner_of(cloud, claims["owner"], claims["number"])
    if found is None or not _runs(found):
        return None
    return {name: claims[name] for name in ("owner", "number", "project")}


def _runs(owner: dict[str, Any]) -> bool:
    if "environments" in owner:
        return any(one["status"] == "inProgress" for one in owner["environments"])
    return bool(owner["status"] != "completed")


def open_plan(cloud: Cloud, plan: str, *, owner: str, number: int) -> None:
    """Begin the plan of a job, with an empty timeline."""
    timeline = {"owner": owner, "number": number, "records": {}, "changeId": 1}
    cloud.store.insert("devops-timeline", plan, timeline)


def owner_of(cloud: Cloud, owner: str, number: int) -> dict[str, Any] | None:
    """The build or release of that number, as it is stored."""
    return cloud.store.get(_KINDS[owner], key(number))


def key(number: int) -> str:
    """The key of a document that has a number: they sort by it."""
    return f"{number:010}"
