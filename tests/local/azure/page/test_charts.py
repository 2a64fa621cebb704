"""The numbers of a chart."""

from __future__ import annotations

import math

import pytest

from local.azure.page.charts import HEIGHT, WIDTH, chart


def test_values_lie_in_the_picture_in_their_order() -> None:
    made = chart("loss", [("a", 3), ("b", 1.0), ("c", 2)])
    assert made
    assert (made.low, made.high, made.last) == (1, 3, 2)
    assert [mark.label for mark in made.marks] == ["a", "b", "c"]
    xs, ys = [mark.x for mark in made.marks], [mark.y for mark in made.marks]
    assert xs == sorted(xs)
    assert ys[0] < ys[2] < ys[1], "what is larger is higher"
    assert all(0 < x < WIDTH for x in xs)
    assert all(0 < y < HEIGHT for y in ys)
    assert made.line == " ".join(f"{x:g},{y:g}" for x, y in zip(xs, ys, strict=True))


@pytest.mark.parametrize(
    "values", [[], [1.0], ["NaN", 1.0], [math.inf, 1.0], [math.nan, math.nan], ["Infinity", "x"]]
)
def test_fewer_than_two_numbers_are_no_chart(values: list[float | str]) -> None:
    assert chart("loss", [("", value) for value in values]) is None


@pytest.mark.parametrize("values", [(0.0, 0.0), (-1.7e308, 1.7e308), (5e-324, 0.0), (1, 1 + 1e-16)])
def test_odd_numbers_have_a_place(values: tuple[float, float]) -> None:
    made = chart("x", [("", value) for value in values])
    assert made
    assert all(math.isfinite(mark.y) and 0 < mark.y < HEIGHT for mark in made.marks)
