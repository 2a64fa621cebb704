"""The message by which an agent is given a job.

Form: Microsoft.TeamFoundation.DistributedTask.Pipelines' AgentJobRequestMessage, without steps.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

TYPE: Literal["PipelineAgentJobRequest"] = "PipelineAgentJobRequest"


class VariableValue(TypedDict):
    """A variable as an agent reads it; the value of a secret is not hidden here."""

    value: str
    isSecret: NotRequired[bool]


class PlanOfJob(TypedDict):
    """The plan of a job; a release has none until a stage begins."""

    planId: str | None
    planType: str
    scopeIdentifier: str


class TimelineOfJob(TypedDict):
    """The timeline of a job, which has the id of its plan."""

    id: str | None


class Authorization(TypedDict):
    """What proves the job to the organisation."""

    scheme: str
    parameters: dict[str, str]


class JobEndpoint(TypedDict):
    """A connection of a job."""

    name: str
    url: str
    authorization: Authorization


class JobResources(TypedDict):
    """What a job may use: the connection to the organisation itself."""

    endpoints: list[JobEndpoint]


class AgentJobRequest(TypedDict):
    """A job for an agent. requestId: the number of its build or release."""

    messageType: str
    plan: PlanOfJob
    timeline: TimelineOfJob
    jobId: str
    jobName: str
    requestId: int
    variables: dict[str, VariableValue]
    resources: JobResources
