"""Measures of every kind of model against scikit-learn, also weighted and degenerate."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from amltasks.gate.measures import FORMS, MEASURES, get, point
from amltasks.gate.rows import Side, Truth

CLASSES = ("a", "b", "c", "d")
Oracle = Callable[[Truth, Side], float]


def f1(average: str | None, truth: Truth, side: Side, at: int | None = None) -> Any:
    found = theirs.f1_score(
        truth.labels,
        side.predictions,
        average=average,
        zero_division=np.nan,
        sample_weight=truth.weights,
        labels=None if at is None else [at],
    )
    return found if at is None else found[0]


def weighted_f1(truth: Truth, side: Side) -> float:
    """scikit-learn says 0 where no row has any label, so that no label has a weight."""
    some = truth.model_type == "multiclass" or truth.labels.any()
    return float(f1("weighted", truth, side)) if some else np.nan


def per_class(function: Any, truth: Truth, side: Side) -> float:
    """Of class b."""
    found = function(
        truth.labels,
        side.predictions,
        labels=[1],
        average=None,
        zero_division=np.nan,
        sample_weight=truth.weights,
    )
    return float(found[0])


def plain(function: Any, truth: Truth, side: Side) -> float:
    return float(function(truth.labels, side.predictions, sample_weight=truth.weights))


def log_loss(truth: Truth, side: Side) -> float:
    return float(
        theirs.log_loss(
            truth.labels, side.scores, labels=range(len(CLASSES)), sample_weight=truth.weights
        )
    )


def top_two(truth: Truth, side: Side) -> float:
    found = theirs.top_k_accuracy_score(
        truth.labels, side.scores, k=2, labels=range(len(CLASSES)), sample_weight=truth.weights
    )
    return float(found)


MULTICLASS: dict[str, Oracle] = {
    "accuracy": partial(plain, theirs.accuracy_score),
    "balanced_accuracy": partial(plain, theirs.balanced_accuracy_score),
    "macro_f1": partial(f1, "macro"),
    "micro_f1": partial(f1, "micro"),
    "weighted_f1": weighted_f1,
    "recall:b": partial(per_class, theirs.recall_score),
    "precision:b": partial(per_class, theirs.precision_score),
    "f1:b": partial(per_class, theirs.f1_score),
    "log_loss": log_loss,
    "top_k_accuracy@2": top_two,
}
MULTILABEL: dict[str, Oracle] = {
    "accuracy": partial(plain, theirs.accuracy_score),
    "hamming_loss": partial(plain, theirs.hamming_loss),
    **{
        name: MULTICLASS[name]
        for name in ("macro_f1", "micro_f1", "weighted_f1", "recall:b", "precision:b", "f1:b")
    },
}


def mape(truth: Truth, side: Side) -> float:
    """scikit-learn divides by 2e-16 where a label is 0."""
    return (
        plain(theirs.mean_absolute_percentage_error, truth, side) if all(truth.labels) else np.nan
    )


def r2(truth: Truth, side: Side) -> float:
    """scikit-learn says 0 or 1 where all labels are the same."""
    same = len(np.unique(truth.labels)) == 1
    return np.nan if same else plain(theirs.r2_score, truth, side)


def bias(truth: Truth, side: Side) -> float:
    return abs(float(np.average(side.predictions - truth.labels, weights=truth.weights)))


def pinball(truth: Truth, side: Side) -> float:
    found = theirs.mean_pinball_loss(
        truth.labels, side.values["quantile_0.9"], alpha=0.9, sample_weight=truth.weights
    )
    return float(found)


def mean(truth: Truth, side: Side) -> float:
    return float(np.average(side.values["bleu"], weights=truth.weights))


REGRESSION: dict[str, Oracle] = {
    "mae": partial(plain, theirs.mean_absolute_error),
    "mse": partial(plain, theirs.mean_squared_error),
    "rmse": partial(plain, theirs.root_mean_squared_error),
    "mape": mape,
    "r2": r2,
    "bias": bias,
    "pinball@0.9": pinball,
    "mean:bleu": mean,
}


def agrees(oracles: dict[str, Oracle], truth: Truth, side: Side) -> None:
    for name, oracle in oracles.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                expected = oracle(truth, side)
            except ValueError:  # scikit-learn refuses what has no positive label
                expected = np.nan
        found = point(name, truth, side)
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=name)


def columns(draw: st.DrawFn, *values: st.SearchStrategy[Any]) -> tuple[Any, ...]:
    """So many columns of up to 30 rows, and weights or none."""
    count = draw(st.integers(1, 30))
    made = [np.array(draw(st.lists(each, min_size=count, max_size=count))) for each in values]
    weight = st.lists(st.floats(0.1, 5), min_size=count, max_size=count)
    weights = draw(st.none() | weight)
    return *made, None if weights is None else np.array(weights)


@st.composite
def multiclass(draw: st.DrawFn) -> tuple[Truth, Side]:
    code = draw(st.sampled_from([st.just(1), st.sampled_from([0, 2]), st.integers(0, 3)]))
    labels, predictions, weights = columns(draw, code, st.integers(0, 3))
    # No two scores are the same: scikit-learn orders them as they stand.
    random = np.random.default_rng(draw(st.integers(0, 99)))
    raw = random.random((len(labels), len(CLASSES))) + 1e-3
    truth = Truth(model_type="multiclass", classes=CLASSES, labels=labels, weights=weights)
    return truth, Side(predictions=predictions, scores=raw / raw.sum(axis=1, keepdims=True))


@st.composite
def multilabel(draw: st.DrawFn) -> tuple[Truth, Side]:
    row = st.lists(draw(st.sampled_from([st.just(0), st.integers(0, 1)])), min_size=4, max_size=4)
    any_row = st.lists(st.integers(0, 1), min_size=4, max_size=4)
    labels, predictions, weights = columns(draw, row, any_row)
    truth = Truth(model_type="multilabel", classes=CLASSES, labels=labels, weights=weights)
    return truth, Side(predictions=predictions)


@st.composite
def regression(draw: st.DrawFn) -> tuple[Truth, Side]:
    number = st.floats(-100, 100).map(lambda value: round(value, 3))
    label = draw(st.sampled_from([number, st.just(0.1), st.sampled_from([1e6, 1e6 + 1])]))
    labels, predictions, bleu, weights = columns(draw, label, number, st.floats(0, 1))
    truth = Truth(model_type="regression", classes=(), labels=labels, weights=weights)
    values = {"quantile_0.9": predictions + 1, "bleu": bleu}
    return truth, Side(predictions=predictions, values=values)


@settings(max_examples=150, deadline=None)
@given(multiclass())
def test_many_classes_agree_with_scikit_learn(data: tuple[Truth, Side]) -> None:
    agrees(MULTICLASS, *data)


@settings(max_examples=150, deadline=None)
@given(multilabel())
def test_many_labels_agree_with_scikit_learn(data: tuple[Truth, Side]) -> None:
    agrees(MULTILABEL, *data)


@settings(max_examples=150, deadline=None)
@given(regression())
def test_regressions_agree_with_scikit_learn(data: tuple[Truth, Side]) -> None:
    agrees(REGRESSION, *data)


def ranking_names() -> set[str]:
    return {"ndcg", "ndcg@2", "map", "mrr"}


def test_every_measure_has_been_compared() -> None:
    """Those of two classes are compared in test_measures, rankings in test_ranking."""
    for model_type, names in (
        ("multiclass", MULTICLASS.keys()),
        ("multilabel", MULTILABEL.keys()),
        ("regression", REGRESSION.keys()),
        ("ranking", ranking_names()),
    ):
        of_type = {each.base for each in map(get, names)}
        known = {each.name for each in MEASURES.values() if model_type in each.model_types}
        assert known <= of_type, model_type
    compared = [*MULTICLASS, *MULTILABEL, *REGRESSION, *ranking_names()]
    assert {get(name).base for name in compared} >= FORMS.keys()


def test_a_tie_does_not_put_a_label_among_the_first() -> None:
    truth = Truth(model_type="multiclass", classes=("a", "b", "c"), labels=np.array([0, 1, 2]))
    side = Side(predictions=truth.labels, scores=np.full((3, 3), 1 / 3))
    assert point("top_k_accuracy@2", truth, side) == 0.0
    assert point("top_k_accuracy@3", truth, side) == 1.0


@pytest.mark.parametrize("name", [*REGRESSION, "accuracy"])
def test_what_cannot_be_measured_is_nan(name: str) -> None:
    none = np.array([])
    truth = Truth(model_type="regression", classes=(), labels=none)
    assert np.isnan(point(name, truth, Side(predictions=none)))
    truth = Truth(model_type="ranking", classes=(), labels=np.array([1.0]))
    assert np.isnan(point(name, truth, Side(predictions=np.zeros((1, 0)))))
