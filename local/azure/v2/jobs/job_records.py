"""Jobs of v2 as they are kept, beside their runs in run history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from local.azure.kernel.tables import Table


class Submitted(TypedDict):
    """A job. properties: as the client sent them, checked by job_bodies.py."""

    name: str
    properties: Mapping[str, Any]


class Running(TypedDict):
    """A job that has not ended."""

    name: str


# By the name of the job.
JOBS: Table[Submitted] = Table("v2-job")
RUNNING: Table[Running] = Table("v2-running")
