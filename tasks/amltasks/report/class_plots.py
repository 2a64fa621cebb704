"""Pictures of a classifier with many classes, of which a row has one or any number."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.patches import Rectangle

from amltasks.gate.model_types import MULTICLASS, MULTILABEL
from amltasks.gate.rows import Array, Pair, Rows, Side, Truth
from amltasks.report import curves, drawing
from amltasks.report.drawing import CANDIDATE, INK, MUTED
from amltasks.report.plot import Model, Plot, escaped, made, models
from amltasks.report.text import shortened

_MOST_CLASSES = 12
_MOST_CURVES = 4
_CHARACTERS = 14
_MARKS = ("o", "s", "^", "D")
_DASHES = ("-", "--", "-.", ":")


def of(rows: Rows, pair: Pair | None) -> list[Plot]:
    """Every picture that the rows allow."""
    shown = models(rows, pair)
    # The pair may know classes of which the candidate's file has none.
    truth = rows.truth if pair is None else pair.truth
    sides = [shown[0].side] if pair is None else [pair.candidate, pair.baseline]
    drawn = []
    if truth.model_type == MULTICLASS:
        drawn.append(_confusion(truth, sides[0]))
    drawn.append(_recalls(truth, sides, shown))
    scores = sides[0].scores
    if scores is not None and ((scores >= 0) & (scores <= 1)).all():
        drawn.append(_calibration(truth, scores))
    return drawn


def _confusion(truth: Truth, side: Side) -> Plot:
    counts = curves.confusion(truth.labels, side.predictions, len(truth.classes), truth.weights)
    wrong = counts.sum(axis=0) + counts.sum(axis=1) - 2 * np.diag(counts)
    kept = np.sort(np.argsort(-wrong, kind="stable")[:_MOST_CLASSES])
    names = [truth.classes[at] for at in kept]
    if len(kept) < len(truth.classes):
        counts, names = _with_rest(counts, kept), [*names, "(others)"]
    else:
        counts = counts[np.ix_(kept, kept)]
    size = len(names)
    figure, axes = drawing.figure(1.1 + 0.26 * max(size, 6))
    whole = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, whole, out=np.zeros(counts.shape), where=whole > 0)
    for row, column in np.ndindex(size, size):
        share = float(shares[row, column])
        if share:
            axes.add_patch(Rectangle((column, row), 1, 1, facecolor=CANDIDATE, alpha=share * 0.6))
        if share >= 0.005:
            axes.text(
                *(column + 0.5, row + 0.5, f"{100 * share:.0f}"),
                ha="center",
                va="center",
                fontsize=7,
                color=INK,
            )
    labels = [escaped(shortened(name, _CHARACTERS)) for name in names]
    axes.set_xticks(np.arange(size) + 0.5, labels, rotation=90, fontsize=8)
    axes.set_yticks(np.arange(size) + 0.5, labels, fontsize=8)
    axes.set(xlim=(0, size), ylim=(size, 0), xlabel="predicted", ylabel="label")
    axes.tick_params(length=0)
    off = counts * (1 - np.eye(size))
    unit = "rows" if truth.weights is None else "rows by their weight"
    row, column = np.unravel_index(int(off.argmax()), off.shape)
    most = (
        f"Most often {names[row]} is taken for {names[column]}, in {off[row, column]:,.6g} {unit}."
        if off.any()
        else "No row is predicted wrong."
    )
    left = len(truth.classes) - len(kept)
    others = f" The {left:,} classes with the fewest errors are one." if left else ""
    return made(
        figure,
        "Confusion of the candidate",
        f"Per cent of the rows of each label, by what is predicted. {most}{others}",
    )


def _with_rest(counts: Array, kept: Array) -> Array:
    """The counts of some classes, and of all others as one class."""
    into = np.full(len(counts), len(kept))
    into[kept] = np.arange(len(kept))
    found = np.zeros((len(kept) + 1, len(kept) + 1), dtype=counts.dtype)
    np.add.at(found, (into[:, None], into[None, :]), counts)
    return found


def _indicators(truth: Truth, codes: Array, at: int) -> Array:
    """Whether each row has a class."""
    has = codes[:, at] == 1 if truth.model_type == MULTILABEL else codes == at
    return np.asarray(has)


def _recalls(truth: Truth, sides: Sequence[Side], shown: Sequence[Model]) -> Plot:
    """Recall of each class, of both models; the classes of the lowest come first."""
    found = []
    every = np.ones(len(truth)) if truth.weights is None else truth.weights
    for at, name in enumerate(truth.classes):
        positive = _indicators(truth, truth.labels, at)
        if every[positive].any():
            values = [
                float(
                    np.average(
                        _indicators(truth, s.predictions, at)[positive], weights=every[positive]
                    )
                )
                for s in sides
            ]
            found.append((name, values, int(positive.sum())))
    found.sort(key=lambda each: each[1][0])
    kept = found[:_MOST_CLASSES]
    figure, axes = drawing.figure(0.9 + 0.3 * len(kept))
    for number, model in enumerate(shown):
        values = [each[1][number] for each in kept]
        places = np.arange(len(kept)) + 0.12 * number
        axes.plot(values, places, model.mark, color=model.colour, markersize=5, label=model.name)
    labels = [escaped(shortened(name, _CHARACTERS)) for name, _, _ in kept]
    axes.set_yticks(np.arange(len(kept)), labels, fontsize=8)
    axes.set(xlabel="recall", ylim=(len(kept) - 0.4, -0.6), xlim=(-0.03, 1.03))
    axes.grid(axis="y", color=MUTED, linewidth=0.3)
    figure.legend(loc="outside upper right", ncols=2)
    name, values, count = kept[0] if kept else ("none", [float("nan")], 0)
    left = f" {len(found) - len(kept):,} classes of a higher recall are left out." * (
        len(found) > len(kept)
    )
    return made(
        figure,
        "Recall by class",
        f"The candidate's is lowest for {name}: {values[0]:.4f} of {count:,} rows.{left}",
    )


def _calibration(truth: Truth, scores: Array) -> Plot:
    """The calibration of the classes with the most rows, each by itself."""
    counts = [int(_indicators(truth, truth.labels, at).sum()) for at in range(len(truth.classes))]
    kept = np.argsort(-np.array(counts), kind="stable")[:_MOST_CURVES]
    figure, axes = drawing.figure()
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=":")
    for at, mark, dashes in zip(kept, _MARKS, _DASHES, strict=False):
        positive = _indicators(truth, truth.labels, at).astype(np.int8)
        mean, share, _ = curves.reliability(positive, scores[:, at], weights=truth.weights)
        axes.plot(
            mean,
            share,
            color=CANDIDATE,
            linestyle=dashes,
            linewidth=1,
            marker=mark,
            markersize=4,
            label=escaped(shortened(truth.classes[at], _CHARACTERS)),
        )
    axes.set(xlabel="mean score of the bin", ylabel="share of rows with the class")
    axes.legend(loc="upper left", fontsize=8)
    more = len(truth.classes) > len(kept)
    which = f"the {len(kept)} classes with the most rows" if more else "each class"
    return made(
        figure,
        "Calibration by class",
        f"The candidate's scores of {which}; on the dotted line a score is a true chance.",
    )
