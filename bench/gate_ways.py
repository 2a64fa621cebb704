"""``python -m bench.gate_ways WAY``: compare two models in one of two ways.

Prints as JSON the seconds it took, and the most memory that the process had before and in all.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import click
import numpy as np
from sklearn import metrics as sklearn
from sklearn.calibration import calibration_curve

from amltasks.gate.comparison import Comparison
from amltasks.gate.measures import ALIASES, MEASURES
from amltasks.gate.model_types import BINARY, MULTICLASS, REGRESSION
from amltasks.gate.paired import Wanted, compare_many
from amltasks.gate.rows import Array, Pair, Side

KINDS = (BINARY, MULTICLASS, REGRESSION)
CLASSES = 10


def names(kind: str) -> list[str]:
    """Every measure of a kind of model that is written without a parameter."""
    return [
        name
        for name, measure in MEASURES.items()
        if name not in ALIASES and kind in measure.model_types
    ]


def calibration_error(labels: Array, scores: Array) -> float:
    """Add up the bins of scikit-learn's calibration curve."""
    true, predicted = calibration_curve(labels, scores, n_bins=15)
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, 16)[1:-1], scores), minlength=15)
    return float(np.sum(np.abs(true - predicted) * counts[counts > 0]) / len(labels))


def bias(labels: Array, predictions: Array) -> float:
    """The absolute value of the mean error."""
    return float(abs(np.mean(predictions - labels)))


MANY: dict[str, Callable[..., float]] = {
    "accuracy": sklearn.accuracy_score,
    "balanced_accuracy": sklearn.balanced_accuracy_score,
    "log_loss": partial(sklearn.log_loss, labels=list(range(CLASSES))),
    "macro_f1": partial(sklearn.f1_score, average="macro", zero_division=np.nan),
    "micro_f1": partial(sklearn.f1_score, average="micro"),
    "weighted_f1": partial(sklearn.f1_score, average="weighted", zero_division=np.nan),
}
NUMBERS: dict[str, Callable[..., float]] = {
    "mae": sklearn.mean_absolute_error,
    "mse": sklearn.mean_squared_error,
    "rmse": sklearn.root_mean_squared_error,
    "mape": sklearn.mean_absolute_percentage_error,
    "r2": sklearn.r2_score,
    "bias": bias,
}
TWO: dict[str, Callable[..., float]] = {
    "accuracy": sklearn.accuracy_score,
    "balanced_accuracy": sklearn.balanced_accuracy_score,
    "precision": partial(sklearn.precision_score, zero_division=0),
    "recall": partial(sklearn.recall_score, zero_division=0),
    "specificity": partial(sklearn.recall_score, pos_label=0, zero_division=0),
    "f1": partial(sklearn.f1_score, zero_division=0),
    "auc": sklearn.roc_auc_score,
    "average_precision": sklearn.average_precision_score,
    "log_loss": partial(sklearn.log_loss, labels=[0, 1]),
    "brier": partial(sklearn.brier_score_loss, pos_label=1),
    "calibration_error": calibration_error,
}


LOOP = {BINARY: TWO, MULTICLASS: MANY, REGRESSION: NUMBERS}


def made(rows: int, inputs: int, slices: int, kind: str = BINARY) -> tuple[Pair, list[Wanted]]:
    """Two models of like quality, and every measure on all rows and on each slice.

    With as many inputs as rows each row is an input of its own.
    """
    generator = np.random.default_rng(0)
    of = np.arange(rows) if inputs == rows else generator.integers(inputs, size=rows)
    of = np.unique(of, return_inverse=True)[1]
    labels, sides = MAKERS[kind](rows, generator)
    classes = {BINARY: ("0", "1"), MULTICLASS: tuple(map(str, range(CLASSES)))}.get(kind, ())
    pair = Pair(
        model_type=kind,
        classes=classes,
        labels=labels,
        inputs=of,
        candidate=sides[0],
        baseline=sides[1],
    )
    column = generator.integers(slices, size=rows)
    scopes = [("all rows", None), *((f"slice={n}", column == n) for n in range(slices))]
    return pair, [Wanted(scope, chosen, name) for scope, chosen in scopes for name in names(kind)]


def two_classes(rows: int, generator: np.random.Generator) -> tuple[Array, list[Side]]:
    """Labels, and two models that see the same signal."""
    labels = (generator.random(rows) < 0.4).astype(np.int8)
    signal = 2.0 * labels - 1 + generator.normal(size=rows)
    models = []
    for _ in range(2):
        scores = 1 / (1 + np.exp(-signal - 0.5 * generator.normal(size=rows)))
        models.append(Side(predictions=(scores >= 0.5).astype(np.int8), scores=scores))
    return labels, models


def many_classes(rows: int, generator: np.random.Generator) -> tuple[Array, list[Side]]:
    """As `two_classes`, with `CLASSES` of them."""
    labels = generator.integers(CLASSES, size=rows)
    models = []
    for _ in range(2):
        scores = np.exp(3 * np.eye(CLASSES)[labels] + generator.normal(size=(rows, CLASSES)))
        scores /= scores.sum(axis=1, keepdims=True)
        models.append(Side(predictions=scores.argmax(axis=1), scores=scores))
    return labels, models


def numbers(rows: int, generator: np.random.Generator) -> tuple[Array, list[Side]]:
    """As `two_classes`, of numbers above 0."""
    labels = generator.gamma(3, 20, size=rows)
    models = [Side(predictions=labels + generator.normal(size=rows)) for _ in range(2)]
    return labels, models


MAKERS = {BINARY: two_classes, MULTICLASS: many_classes, REGRESSION: numbers}


def ours(pair: Pair, wanted: list[Wanted], resamples: int) -> list[Comparison]:
    """Compare as the gate does."""
    return compare_many(pair, wanted, resamples=resamples)


def loop(pair: Pair, wanted: list[Wanted], resamples: int) -> dict[tuple[str, str], list[float]]:
    """Draw inputs, gather their rows, and call scikit-learn, for each resample."""
    generator = np.random.default_rng(0)
    order = np.argsort(pair.inputs, kind="stable")
    sizes = np.bincount(pair.inputs)
    starts = np.cumsum(sizes) - sizes
    differences: dict[tuple[str, str], list[float]] = {}
    for _ in range(resamples):
        drawn = generator.integers(len(sizes), size=len(sizes))
        within = np.arange(sizes[drawn].sum())
        within -= np.repeat(np.cumsum(sizes[drawn]) - sizes[drawn], sizes[drawn])
        every = order[np.repeat(starts[drawn], sizes[drawn]) + within]
        rows, scope = every, ""
        for want in wanted:
            if want.scope != scope:
                scope = want.scope
                rows = every if want.chosen is None else every[want.chosen[every]]
            values = [looped(want.measure, pair, side, rows) for side in sides(pair)]
            differences.setdefault((scope, want.measure), []).append(values[0] - values[1])
    return differences


def sides(pair: Pair) -> tuple[Side, Side]:
    """Both models."""
    return pair.candidate, pair.baseline


def looped(name: str, pair: Pair, side: Side, rows: Array) -> float:
    """One measure of one model by scikit-learn."""
    said: Any = side.scores if MEASURES[name].needs_scores else side.predictions
    return float(LOOP[pair.model_type][name](pair.labels[rows], said[rows]))


@click.command()
@click.argument("way", type=click.Choice(["ours", "loop"]))
@click.option("--rows", type=int, required=True)
@click.option("--inputs", type=int, required=True)
@click.option("--slices", type=int, required=True)
@click.option("--resamples", type=int, required=True)
@click.option("--kind", type=click.Choice(KINDS), default=BINARY)
def main(way: str, rows: int, inputs: int, slices: int, resamples: int, kind: str) -> None:
    """Time one way on rows that are made first."""
    pair, wanted = made(rows, inputs, slices, kind)
    before = peak()
    started = time.perf_counter()
    (ours if way == "ours" else loop)(pair, wanted, resamples)
    seconds = time.perf_counter() - started
    found = {"seconds": seconds, "peak_mb": peak(), "rows_mb": before}
    click.echo(json.dumps(found))


def peak() -> float:
    """The most memory that this process has had resident so far, in megabytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


if __name__ == "__main__":
    main()
