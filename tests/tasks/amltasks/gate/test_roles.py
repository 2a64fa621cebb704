"""Keys of the rules about the predictions: the columns, the positive label, the kind of model."""

from __future__ import annotations

import pytest

from amltasks.errors import TaskError
from amltasks.gate.rules import Rules, read

RULE = "rules: [{metric: accuracy, floor: 0.5}]\n"


def rules_of(text: str) -> Rules:
    return read(text, source="t")


def test_columns_are_named_by_what_they_stand_for() -> None:
    found = rules_of(RULE + "columns: {label: y_true, quantile_0.9: ' p90 '}")
    assert found.columns == {"label": "y_true", "quantile_0.9": "p90"}
    assert rules_of(RULE).columns == {}
    # What a model was given may be one group.
    assert rules_of(RULE + "columns: {text: a, group: a}").columns == {"text": "a", "group": "a"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("columns: {lable: y}", "line 2: there is no column 'lable'; did you mean 'label'?"),
        ("columns: {quantile_1: y}", "there is no column 'quantile_1'; "),
        ("columns: {zzz: y}", "the columns are id, label, prediction, score, text,"),
        ("columns: {label: 3}", "'label' is '3', not the name of a column"),
        ("columns: [label]", "'columns' is no mapping such as {label: y_true, score: p}"),
        ("columns: {}", "'columns' is no mapping"),
        ("columns: {label: a, score: A}", "'label' and 'score' are the same column 'A'"),
        ("columns: {quantile_0.9: a, label: a}", "'label' and 'quantile_0.9' are the same"),
        ("positive_label: ' '", "'positive_label' is no label"),
        ("positive_label: [a]", "'positive_label' is no label"),
        (
            "model_type: regression\npositive_label: a",
            "is for two labels, not for 'model_type: reg",
        ),
        ("model_type: linear", "'model_type' is 'linear', not"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(TaskError, match="RULES_INVALID") as found:
        rules_of(RULE + text)
    assert words in str(found.value)


@pytest.mark.parametrize(
    ("written", "label"),
    [("true", "true"), ("1", "1"), ("1.0", "1"), ("0.5", "0.5"), ("' a b '", "a b")],
)
def test_a_label_is_as_the_predictions_have_it(written: str, label: str) -> None:
    assert rules_of(f"{RULE}positive_label: {written}").positive_label == label


@pytest.mark.parametrize(
    ("metrics", "more", "kinds"),
    [
        ("accuracy", "", ("binary", "multiclass", "multilabel")),
        ("accuracy, bleu", "", ("binary", "multiclass", "multilabel")),
        ("accuracy", "positive_label: a", ("binary",)),
        ("recall", "", ("binary",)),
        ("macro_f1, log_loss", "", ("multiclass",)),
        ("rmse, 'pinball@0.9'", "", ("regression",)),
        ("'ndcg@10'", "", ("ranking",)),
        ("accuracy, rmse", "model_type: binary", ("binary",)),
    ],
)
def test_the_measures_tell_the_kind_of_model(
    metrics: str, more: str, kinds: tuple[str, ...]
) -> None:
    rules = ", ".join(
        f"{{metric: {each.strip()}, direction: {_better(each)}, floor: 0}}"
        for each in metrics.split(",")
    )
    assert rules_of(f"rules: [{rules}]\n{more}").model_types == kinds


def _better(metric: str) -> str:
    return "lower" if any(each in metric for each in ("loss", "rmse", "pinball")) else "higher"


def test_measures_that_no_kind_of_model_has_together_are_refused() -> None:
    both = "rules: [{metric: accuracy, floor: 0.5}, {metric: rmse, ceiling: 1}]"
    with pytest.raises(TaskError, match="no one kind of model has all of accuracy, rmse; write"):
        rules_of(both)
    with pytest.raises(TaskError, match="all of rmse and 'positive_label'"):
        rules_of("rules: [{metric: rmse, ceiling: 1}]\npositive_label: a")


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("ndcg@0", "'ndcg@0' needs a whole number, such as ndcg@10"),
        ("top_k_accuracy@", "needs a whole number, such as top_k_accuracy@10"),
        ("pinball@1", "needs a quantile between 0 and 1, such as pinball@0.9"),
        ("recall:", "names nothing after the colon; write recall:CLASS"),
        ("mean:bleu", "needs 'direction: higher' or 'direction: lower'"),
    ],
)
def test_a_parameter_that_does_not_fit_is_named(metric: str, words: str) -> None:
    with pytest.raises(TaskError, match="RULES_INVALID") as found:
        rules_of(f"rules: [{{metric: '{metric}', floor: 0}}]")
    assert words in str(found.value)


def test_one_metric_has_one_direction() -> None:
    both = ", ".join(
        f"{{metric: 'mean:ms', direction: {way}, floor: 0}}" for way in ("lower", "higher")
    )
    with pytest.raises(TaskError, match="have both directions"):
        rules_of(f"rules: [{both}]")


def test_a_number_in_a_name_is_written_one_way() -> None:
    (rule,) = rules_of("rules: [{metric: 'pinball@.90', ceiling: 1}]").rules
    assert rule.metric == "pinball@0.9"


@pytest.mark.parametrize(
    "written", ["a * b", "a \N{MULTIPLICATION SIGN} b", "a\N{MULTIPLICATION SIGN}b"]
)
def test_crossed_slices_are_written_one_way(written: str) -> None:
    found = rules_of(f"rules: [{{metric: accuracy, floor: 0, slices: '{written}'}}]")
    assert found.slice_columns == ("a \N{MULTIPLICATION SIGN} b",)
    found = rules_of("rules: [{metric: accuracy, floor: 0, slices: 'a*b'}]")
    assert found.slice_columns == ("a*b",)


@pytest.mark.parametrize(
    ("rules", "needed"),
    [
        ("[{metric: size, direction: lower, ceiling: 1}]", False),
        ("[{metric: size, direction: lower, ceiling: 1, slices: a}]", True),
        ("[{metric: invalid_scores, ceiling: 0}]", True),
        ("[{metric: accuracy, floor: 0}]", True),
    ],
)
def test_rules_say_whether_they_need_rows(rules: str, needed: bool) -> None:
    assert rules_of(f"rules: {rules}").need_rows is needed
