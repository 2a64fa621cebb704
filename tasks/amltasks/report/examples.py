"""Rows that the candidate newly gets wrong, and newly right: the ones a person should look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from amltasks.gate.model_types import BINARY, MULTICLASS, REGRESSION
from amltasks.gate.rows import Array, Pair, Rows
from amltasks.gate.verdict import Verdict
from amltasks.report.text import shortened

_CHARACTERS = 160


@dataclass(frozen=True, kw_only=True)
class Example:
    """One row: its id, what the models were given, and what each said; all texts for people."""

    id: str
    given: str
    label: str
    candidate: str
    baseline: str


@dataclass(frozen=True, kw_only=True)
class Examples:
    """Some of the rows of one kind: a title, how many there are, and the ones that are shown."""

    title: str
    total: int
    shown: tuple[Example, ...]


def of(verdict: Verdict) -> list[Examples]:
    """Return the newly wrong and the newly right rows, at most ``verdict.examples`` of each.

    None without both models' rows, and for kinds of model of which a row is neither right nor
    wrong. Of a regression they are the rows whose error grew and shrank most.
    """
    rows, pair, most = verdict.candidate_rows, verdict.pair, verdict.examples
    if rows is None or pair is None or not most:
        return []
    if pair.model_type == REGRESSION:
        change = np.abs(pair.candidate.predictions - pair.labels) - np.abs(
            pair.baseline.predictions - pair.labels
        )
        titles = ("Error grew most", "Error shrank most")
    elif pair.model_type in (BINARY, MULTICLASS):
        change = (pair.candidate.predictions != pair.labels).astype(np.float64) - (
            pair.baseline.predictions != pair.labels
        )
        titles = ("Newly wrong", "Newly right")
    else:
        return []
    found = (
        _kind(rows, pair, titles[0], change, most),
        _kind(rows, pair, titles[1], -change, most),
    )
    return [each for each in found if each.total]


def _kind(rows: Rows, pair: Pair, title: str, change: Array, most: int) -> Examples:
    """The rows with a positive change, the surest errors first, each distinct input once."""
    at = np.flatnonzero(change > 0)
    order = at[np.argsort(-(change[at] + _confidence(pair)[at]), kind="stable")]
    _, first = np.unique(pair.inputs[order], return_index=True)
    kept = order[np.sort(first)][:most]
    return Examples(title=title, total=len(at), shown=tuple(_examples(rows, pair, kept)))


def _confidence(pair: Pair) -> Array:
    """How far the two models' scores are apart, 0 to 1; 0 where there are none."""
    new, old = pair.candidate.scores, pair.baseline.scores
    if pair.model_type != BINARY or new is None or old is None:
        return np.zeros(len(pair))
    apart = np.nan_to_num(np.abs(new - old), nan=0.0, posinf=0.0, neginf=0.0)
    return np.asarray(np.clip(apart, 0.0, 0.999))


def _examples(rows: Rows, pair: Pair, kept: Array) -> Iterator[Example]:
    def said(value: float | int) -> str:
        return f"{value:.5g}" if pair.model_type == REGRESSION else pair.classes[int(value)]

    for at in kept:
        yield Example(
            id=shortened(str(rows.ids[at]), _CHARACTERS),
            given="" if rows.texts is None else shortened(str(rows.texts[at]), _CHARACTERS),
            label=said(pair.labels[at]),
            candidate=said(pair.candidate.predictions[at]),
            baseline=said(pair.baseline.predictions[at]),
        )
