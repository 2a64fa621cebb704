"""Comparisons in the measures of every kind of model: against scipy, weighted, and degenerate."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from amltasks.gate import effective
from amltasks.gate.measures import get, point
from amltasks.gate.paired import Wanted, compare, compare_many
from amltasks.gate.rows import Array, Pair, Side, Truth

CLASSES = ("a", "b", "c")
NAMES = {
    "multiclass": [
        *("accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "weighted_f1", "log_loss"),
        *("recall:b", "precision:b", "f1:b", "top_k_accuracy@2", "mean:bleu"),
    ],
    "multilabel": [
        *("accuracy", "hamming_loss", "macro_f1", "micro_f1", "weighted_f1"),
        *("recall:b", "precision:b", "f1:b"),
    ],
    "regression": ["mae", "mse", "rmse", "mape", "r2", "bias", "pinball@0.9", "mean:bleu"],
    "ranking": ["ndcg", "ndcg@2", "map", "mrr"],
    "scores": ["mean:bleu"],
}
EVERY = [(model_type, name) for model_type, names in NAMES.items() for name in names]


def pair(model_type: str, rows: int = 240, seed: int = 0, *, inputs: Array | None = None) -> Pair:
    """Two models of like quality; the rows of a ranking are of queries of 4."""
    random = np.random.default_rng(seed)
    of: Array = np.arange(rows) if inputs is None else inputs
    labels: Array = random.integers(3, size=rows)
    queries: Array | None = None
    if model_type == "multilabel":
        labels = (random.random((rows, 3)) < 0.4).astype(np.int8)
    elif model_type == "regression":
        labels = random.normal(10, 2, size=rows)
    elif model_type == "ranking":
        labels = random.integers(3, size=rows).astype(np.float64)
        queries = np.arange(rows) // 4
        of = np.arange(rows) // 4
    elif model_type == "scores":
        labels = np.zeros((rows, 0))

    def side() -> Side:
        noise = random.normal(size=rows)
        values = {"bleu": random.random(rows), "quantile_0.9": noise}
        if model_type == "multiclass":
            scores = np.exp(2 * np.eye(3)[labels] + random.normal(size=(rows, 3)))
            scores /= scores.sum(axis=1, keepdims=True)
            return Side(predictions=scores.argmax(axis=1), scores=scores, values=values)
        if model_type == "multilabel":
            flipped = labels ^ (random.random((rows, 3)) < 0.2)
            return Side(predictions=flipped.astype(np.int8), values=values)
        if model_type == "regression":
            values["quantile_0.9"] = labels + noise + 1.2
            return Side(predictions=labels + noise, values=values)
        ranked = labels + 2 * noise if model_type == "ranking" else None
        return Side(predictions=np.zeros((rows, 0)), scores=ranked, values=values)

    return Pair(
        model_type=model_type,
        classes=CLASSES if model_type.startswith("multi") else (),
        labels=labels,
        queries=queries,
        inputs=of,
        candidate=side(),
        baseline=side(),
    )


def test_the_user_says_which_way_is_better_of_a_plain_number() -> None:
    given = pair("scores")
    up, down = (
        compare_many(given, [Wanted("all rows", None, "mean:bleu", way)], resamples=200)[0]
        for way in ("higher", "lower")
    )
    assert up.gain == pytest.approx(point("mean:bleu", given.truth, given.candidate) - up.baseline)
    assert (down.gain, down.low, down.high) == pytest.approx((-up.gain, -up.high, -up.low))


def gain(name: str, given: Pair) -> float:
    sign = -1 if get(name).direction == "lower" else 1
    values = [point(name, given.truth, side) for side in (given.candidate, given.baseline)]
    return sign * (values[0] - values[1])


@pytest.mark.parametrize(
    ("model_type", "name"), [e for e in EVERY if get(e[1]).kind != "proportion"]
)
def test_bounds_are_scipys(model_type: str, name: str) -> None:
    given = pair(model_type)
    units = int(given.inputs.max()) + 1
    found = compare(given, name, resamples=3000)

    def statistic(chosen: Any, axis: int = -1) -> Any:
        drawn = []
        for of in np.atleast_2d(chosen):
            rows = np.concatenate([np.flatnonzero(given.inputs == unit) for unit in of])
            one = given.where(rows)
            if given.queries is not None:  # a query that is drawn twice counts twice
                one = replace(one, queries=np.repeat(np.arange(len(of)), 4))
            drawn.append(gain(name, one))
        return np.array(drawn).reshape(np.shape(chosen)[:-1])

    method = "percentile" if name == "bias" else "BCa"
    expected = stats.bootstrap(
        (np.arange(units),),
        statistic,
        method=method,
        confidence_level=0.9,
        n_resamples=400,
        vectorized=True,
        rng=np.random.default_rng(7),
    )
    assert found.method.startswith(f"{method} bounds from 3,000 bootstrap resamples")
    # The Monte-Carlo error of a 5 % quantile of 400 resamples is a tenth of a standard error, and
    # BCa estimates where that quantile is, too.
    allowed = 0.4 * expected.standard_error
    assert found.low == pytest.approx(expected.confidence_interval.low, abs=allowed)
    assert found.high == pytest.approx(expected.confidence_interval.high, abs=allowed)


@pytest.mark.parametrize(("model_type", "name"), EVERY)
def test_equal_weights_change_nothing_but_the_way(model_type: str, name: str) -> None:
    given = pair(model_type)
    even = replace(given, weights=np.full(len(given), 2.0))
    plain, weighted = compare(given, name, resamples=500), compare(even, name, resamples=500)
    assert weighted.gain == pytest.approx(plain.gain)
    if get(name).kind != "proportion":
        assert weighted.low == pytest.approx(plain.low)
        assert weighted.high == pytest.approx(plain.high)
        return
    # Exact bounds of a share, and those of a bootstrap.
    assert "exact" in plain.method
    assert "bootstrap" in weighted.method
    width = plain.high - plain.low
    assert weighted.low == pytest.approx(plain.low, abs=0.15 * width)
    assert weighted.high == pytest.approx(plain.high, abs=0.15 * width)


@pytest.mark.parametrize(("model_type", "name"), EVERY)
def test_a_weight_is_so_many_rows_of_the_same_input(model_type: str, name: str) -> None:
    given = pair(model_type, 80)
    times = np.repeat(np.random.default_rng(1).integers(1, 4, size=20), 4)
    weighted = replace(given, weights=times.astype(np.float64))
    if given.queries is not None:
        # Rows of a query that is there three times would be one longer query.
        assert math.isfinite(compare(weighted, name, resamples=100).low)
        return
    often = given.where(np.repeat(np.arange(80), times))
    few, many = compare(weighted, name, resamples=300), compare(often, name, resamples=300)
    assert few.gain == pytest.approx(many.gain)
    if get(name).kind != "proportion":
        assert few.low == pytest.approx(many.low)
        assert few.high == pytest.approx(many.high)


@pytest.mark.parametrize(("model_type", "name"), EVERY)
def test_identical_models_differ_by_nothing(model_type: str, name: str) -> None:
    given = pair(model_type)
    alike = replace(given, baseline=given.candidate)
    found = compare(alike, name, resamples=200)
    assert (found.gain, found.p_value) == (0.0, 1.0)
    assert found.low == -found.high
    # That no row differs in its prediction does not tell that none ever will.
    assert (found.high > 0) == (get(name).kind in ("proportion", "confusion"))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("model_type", ["multiclass", "multilabel"])
def test_the_worth_of_each_class_is_counted_one_by_one(model_type: str, weighted: bool) -> None:
    inputs = np.random.default_rng(2).integers(20, size=60)
    given = pair(model_type, 60, inputs=inputs)
    if weighted:
        given = replace(given, weights=np.random.default_rng(3).uniform(0, 2, size=60))
    for base in ("macro_f1", "balanced_accuracy"):
        if base == "balanced_accuracy" and model_type == "multilabel":
            continue
        expected = []
        codes = [given.labels]
        if base == "macro_f1":
            codes += [given.candidate.predictions, given.baseline.predictions]
        for at in range(3):
            has = [each == at if each.ndim == 1 else each[:, at] == 1 for each in codes]
            part = np.logical_or.reduce(has)
            weights = np.ones(60) if given.weights is None else given.weights
            sizes = np.array([weights[part & (inputs == unit)].sum() for unit in range(20)])
            expected.append(sizes.sum() ** 2 / (sizes**2).sum())
        np.testing.assert_allclose(effective.rows(get(base), given), expected)


@st.composite
def degenerate(draw: st.DrawFn) -> Pair:
    """Few rows, often all alike; labels and predictions of classes that are not all there."""
    model_type = draw(st.sampled_from(list(NAMES)))
    rows = draw(st.integers(0, 8))
    full = pair(model_type, 8, draw(st.integers(0, 3)))
    same = draw(st.booleans())
    chosen = np.zeros(rows, dtype=np.int64) if same else np.arange(rows)
    given = full.where(chosen)
    if draw(st.booleans()):
        given = replace(given, labels=np.zeros_like(given.labels))
    if draw(st.booleans()):
        given = replace(given, inputs=np.zeros(rows, dtype=np.int64))
    side = draw(
        st.sampled_from(
            [
                given.candidate,
                Side(predictions=given.candidate.predictions),
                Side(
                    predictions=given.candidate.predictions,
                    scores=np.full_like(full.candidate.scores[chosen], np.nan)
                    if full.candidate.scores is not None
                    else None,
                    values={"bleu": np.full(rows, np.inf)},
                ),
            ]
        )
    )
    weights = draw(st.sampled_from([None, np.ones(rows), np.linspace(0, 1, rows)]))
    return replace(given, candidate=side, weights=weights)


@settings(max_examples=200, deadline=None)
@given(degenerate())
def test_whatever_is_given_has_a_defined_result(given: Pair) -> None:
    """Warnings are errors here, so numpy has none."""
    wanted = [Wanted("all rows", None, name) for name in NAMES[given.model_type]]
    for found in compare_many(given, wanted, resamples=50):
        known = not math.isnan(found.gain)
        assert known or found.method.startswith("not defined")
        if math.isnan(found.low):
            assert math.isnan(found.high)
            assert "not" in found.method or "no bounds" in found.method
        else:
            assert found.low <= found.gain <= found.high
            assert 0 <= found.p_value <= 1


def test_why_a_measure_is_not_defined_is_said() -> None:
    """As the verdict's page has it."""
    given = pair("regression", 40)
    flat = replace(given, labels=np.ones(40))
    assert compare(flat, "r2").method == "not defined: all labels are the same"
    zero = replace(given, labels=np.arange(40.0))
    assert compare(zero, "mape").method == "not defined: a label is 0"
    bare = replace(given, candidate=Side(predictions=given.labels))
    found = compare(bare, "pinball@0.9").method
    assert found == "not defined: the predictions have no column 'quantile_0.9'"
    many = pair("multiclass", 40)
    found = compare(many, "recall:d").method
    assert found == "not defined: no label or prediction is 'd'"
    ranking = replace(pair("ranking", 40), labels=np.zeros(40))
    assert compare(ranking, "mrr").method == "not defined: no query has a relevant row"
    assert "not taken of a ranking model" in compare(ranking, "accuracy").method
    assert math.isnan(point("accuracy", Truth(labels=np.zeros(0)), Side(predictions=np.zeros(0))))


SAMPLES = 150


@pytest.mark.slow
@pytest.mark.parametrize("model_type", NAMES)
def test_bounds_cover(model_type: str) -> None:
    """Neither bound is on the wrong side of the truth more often than it says.

    The truth is that of 200,000 rows. Allowed are 5 %, one more for what a bootstrap of few inputs
    is known to lack, and three standard errors of the samples. The absolute value of a mean that is
    nearly 0 is not smooth: five more for that.
    """
    names = NAMES[model_type]
    large = pair(model_type, 200_000, seed=1_000)
    truth = {name: gain(name, large) for name in names}
    wanted = [Wanted("all rows", None, name) for name in names]
    low, high = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    for seed in range(SAMPLES):
        for found in compare_many(pair(model_type, 300, seed=seed), wanted, resamples=200):
            low[found.measure] += found.low > truth[found.measure]
            high[found.measure] += found.high < truth[found.measure]
    for name in names:
        share = 0.11 if name == "bias" else 0.06
        allowed = SAMPLES * share + 3 * math.sqrt(SAMPLES * share * (1 - share))
        assert max(low[name], high[name]) <= allowed, (name, low[name], high[name])
