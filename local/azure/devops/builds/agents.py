"""Agents (area `distributedtask`): who listens, and the messages that an agent waits for.

An agent opens a session and asks for messages; the message of a queued build, or of a new release,
is a job request with its variables and the job's access token (microsoft/azure-pipelines-agent,
src/Agent.Listener/MessageListener.cs). Two things differ: the message is not encrypted, for nothing
here leaves the machine, and it holds no steps, because the local agent reads the pipeline itself.
So there is one request, and one token, for a build or release and not for each of its jobs.
"""

from __future__ import annotations

import json
import uuid
from typing import TypedDict

from local.azure.devops.builds.job_request_shapes import TYPE
from local.azure.devops.builds.job_requests import take
from local.azure.devops.builds.plans import area
from local.azure.devops.builds.pools import POOL_ID, check_pool
from local.azure.devops.contracts import Date, ReadOnly, Unread
from local.azure.devops.enumerations import TaskAgentStatus
from local.azure.devops.rest import number
from local.azure.devops.shapes import Links
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.tables import Table

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


class AgentGiven(TypedDict, total=False):
    """The agent that begins to listen."""

    name: str
    id: int
    version: str
    osDescription: str


class SessionRecord(TypedDict):
    """An agent that listens, as it is stored."""

    sessionId: str
    ownerName: str
    agent: str
    createdOn: str


_SESSIONS = Table[SessionRecord]("devops-session")


class SessionBody(TypedDict, total=False):
    """The body that begins a session."""

    ownerName: str
    agent: AgentGiven
    useFipsEncryption: ReadOnly
    systemCapabilities: ReadOnly
    encryptionKey: ReadOnly
    sessionId: ReadOnly


class Session(TypedDict):
    """An agent's session."""

    sessionId: str
    ownerName: str
    agent: AgentGiven


class Agent(TypedDict):
    """An agent that listens."""

    _links: Links
    maxParallelism: int
    createdOn: Date
    authorization: dict[str, Unread]
    id: int
    name: str
    version: str
    enabled: bool
    status: TaskAgentStatus
    provisioningState: str


class AgentsQuery(TypedDict, total=False):
    """Which agents are listed, and what is shown of them; none has capabilities or requests."""

    agentName: str
    includeCapabilities: bool
    includeAssignedRequest: bool
    includeLastCompletedRequest: bool
    demands: list[str]


class MessageQuery(TypedDict, total=False):
    """Whose message is asked for; nobody is kept waiting."""

    sessionId: str
    lastMessageId: int
    status: str
    runnerVersion: str


class MessageDeleted(TypedDict, total=False):
    """Whose message has been read."""

    sessionId: str


@area.on("GET", AGENTS, "poolId")
def list_agents(cloud: Cloud, request: Request, query: AgentsQuery) -> list[Agent]:
    """The agents that listen."""
    check_pool(request)
    name = query.get("agentName", "").lower()
    return [one for one in _agents(cloud) if name in ("", one["name"].lower())]


@area.on("GET", AGENTS, "poolId", "agentId")
def get_agent(cloud: Cloud, request: Request, query: AgentsQuery) -> Agent:
    """One agent that listens."""
    del query
    check_pool(request)
    identity = number(request.params["agentId"], "agentId")
    for one in _agents(cloud):
        if one["id"] == identity:
            return one
    raise ServiceError(
        404, "TaskAgentNotFoundException", f"No agent found in pool {POOL_ID} with id {identity}."
    )


@area.on("POST", SESSIONS, "poolId")
def create_session(cloud: Cloud, request: Request, body: SessionBody) -> Session:
    """Begin to listen; an agent that was killed leaves its session, which hinders nobody."""
    check_pool(request)
    name = body.get("agent", {}).get("name", "")
    record: SessionRecord = {
        "sessionId": str(uuid.uuid4()),
        "ownerName": body.get("ownerName", ""),
        "agent": name,
        "createdOn": cloud.timestamp(),
    }
    _SESSIONS.insert(cloud, record["sessionId"], record)
    return {
        "sessionId": record["sessionId"],
        "ownerName": record["ownerName"],
        "agent": {"name": name},
    }


@area.on("DELETE", SESSIONS, "poolId", "sessionId")
def delete_session(cloud: Cloud, request: Request) -> None:
    """Listen no more."""
    check_pool(request)
    _SESSIONS.delete(cloud, request.params["sessionId"].lower())


@area.on("GET", MESSAGES, "poolId")
def get_message(cloud: Cloud, request: Request, query: MessageQuery) -> Response:
    """A job request that waits (see `job_requests.take`), or 202."""
    check_pool(request)
    session = _SESSIONS.get(cloud, query.get("sessionId", "").lower())
    if session is None:
        raise ServiceError(
            404, "TaskAgentSessionNotFoundException", "The session was not found; begin a new one."
        )
    job = take(cloud, session["agent"])
    if job is None:
        return Response(status=202)
    return json_response(
        {"messageId": job["requestId"], "messageType": TYPE, "body": json.dumps(job)}
    )


@area.on("DELETE", MESSAGES, "poolId", "messageId")
def delete_message(_cloud: Cloud, request: Request, query: MessageDeleted) -> None:
    """Forget a message that the agent has read."""
    del query
    check_pool(request)


def _agents(cloud: Cloud) -> list[Agent]:
    base = organization(cloud).url
    sessions = {one["agent"]: one for one in _SESSIONS.list(cloud)}
    found: list[Agent] = []
    for identity, (name, session) in enumerate(sorted(sessions.items()), 1):
        url = f"{base}/_apis/distributedtask/pools/{POOL_ID}/agents/{identity}"
        web = f"{base}/_settings/agentpools?view=jobs&poolId={POOL_ID}&agentId={identity}"
        found.append(
            {
                "_links": {"self": {"href": url}, "web": {"href": web}},
                "maxParallelism": 1,
                "createdOn": session["createdOn"],
                "authorization": {"clientId": session["sessionId"]},
                "id": identity,
                "name": name,
                "version": "4.0.0",
                "enabled": True,
                "status": "online",
                "provisioningState": "Provisioned",
            }
        )
    return found
