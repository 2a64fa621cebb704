"""Plans as the service shows them, and what agents send of them."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.builds.timeline_shapes import TimelineRecord
from local.azure.devops.contracts import Date, ReadOnly
from local.azure.devops.enumerations import TaskResult


class Reference(TypedDict):
    """A reference by id and name."""

    id: int
    name: str


class TimelineReference(TypedDict):
    """The timeline of a plan."""

    id: str
    changeId: int


class Plan(TypedDict):
    """A plan."""

    planId: str
    planType: str
    scopeIdentifier: str
    timeline: TimelineReference
    owner: Reference
    definition: Reference


class SentRecords(TypedDict, total=False):
    """The records that an agent sends; the wrapper of a list."""

    value: list[TimelineRecord]
    count: ReadOnly


class _JobEvent(TypedDict):
    name: str


class JobEvent(_JobEvent, total=False):
    """An event of a job."""

    result: TaskResult
    taskId: str
    jobId: ReadOnly
    requestId: ReadOnly
    outputs: ReadOnly


class TaskAttachment(TypedDict):
    """An attachment of a plan."""

    type: str
    name: str
    createdOn: Date
    timelineId: str
    recordId: str
    lastChangedOn: Date
    lastChangedBy: str
