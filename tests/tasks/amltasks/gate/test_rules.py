"""Reading the rules."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amltasks.errors import TaskError
from amltasks.gate.rules import Rule, read

GOOD = {"metric": "accuracy", "direction": "higher", "min_gain": 0}


def test_rules_are_read() -> None:
    found = read([GOOD, {"metric": "loss", "direction": "lower", "floor": 0.5}])
    assert found.rules == (
        Rule(metric="accuracy", direction="higher", min_gain=0.0),
        Rule(metric="loss", direction="lower", floor=0.5),
    )
    assert not found.no_incumbent_passes


@pytest.mark.parametrize(("policy", "passes"), [("pass", True), ("fail", False)])
def test_the_policy_for_a_first_model(policy: str, passes: bool) -> None:
    assert read([GOOD, {"no_incumbent": policy}]).no_incumbent_passes is passes


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (None, "not a YAML list"),
        ({"metric": "a"}, "not a YAML list"),
        ([], "no rule with a metric"),
        ([{"no_incumbent": "pass"}], "no rule with a metric"),
        (["accuracy"], "item 1 is no mapping"),
        ([GOOD, {"direction": "higher", "floor": 1}], "item 2 names no metric"),
        ([{**GOOD, "flor": 1}], "unknown key 'flor'"),
        ([{**GOOD, "direction": "up"}], "needs 'direction: higher'"),
        ([{"metric": "a", "floor": 1}], "needs 'direction: higher'"),
        ([{"metric": "a", "direction": "lower"}], "checks nothing"),
        ([{**GOOD, "min_gain": "0.1x"}], "'min_gain' of the rule for 'accuracy' is '0.1x'"),
        ([{**GOOD, "floor": True}], "'floor' of the rule"),
        ([{**GOOD, "floor": float("inf")}], "not a number"),
        ([GOOD, {"no_incumbent": "maybe"}], "not 'pass' or 'fail'"),
        ([GOOD, {"no_incumbent": "pass"}, {"no_incumbent": "pass"}], "one list item of its own"),
        ([{**GOOD, "no_incumbent": "pass"}], "one list item of its own"),
    ],
)
def test_what_is_wrong_is_named(document: Any, words: str) -> None:
    with pytest.raises(TaskError, match="RULES_INVALID") as found:
        read(document)
    assert words in str(found.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*GOOD, "floor", "x"]), inner),
    max_leaves=12,
)


@given(json_values)
def test_no_document_ends_in_anything_but_rules_or_a_named_error(document: Any) -> None:
    try:
        assert read(document).rules
    except TaskError as error:
        assert error.cause.code == "RULES_INVALID"
