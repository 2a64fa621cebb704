"""Reading the rules, and the schema that editors check them by."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from amltasks.errors import TaskError
from amltasks.gate import schema
from amltasks.gate.rules import DEFAULT, Amount, Rule, Rules, read

REPOSITORY = Path(__file__).resolve().parents[4]
SAMPLE = REPOSITORY / "samples" / "compliance-classifier" / "gate.yml"


def rules_of(text: str) -> Rules:
    return read(text, source="gate.yml")


def test_every_key_is_read() -> None:
    found = rules_of("""
rules:
  - {metric: acc, floor: 0.9, max_loss: 5 %, slices: material, seeds: [0.9, 0.91]}
  - metric: loss_of_mine
    direction: lower
    ceiling: 2
    min_gain: 0.1
    severity: warn
  - {metric: recall, slices: [material=iron, age], max_gap: 0.2}
no_incumbent: pass
different_rows: points
too_few_rows: warn
tie: pass
confidence: 0.9
min_inputs: 10
resamples: 500
""")
    assert found == Rules(
        rules=(
            Rule(
                metric="accuracy",
                direction="higher",
                floor=0.9,
                max_loss=Amount(value=0.05, relative=True),
                slices=("material",),
                seeds=(0.9, 0.91),
            ),
            Rule(
                metric="loss_of_mine",
                direction="lower",
                ceiling=2.0,
                min_gain=Amount(value=0.1),
                severity="warn",
            ),
            Rule(metric="recall", direction="higher", slices=("material=iron", "age"), max_gap=0.2),
        ),
        no_incumbent="pass",
        different_rows="points",
        too_few_rows="warn",
        tie="pass",
        confidence=0.9,
        min_inputs=10,
        resamples=500,
    )
    assert found.slice_columns == ("material", "age")


def test_without_rules_accuracy_must_not_be_worse() -> None:
    (rule,) = rules_of(" \n").rules
    assert rule == Rule(metric="accuracy", direction="higher", max_loss=Amount(value=0.01))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2]", "the document is no mapping"),
        ("rules: []", "line 1: 'rules' is no list of at least one rule"),
        ("no_incumbent: pass", "the key 'rules' is missing"),
        ("rules:\n  - accuracy", "line 2: a rule is no mapping"),
        ("rules:\n  - {floor: 1}", "line 2: the key 'metric' is missing"),
        (
            "rules:\n  - metric: a\n    flor: 1",
            "line 3: there is no key 'flor'; did you mean 'floor'",
        ),
        (
            "rules:\n  - {metric: auc, floor: 1}\nno_incumbant: pass",
            "line 3: there is no key 'no_inc",
        ),
        ("rules:\n  - {metric: auc, direction: up, floor: 1}", "not 'higher' or 'lower'"),
        ("rules:\n  - {metric: mine, floor: 1}", "needs 'direction: higher'"),
        ("rules:\n  - {metric: auc}", "so it checks nothing"),
        ("rules:\n  - {metric: auc, min_gain: 0.1x}", "'min_gain' is '0.1x', not a number"),
        ("rules:\n  - {metric: auc, min_gain: -0.1}", "must not be negative (use max_loss)"),
        ("rules:\n  - {metric: auc, floor: true}", "'floor' is 'True', not a number"),
        ("rules:\n  - {metric: auc, floor: .inf}", "'floor' is '.inf', not a number"),
        ("rules:\n  - {metric: auc, min_gain: 0, max_loss: 0}", "they exclude another"),
        ("rules:\n  - {metric: auc, max_gap: 0}", "no slices to compare"),
        ("rules:\n  - {metric: auc, floor: 0, seeds: [1]}", "two trainings or more"),
        ("rules:\n  - {metric: auc, floor: 0, seeds: []}", "two trainings or more"),
        ("rules:\n  - metric: auc\n    floor:\n    max_loss: 0", "line 3: 'floor' has no value"),
        ("rules:\n  - metric: auc\n    slices:\n    floor: 0", "line 3: 'slices' has no value"),
        ("rules:\n  - {metric: auc, floor: 0}\ntie:", "line 3: 'tie' has no value"),
        ("rules:\n  - {metric: auc, floor: !!int x}", "it cannot be read"),
        ("rules: &r [*r]", "nested without an end"),
        ("rules:\n  - {metric: auc, floor: 0}\nconfidence: 95", "line 3: 'confidence' is 95"),
        ("rules:\n  - {metric: auc, floor: 0}\nresamples: 10", "'resamples' must be 100 or more"),
        ("rules:\n  - {metric: auc, floor: 0}\nmin_inputs: 1.5", "not a whole number"),
        ("rules:\n  - {metric: auc, floor: 0}\ntie: maybe", "not 'fail' or 'pass'"),
        ("rules:\n  - metric: auc\n    floor: 0\n    floor: 1", "line 4: 'floor' stands twice"),
        ("rules: [", "(line 1)"),
        ("rules:\n  - {metric: acuracy, floor: 1}", "did you mean 'accuracy'?"),
        ("rules:\n  - {metric: auc, floor: 0.9, ceiling: 0.8}", "above the ceiling 0.8"),
        ("rules:\n  - {metric: accuracy, max_loss: 5}", "the rule can never fail for 'accuracy'"),
        ("rules:\n  - {metric: auc, max_loss: 100 %}", "the rule can never fail"),
        ("rules:\n  - {metric: brier, min_gain: 120 %}", "the rule can never hold"),
        ("rules:\n  - {metric: brier, direction: higher, floor: 0}", "is better when lower"),
        ("rules:\n  - {metric: invalid_scores, direction: higher, floor: 0}", "better when lower"),
        ("rules:\n  - {metric: auc, floor: 0}\nevaluation: {}", "it pins nothing"),
        (
            "rules:\n  - {metric: auc, floor: 0}\nconfidence: 0.9999",
            "10000 resamples cannot show a bound at a confidence of 0.9999; give 50,000 or more",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, words: str) -> None:
    with pytest.raises(TaskError, match="RULES_INVALID") as found:
        rules_of(text)
    assert words in str(found.value)
    assert "gate.yml" in str(found.value)


WORDS = [*("metric", "direction", "floor", "rules", "slices", "seeds", "max_gap", "min_gain", "x")]
json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(WORDS), inner),
    max_leaves=12,
)


@given(json_values)
def test_no_document_ends_in_anything_but_rules_or_a_named_error(document: Any) -> None:
    try:
        assert rules_of(yaml.safe_dump(document, allow_unicode=True)).rules
    except TaskError as error:
        assert error.cause.code == "RULES_INVALID"


def test_the_schema_is_the_file_in_the_docs_and_takes_the_sample() -> None:
    kept = REPOSITORY / "docs" / "gate-rules.schema.json"
    assert kept.read_text(encoding="utf-8") == schema.text(), (
        "see the head of amltasks/gate/schema.py"
    )
    readme = (REPOSITORY / "tasks" / "EvaluateAndGateV1" / "README.md").read_text(encoding="utf-8")
    assert schema.filled(readme) == readme
    for text in (DEFAULT, SAMPLE.read_text(encoding="utf-8")):
        rules_of(text)
        jsonschema.validate(yaml.safe_load(text), schema.schema())


def written(value: Any) -> Iterator[str]:
    """The rules anywhere in a piece of YAML: the text in an input, or the document itself."""
    if isinstance(value, dict):
        found = value.get("rules")
        if isinstance(found, str):
            yield found
        elif found:
            yield yaml.safe_dump(value)
        else:
            yield from (each for item in value.values() for each in written(item))
    elif isinstance(value, list):
        yield from (each for item in value for each in written(item))


def test_the_rules_on_the_pages_can_be_used() -> None:
    pages = [
        path
        for pattern in ("extension/overview.md", "tasks/EvaluateAndGateV1/README.md", "docs/*.md")
        for path in REPOSITORY.glob(pattern)
    ]
    found = [
        text
        for page in pages
        for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
        for text in written(yaml.safe_load(block))
    ]
    assert len(found) >= 6
    for text in found:
        rules_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "rules: []",
        "rules: [{metric: auc, flor: 1}]",
        "rules: [{metric: auc}]",
        "rules: [{metric: auc, min_gain: 0, max_loss: 0}]",
        "rules: [{metric: auc, floor: 1, severity: note}]",
        "rules: [{metric: auc, floor: null, max_loss: 0}]",
        "rules: [{metric: auc, max_gap: 0}]",
        "rules: [{metric: auc, floor: 1, slices: []}]",
        "rules: [{metric: auc, floor: 1, slices: ['']}]",
        "rules: [{metric: auc, floor: 1, seeds: []}]",
        "rules: [{metric: auc, floor: 1, seeds: 1}]",
        "rules: [{metric: auc, floor: '1'}]",
        "rules: [{metric: auc, min_gain: -1}]",
        "rules: [{metric: auc, min_gain: -1%}]",
        "rules: [{metric: mine, floor: 1}]",
        "rules: [{metric: ' ', direction: lower, floor: 1}]",
        "rules: [{metric: 1, direction: lower, floor: 1}]",
        *(f"rules: [{{metric: auc, floor: 1}}]\nconfidence: {number}" for number in (0.5, 1)),
        "rules: [{metric: auc, floor: 1}]\nresamples: 99",
        "rules: [{metric: auc, floor: 1}]\nmin_inputs: 0",
        "rules: [{metric: auc, floor: 1}]\nno_incumbent:",
        "rules: [{metric: accuracy, max_loss: 5}]",
        "rules: [{metric: accuracy, max_loss: 1}]",
        "rules: [{metric: accuracy, floor: 95}]",
        "rules: [{metric: accuracy, ceiling: -0.1}]",
        "rules: [{metric: log_loss, floor: -1}]",
        "rules: [{metric: invalid_scores, ceiling: 2}]",
        "rules: [{metric: accuracy, max_gap: 1, slices: a}]",
        "rules: [{metric: mine, direction: lower, max_gap: -1, slices: [a]}]",
        "rules: [{metric: log_loss, direction: higher, max_loss: 0.01}]",
        "rules: [{metric: loss, direction: higher, floor: 0.01}]",
        *(f"rules: [{{metric: auc, floor: 1}}]\nconfidence: {n}" for n in (0.5001, 0.79, 0.99999)),
        "rules: [{metric: auc, floor: 1}]\nresamples: 1000000000000",
        "rules: [{metric: auc, floor: 1}]\nevaluation: {sha256: abc}",
        "rules: [{metric: auc, floor: 1}]\nevaluation: {min_rows: 0}",
        "rules: [{metric: auc, floor: 1}]\nevaluation: [1]",
        "rules: [{metric: auc, floor: 1}]\nsingle_numbers: maybe",
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(text: str) -> None:
    with pytest.raises(TaskError):
        rules_of(text)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(yaml.safe_load(text), schema.schema())


@pytest.mark.parametrize(
    "text",
    [
        "rules: [{metric: val_loss, max_loss: 5 %}]",
        "rules: [{metric: scoring_ms, ceiling: 5}]",
        "rules: [{metric: seen_in_training, ceiling: 0, slices: a=b}]",
        "rules: [{metric: mine, direction: lower, max_gap: 1, slices: [a], undefined: pass}]",
        "rules: [{metric: loss, max_loss: 1, single_numbers: pass, too_few_rows: warn}]",
        "rules: [{metric: auc, floor: 0}]\nevaluation: {min_rows: 5}\nsingle_numbers: warn",
        "rules: [{metric: roc_auc, min_gain: .5%, seeds: [1, 2]}]\nresamples: 100\nmin_inputs: 1",
    ],
)
def test_the_schema_takes_what_the_reader_takes(text: str) -> None:
    assert rules_of(text).rules
    jsonschema.validate(yaml.safe_load(text), schema.schema())
