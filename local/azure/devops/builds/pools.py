"""Agent pools (area `distributedtask`): one pool, its queue, and the messages an agent waits for.

An agent opens a session and asks for messages; the message of a queued build, or of a new release,
is a job request with its variables and the job's access token (microsoft/azure-pipelines-agent,
src/Agent.Listener/MessageListener.cs). Two things differ: the message is not encrypted, for nothing
here leaves the machine, and it holds no steps, because the local agent reads the pipeline itself.
So there is one request, and one token, for a build or release and not for each of its jobs.
"""

from __future__ import annotations

import json
import uuid

from local.azure.devops.builds.job_requests import TYPE, take
from local.azure.devops.builds.plans import area
from local.azure.devops.organization.projects import project_of
from local.azure.devops.rest import collection, number
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

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
AGENTS = area.location(
    "e298ef32-5878-4cab-993c-043836571f42",
    "_apis/{area}/pools/{poolId}/{resource}/{agentId}",
    resource="agents",
)
SESSIONS = area.location(
    "134e239e-2df3-4794-a6f6-24f1f19ec8dc",
    "_apis/{area}/pools/{poolId}/{resource}/{sessionId}",
    resource="sessions",
)
MESSAGES = area.location(
    "c3a054f6-7a8a-49c0-944e-3a8e5d7adfd7",
    "_apis/{area}/pools/{poolId}/{resource}/{messageId}",
    resource="messages",
)
_POOL = {"id": 1, "name": "Default", "isHosted": False, "poolType": "automation", "size": 1}


@area.on("GET", POOLS)
def list_pools(_cloud: Cloud, request: Request) -> Response:
    """The one pool, unless another name is asked for."""
    name = request.query.get("poolName")
    return collection([] if name and name.lower() != "default" else [_POOL])


@area.on("GET", QUEUES, "project")
def list_queues(cloud: Cloud, request: Request) -> Response:
    """The pool's queue in a project, unless another name is asked for."""
    project = project_of(cloud, request)
    name = request.query.get("queueName")
    queue = {"id": 1, "projectId": project["id"], "name": "Default", "pool": _POOL}
    return collection([] if name and name.lower() != "default" else [queue])


@area.on("GET", AGENTS, "poolId")
def list_agents(cloud: Cloud, request: Request) -> Response:
    """The agents that listen, by their sessions."""
    _check(request)
    names = [(one["agent"] or {}).get("name") for one in cloud.store.list("devops-session")]
    found = [
        {"id": index, "name": name, "enabled": True, "status": "online"}
        for index, name in enumerate(sorted({str(name) for name in names}), 1)
    ]
    return collection(found)


@area.on("POST", SESSIONS, "poolId")
def create_session(cloud: Cloud, request: Request) -> Response:
    """Begin to listen; an agent that was killed leaves its session, which hinders nobody."""
    _check(request)
    body = request.json_object()
    identity = str(uuid.uuid4())
    session = {"sessionId": identity, **{name: body.get(name) for name in ("ownerName", "agent")}}
    cloud.store.insert("devops-session", identity, session)
    return json_response(session)


@area.on("DELETE", SESSIONS, "poolId", "sessionId")
def delete_session(cloud: Cloud, request: Request) -> Response:
    """Listen no more."""
    _check(request)
    cloud.store.delete("devops-session", request.params["sessionId"].lower())
    return Response(status=204)


@area.on("GET", MESSAGES, "poolId")
def get_message(cloud: Cloud, request: Request) -> Response:
    """A job request that waits (see `job_requests.take`), or 202."""
    _check(request)
    session = cloud.store.get("devops-session", request.query.get("sessionId", "").lower())
    if session is None:
        raise ServiceError(
            404, "TaskAgentSessionNotFoundException", "The session was not found; begin a new one."
        )
    job = take(cloud, str((session["agent"] or {}).get("name", "")))
    if job is None:
        return Response(status=202)
    return json_response(
        {"messageId": job["requestId"], "messageType": TYPE, "body": json.dumps(job)}
    )


@area.on("DELETE", MESSAGES, "poolId", "messageId")
def delete_message(_cloud: Cloud, request: Request) -> Response:
    """The agent has read a message."""
    _check(request)
    return Response(status=204)


def _check(request: Request) -> None:
    if number(request.params["poolId"], "poolId") != _POOL["id"]:
        raise ServiceError(
            404, "TaskAgentPoolNotFoundException", "No agent pool found with that identifier."
        )
    if request.caller:
        raise ServiceError(
            403, "AccessDeniedException", "A job's access token cannot listen for other jobs."
        )
