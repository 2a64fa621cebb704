"""The verdict as one page that needs nothing else: no network, no script, no other file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import jinja2
from markupsafe import Markup

from amltasks import errors
from amltasks.gate.verdict import Check, Verdict
from amltasks.report import curves, plots

_TEMPLATE = "gate.html.jinja"


def gate(verdict: Verdict, *, title: str, facts: Mapping[str, str]) -> str:
    """The page, as text.

    Args:
        verdict: what was decided.
        title: the model's name.
        facts: lineage, name -> text.
    """
    folder = Path(__file__).parent
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        # Names of models and slices are foreign text.
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = _number
    environment.filters["signed"] = _signed
    bounded = [c for c in verdict.checks if c.low is not None and c.high is not None]
    reach = max((max(abs(c.low or 0), abs(c.high or 0)) for c in bounded), default=1.0) or 1.0
    return environment.get_template(_TEMPLATE).render(
        verdict=verdict,
        title=title,
        facts=facts,
        next_step="" if verdict.passed else _next_step(verdict),
        checks=sorted(verdict.checks, key=lambda check: (not check.blocks, check.passed)),
        result=_result,
        interval=lambda check: Markup(plots.interval(check, reach)),  # noqa: S704 - our own numbers
        plots=[
            (plot, Markup(plot.svg))  # noqa: S704 - matplotlib escapes what it is given
            for plot in plots.all_of(verdict.candidate_rows, verdict.pair, verdict.checks)
        ],
        confusions=_confusions(verdict),
        methods=dict.fromkeys(check.method for check in verdict.checks if check.method),
    )


def _next_step(verdict: Verdict) -> str:
    cause: errors.Cause = getattr(errors, verdict.reason.value)
    # Some next steps show braces, written double for str.format.
    return errors.sentence(cause.next_step.format())


def _result(check: Check) -> tuple[str, str]:
    """A mark that needs no colour, and the words."""
    if check.passed:
        return "ok", "✓ holds"
    if check.blocks:
        return "bad", f"✗ {check.reason.value}"
    return "warn", f"! warning: {check.reason.value}"


def _confusions(verdict: Verdict) -> list[tuple[str, list[list[int]]]]:
    rows, pair = verdict.candidate_rows, verdict.pair
    if rows is None:
        return []
    found = [("candidate", curves.confusion(rows.labels, rows.predictions).tolist())]
    if pair is not None:
        counts = curves.confusion(pair.labels, pair.baseline.predictions).tolist()
        found.append(("baseline", counts))
    return found


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _signed(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4g}"
