"""The verdict of the gate: one object, made by :mod:`amltasks.gate`, shown by ``report``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from amltasks.gate.rows import Pair, Rows


class Reason(str, Enum):
    """Why the gate decided so. Stable, documented, and an output variable of the task.

    The gravest first: what cannot be judged comes before what was judged and found wanting.
    """

    BASELINE_UNREACHABLE = "BASELINE_UNREACHABLE"
    NO_INCUMBENT = "NO_INCUMBENT"
    DIFFERENT_ROWS = "DIFFERENT_ROWS"
    METRIC_MISSING = "METRIC_MISSING"
    METRIC_NOT_FINITE = "METRIC_NOT_FINITE"
    SLICE_MISSING = "SLICE_MISSING"
    BELOW_FLOOR = "BELOW_FLOOR"
    ABOVE_CEILING = "ABOVE_CEILING"
    SLICE_GAP = "SLICE_GAP"
    WORSE = "WORSE"
    TIE = "TIE"
    NOT_BETTER = "NOT_BETTER"
    TOO_FEW_ROWS = "TOO_FEW_ROWS"
    STEPPED_BACK = "STEPPED_BACK"
    PASSED = "PASSED"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What the candidate is compared with.

    ``metrics`` is None when there is nothing to compare with; ``unreachable`` then says why one
    could not look, and is empty when one looked and found nothing. ``model`` and ``version`` are
    empty where the baseline is no registered model. ``rows`` are its predictions, where there are.
    """

    label: str
    metrics: Mapping[str, float] | None = None
    unreachable: str = ""
    model: str = ""
    version: str = ""
    rows: Rows | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Check:
    """One rule applied to one scope. Numbers are None when they were not there or not asked for.

    ``scope`` is ``all rows`` or a slice such as ``material=iron``; ``severity`` is fail or warn.
    ``gain`` is how much better the candidate is, in the metric's unit and whichever way is better;
    ``low`` and ``high`` bound it, each at the confidence of the rules, ``p_value`` is the two-sided
    one of no difference, and ``detectable`` the least true difference that so many rows show four
    times in five. ``method`` says in words how the gain was judged, ``asked`` what the rule asks.
    """

    metric: str
    scope: str
    direction: str
    severity: str
    asked: str
    candidate: float | None = None
    baseline: float | None = None
    gain: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    detectable: float | None = None
    rows: int | None = None
    inputs: int | None = None
    method: str = ""
    reason: Reason
    detail: str

    @property
    def passed(self) -> bool:
        """Whether the rule holds."""
        return self.reason is Reason.PASSED

    @property
    def blocks(self) -> bool:
        """Whether the verdict must be a rejection for it."""
        return not self.passed and self.severity == "fail"


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The gate's decision: ``reason`` is the gravest of its blocking checks', or the baseline's.

    ``rows`` is the evidence for plots: the candidate's predictions and, on the same rows, the
    baseline's. ``confidence`` is that of each bound in the checks, 0 to 1.
    """

    reason: Reason
    detail: str
    checks: tuple[Check, ...]
    baseline: Baseline
    confidence: float = 0.95
    candidate_rows: Rows | None = field(default=None, repr=False)
    pair: Pair | None = field(default=None, repr=False)

    @property
    def passed(self) -> bool:
        """Whether the candidate may go on."""
        return self.reason is Reason.PASSED

    @property
    def warnings(self) -> tuple[Check, ...]:
        """Rules that do not hold but only warn."""
        return tuple(check for check in self.checks if not check.passed and not check.blocks)
