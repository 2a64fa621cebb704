"""Plots of the report: inline SVG that takes its colours from the page, so dark is dark."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from amltasks.gate.rows import Array, Pair, Rows, Side
from amltasks.gate.verdict import Check
from amltasks.report import curves

# Matplotlib wants colours, the page has variables: each of these stands for one.
_INK, _CANDIDATE, _BASELINE, _MUTED = "#010203", "#010204", "#010205", "#010206"
_VARIABLES = {
    _INK: "currentColor",
    _CANDIDATE: "var(--candidate)",
    _BASELINE: "var(--baseline)",
    _MUTED: "var(--muted)",
}
_STYLE = {
    "svg.fonttype": "none",
    "font.size": 9,
    "font.family": "sans-serif",
    "text.color": _INK,
    "axes.edgecolor": _MUTED,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
}
_MOST_SLICES = 30


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A picture with its caption; ``svg`` is ready to stand in a page."""

    title: str
    svg: str
    caption: str


@dataclass(frozen=True, kw_only=True)
class _Model:
    """One model's line in a plot: its name, its colour, how it is dashed, what it says."""

    name: str
    colour: str
    dashes: str
    side: Side


def all_of(rows: Rows | None, pair: Pair | None, checks: Sequence[Check]) -> list[Plot]:
    """Every plot that the data allows."""
    found = []
    if rows is not None:
        labels = rows.labels
        models = _models(rows, pair)
        if models and 0 < labels.sum() < len(labels):
            found += [_ranking(labels, models), _reliability(labels, models)]
    if pair is not None and _usable(pair.candidate) and _usable(pair.baseline):
        found.append(_differences(pair))
    sliced = [each for each in checks if each.low is not None and "=" in each.scope]
    if sliced:
        found.append(_forest(sliced))
    return found


def interval(check: Check, reach: float) -> str:
    """A small picture of a gain with its bounds; ``reach`` is what fits on either side of 0."""
    assert check.low is not None and check.high is not None  # noqa: S101
    middle = check.gain or 0.0

    def at(value: float) -> float:
        return round(60 + 56 * max(-1.0, min(1.0, value / reach)), 1)

    return (
        '<svg class="interval" viewBox="0 0 120 16" aria-hidden="true">'
        '<line x1="60" y1="1" x2="60" y2="15" stroke="var(--muted)" stroke-dasharray="2 2"/>'
        f'<line x1="{at(check.low)}" y1="8" x2="{at(check.high)}" y2="8" '
        'stroke="var(--candidate)" stroke-width="2"/>'
        f'<circle cx="{at(middle)}" cy="8" r="3.5" fill="var(--candidate)"/></svg>'
    )


def _models(rows: Rows, pair: Pair | None) -> list[_Model]:
    sides = [("candidate", _CANDIDATE, "-", Side(predictions=rows.predictions, scores=rows.scores))]
    if pair is not None:
        sides.append(("baseline", _BASELINE, "--", pair.baseline))
    return [
        _Model(name=name, colour=colour, dashes=dashes, side=side)
        for name, colour, dashes, side in sides
        if _usable(side)
    ]


def _usable(side: Side) -> bool:
    scores = side.scores
    return scores is not None and bool(np.all((scores >= 0) & (scores <= 1)))


def _scores(model: _Model) -> Array:
    assert model.side.scores is not None  # noqa: S101 - usable
    return model.side.scores


def _ranking(labels: Array, models: list[_Model]) -> Plot:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 3.3), layout="constrained")
        left, right = figure.subplots(1, 2)
        for model in models:
            style = {"color": model.colour, "linestyle": model.dashes, "label": model.name}
            left.plot(*curves.roc(labels, _scores(model)), **style)
            right.plot(*curves.precision_recall(labels, _scores(model)), **style)
        left.plot([0, 1], [0, 1], color=_MUTED, linewidth=0.8, linestyle=":")
        left.set(title="ROC", xlabel="false positive rate", ylabel="true positive rate")
        right.set(title="Precision and recall", xlabel="recall", ylabel="precision")
        right.set_ylim(-0.03, 1.03)
        left.legend(loc="lower right")
        names = " and ".join(model.name for model in models)
        return _plot(
            figure,
            "Ranking",
            f"ROC and precision-recall curves of {names}; label 1 is the positive one.",
        )


def _reliability(labels: Array, models: list[_Model]) -> Plot:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(3.6, 3.3), layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=_MUTED, linewidth=0.8, linestyle=":")
        for model, marker in zip(models, "os", strict=False):
            mean, share, _ = curves.reliability(labels, _scores(model))
            axes.plot(
                mean,
                share,
                color=model.colour,
                linestyle=model.dashes,
                marker=marker,
                markersize=4,
                label=model.name,
            )
        axes.set(xlabel="mean score in the bin", ylabel="share of label 1")
        axes.legend(loc="upper left")
        return _plot(
            figure, "Calibration", "A calibrated model lies on the diagonal: its score is a chance."
        )


def _differences(pair: Pair) -> Plot:
    assert pair.candidate.scores is not None  # noqa: S101 - usable
    assert pair.baseline.scores is not None  # noqa: S101 - usable
    difference = pair.candidate.scores - pair.baseline.scores
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(3.6, 3.3), layout="constrained")
        axes = figure.subplots()
        axes.hist(difference, bins=41, range=(-1, 1), color=_CANDIDATE)
        axes.set_yscale("symlog", linthresh=1)
        axes.set(xlabel="candidate's score - baseline's score", ylabel="rows")
        changed = int(np.count_nonzero(pair.candidate.predictions != pair.baseline.predictions))
        return _plot(
            figure,
            "Score differences",
            f"{changed} of {len(pair)} rows got another label than from the baseline.",
        )


def _forest(checks: Sequence[Check]) -> Plot:
    shown = checks[:_MOST_SLICES]
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.2, 0.9 + 0.28 * len(shown)), layout="constrained")
        axes = figure.subplots()
        at = np.arange(len(shown))[::-1]
        gains = np.array([each.gain or 0.0 for each in shown])
        low = np.array([each.low or 0.0 for each in shown])
        high = np.array([each.high or 0.0 for each in shown])
        axes.hlines(at, low, high, color=_CANDIDATE, linewidth=2)
        axes.plot(gains, at, "o", color=_CANDIDATE, markersize=5)
        axes.axvline(0, color=_MUTED, linewidth=0.8, linestyle=":")
        names = [f"{each.metric}, {each.scope}"[:48] for each in shown]
        # A dollar would begin a formula.
        axes.set_yticks(at, [name.replace("$", r"\$") for name in names])
        axes.set_ylim(-0.7, len(shown) - 0.3)
        axes.set(xlabel="gain over the baseline")
        left = (
            f" {len(checks) - len(shown)} more stand in the table." if checks[len(shown) :] else ""
        )
        return _plot(
            figure, "Slices", "Gain of each slice with its bounds; right of 0 is better." + left
        )


def _plot(figure: Figure, title: str, caption: str) -> Plot:
    kept = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": title}):
        figure.savefig(
            kept,
            format="svg",
            transparent=True,
            metadata={"Date": None, "Creator": None, "Format": None, "Type": None},
        )
    svg = kept.getvalue()
    svg = svg[svg.index("<svg") :]
    prefix = re.sub(r"\W+", "-", title.lower())
    # Several pictures share a page, so their ids must not be the same.
    svg = re.sub(r'\bid="', f'id="{prefix}-', svg)
    svg = re.sub(r"url\(#", f"url(#{prefix}-", svg)
    svg = re.sub(r'href="#', f'href="#{prefix}-', svg)
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, variable)
    svg = re.sub(
        r'<svg [^>]*?(viewBox="[^"]*")[^>]*>',
        lambda found: (
            f'<svg {found[1]} role="img" aria-label="{html.escape(caption)}" '
            'xmlns:xlink="http://www.w3.org/1999/xlink">'
        ),
        svg,
        count=1,
    )
    return Plot(title=title, svg=svg, caption=caption)
