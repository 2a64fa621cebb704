"""Records of timelines: stages, jobs and tasks, as agents tell them and readers find them."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.contracts import Date, Unread
from local.azure.devops.enumerations import IssueType, TaskResult, TimelineRecordState
from local.azure.devops.variables import Variables


class Issue(TypedDict, total=False):
    """An error or a warning of a step."""

    type: IssueType
    category: str
    message: str
    data: dict[str, str]


class LogReference(TypedDict, total=False):
    """Where a record's log is."""

    id: int
    type: str
    url: str
    location: str


class TimelineRecord(TypedDict, total=False):
    """A stage, phase, job or task. Agents send what has changed."""

    id: str
    parentId: str
    type: str
    name: str
    refName: str
    identifier: str
    startTime: Date
    finishTime: Date
    currentOperation: str
    percentComplete: int
    state: TimelineRecordState
    result: TaskResult
    resultCode: str
    changeId: int
    lastModified: Date
    workerName: str
    order: int
    attempt: int
    errorCount: int
    warningCount: int
    issues: list[Issue]
    log: LogReference
    task: dict[str, Unread]
    details: dict[str, Unread]
    previousAttempts: list[dict[str, Unread]]
    variables: Variables
    agentSpecification: dict[str, Unread]
    queueId: int
    url: str


class Timeline(TypedDict):
    """A timeline."""

    id: str
    changeId: int
    records: list[TimelineRecord]
    lastChangedOn: Date
    lastChangedBy: str
    url: str
