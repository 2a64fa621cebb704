"""The verdict as one page that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeGuard

import jinja2
from markupsafe import Markup, escape

from amltasks import errors
from amltasks.gate import shares
from amltasks.gate.model_types import BINARY, CLASSIFIERS
from amltasks.gate.rows import Array
from amltasks.gate.verdict import Check, Verdict
from amltasks.report import curves, examples, findings, trend
from amltasks.report.text import NO_ROWS, NO_SLICES, is_link, plain

if TYPE_CHECKING:
    from amltasks.report.plot import Plot

_TEMPLATE = "gate.html.jinja"
_NONE, _MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"
MOST_CHECKS = 500
"""More are left to the verdict's JSON, so that a browser can show the page."""


@dataclass(frozen=True, kw_only=True)
class _Crossed:
    """A table of counts, 2 x 2; ``shares`` are those of all rows, in per cent."""

    caption: str
    corner: str
    columns: tuple[str, str]
    rows: tuple[str, str]
    counts: Array

    @property
    def lines(self) -> list[tuple[str, list[tuple[int, float]]]]:
        """Heading, and count and share of each cell."""
        whole = max(int(self.counts.sum()), 1)
        cells = [[(int(n), 100 * int(n) / whole) for n in row] for row in self.counts]
        return list(zip(self.rows, cells, strict=True))


def gate(verdict: Verdict, *, title: str, facts: Mapping[str, str]) -> str:
    """The page, as text.

    Args:
        verdict: what was decided.
        title: the model's name.
        facts: lineage, name -> text.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        # Names of models and slices are foreign text.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests["known"] = _known
    environment.tests["link"] = is_link
    environment.filters |= {
        "number": _number,
        "signed": _signed,
        "short": _short,
        "chance": _chance,
        "breakable": _breakable,
    }
    checks = findings.ordered(verdict.checks)
    reach = _reaches(checks)
    drawn, left_out = _pictures(verdict)
    page = environment.get_template(_TEMPLATE).render(
        verdict=verdict,
        title=title,
        facts=facts,
        next_step="" if verdict.passed else _next_step(verdict),
        headline=list(findings.headline(verdict)),
        groups=findings.groups(verdict.checks),
        value=findings.value,
        examples=examples.of(verdict),
        trend=trend.of(verdict),
        tally=_tally(checks),
        checks=checks[:MOST_CHECKS],
        left=len(checks[MOST_CHECKS:]),
        result=_result,
        interval=lambda check: _interval(check, reach[check.metric]),
        plots=[
            (plot, Markup(plot.svg))  # noqa: S704 - ElementTree escapes what it is given
            for plot in drawn
        ],
        left_out=left_out,
        crossed=_crossed(verdict),
        methods=dict.fromkeys(check.method for check in verdict.checks if check.method),
    )
    return plain(page)


def _next_step(verdict: Verdict) -> str:
    cause: errors.Cause = getattr(errors, verdict.reason.value)
    # Some next steps show braces, written double for str.format.
    return errors.sentence(cause.next_step.format())


def _tally(checks: Iterable[Check]) -> str:
    counted = Counter(_result(check)[0] for check in checks)
    words = {"bad": "rejecting", "warn": "warning", "note": "passed over", "ok": "holding"}
    found = [f"{counted[kind]} {word}" for kind, word in words.items() if counted[kind]]
    return ", ".join(found)


def _result(check: Check) -> tuple[str, str, str]:
    """The kind, a mark that needs no colour, and the words."""
    if check.passed:
        return "ok", "✓", "holds"
    if check.blocks:
        return "bad", "✗", check.reason.value
    if check.severity == "note":
        return "note", _NONE, f"passed over: {check.reason.value}"
    return "warn", "!", f"warns: {check.reason.value}"


def _reaches(checks: Iterable[Check]) -> dict[str, float]:
    """How far from 0 the bounds of each metric go, so that its intervals compare by eye."""
    found: dict[str, float] = {}
    for check in checks:
        if check.bounded:
            line = check.line if math.isfinite(check.line) else 0.0
            ends = (abs(check.low), abs(check.high), abs(line))
            reach = max(*ends, found.get(check.metric, 0.0))
            found[check.metric] = reach
    return found


def _interval(check: Check, reach: float) -> Markup:
    """A small picture of a gain and its bounds, 0 in the middle; the numbers stand beside it.

    The solid line is the one that the lower bound must be right of.
    """
    line = check.line if math.isfinite(check.line) else 0.0
    low, gain, high, margin = (
        round(60 + 54 * value / (reach or 1.0), 1)
        for value in (check.low, check.gain, check.high, line)
    )
    return Markup(
        '<svg class="interval" viewBox="0 0 120 14" aria-hidden="true">'
        '<path class="zero" d="M60 0V14"/><path class="margin" d="M{margin} 0V14"/>'
        '<path d="M{low} 7H{high}M{low} 4V10M{high} 4V10"/>'
        '<circle cx="{gain}" cy="7" r="3"/></svg>'
    ).format(low=low, gain=gain, high=high, margin=margin)


def _crossed(verdict: Verdict) -> list[_Crossed]:
    rows, pair = verdict.candidate_rows, verdict.pair
    if rows is None or rows.model_type not in CLASSIFIERS:
        return []
    found = []
    if rows.model_type == BINARY:
        negative, positive = (name or "other" for name in rows.classes)
        sides = [("candidate", rows.labels, rows.predictions)]
        if pair is not None:
            sides.append(("baseline", pair.labels, pair.baseline.predictions))
        found = [
            _Crossed(
                caption=f"Confusion of the {name}",
                corner="Label",
                columns=(f"predicted {negative}", f"predicted {positive}"),
                rows=(negative, positive),
                counts=curves.confusion(labels, predictions),
            )
            for name, labels, predictions in sides
        ]
    if pair is not None:
        right = [
            shares.right("accuracy", "", pair.truth, side)[1]
            for side in (pair.candidate, pair.baseline)
        ]
        found.append(
            _Crossed(
                caption="Where they differ",
                corner="Candidate",
                columns=("baseline right", "baseline wrong"),
                rows=("right", "wrong"),
                counts=curves.agreement(*right),
            )
        )
    return found


def _pictures(verdict: Verdict) -> tuple[Sequence[Plot], Sequence[str]]:
    """What is drawn and what is not; matplotlib is loaded only for what there is to draw."""
    if verdict.candidate_rows is None and not any(check.bounded for check in verdict.checks):
        return (), (NO_SLICES, NO_ROWS)
    from amltasks.report import plots

    shown = plots.of(verdict)
    return shown.drawn, shown.left_out


def _known(value: float | None) -> TypeGuard[float]:
    return value is not None and math.isfinite(value)


def _number(value: float | None) -> str:
    return f"{value:.6g}" if _known(value) else _NONE


def _short(value: float | None) -> str:
    return f"{value:.3g}" if _known(value) else _NONE


def _chance(value: float | None) -> str:
    return "< 0.0001" if value is not None and value < 0.0001 else _short(value)


def _signed(value: float | None, digits: int = 4) -> str:
    return f"{value:+.{digits}g}".replace("-", _MINUS) if _known(value) else _NONE


def _breakable(name: str) -> Markup:
    """A name that a line can break after ``_`` and ``=``, not within a word."""
    return escape(name).replace("_", Markup("_<wbr>")).replace("=", Markup("=<wbr>"))
