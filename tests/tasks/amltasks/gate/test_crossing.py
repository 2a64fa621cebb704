"""Names of crossed slices: one spelling, however the rules write the cross."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amltasks.gate.crossing import CROSS, crossed

SIGN = "\N{MULTIPLICATION SIGN}"
"""Written x below."""


@pytest.mark.parametrize(
    ("written", "known"),
    [
        ("material * era", "material x era"),
        ("materialxera", "material x era"),
        ("material x  era", "material x era"),
        ("  material \t*\n era ", "material x era"),
        ("a * b * c", "a x b x c"),
        ("material=iron x old", "material=iron x old"),
        ("material", "material"),
        # A star that is part of a name or a value has no space on one of its sides.
        ("rating=5*", "rating=5*"),
        ("a*b", "a*b"),
        ("a* b", "a* b"),
    ],
)
def test_a_cross_is_written_in_one_way(written: str, known: str) -> None:
    assert crossed(written.replace("x", SIGN)) == known.replace("x", SIGN)


PARTS = st.lists(st.text(alphabet="ab=5", min_size=1), min_size=1)


@given(PARTS, st.sampled_from([" * ", SIGN, f" {SIGN}", "\t*  ", f"{SIGN}  "]))
def test_every_cross_means_the_same_and_is_written_once(parts: list[str], cross: str) -> None:
    known = crossed(cross.join(parts))
    assert known == CROSS.join(parts)
    assert crossed(known) == known
