"""The verdict of the gate: one object, made by :mod:`amltasks.gate`, shown by ``report``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from amltasks.gate.gain import Gain
from amltasks.gate.rows import Pair, Rows
from amltasks.gate.rule_model import ANCHOR, BASELINE


class Reason(str, Enum):
    """Why the gate decided so. Stable, documented, and an output variable of the task.

    The gravest first: evidence that is missing, then rules that cannot be applied, then rules that
    do not hold.
    """

    BASELINE_UNREACHABLE = "BASELINE_UNREACHABLE"
    NO_INCUMBENT = "NO_INCUMBENT"
    EVALUATION_CHANGED = "EVALUATION_CHANGED"
    ROWS_MISSING = "ROWS_MISSING"
    RESCORING_FAILED = "RESCORING_FAILED"
    DIFFERENT_ROWS = "DIFFERENT_ROWS"
    NO_PREDICTIONS = "NO_PREDICTIONS"
    NO_BASELINE_PREDICTIONS = "NO_BASELINE_PREDICTIONS"
    SLICE_MISSING = "SLICE_MISSING"
    SCORES_MISSING = "SCORES_MISSING"
    METRIC_MISSING = "METRIC_MISSING"
    METRIC_NOT_FINITE = "METRIC_NOT_FINITE"
    SINGLE_NUMBERS = "SINGLE_NUMBERS"
    UNDEFINED = "UNDEFINED"
    BELOW_FLOOR = "BELOW_FLOOR"
    ABOVE_CEILING = "ABOVE_CEILING"
    SLICE_GAP = "SLICE_GAP"
    WORSE = "WORSE"
    DRIFTED = "DRIFTED"
    TIE = "TIE"
    NOT_BETTER = "NOT_BETTER"
    TOO_FEW_ROWS = "TOO_FEW_ROWS"
    STEPPED_BACK = "STEPPED_BACK"
    NOT_REGISTERED = "NOT_REGISTERED"
    NOT_COPIED = "NOT_COPIED"
    PASSED = "PASSED"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What the candidate is compared with.

    ``metrics`` are those it logged. They are None when there is nothing to compare with;
    ``unreachable`` then says why the gate could not look, and is empty when it looked and found
    nothing. ``model`` and ``version`` are empty where the baseline is no registered model. ``rows``
    are its predictions, if there are any; ``rescoring`` says why its service could not label the
    candidate's rows, if it was asked in vain.
    """

    label: str
    metrics: Mapping[str, float] | None = None
    unreachable: str = ""
    rescoring: str = ""
    model: str = ""
    version: str = ""
    rows: Rows | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class Check(Gain):
    """One rule applied to one scope.

    ``scope`` is ``all rows`` or a slice such as ``material=iron``. ``severity`` is ``fail``,
    ``warn``, or ``note`` where the rule was passed over. ``asked`` is what the rule asks, in words.
    ``candidate`` is the measured value, None where there is none; ``value_low`` and ``value_high``
    are one-sided bounds of it, NaN where they are not known. ``line`` is what the gain must be
    shown to exceed, NaN for rules that do not compare. ``against`` is ``baseline`` or ``anchor``.
    ``tested`` is the null hypothesis of the one-sided test that decided, in words, and ``p_value``
    that of this test; empty and NaN where no test decided.
    """

    metric: str
    scope: str
    direction: str
    severity: str
    asked: str
    candidate: float | None = None
    value_low: float = math.nan
    value_high: float = math.nan
    line: float = math.nan
    against: str = BASELINE
    tested: str = ""
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

    @property
    def of_anchor(self) -> bool:
        """Whether the total loss against the anchor is checked, not a rule itself."""
        return self.against == ANCHOR

    @property
    def sliced(self) -> bool:
        """Whether it is about one slice."""
        return "=" in self.scope

    @property
    def single_numbers(self) -> bool:
        """Whether two single numbers were compared, so that chance was not looked at."""
        return math.isfinite(self.gain) and self.rows == 0


@dataclass(frozen=True, kw_only=True)
class Past:
    """A version that was promoted earlier on the same rows: ``metrics`` as they were measured."""

    version: str
    build: str
    metrics: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The gate's decision: ``reason`` is the gravest of its blocking checks', or the baseline's.

    ``notes`` are sentences that belong in the first lines of every report. ``rows`` is the evidence
    for plots: the candidate's predictions and, on the same rows, the baseline's. ``confidence`` is
    that of each bound in the checks, 0 to 1. ``anchor`` is what the total loss is held to, and
    ``looks`` how often the same rows were judged before, None where that is not known. ``past`` are
    the versions promoted on them, the oldest first. ``examples`` is how many rows of a kind the
    page may show.
    """

    reason: Reason
    detail: str
    checks: tuple[Check, ...]
    baseline: Baseline
    notes: tuple[str, ...] = ()
    confidence: float = 0.95
    anchor: Baseline | None = None
    looks: int | None = None
    past: tuple[Past, ...] = ()
    examples: int = 5
    candidate_rows: Rows | None = field(default=None, repr=False)
    pair: Pair | None = field(default=None, repr=False)

    @property
    def passed(self) -> bool:
        """Whether the candidate may go on."""
        return self.reason is Reason.PASSED

    @property
    def warnings(self) -> tuple[Check, ...]:
        """Rules that do not hold but only warn."""
        return tuple(c for c in self.checks if not c.passed and c.severity == "warn")
