"""The checks: evidence that is missing, measures that are not defined, and what is certain."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from amltasks.errors import TaskError
from amltasks.gate.judge import Candidate, judge
from amltasks.gate.model_types import REGRESSION
from amltasks.gate.rows import Rows
from amltasks.gate.rules import DEFAULT, read
from amltasks.gate.verdict import Baseline, Reason, Verdict

ALTERNATING = np.array([0, 1] * 150)


def rows(labels: Any, predictions: Any, **more: Any) -> Rows:
    size = len(labels)
    return Rows(
        ids=np.arange(size).astype(str).astype(object),
        labels=np.asarray(labels, np.int8),
        predictions=np.asarray(predictions, np.int8),
        inputs=np.arange(size),
        **more,
    )


def wrong(labels: Any, count: int) -> Any:
    found = np.array(labels)
    found[:count] ^= 1
    return found


def judged(
    candidate: Rows | None,
    baseline: Rows | None,
    text: str,
    *,
    metrics: dict[str, float] | None = None,
    baseline_metrics: dict[str, float] | None = None,
    **more: Any,
) -> Verdict:
    served = Baseline(label="b", metrics=baseline_metrics or {}, rows=baseline, **more)
    return judge(Candidate(metrics=metrics or {}, rows=candidate), served, read(text, source="t"))


GOOD, PERFECT = rows(ALTERNATING, wrong(ALTERNATING, 3)), rows(ALTERNATING, ALTERNATING)
LOGGED = {"accuracy": 0.99, "auc": 0.99, "loss": 0.1}
SCORED = rows(ALTERNATING, ALTERNATING, scores=ALTERNATING.astype(float))


@pytest.mark.parametrize(
    ("candidate", "baseline", "rule", "more", "reason"),
    [
        (None, PERFECT, "accuracy, max_loss: 0.01", {}, "NO_PREDICTIONS"),
        (PERFECT, None, "accuracy, max_loss: 0.01", {}, "NO_BASELINE_PREDICTIONS"),
        (PERFECT, SCORED, "auc, max_loss: 0.01", {}, "SCORES_MISSING"),
        (SCORED, PERFECT, "auc, max_loss: 0.01", {}, "SCORES_MISSING"),
        (PERFECT, None, "auc, floor: 0.9", {}, "SCORES_MISSING"),
        (PERFECT, PERFECT, "loss, max_loss: 0.01", {}, "SINGLE_NUMBERS"),
        (PERFECT.where(ALTERNATING == 1), PERFECT, "recall, max_loss: 0.1", {}, "DIFFERENT_ROWS"),
        (PERFECT, None, "accuracy, max_loss: 0.01", {"rescoring": "503"}, "RESCORING_FAILED"),
    ],
)
def test_less_evidence_is_a_reason_and_single_numbers_count_in_writing_only(
    candidate: Rows | None, baseline: Rows | None, rule: str, more: dict[str, str], reason: str
) -> None:
    given: dict[str, Any] = {"metrics": LOGGED, "baseline_metrics": LOGGED, **more}
    text = f"rules: [{{metric: {rule}}}]"
    found = judged(candidate, baseline, text, **given)
    assert found.reason.value == reason, found.detail
    warned = judged(candidate, baseline, text + "\nsingle_numbers: warn", **given)
    passed = judged(candidate, baseline, text + "\nsingle_numbers: pass", **given)
    assert warned.passed
    assert passed.passed
    if "floor" not in rule:
        assert [check.reason.value for check in warned.warnings] == [reason]
        assert "Chance was not looked at" in passed.notes[0]
        assert "Chance was not looked at" in warned.notes[0]
    own = judged(candidate, baseline, f"rules: [{{metric: {rule}, single_numbers: pass}}]", **given)
    assert own.passed


def test_a_candidate_without_its_predictions_never_passes_more_easily() -> None:
    with_rows = judged(GOOD, PERFECT, DEFAULT, metrics=LOGGED, baseline_metrics={"accuracy": 1.0})
    assert with_rows.reason is Reason.WORSE or with_rows.reason is Reason.TOO_FEW_ROWS
    without = judged(None, PERFECT, DEFAULT, metrics=LOGGED, baseline_metrics={"accuracy": 1.0})
    assert without.reason is Reason.NO_PREDICTIONS


def test_the_incumbents_own_rows_count_more_than_what_it_logged() -> None:
    found = judged(
        None,
        PERFECT,
        DEFAULT + "single_numbers: pass",
        metrics={"accuracy": 0.6},
        baseline_metrics={"accuracy": 0.6},
    )
    assert found.reason is Reason.WORSE
    assert found.checks[0].baseline == 1.0
    assert any("The baseline logged accuracy as 0.6" in note for note in found.notes)


def test_what_the_candidate_logged_is_checked_against_its_rows() -> None:
    found = judged(GOOD, GOOD, "rules: [{metric: acc, floor: 0.9}]", metrics={"acc": 0.6})
    assert found.passed
    assert found.checks[0].candidate == 0.99
    assert found.notes == (
        "The candidate logged accuracy as 0.6, and its own rows give 0.99: the rows count",
    )


@pytest.mark.parametrize("limit", ["floor: 0.9", "max_gap: 0.1", "max_loss: 0.1"])
def test_a_perfect_model_is_not_rejected_by_a_slice_without_positives(limit: str) -> None:
    labels = np.zeros(1000, int)
    labels[:500] = 1
    part = np.array(["a"] * 600 + ["b"] * 400, object)
    perfect = rows(labels, labels, slices={"part": part})
    rule = f"metric: recall, slices: part, {limit}"
    found = judged(perfect, perfect, f"rules: [{{{rule}}}]")
    assert found.passed, found.detail
    assert found.warnings == ()
    assert [c.severity for c in found.checks if not c.passed] == ["note"]
    strict = judged(perfect, perfect, f"rules: [{{{rule}, undefined: fail}}]")
    assert strict.reason is Reason.UNDEFINED
    assert "not defined" in strict.detail


def test_what_the_model_itself_leaves_undefined_rejects() -> None:
    never = rows(ALTERNATING, np.zeros(300), slices={"part": np.full(300, "a", object)})
    for where in ("", ", slices: part"):
        rule = f"metric: precision, floor: 0.1{where}"
        found = judged(never, None, f"rules: [{{{rule}}}]")
        assert found.reason is Reason.UNDEFINED, found.detail
        assert judged(never, None, f"rules: [{{{rule}, undefined: pass}}]").passed
    behind = judged(PERFECT, never, "rules: [{metric: precision, max_loss: 0.1}]")
    assert behind.reason is Reason.UNDEFINED
    assert "of the baseline (b)" in behind.detail


def test_one_class_has_no_auc() -> None:
    ones = rows(np.ones(50), np.ones(50), scores=np.linspace(0, 1, 50))
    found = judged(ones, None, "rules: [{metric: auc, floor: 0.5}]")
    assert found.reason is Reason.UNDEFINED


@pytest.mark.parametrize("more", ["", "too_few_rows: warn"])
def test_a_loss_that_is_certain_is_worse(more: str) -> None:
    labels = np.arange(20_000) % 2
    old = wrong(labels, 200)
    new = np.array(old)
    new[1000:1190] ^= 1
    new[:10] ^= 1
    rule = "rules: [{metric: accuracy, max_loss: 0.01}]\n"
    found = judged(rows(labels, new), rows(labels, old), rule + more)
    (check,) = found.checks
    assert found.reason is Reason.WORSE
    assert "worse for certain" in check.detail
    assert check.high < 0
    # The p-value is that of the decision: the loss is certain, though its size is not.
    assert check.p_value < 1e-30
    assert check.tested == "a gain of 0 or more"
    assert check.line == -0.01


@pytest.mark.parametrize(
    ("rule", "changed", "reason", "tested", "significant"),
    [
        ("max_loss: 0.05", 4, "PASSED", "a gain of -0.05 or less", True),
        ("max_loss: 0.005", 1, "TOO_FEW_ROWS", "a gain of -0.005 or less", False),
        ("max_loss: 0.01", 40, "WORSE", "a gain of 0 or more", True),
        ("min_gain: 0.001", 4, "NOT_BETTER", "a gain of 0.001 or less", False),
        ("min_gain: 0", 0, "TIE", "", None),
        ("floor: 0.995", 4, "BELOW_FLOOR", "", None),
        ("floor: 0.9, max_loss: 0.05", 4, "PASSED", "a gain of -0.05 or less", True),
        ("floor: 0.995, max_loss: 0.05", 4, "BELOW_FLOOR", "", None),
        ("floor: 0.95, slices: half", 40, "BELOW_FLOOR", "a value of 0.95 or more", True),
        ("floor: 0.995, slices: half", 4, "TOO_FEW_ROWS", "a value of 0.995 or more", False),
        ("floor: 0.9, max_loss: 0.1, slices: half", 4, "PASSED", "a gain of -0.1 or less", True),
    ],
)
def test_p_is_that_of_the_test_that_decided(
    rule: str, changed: int, reason: str, tested: str, significant: bool | None
) -> None:
    labels = np.arange(500) % 2
    new = np.array(labels)
    new[:changed] ^= 1
    half = np.repeat(np.array(["first", "second"], object), 250)
    verdict = judged(
        rows(labels, new, slices={"half": half}),
        rows(labels, labels, slices={"half": half}),
        f"rules: [{{metric: accuracy, {rule}}}]",
    )
    check = next((each for each in verdict.checks if not each.passed), verdict.checks[0])
    assert (check.reason.value, check.tested) == (reason, tested), check.detail
    if significant is None:
        assert math.isnan(check.p_value)
    else:
        assert (check.p_value < 0.05) is significant


def test_there_is_no_p_where_the_inputs_are_too_few() -> None:
    labels = np.arange(20) % 2
    rule = "rules: [{metric: accuracy, min_gain: 0}]"
    (check,) = judged(rows(labels, labels), rows(labels, 1 - labels), rule).checks
    assert (check.reason, check.tested) == (Reason.TOO_FEW_ROWS, "")
    assert check.low > 0
    assert math.isnan(check.p_value)


@pytest.mark.parametrize("metric", ["accuracy", "recall", "f1", "precision", "balanced_accuracy"])
def test_p_and_the_bound_decide_alike(metric: str) -> None:
    generator = np.random.default_rng(3)
    for number in range(12):
        labels = generator.integers(0, 2, 800)
        old = labels ^ (generator.random(800) < 0.1)
        new = labels ^ (generator.random(800) < 0.05 + 0.01 * number)
        text = f"rules: [{{metric: {metric}, max_loss: 0.02}}]\nresamples: 1000"
        (check,) = judged(rows(labels, new), rows(labels, old), text).checks
        shown = check.high < 0 or check.passed
        assert (check.p_value < 0.05) == shown, (number, check.p_value, check.low)


@pytest.mark.parametrize(
    ("candidate", "evaluation", "reason"),
    [
        (PERFECT, f"sha256: {PERFECT.digest}, min_rows: 300, min_inputs: 300", "PASSED"),
        (GOOD, f"sha256: {PERFECT.digest}", "PASSED"),
        (None, f"sha256: {PERFECT.digest}", "NO_PREDICTIONS"),
        (PERFECT.where(ALTERNATING == 1), f"sha256: {PERFECT.digest}", "EVALUATION_CHANGED"),
        (rows(1 - ALTERNATING, ALTERNATING), f"sha256: {PERFECT.digest}", "EVALUATION_CHANGED"),
        (PERFECT.where(ALTERNATING == 1), "min_rows: 200", "ROWS_MISSING"),
        (PERFECT, "min_inputs: 301", "ROWS_MISSING"),
    ],
)
def test_the_evaluation_set_can_be_pinned(
    candidate: Rows | None, evaluation: str, reason: str
) -> None:
    text = f"rules: [{{metric: accuracy, ceiling: 1}}]\nevaluation: {{{evaluation}}}"
    found = judged(candidate, None, text, metrics=LOGGED)
    assert found.reason.value == reason, found.detail


def test_a_metric_that_nobody_logged_gets_the_nearest_name() -> None:
    text = "rules: [{metric: acuracy, direction: higher, floor: 0.5}]"
    found = judged(None, None, text, metrics={"accuracy": 1.0})
    assert found.reason is Reason.METRIC_MISSING
    assert "did you mean 'accuracy'?" in found.detail


def test_a_slice_that_does_not_exist_is_named_before_anything_else() -> None:
    part = np.array(["iron", "steel"] * 150, object)
    candidate = rows(ALTERNATING, wrong(ALTERNATING, 12), slices={"material": part})
    found = judged(candidate, None, "rules: [{metric: accuracy, floor: 1, slices: 'material=x'}]")
    assert (found.reason, len(found.checks)) == (Reason.SLICE_MISSING, 1)


def test_rules_that_expand_without_end_are_refused() -> None:
    levels = "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 10)}]\n" for n in range(8)
    )
    text = f"a: &a [x,x,x,x,x,x,x,x,x,x]\n{levels}rules: *i\n"
    for each in (text, "rules: " + "[" * 5000, "rules: &r [*r]", "rules: " + "[" * 60 + "]" * 60):
        with pytest.raises(TaskError, match="RULES_INVALID"):
            read(each, source="t")


def sliced(share: float, seed: int, *, slices: int = 20, size: int = 100) -> Rows:
    generator = np.random.default_rng(seed)
    labels = generator.integers(0, 2, slices * size)
    part = np.repeat(np.arange(slices), size).astype(str).astype(object)
    return rows(labels, labels ^ (generator.random(len(labels)) > share), slices={"part": part})


def test_chance_on_many_slices_is_told_from_a_broken_limit() -> None:
    """20 equal slices of 100 rows at a true 0.95: the family-wise error stays below 5 %."""
    rules = "rules:\n  - {metric: accuracy, slices: part, %s}\ntoo_few_rows: warn"
    for limit in ("floor: 0.9", "max_gap: 0.1"):
        found = [judged(sliced(0.95, seed), None, rules % limit) for seed in range(30)]
        rejected = sum(not each.passed for each in found)
        measured = sum(any(not c.passed for c in each.checks) for each in found)
        # 5 % of 30, and three standard errors.
        assert rejected <= 5, limit
        assert measured > rejected, limit
        closed = rules.removesuffix("warn") + "fail"
        assert judged(sliced(0.95, 1), None, closed % "max_gap: 0.01").reason is Reason.TOO_FEW_ROWS


def test_a_slice_that_is_truly_bad_is_found_among_many() -> None:
    candidate = sliced(0.95, 1)
    spoilt = np.array(candidate.predictions)
    spoilt[:30] = 1 - candidate.labels[:30]
    bad = rows(candidate.labels, spoilt, slices=candidate.slices)
    text = "rules:\n  - {metric: accuracy, slices: part, %s}\ntoo_few_rows: warn"
    floor = judged(bad, None, text % "floor: 0.9")
    assert [check.scope for check in floor.checks if check.blocks] == ["part=0"]
    (first, *_) = floor.checks
    assert first.value_low < 0.7 < first.value_high < 0.9
    assert first.rows == 100
    assert judged(bad, None, text % "max_gap: 0.1").reason is Reason.SLICE_GAP


def test_a_slice_is_what_the_incumbents_rows_say() -> None:
    part, other = np.full(300, "a", object), np.full(300, "b", object)
    new, old = (rows(ALTERNATING, ALTERNATING, slices={"part": each}) for each in (other, part))
    found = judged(new, old, "rules: [{metric: accuracy, max_loss: 0.1, slices: part}]")
    assert found.reason is Reason.DIFFERENT_ROWS
    assert "have another 'part'" in found.detail


def test_the_bounds_of_a_value_stay_within_its_range() -> None:
    (check,) = judged(PERFECT, None, "rules: [{metric: accuracy, floor: 0.9}]").checks
    assert (check.candidate, check.value_high) == (1.0, 1.0)
    assert 0.98 < check.value_low < 1


@pytest.mark.parametrize(
    ("metrics", "says", "reason"),
    [
        ({"accuracy": 0.99}, "", "SINGLE_NUMBERS"),
        ({"accuracy": 0.99}, "single_numbers: warn", "PASSED"),
        ({"accuracy": 0.4}, "single_numbers: pass", "BELOW_FLOOR"),
        ({"other": 1.0}, "", "METRIC_MISSING"),
    ],
)
def test_rows_of_another_kind_do_not_vouch_for_a_logged_number(
    metrics: dict[str, float], says: str, reason: str
) -> None:
    numbers = rows(ALTERNATING, ALTERNATING, model_type=REGRESSION, classes=())
    text = f"rules:\n- {{metric: accuracy, floor: 0.5}}\n{says}"
    verdict = judge(Candidate(metrics=metrics, rows=numbers), None, read(text, source="t"))
    assert verdict.reason.value == reason
    trusted = any("No rows tell accuracy" in note for note in verdict.notes)
    assert trusted == bool(says)
