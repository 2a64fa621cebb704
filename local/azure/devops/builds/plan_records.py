"""The plans of jobs as they are stored: a timeline, and whose it is."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.builds.timeline_shapes import TimelineRecord
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.tables import Table


class PlanRecord(TypedDict):
    """A plan: `owner` and `number` say of which build or release; `records` are by id."""

    owner: str
    number: int
    records: dict[str, TimelineRecord]
    changeId: int


PLANS = Table[PlanRecord]("devops-timeline")


def open_plan(cloud: Cloud, plan: str, *, owner: str, number: int) -> None:
    """Begin the plan of a job, with an empty timeline."""
    PLANS.insert(cloud, plan, {"owner": owner, "number": number, "records": {}, "changeId": 1})
