"""Rows of two models, matched by their ids."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amltasks.gate.rows import Pair, Rows, paired


def rows(ids: list[str], labels: list[int], texts: list[str] | None = None) -> Rows:
    return Rows(
        ids=np.array(ids, dtype=object),
        labels=np.array(labels, dtype=np.int8),
        predictions=np.array(labels, dtype=np.int8),
        inputs=np.arange(len(ids)),
        texts=None if texts is None else np.array(texts, dtype=object),
    )


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (rows(["a"], [1]), "has 2 rows and the baseline 1, of which 1 have the same id"),
        (rows(["a", "c"], [1, 0]), "of which 1 have the same id"),
        (rows(["a", "b"], [1, 1]), "1 rows of the same id have another label"),
        (rows(["a", "b"], [1, 0], ["x", "z"]), "1 rows of the same id have another input"),
    ],
)
def test_other_rows_are_told(other: Rows, words: str) -> None:
    found = paired(rows(["a", "b"], [1, 0], ["x", "y"]), other)
    assert isinstance(found, str)
    assert words in found


@settings(deadline=None)  # the first example imports what finds clusters
@given(st.lists(st.text(max_size=3), min_size=1, unique=True), st.randoms())
def test_the_order_of_rows_does_not_matter(ids: list[str], random: object) -> None:
    labels = [len(each) % 2 for each in ids]
    order = list(range(len(ids)))
    random.shuffle(order)  # type: ignore[attr-defined]
    shuffled = rows([ids[i] for i in order], [labels[i] for i in order])
    found = paired(rows(ids, labels), shuffled)
    assert isinstance(found, Pair)
    assert found.baseline.predictions.tolist() == labels
    assert shuffled.digest == rows(ids, labels).digest
    assert shuffled.digest != rows(ids, [1 - label for label in labels]).digest


def test_weights_and_queries_are_part_of_the_digest() -> None:
    plain = rows(["a", "b"], [1, 0])
    changed = [
        plain,
        replace(plain, weights=np.array([1.0, 2.0])),
        replace(plain, weights=np.array([2.0, 1.0])),
        replace(plain, queries=np.array([0, 0])),
        replace(plain, queries=np.array([0, 1])),
    ]
    assert len({each.digest for each in changed}) == len(changed)
    weighted = replace(plain, weights=np.array([1.0, 2.0]))
    assert weighted.where(np.array([1, 0])).digest == weighted.digest
    # So it was before there were weights: what rules pin stays.
    lines = "a\t1\t\nb\t0\t\n"
    assert plain.digest == hashlib.sha256(lines.encode()).hexdigest()
