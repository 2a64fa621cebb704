"""The judgement: tables of cases by single numbers and by rows, and what must hold for all."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amltasks.gate.judge import Candidate, gain, judge
from amltasks.gate.rows import Array, Rows
from amltasks.gate.rules import Rules, read
from amltasks.gate.verdict import Baseline, Reason, Verdict

INCUMBENT = Baseline(label="service s, model m:1", metrics={"accuracy": 0.8, "loss": 0.5})
ABSENT = Baseline(label="service s")
UNSEEN = Baseline(label="service s", unreachable="FORBIDDEN: may not look")


def rules(*each: str, more: str = "") -> Rules:
    listed = "\n".join(f"  - {{{rule}}}" for rule in each)
    return read(f"rules:\n{listed}\n{more}", source="test")


def judged(metrics: Mapping[str, float], baseline: Baseline | None, given_rules: Rules) -> Verdict:
    return judge(Candidate(metrics=metrics), baseline, given_rules)


NOT_WORSE = "metric: accuracy, max_loss: 0"
BETTER = "metric: accuracy, min_gain: 0"
NUMBERS = "single_numbers: pass"


@pytest.mark.parametrize(
    ("candidate", "baseline", "rule", "reason"),
    [
        ({"accuracy": 0.9}, INCUMBENT, NOT_WORSE, "PASSED"),
        ({"accuracy": 0.8}, INCUMBENT, NOT_WORSE, "PASSED"),
        ({"accuracy": 0.79}, INCUMBENT, NOT_WORSE, "WORSE"),
        ({"accuracy": 0.8}, INCUMBENT, BETTER, "TIE"),
        ({"accuracy": 0.81}, INCUMBENT, BETTER, "PASSED"),
        ({"accuracy": 0.9}, INCUMBENT, "metric: acc, min_gain: 0.1", "PASSED"),
        ({"accuracy": 0.89}, INCUMBENT, "metric: acc, min_gain: 0.1", "NOT_BETTER"),
        ({"accuracy": 0.88}, INCUMBENT, "metric: acc, min_gain: 10%", "PASSED"),
        ({"accuracy": 0.87}, INCUMBENT, "metric: acc, min_gain: 10%", "NOT_BETTER"),
        ({"accuracy": 0.79}, INCUMBENT, "metric: acc, max_loss: 0.01", "PASSED"),
        ({"accuracy": 0.78}, INCUMBENT, "metric: acc, max_loss: 0.01", "WORSE"),
        ({"accuracy": 0.78}, INCUMBENT, "metric: acc, max_loss: 0.01, seeds: [0.7, 0.9]", "PASSED"),
        ({"loss": 0.4}, INCUMBENT, "metric: loss, min_gain: 0.1", "PASSED"),
        ({"loss": 0.6}, INCUMBENT, "metric: loss, max_loss: 0", "WORSE"),
        ({"accuracy": 0.9}, INCUMBENT, "metric: acc, floor: 0.95", "BELOW_FLOOR"),
        ({"accuracy": 0.95}, INCUMBENT, "metric: acc, floor: 0.95", "PASSED"),
        ({"loss": 0.6}, INCUMBENT, "metric: loss, ceiling: 0.5", "ABOVE_CEILING"),
        ({}, INCUMBENT, NOT_WORSE, "METRIC_MISSING"),
        ({"accuracy": math.nan}, INCUMBENT, NOT_WORSE, "METRIC_NOT_FINITE"),
        ({"accuracy": math.inf}, INCUMBENT, NOT_WORSE, "METRIC_NOT_FINITE"),
        ({"auc": 1.0}, INCUMBENT, "metric: auc, max_loss: 0", "METRIC_MISSING"),
        ({"accuracy": 0.9}, ABSENT, NOT_WORSE, "NO_INCUMBENT"),
        ({"accuracy": 0.9}, ABSENT, "metric: acc, floor: 0.5", "NO_INCUMBENT"),
        ({"accuracy": 0.9}, None, NOT_WORSE, "NO_INCUMBENT"),
        ({"accuracy": 0.9}, None, "metric: acc, floor: 0.5", "PASSED"),
        ({"accuracy": 0.9}, UNSEEN, NOT_WORSE, "BASELINE_UNREACHABLE"),
        ({"accuracy": 0.9}, UNSEEN, "metric: acc, floor: 0.5", "BASELINE_UNREACHABLE"),
        ({"accuracy": 0.9}, INCUMBENT, "metric: acc, floor: 0.5, slices: a", "SLICE_MISSING"),
        ({"accuracy": 0.9}, INCUMBENT, "metric: distinct_predictions, floor: 2", "METRIC_MISSING"),
    ],
)
def test_single_numbers(
    candidate: dict[str, float], baseline: Baseline | None, rule: str, reason: str
) -> None:
    verdict = judged(candidate, baseline, rules(rule, more=NUMBERS))
    assert verdict.reason.value == reason, verdict.detail
    assert verdict.passed is (reason == "PASSED")
    alone = any(check.single_numbers for check in verdict.checks)
    assert alone == any("Chance was not looked at" in note for note in verdict.notes)


@pytest.mark.parametrize(
    ("metrics", "says", "reason", "warned"),
    [
        ({"accuracy": 0.9}, "", "NO_PREDICTIONS", False),
        ({"accuracy": 0.9}, "single_numbers: fail", "NO_PREDICTIONS", False),
        ({"accuracy": 0.9}, "single_numbers: warn", "PASSED", True),
        ({"accuracy": 0.9}, "single_numbers: pass", "PASSED", False),
        ({"accuracy": 0.4}, "single_numbers: warn", "BELOW_FLOOR", False),
        ({"loss": 0.9}, "", "METRIC_MISSING", False),
    ],
)
def test_a_floor_is_not_held_to_the_candidates_word(
    metrics: dict[str, float], says: str, reason: str, warned: bool
) -> None:
    verdict = judged(metrics, None, rules("metric: accuracy, floor: 0.5", more=says))
    assert verdict.reason.value == reason
    assert [check.reason.value for check in verdict.warnings] == ["NO_PREDICTIONS"] * warned
    trusted = any("No rows tell accuracy" in note for note in verdict.notes)
    assert trusted == (says.endswith(("warn", "pass")))


def test_a_floor_of_what_no_rows_can_tell_needs_none() -> None:
    verdict = judged({"size_mb": 3}, None, rules("metric: size_mb, direction: lower, ceiling: 4"))
    assert (verdict.passed, verdict.notes) == (True, ())


def test_a_first_model_without_rows_passes_where_that_is_written() -> None:
    assert judged({"accuracy": 0.1}, ABSENT, rules(NOT_WORSE, more="no_incumbent: pass")).passed


@pytest.mark.parametrize(("accuracy", "passed"), [(0.7, True), (0.6, False)])
def test_the_noise_that_is_allowed_for_is_told(accuracy: float, passed: bool) -> None:
    rule = "metric: acc, max_loss: 0.01, seeds: [0.7, 0.72]"
    verdict = judged({"acc": accuracy}, INCUMBENT, rules(rule, more=NUMBERS))
    assert "retrain noise of 0.1263 allowed for" in verdict.checks[0].detail
    assert verdict.passed is passed


def test_a_baseline_that_is_not_finite() -> None:
    broken = Baseline(label="b", metrics={"accuracy": math.nan})
    found = judged({"accuracy": 0.9}, broken, rules(NOT_WORSE, more=NUMBERS))
    assert found.reason is Reason.METRIC_NOT_FINITE


def test_a_first_model_passes_only_where_that_is_written() -> None:
    written = rules(NOT_WORSE, "metric: recall, floor: 0.5", more=f"no_incumbent: pass\n{NUMBERS}")
    assert judged({"accuracy": 0.1, "recall": 0.6}, ABSENT, written).passed
    found = judged({"accuracy": 0.1, "recall": 0.4}, ABSENT, written)
    assert found.reason is Reason.BELOW_FLOOR
    assert judged({"accuracy": 0.9}, UNSEEN, written).reason is Reason.BASELINE_UNREACHABLE


def test_a_warning_does_not_reject() -> None:
    verdict = judged(
        {"accuracy": 0.9, "recall": 0.1},
        INCUMBENT,
        rules(NOT_WORSE, "metric: recall, floor: 0.5, severity: warn", more=NUMBERS),
    )
    assert verdict.passed
    (warning,) = verdict.warnings
    assert warning.reason is Reason.BELOW_FLOOR


# --- by rows -----------------------------------------------------------------------------------


def rows(labels: Array, predictions: Array, *, inputs: Array | None = None, **more: object) -> Rows:
    size = len(labels)
    return Rows(
        ids=np.array([str(n) for n in range(size)], dtype=object),
        labels=labels.astype(np.int8),
        predictions=predictions.astype(np.int8),
        inputs=np.arange(size) if inputs is None else inputs,
        **more,  # type: ignore[arg-type]
    )


def models(size: int, *, better: int = 0, worse: int = 0) -> tuple[Rows, Rows]:
    """A candidate and a baseline: right but for 10 % of the rows, and that many differ."""
    labels = np.arange(size) % 2
    old = labels.copy()
    old[: size // 10] ^= 1
    new = old.copy()
    new[:better] ^= 1
    new[size - worse :] ^= 1 if worse else 0
    return rows(labels, new), rows(labels, old)


def by_rows(candidate: Rows, baseline: Rows, given_rules: Rules) -> Verdict:
    served = Baseline(label="b", metrics={"accuracy": 0.5}, rows=baseline)
    return judge(Candidate(metrics={"accuracy": 0.5}, rows=candidate), served, given_rules)


@pytest.mark.parametrize(
    ("size", "better", "worse", "rule", "reason"),
    [
        (5000, 0, 0, "max_loss: 0.01", "PASSED"),
        (100, 0, 0, "max_loss: 0.01", "TOO_FEW_ROWS"),
        (100, 0, 0, "max_loss: 0.04", "PASSED"),
        (5000, 50, 80, "max_loss: 0.01", "PASSED"),
        (5000, 0, 200, "max_loss: 0.01", "WORSE"),
        (5000, 100, 0, "min_gain: 0", "PASSED"),
        (5000, 100, 90, "min_gain: 0", "NOT_BETTER"),
        (5000, 0, 0, "min_gain: 0", "TIE"),
        (5000, 100, 0, "min_gain: 0.03", "NOT_BETTER"),
        (20, 2, 0, "max_loss: 0.5", "TOO_FEW_ROWS"),
    ],
)
def test_pairs_of_rows(size: int, better: int, worse: int, rule: str, reason: str) -> None:
    verdict = by_rows(*models(size, better=better, worse=worse), rules(f"metric: accuracy, {rule}"))
    assert verdict.reason.value == reason, verdict.detail
    (check,) = verdict.checks
    # Logged numbers do not count where there are rows.
    assert check.candidate == pytest.approx(0.9 + (better - worse) / size)
    assert check.low is not None
    assert check.low < (better - worse) / size
    assert "McNemar" in check.method


def test_too_few_rows_may_only_warn_where_that_is_written() -> None:
    given_rules = rules("metric: accuracy, max_loss: 0.01", more="too_few_rows: warn")
    verdict = by_rows(*models(100), given_rules)
    assert verdict.passed
    assert [check.reason for check in verdict.warnings] == [Reason.TOO_FEW_ROWS]


@pytest.mark.parametrize(
    ("worse", "rule", "reason"),
    [
        (0, "max_loss: 0.1", "PASSED"),
        (5, "max_loss: 0.1", "WORSE"),
        (0, "min_gain: 0", "PASSED"),
        (5, "min_gain: 0", "NOT_BETTER"),
    ],
)
def test_what_few_rows_say_against_a_candidate_counts(worse: int, rule: str, reason: str) -> None:
    given_rules = rules(f"metric: accuracy, {rule}", more="too_few_rows: warn\ntie: pass")
    verdict = by_rows(*models(20, worse=worse), given_rules)
    assert verdict.reason.value == reason, verdict.detail
    assert verdict.checks[0].reason is (Reason.TOO_FEW_ROWS if not worse else verdict.reason)
    assert "20 distinct inputs are fewer than 30" in verdict.checks[0].detail


def test_rows_that_give_no_bounds_reject() -> None:
    candidate, baseline = models(100, better=2)
    one_input = np.zeros(100, dtype=np.int64)
    candidate = rows(candidate.labels, candidate.predictions, inputs=one_input)
    given_rules = rules("metric: f1, max_loss: 0.5", more="min_inputs: 1")
    verdict = by_rows(candidate, baseline, given_rules)
    assert verdict.reason is Reason.TOO_FEW_ROWS
    assert "the rows give no bounds" in verdict.detail


def test_other_rows_reject_or_fall_back_to_single_numbers_in_writing() -> None:
    candidate, _ = models(100)
    _, other = models(200)
    rule = "metric: accuracy, max_loss: 0.5"
    assert by_rows(candidate, other, rules(rule)).reason is Reason.DIFFERENT_ROWS
    verdict = by_rows(candidate, other, rules(rule, more="different_rows: points"))
    assert verdict.passed
    assert verdict.checks[0].method.startswith("single numbers")


def test_slices_are_judged_one_by_one_and_against_each_other() -> None:
    candidate, baseline = models(4000, worse=60)
    part = np.array(["iron", "steel"] * 1960 + ["wood"] * 80, dtype=object)
    candidate = rows(candidate.labels, candidate.predictions, slices={"material": part})
    verdict = by_rows(
        candidate,
        baseline,
        rules(
            "metric: accuracy, max_loss: 0.05, slices: material",
            "metric: accuracy, floor: 0.9, slices: [material=steel, material=gold, colour]",
            "metric: accuracy, max_gap: 0.2, slices: material",
        ),
    )
    found = [(check.scope, check.reason.value) for check in verdict.checks]
    assert found == [
        *(("material=iron", "PASSED"), ("material=steel", "PASSED"), ("material=wood", "WORSE")),
        *(("material=gold", "SLICE_MISSING"), ("colour", "SLICE_MISSING")),
        *(("material=steel", "BELOW_FLOOR"), ("material", "SLICE_GAP")),
    ]
    assert verdict.reason is Reason.SLICE_MISSING
    assert "its values are iron, steel, wood" in verdict.detail


def test_a_column_of_very_many_values_is_no_slice() -> None:
    candidate, baseline = models(1000)
    part = np.array([f"part {n // 4}" for n in range(1000)], dtype=object)
    candidate = rows(candidate.labels, candidate.predictions, slices={"part": part})
    verdict = by_rows(candidate, baseline, rules("metric: accuracy, floor: 0, slices: part"))
    (check,) = verdict.checks
    assert check.reason is Reason.SLICE_MISSING
    assert "the column 'part' has 250 values, more than 200" in check.detail


def test_hygiene_is_measured_from_the_rows() -> None:
    labels = np.array([0, 1, 1, 1])
    candidate = rows(
        labels,
        np.ones(4),
        inputs=np.array([0, 1, 1, 2]),
        scores=np.array([0.6, 0.7, math.nan, 1.5]),
        seen=np.array([True, False, False, False]),
    )
    verdict = judge(
        Candidate(metrics={"training_positive_share": 0.5, "model_size_mb": 3}, rows=candidate),
        None,
        rules(
            "metric: seen_in_training, ceiling: 0",
            "metric: label_shift, ceiling: 0.2",
            "metric: distinct_predictions, floor: 2",
            "metric: invalid_scores, ceiling: 0",
            "metric: log_loss, ceiling: 1",
            "metric: model_size_mb, ceiling: 5",
        ),
    )
    assert [(c.candidate, c.reason.value) for c in verdict.checks[:4]] == [
        (pytest.approx(1 / 3), "ABOVE_CEILING"),
        (0.25, "ABOVE_CEILING"),
        (1, "BELOW_FLOOR"),
        (0.5, "ABOVE_CEILING"),
    ]
    assert [c.reason.value for c in verdict.checks[4:]] == ["METRIC_NOT_FINITE", "PASSED"]


def test_what_was_logged_of_all_rows_says_nothing_of_a_slice() -> None:
    candidate, _ = models(40)
    part = np.array(["iron", "steel"] * 20, dtype=object)
    candidate = rows(candidate.labels, candidate.predictions, slices={"material": part})
    verdict = judge(
        Candidate(metrics={"seen_in_training": 0.0}, rows=candidate),
        None,
        rules("metric: seen_in_training, ceiling: 0.1, max_gap: 0, slices: material"),
    )
    assert [check.reason.value for check in verdict.checks] == [
        *("METRIC_MISSING", "METRIC_MISSING", "METRIC_NOT_FINITE")
    ]


@pytest.mark.parametrize("slices", ["material", "material=iron"])
def test_a_gap_needs_two_slices(slices: str) -> None:
    candidate, _ = models(40)
    part = np.full(40, "iron", dtype=object)
    candidate = rows(candidate.labels, candidate.predictions, slices={"material": part})
    verdict = judge(
        Candidate(metrics={}, rows=candidate),
        None,
        rules(f"metric: accuracy, max_gap: 0.1, slices: {slices}"),
    )
    assert verdict.reason is Reason.SLICE_MISSING
    assert "material=iron is the only slice" in verdict.detail


def test_a_metric_is_found_by_the_other_name_that_it_was_logged_by() -> None:
    served = Baseline(label="b", metrics={"accuracy": 0.9})
    for name in ("acc", "accuracy"):
        given_rules = rules(f"metric: {name}, floor: 0.9, max_loss: 0", more=NUMBERS)
        assert judged({"acc": 0.9}, served, given_rules).passed


def test_numbers_too_large_to_add_are_compared() -> None:
    served = Baseline(label="b", metrics={"loss": 1.7e308})
    assert judged(
        {"loss": 1.7e308}, served, rules("metric: loss, max_loss: 0", more=NUMBERS)
    ).passed


def test_one_file_that_tells_the_inputs_is_enough() -> None:
    candidate, baseline = models(400)
    texts = np.array([str(n // 200) for n in range(400)], dtype=object)
    repeated = np.arange(400) // 200
    told = rows(baseline.labels, baseline.predictions, inputs=repeated, texts=texts)
    given_rules = rules("metric: accuracy, max_loss: 0.05")
    assert by_rows(candidate, baseline, given_rules).passed
    assert by_rows(candidate, told, given_rules).reason is Reason.TOO_FEW_ROWS


finite = st.floats(-1e6, 1e6)


@given(
    st.dictionaries(st.sampled_from(["accuracy", "loss"]), st.floats()),
    st.none()
    | st.builds(
        Baseline,
        label=st.just("b"),
        metrics=st.none() | st.dictionaries(st.sampled_from(["accuracy", "loss"]), st.floats()),
        unreachable=st.sampled_from(["", "no way"]),
    ),
    st.sampled_from([NOT_WORSE, BETTER, "metric: loss, ceiling: 1", "metric: acc, floor: 0.5"]),
    st.sampled_from([NUMBERS, "no_incumbent: pass"]),
)
def test_what_passes_was_looked_at(
    candidate: dict[str, float], baseline: Baseline | None, rule: str, more: str
) -> None:
    verdict = judged(candidate, baseline, rules(rule, more=more))
    (check,) = verdict.checks
    if verdict.passed:
        assert check.candidate is not None
        assert math.isfinite(check.candidate)
        assert not verdict.baseline.unreachable
        compared = math.isfinite(check.gain)
        assert compared or "no_incumbent" in more or "floor" in rule or "ceiling" in rule


@given(finite, finite)
def test_gain_is_positive_where_the_candidate_is_better(new: float, old: float) -> None:
    assert (gain("higher", new, old) > 0) is (new > old)
    assert gain("lower", new, old) == -gain("higher", new, old)


def test_what_the_rows_lack_for_a_measure_is_said() -> None:
    """A column of numbers, or a class that neither the labels nor the predictions have."""
    rows = Rows(
        ids=np.array(["a", "b"], dtype=object),
        model_type="multiclass",
        classes=("iron", "wood"),
        labels=np.array([0, 1]),
        predictions=np.array([0, 1]),
        inputs=np.arange(2),
    )
    text = (
        "rules: [{metric: 'mean:ms', direction: lower, ceiling: 1}, {metric: 'f1:tin', floor: 0}]"
    )
    verdict = judge(Candidate(metrics={}, rows=rows), None, read(text, source="t"))
    assert [check.detail for check in verdict.checks] == [
        "'mean:ms' of the candidate is no number: the predictions have no column 'ms'",
        "'f1:tin' of the candidate is no number: no label or prediction is 'tin'",
    ]
