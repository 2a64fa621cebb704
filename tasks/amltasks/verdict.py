"""The verdict of the gate: one object, made by ``gate`` and shown by ``report``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Reason(str, Enum):
    """Why the gate decided so. Stable, documented, and an output variable of the task."""

    PASSED = "PASSED"
    BASELINE_UNREACHABLE = "BASELINE_UNREACHABLE"
    NO_INCUMBENT = "NO_INCUMBENT"
    METRIC_MISSING = "METRIC_MISSING"
    METRIC_NOT_FINITE = "METRIC_NOT_FINITE"
    BELOW_FLOOR = "BELOW_FLOOR"
    NOT_BETTER = "NOT_BETTER"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What the candidate is compared with.

    ``metrics`` is None when there is nothing to compare with; ``unreachable`` then says why one
    could not look, and is empty when one looked and found nothing.
    """

    label: str
    metrics: Mapping[str, float] | None = None
    unreachable: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One rule applied. Numbers are None when they were not there or not asked for."""

    metric: str
    direction: str
    candidate: float | None
    baseline: float | None
    gain: float | None
    floor: float | None
    min_gain: float | None
    reason: Reason
    detail: str

    @property
    def passed(self) -> bool:
        """Whether the rule holds."""
        return self.reason is Reason.PASSED


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The gate's decision: ``reason`` is the gravest of its checks', or the baseline's."""

    reason: Reason
    detail: str
    checks: tuple[Check, ...]
    baseline: Baseline

    @property
    def passed(self) -> bool:
        """Whether the candidate may go on."""
        return self.reason is Reason.PASSED
