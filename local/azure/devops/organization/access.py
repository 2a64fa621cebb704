"""Who may call: the personal access token, or the access token of a job while it runs.

A job is of a build or of a release, its owner: `build` or `release`, with a number.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypedDict, TypeVar

from local.azure.identity import entra
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError

LookUp = TypeVar("LookUp", bound="Callable[[Cloud, int], Owner | None]")
_JOB_AUDIENCE = "azure-devops-job"
# The service lets a job's token live as long as its longest job may run.
_JOB_TOKEN_LIFETIME_S = 48 * 3600
BUILD, RELEASE = "build", "release"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """A build or release that jobs belong to.

    Attributes:
        running: whether its jobs' tokens are good; a release runs while one of its stages does.
    """

    number: int
    name: str
    project: str
    definition: int
    definition_name: str
    running: bool


_LOOK_UPS: dict[str, Callable[[Cloud, int], Owner | None]] = {}


def owner_kind(kind: str) -> Callable[[LookUp], LookUp]:
    """Decorate the function that finds the owners of a kind by number."""

    def declare(look_up: LookUp) -> LookUp:
        _LOOK_UPS[kind] = look_up
        return look_up

    return declare


def owner_of(cloud: Cloud, kind: str, number: int) -> Owner | None:
    """The build or release of that number."""
    return _LOOK_UPS[kind](cloud, number)


def issue_job_token(cloud: Cloud, owner: str, number: int, project: str) -> str:
    """The access token of the jobs of a build or a release of a project.

    It is good while the build runs; that of a release, while one of its stages does.
    """
    return entra.issue_token(
        cloud,
        audience=_JOB_AUDIENCE,
        lifetime_s=_JOB_TOKEN_LIFETIME_S,
        scp="app_token",
        owner=owner,
        number=number,
        project=project,
    )


class Job(TypedDict, total=False):
    """A caller: empty for the organization's user, else whose job it is."""

    owner: str
    number: int
    project: str


def authenticate(cloud: Cloud, request: Request) -> Job:
    """Who calls.

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


def _job(cloud: Cloud, token: str, host: str) -> Job | None:
    try:
        claims = entra.verify_token(cloud, token, host=host, audience=_JOB_AUDIENCE)
    except ServiceError:
        return None
    found = owner_of(cloud, claims["owner"], claims["number"])
    if found is None or not found.running:
        return None
    return {
        "owner": claims["owner"],
        "number": claims["number"],
        "project": claims["project"],
    }
