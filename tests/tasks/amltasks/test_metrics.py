"""Metrics of runs and steps, and their way through a model's tags."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amltasks import metrics

finite = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("logged", "found"),
    [
        ({"a": 1}, {"a": 1.0}),
        ({"loss": [3, 2, 1]}, {"loss": 1.0}),
        ({"ok": True, "t": {"x": [1]}, "s": "text", "none": None, "empty": []}, {}),
        ({"inf": "Infinity"}, {"inf": math.inf}),
    ],
)
def test_only_numbers_count(logged: dict[str, object], found: dict[str, float]) -> None:
    assert metrics.numbers(logged) == found


def test_nan_is_a_number_that_the_gate_must_see() -> None:
    assert math.isnan(metrics.numbers({"a": "NaN"})["a"])


def test_the_run_wins_and_ambiguous_names_get_their_step() -> None:
    found = metrics.merged(
        {"accuracy": 0.9},
        [
            ("train", {"accuracy": 0.5, "loss": 1.0, "epochs": 3.0}),
            ("evaluate", {"accuracy": 0.9, "loss": 2.0, "auc": 0.8}),
        ],
    )
    assert found == {
        "accuracy": 0.9,
        "train.loss": 1.0,
        "evaluate.loss": 2.0,
        "epochs": 3.0,
        "auc": 0.8,
    }


@given(
    st.dictionaries(st.sampled_from("abc"), finite),
    st.lists(
        st.tuples(st.sampled_from(["s", "t"]), st.dictionaries(st.sampled_from("abc"), finite))
    ),
)
def test_nothing_is_lost_and_nothing_of_the_run_changes(
    root: dict[str, float], steps: list[tuple[str, dict[str, float]]]
) -> None:
    found = metrics.merged(root, steps)
    assert root.items() <= found.items()
    for step, own in dict(steps).items():
        for name, value in own.items():
            assert name in root or value in (found.get(name), found.get(f"{step}.{name}"))


@given(st.dictionaries(st.text(min_size=1), finite))
def test_tags_read_back_to_the_same_numbers(found: dict[str, float]) -> None:
    assert metrics.from_tags(metrics.as_tags(found)) == found


def test_other_tags_are_no_metrics() -> None:
    tags = {"metric.a": "1", "metric.b": "much", "metric.": "2", "build": "7"}
    assert metrics.from_tags(tags) == {"a": 1.0}
