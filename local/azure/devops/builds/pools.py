"""Agent pools (area `distributedtask`): there is one, with one queue; see `agents` for the rest."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.builds.definitions import QUEUE
from local.azure.devops.builds.plans import area
from local.azure.devops.contracts import Date
from local.azure.devops.enumerations import (
    TaskAgentPoolActionFilter,
    TaskAgentPoolOptions,
    TaskAgentPoolType,
)
from local.azure.devops.organization.projects import project_of
from local.azure.devops.rest import number
from local.azure.devops.shapes import IdentityRef
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError

POOLS = area.location(
    "a8c47e17-4d56-4a56-92bb-de7ea7dc65be",
    "_apis/{area}/{resource}/{poolId}",
    resource="pools",
)
QUEUES = area.location(
    "900fa995-c559-4923-aae7-f8424fe4fbea",
    "{project}/_apis/{area}/{resource}/{queueId}",
    resource="queues",
    minimum=2.0,
)
POOL_ID, POOL_NAME = QUEUE["pool"]["id"], QUEUE["pool"]["name"]
_CREATED = "2024-01-01T00:00:00.000Z"


class PoolReference(TypedDict):
    """A pool as its queues show it."""

    id: int
    scope: str
    name: str
    isHosted: bool
    poolType: TaskAgentPoolType
    size: int
    isLegacy: bool
    options: TaskAgentPoolOptions


class Pool(PoolReference):
    """A pool."""

    createdOn: Date
    autoProvision: bool
    autoUpdate: bool
    autoSize: bool | None
    targetSize: int
    agentCloudId: int
    createdBy: IdentityRef
    owner: IdentityRef


class Queue(TypedDict):
    """A pool's queue in a project."""

    id: int
    projectId: str
    name: str
    pool: PoolReference


class PoolsQuery(TypedDict, total=False):
    """Which pools are listed."""

    poolName: str
    poolType: TaskAgentPoolType
    actionFilter: TaskAgentPoolActionFilter


class PoolQuery(TypedDict, total=False):
    """Who may do what with a pool: the one user may do everything."""

    actionFilter: TaskAgentPoolActionFilter


class QueuesQuery(TypedDict, total=False):
    """Which queues are listed."""

    queueName: str
    queueIds: list[int]
    actionFilter: TaskAgentPoolActionFilter


@area.on("GET", POOLS)
def list_pools(cloud: Cloud, query: PoolsQuery) -> list[Pool]:
    """The one pool, unless another name or type is asked for."""
    name = query.get("poolName", POOL_NAME).lower()
    wanted = query.get("poolType", "automation") == "automation" and name == POOL_NAME.lower()
    return [_pool(cloud)] if wanted else []


@area.on("GET", POOLS, "poolId")
def get_pool(cloud: Cloud, request: Request, query: PoolQuery) -> Pool:
    """One pool."""
    del query
    check_pool(request)
    return {**_pool(cloud), "autoSize": None}


@area.on("GET", QUEUES, "project")
def list_queues(cloud: Cloud, request: Request, query: QueuesQuery) -> list[Queue]:
    """The pool's queue in a project, unless another name or id is asked for."""
    found = _queue(cloud, project_of(cloud, request)["id"])
    name = query.get("queueName", found["name"]).lower()
    wanted = name == found["name"].lower() and found["id"] in query.get("queueIds", [found["id"]])
    return [found] if wanted else []


@area.on("GET", QUEUES, "project", "queueId")
def get_queue(cloud: Cloud, request: Request, query: PoolQuery) -> Queue:
    """One queue."""
    del query
    found = _queue(cloud, project_of(cloud, request)["id"])
    if number(request.params["queueId"], "queueId") != found["id"]:
        raise ServiceError(
            404,
            "TaskAgentQueueNotFoundException",
            f"No agent queue found with identifier {request.params['queueId']}.",
        )
    return found


def _pool(cloud: Cloud) -> Pool:
    user = organization(cloud).user
    return {
        **_reference(cloud),
        "createdOn": _CREATED,
        "autoProvision": True,
        "autoUpdate": True,
        "autoSize": True,
        "targetSize": 1,
        "agentCloudId": 1,
        "createdBy": user,
        "owner": user,
    }


def _reference(cloud: Cloud) -> PoolReference:
    return {
        "id": POOL_ID,
        "scope": organization(cloud).id,
        "name": POOL_NAME,
        "isHosted": False,
        "poolType": "automation",
        "size": 1,
        "isLegacy": False,
        "options": "none",
    }


def _queue(cloud: Cloud, project: str) -> Queue:
    return {
        "id": QUEUE["id"],
        "projectId": project,
        "name": QUEUE["name"],
        "pool": _reference(cloud),
    }


def check_pool(request: Request) -> None:
    """Refuse a pool that is not there (404), and jobs (403)."""
    if number(request.params["poolId"], "poolId") != POOL_ID:
        raise ServiceError(
            404, "TaskAgentPoolNotFoundException", "No agent pool found with that identifier."
        )
    if request.caller:
        raise ServiceError(
            403, "AccessDeniedException", "A job's access token cannot listen for other jobs."
        )
