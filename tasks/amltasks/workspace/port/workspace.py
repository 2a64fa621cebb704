"""An open workspace: the four kinds of things it holds."""

from __future__ import annotations

from dataclasses import dataclass

from amltasks.workspace.port.compute import Compute
from amltasks.workspace.port.models import Models
from amltasks.workspace.port.runs import Runs
from amltasks.workspace.port.services import Services


@dataclass(frozen=True, kw_only=True)
class Workspace:
    """An open workspace. ``location`` is its region, such as ``eastus``."""

    name: str
    location: str
    compute: Compute
    runs: Runs
    models: Models
    services: Services
