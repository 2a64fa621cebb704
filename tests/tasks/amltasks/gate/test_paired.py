"""The comparison of two models: against scipy, at the edges, and what its bounds promise."""

import math
import statistics
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from amltasks.gate import sample
from amltasks.gate.comparison import Comparison
from amltasks.gate.measures import MEASURES, point
from amltasks.gate.paired import Wanted, compare, compare_many, noise
from amltasks.gate.rows import Pair, Side, Truth

NAMES = sorted({each.name for each in MEASURES.values() if "binary" in each.model_types})
RESAMPLED = [name for name in NAMES if MEASURES[name].kind != "proportion"]


def pair(
    rows: int = 400,
    *,
    inputs: int | None = None,
    shift: float = 0.3,
    seed: int = 0,
) -> Pair:
    """Two models that see the same signal with noise of their own; inputs repeat with label."""
    generator = np.random.default_rng(seed)
    count = rows if inputs is None else inputs
    of = np.arange(rows) if inputs is None else generator.integers(count, size=rows)
    label = (generator.random(count) < 0.4).astype(np.int8)
    signal = 2.0 * label - 1 + generator.normal(size=count)

    def side(extra: float) -> Side:
        logit = signal + extra * label + 0.6 * generator.normal(size=count)
        # Most of the noise belongs to the input, some to the row.
        scores = 1 / (1 + np.exp(-(logit[of] + 0.2 * generator.normal(size=rows))))
        return Side(predictions=(scores >= 0.5).astype(np.int8), scores=scores)

    return Pair(labels=label[of], inputs=of, candidate=side(shift), baseline=side(0.0))


def slow(name: str, given: Pair) -> Callable[..., Any]:
    def statistic(chosen: Any, axis: int = -1) -> Any:
        values = []
        for rows in np.atleast_2d(chosen):
            of = [
                point(name, Truth(labels=given.labels[rows]), repeated(side, rows))
                for side in (given.candidate, given.baseline)
            ]
            values.append(of[0] - of[1])
        sign = 1 if MEASURES[name].direction == "higher" else -1
        return sign * np.array(values).reshape(np.shape(chosen)[:-1])

    return statistic


@pytest.mark.parametrize("name", RESAMPLED)
def test_bounds_are_scipys(name: str) -> None:
    given = pair(150)
    method = "BCa" if MEASURES[name].kind in ("confusion", "mean") else "percentile"
    found = compare(given, name, resamples=4000)
    expected = stats.bootstrap(
        (np.arange(150),),
        slow(name, given),
        method=method,
        confidence_level=0.9,
        n_resamples=1500,
        vectorized=True,
        rng=np.random.default_rng(7),
    )
    assert found.method.startswith(f"{method} bounds from 4,000 bootstrap resamples")
    # The Monte-Carlo error of a 5 % quantile of 1,500 resamples is 0.055 standard errors, and BCa
    # estimates where that quantile is, too.
    allowed = 0.25 * expected.standard_error
    assert found.low == pytest.approx(expected.confidence_interval.low, abs=allowed)
    assert found.high == pytest.approx(expected.confidence_interval.high, abs=allowed)


@pytest.mark.parametrize("name", NAMES)
def test_the_gain_is_the_candidates_whichever_way_is_better(name: str) -> None:
    given = pair(600, shift=1.0)
    found = compare(given, name, resamples=500)
    sides = (given.candidate, given.baseline)
    values = [point(name, given.truth, side) for side in sides]
    assert [found.candidate, found.baseline] == values
    better = (
        values[0] > values[1] if MEASURES[name].direction == "higher" else values[0] < values[1]
    )
    assert better == (found.gain > 0)
    assert found.low < found.gain < found.high
    mirrored = compare(
        Pair(
            labels=given.labels,
            inputs=given.inputs,
            candidate=given.baseline,
            baseline=given.candidate,
        ),
        name,
        resamples=500,
    )
    assert mirrored.gain == pytest.approx(-found.gain)
    assert mirrored.low == pytest.approx(-found.high)
    assert mirrored.high == pytest.approx(-found.low)
    assert mirrored.p_value == pytest.approx(found.p_value)
    assert 0 < found.p_value <= 1
    assert found.detectable == pytest.approx(
        (found.high - found.low) / 2 * (1 + 0.8416 / 1.6449), rel=1e-3
    )


def test_a_share_is_of_its_own_rows() -> None:
    given = pair(600, inputs=100)
    for name, label in (("recall", 1), ("specificity", 0)):
        found = compare(given, name)
        assert found.rows == int((given.labels == label).sum())
        assert found.inputs == len(np.unique(given.inputs[given.labels == label]))
        assert found.discordant is not None
        better, worse = found.discordant
        expected = stats.binomtest(better, better + worse).pvalue
        assert found.p_value == pytest.approx(expected)
        assert "sign test" in found.method
    assert "McNemar test" in compare(pair(100), "accuracy").method


def same(left: Comparison, right: Comparison) -> bool:
    return all(
        a == b or (isinstance(a, float) and math.isnan(a) and math.isnan(b))
        for a, b in zip(vars(left).values(), vars(right).values(), strict=True)
    )


def test_what_else_is_wanted_changes_nothing() -> None:
    given = pair(400, inputs=200)
    rare, half = np.arange(400) < 40, np.arange(400) < 200
    wanted = [
        Wanted(scope, chosen, name)
        for scope, chosen in (("all rows", None), ("rare", rare), ("half", half))
        for name in [*NAMES, "acc", "ece"]
    ]
    together = compare_many(given, wanted, resamples=300)
    assert [(each.scope, each.measure) for each in together] == [
        (want.scope, MEASURES[want.measure].name) for want in wanted
    ]
    again = compare_many(given, wanted, resamples=300)
    assert all(same(*both) for both in zip(together, again, strict=True))
    for want, found in zip(wanted, together, strict=True):
        rows = given if want.chosen is None else given.where(want.chosen)
        alone = compare(rows, want.measure, resamples=300)
        assert found.low == pytest.approx(alone.low, abs=1e-12)
        assert found.high == pytest.approx(alone.high, abs=1e-12)


def test_many_rows_are_linearised_and_grouped_and_say_so() -> None:
    found = compare(pair(6000), "auc", resamples=200)
    assert "4,096 random groups" in found.method
    assert "linearised" in found.method


@pytest.mark.parametrize("name", ["auc", "average_precision"])
def test_linearised_bounds_are_near_the_exact_ones(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = pair(1000)
    exact = compare(given, name, resamples=2000)
    monkeypatch.setattr(sample, "EXACT", 0)
    linear = compare(given, name, resamples=2000)
    assert ("linearised" in exact.method, "linearised" in linear.method) == (False, True)
    allowed = 0.04 * (exact.high - exact.low)
    assert linear.low == pytest.approx(exact.low, abs=allowed)
    assert linear.high == pytest.approx(exact.high, abs=allowed)


def test_rows_that_repeat_whole_make_nothing_surer() -> None:
    once = pair(300)
    five = np.repeat(np.arange(300), 5)
    often = Pair(
        labels=once.labels[five],
        inputs=five,
        candidate=repeated(once.candidate, five),
        baseline=repeated(once.baseline, five),
    )
    for name in NAMES:
        few, many = compare(once, name, resamples=1000), compare(often, name, resamples=1000)
        assert many.low == pytest.approx(few.low, abs=0.03 * (few.high - few.low))
        assert many.high == pytest.approx(few.high, abs=0.03 * (few.high - few.low))
        assert many.p_value == pytest.approx(few.p_value)
        assert many.inputs == few.inputs


def repeated(side: Side, rows: Any) -> Side:
    return Side(predictions=side.predictions[rows], scores=np.asarray(side.scores)[rows])


@pytest.mark.parametrize("name", NAMES)
def test_identical_models_differ_by_nothing(name: str) -> None:
    given = pair(200)
    alike = Pair(
        labels=given.labels, inputs=given.inputs, candidate=given.baseline, baseline=given.baseline
    )
    found = compare(alike, name, resamples=200)
    assert (found.gain, found.p_value) == (0.0, 1.0)
    assert found.low == -found.high
    # That no row differs in its prediction does not tell that none ever will.
    assert (found.high > 0) == (not MEASURES[name].needs_scores)
    assert ("widened" in found.method) == (MEASURES[name].kind == "confusion")


@st.composite
def degenerate(draw: st.DrawFn) -> Pair:
    rows = draw(st.integers(0, 12))

    def column(values: list[Any]) -> Any:
        few = draw(st.sampled_from([values[:1], values[-1:], values]))
        return draw(st.lists(st.sampled_from(few), min_size=rows, max_size=rows))

    def side() -> Side:
        scores = np.array(column([0.0, 0.5, 1.0, 7.0, math.nan, math.inf]), dtype=np.float64)
        return Side(
            predictions=np.array(column([0, 1]), dtype=np.int8),
            scores=draw(st.sampled_from([None, scores])),
        )

    return Pair(
        labels=np.array(column([0, 1]), dtype=np.int8),
        inputs=np.array(column([0, 3, 4]), dtype=np.int64),
        candidate=side(),
        baseline=side(),
    )


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(pairs=degenerate())
def test_whatever_is_given_has_a_defined_result(pairs: Pair) -> None:
    """Warnings are errors here, so numpy has none."""
    wanted = [Wanted("all rows", None, name) for name in NAMES]
    for found in compare_many(pairs, wanted, resamples=50):
        known = not math.isnan(found.gain)
        assert known or found.method.startswith("not defined")
        assert known == (not math.isnan(found.candidate) and not math.isnan(found.baseline))
        if math.isnan(found.low):
            assert math.isnan(found.high)
            assert math.isnan(found.p_value)
            assert "not" in found.method or "no bounds" in found.method
        else:
            assert found.low <= found.high
            assert 0 <= found.p_value <= 1
            assert found.detectable >= 0


def test_a_missing_score_is_said() -> None:
    given = pair(50)
    none = Pair(
        labels=given.labels,
        inputs=given.inputs,
        candidate=given.candidate,
        baseline=Side(predictions=given.baseline.predictions),
    )
    found = compare(none, "auc")
    assert math.isnan(found.gain)
    assert found.candidate == compare(given, "auc", resamples=50).candidate
    assert found.method == "not defined: the predictions have no scores"
    ones = np.ones(50, dtype=np.int8)
    one = Pair(labels=ones, inputs=given.inputs, candidate=given.candidate, baseline=given.baseline)
    assert compare(one, "auc").method == "not defined: the rows have one class only"


SAMPLES = 200


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "inputs", "exact"), [(250, None, sample.EXACT), (500, 250, 0)])
def test_bounds_cover(
    rows: int, inputs: int | None, exact: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither bound is on the wrong side of the truth more often than it says.

    The truth is that of 400,000 rows. Allowed are 5 %, one more for what a bootstrap of few inputs
    is known to lack, and three standard errors of the samples. Few rows overstate the calibration
    error, and no resample tells by how much: five more for that.
    """
    monkeypatch.setattr(sample, "EXACT", exact)
    wanted = [Wanted("all rows", None, name) for name in NAMES]
    large = pair(400_000, inputs=None, seed=1_000)
    truth = {name: true_gain(large, name) for name in NAMES}
    low, high = dict.fromkeys(NAMES, 0), dict.fromkeys(NAMES, 0)
    for seed in range(SAMPLES):
        given = pair(rows, inputs=inputs, seed=seed)
        for found in compare_many(given, wanted, resamples=200):
            low[found.measure] += found.low > truth[found.measure]
            high[found.measure] += found.high < truth[found.measure]
    for name in NAMES:
        share = 0.11 if name == "calibration_error" else 0.06
        allowed = SAMPLES * share + 3 * math.sqrt(SAMPLES * share * (1 - share))
        assert max(low[name], high[name]) <= allowed, name


def true_gain(large: Pair, name: str) -> float:
    sign = 1 if MEASURES[name].direction == "higher" else -1
    values = [point(name, large.truth, side) for side in (large.candidate, large.baseline)]
    return sign * (values[0] - values[1])


@given(
    values=st.lists(st.floats(0, 1), min_size=2, max_size=6),
    confidence=st.sampled_from([0.9, 0.95, 0.99]),
)
def test_noise_is_a_bound_of_the_difference_of_two(values: list[float], confidence: float) -> None:
    interval = stats.t.interval(2 * confidence - 1, len(values) - 1)
    expected = float(interval[1]) * statistics.stdev(values) * math.sqrt(2)
    assert noise(values, confidence) == pytest.approx(expected, abs=1e-9)


def test_noise_of_too_little() -> None:
    assert math.isnan(noise([0.5], 0.95))
    assert math.isnan(noise([0.5, math.nan], 0.95))


@pytest.mark.slow
def test_noise_holds_what_it_says() -> None:
    generator = np.random.default_rng(0)
    of = generator.normal(size=(4000, 3))
    differences = generator.normal(size=4000) - generator.normal(size=4000)
    beyond = sum(
        difference > noise(list(values), 0.95)
        for values, difference in zip(of, differences, strict=True)
    )
    assert abs(beyond - 200) <= 4 * math.sqrt(4000 * 0.05 * 0.95)
