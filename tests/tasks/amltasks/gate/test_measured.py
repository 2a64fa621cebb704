"""What a model measures of its own rows, for every kind of model."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from amltasks.gate import model_types
from amltasks.gate.judge import Candidate, judge
from amltasks.gate.measured import Measured, perfect
from amltasks.gate.measures import find, point
from amltasks.gate.rows import Rows
from amltasks.gate.rules import read

SIZE = 240
GENERATOR = np.random.default_rng(5)
CLASSES = ("a", "b", "c")
LABELS: dict[str, Any] = {
    model_types.BINARY: np.arange(SIZE) % 2,
    model_types.MULTICLASS: np.arange(SIZE) % 3,
    model_types.MULTILABEL: (GENERATOR.random((SIZE, 3)) < 0.4).astype(np.int8),
    model_types.REGRESSION: GENERATOR.normal(10, 2, SIZE),
    model_types.RANKING: (np.arange(SIZE) % 4).astype(float),
    model_types.SCORES: np.zeros((SIZE, 0)),
}
# Of each kind some measures, and what a model that is always right has.
BEST: dict[str, dict[str, float]] = {
    model_types.BINARY: {"accuracy": 1, "f1": 1, "auc": 1, "brier": 0, "calibration_error": 0},
    model_types.MULTICLASS: {"accuracy": 1, "macro_f1": 1, "recall:b": 1, "top_k_accuracy@1": 1},
    model_types.MULTILABEL: {"accuracy": 1, "micro_f1": 1, "hamming_loss": 0},
    model_types.REGRESSION: {"mae": 0, "rmse": 0, "r2": 1, "bias": 0, "pinball@0.9": 0},
    model_types.RANKING: {"ndcg": 1, "ndcg@3": 1, "map": 1, "mrr": 1},
    model_types.SCORES: {"mean:stars": 0},
}


def rows(kind: str) -> Rows:
    """A model that is wrong now and then."""
    labels = LABELS[kind]
    predictions = np.array(labels)
    scores: Any = None
    wrong = GENERATOR.random(SIZE) < 0.1
    if kind in (model_types.BINARY, model_types.MULTILABEL):
        predictions[wrong] = 1 - predictions[wrong]
        scores = np.where(predictions == 1, 0.8, 0.2)
    elif kind == model_types.MULTICLASS:
        predictions[wrong] = (predictions[wrong] + 1) % 3
        scores = np.eye(3)[predictions] * 0.7 + 0.1
    elif kind == model_types.REGRESSION:
        predictions = labels + GENERATOR.normal(size=SIZE)
    elif kind == model_types.RANKING:
        predictions = np.zeros((SIZE, 0))
        scores = labels + GENERATOR.normal(size=SIZE)
    columns = {"quantile_0.9": predictions + 1.0} if kind == model_types.REGRESSION else {}
    if kind == model_types.SCORES:
        columns = {"stars": GENERATOR.integers(1, 6, SIZE).astype(float)}
    return Rows(
        ids=np.arange(SIZE).astype(str).astype(object),
        model_type=kind,
        classes=CLASSES if kind in model_types.MANY_CLASSES else ("0", "1"),
        labels=labels,
        predictions=predictions,
        scores=scores,
        values=columns,
        queries=np.arange(SIZE) // 8 if kind == model_types.RANKING else None,
        inputs=np.arange(SIZE),
        slices={"half": np.where(np.arange(SIZE) < SIZE // 2, "x", "y").astype(object)},
    )


@pytest.mark.parametrize("kind", model_types.ALL)
def test_a_model_that_is_always_right_has_the_best_of_every_measure(kind: str) -> None:
    given = rows(kind)
    for name, best in BEST[kind].items():
        assert point(name, given.truth, perfect(given)) == pytest.approx(best, abs=1e-6), name


@pytest.mark.parametrize("kind", model_types.ALL)
def test_limits_have_bounds_for_every_kind_of_model(kind: str) -> None:
    given = rows(kind)
    for name in BEST[kind]:
        measure = find(name)
        assert measure is not None
        limit = "floor: -1000" if name in ("r2", "mean:stars") else "ceiling: 1"
        if name in ("mae", "rmse", "bias", "pinball@0.9"):
            limit = "ceiling: 1000"
        way = ", direction: higher" if not measure.direction else ""
        rule = f'metric: "{name}"{way}, {limit}, slices: half'
        text = f"rules: [{{{rule}}}]\nresamples: 500"
        verdict = judge(Candidate(metrics={}, rows=given), None, read(text, source="t"))
        assert verdict.passed, (name, verdict.detail)
        for check in verdict.checks:
            assert check.candidate is not None
            assert check.value_low <= check.candidate <= check.value_high, name
            # Resamples of queries without a mistake do not tell that there is none.
            assert check.value_low < check.value_high or check.candidate == BEST[kind][name], name


def test_logged_metrics_of_measures_are_replaced_by_the_rows() -> None:
    measured = Measured(
        metrics={"acc": 0.1, "auc": 0.2, "mae": 3.0, "size": 5.0}, rows=rows(model_types.BINARY)
    )
    found = measured.all_rows(["f1"])
    assert found.keys() == {"acc", "auc", "mae", "size", "f1"}
    assert found["acc"] > 0.8
    assert found["auc"] > 0.8
    # What the rows of a classifier do not tell stays as it was logged.
    assert (found["mae"], found["size"]) == (3.0, 5.0)
    told = list(measured.contradictions(["accuracy", "auc", "f1", "size"]))
    assert [name for name, *_ in told] == ["accuracy", "auc"]


def test_what_rows_cannot_attain() -> None:
    ones = rows(model_types.BINARY).where(LABELS[model_types.BINARY] == 1)
    measured = Measured(metrics={}, rows=ones)
    assert not measured.attainable("auc", None)
    assert not measured.attainable("specificity", None)
    assert measured.attainable("recall", None)
    assert measured.undefined("auc", math.nan)
    assert not measured.undefined("auc", 0.5)
