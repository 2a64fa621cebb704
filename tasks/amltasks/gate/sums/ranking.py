"""Sums of a ranking: a number for each query, in its first row.

Sources: Järvelin & Kekäläinen, ACM TOIS 20 (2002), for NDCG; McSherry & Najork, "Computing
information retrieval performance measures efficiently in the presence of tied scores" (2008).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from amltasks.gate.rows import Array, Side, Truth
from amltasks.gate.sums.family import Family, Floats, mean, ratio, summed


@dataclass(frozen=True, kw_only=True)
class _Lists:
    """Rows by query, in each by falling score: where queries and ties begin, and the relevances."""

    order: Array
    query: Array
    starts: Array
    tie: Array
    tie_starts: Array
    relevance: Array

    @property
    def rank(self) -> Array:
        """Each row's place in its query, from 0."""
        return np.arange(len(self.query)) - self.starts[self.query]

    def by_query(self, values: Array) -> Floats:
        """Sums over the rows of each query."""
        return np.add.reduceat(values, self.starts).astype(np.float64)

    def by_tie(self, values: Array) -> Floats:
        """Sums over the rows of each tie."""
        return np.add.reduceat(values, self.tie_starts).astype(np.float64)


def _lists(queries: Array, keys: Array, relevance: Array) -> _Lists:
    order = np.lexsort((-keys, queries))
    _, query = np.unique(queries[order], return_inverse=True)
    fresh = np.ones(len(order), dtype=bool)
    fresh[1:] = query[1:] != query[:-1]
    starts = np.flatnonzero(fresh)
    fresh[1:] |= keys[order][1:] != keys[order][:-1]
    return _Lists(
        order=order,
        query=query,
        starts=starts,
        tie=np.cumsum(fresh) - 1,
        tie_starts=np.flatnonzero(fresh),
        relevance=relevance[order],
    )


def _gained(lists: _Lists, most: int) -> Floats:
    """The discounted cumulative gain of each query, its ties in mean over their orders."""
    discount = np.where(lists.rank < most, 1 / np.log2(lists.rank + 2.0), 0.0)
    shared = lists.by_tie(lists.relevance) / lists.by_tie(np.ones(len(lists.tie)))
    return lists.by_query(shared[lists.tie] * discount)


def _ndcg(lists: _Lists, parameter: str) -> Floats:
    most = int(parameter) if parameter else len(lists.query)
    best = _lists(lists.query, lists.relevance, lists.relevance)
    return ratio(_gained(lists, most), _gained(best, most))


def _average_precision(lists: _Lists, _parameter: str) -> Floats:
    """A tie is one step of the curve, as scikit-learn has it."""
    relevant = lists.relevance > 0
    hits = lists.by_tie(relevant)
    query = lists.query[lists.tie_starts]
    first = np.flatnonzero(np.diff(query, prepend=-1))
    found = _running(hits, first, query)
    shown = _running(lists.by_tie(np.ones(len(lists.tie))), first, query)
    area = np.add.reduceat(hits * found / shown, first)
    return ratio(area, lists.by_query(relevant))


def _running(values: Floats, first: Array, query: Array) -> Floats:
    """Cumulative sums that begin anew with each query."""
    summed_up = np.cumsum(values)
    return summed_up - (summed_up[first] - values[first])[query]


def _reciprocal_rank(lists: _Lists, _parameter: str) -> Floats:
    """The reciprocal rank of the first relevant row, in mean over the orders of its tie."""
    relevant = lists.relevance > 0
    hits = lists.by_tie(relevant)
    sizes = lists.by_tie(np.ones(len(lists.tie))).astype(np.int64)
    ties = np.flatnonzero(hits)
    query, at = np.unique(lists.query[lists.tie_starts][ties], return_index=True)
    found = np.full(len(lists.starts), np.nan)
    for number, tie in zip(query, ties[at], strict=True):
        before = int(lists.rank[lists.tie_starts[tie]])
        found[number] = _first_of(before, int(sizes[tie]), int(hits[tie]))
    return found


def _first_of(before: int, size: int, hits: int) -> float:
    """The mean of 1 / rank of the first of ``hits`` among ``size`` that follow ``before`` rows."""
    if size == hits:
        return 1 / (before + 1)
    offset = np.arange(size - hits + 1)
    # The chance that none of the first rows is a hit, and then that the next one is.
    missed = np.concatenate([[1.0], np.cumprod(1 - hits / (size - offset[:-1]))])
    return float((missed * hits / (size - offset) / (before + offset + 1)).sum())


def ndcg_by_query(truth: Truth, side: Side) -> Floats:
    """The NDCG of each query, by its number; NaN for one without a relevant row."""
    return _ndcg(_lists(np.asarray(truth.queries), np.asarray(side.scores), truth.labels), "")


def _family(
    name: str, of_query: Callable[[_Lists, str], Floats], *, by_parameter: bool = False
) -> Family:
    def per_unit(parameter: str, truth: Truth, side: Side, unit: Array, units: int) -> Floats:
        lists = _lists(np.asarray(truth.queries), np.asarray(side.scores), truth.labels)
        values = of_query(lists, parameter)
        # A query without a relevant row tells nothing of a ranking.
        known = np.isfinite(values)
        counted, value = np.zeros((2, len(truth)))
        counted[lists.order[lists.starts[known]]] = 1.0
        value[lists.order[lists.starts[known]]] = values[known]
        return summed([counted, value], truth, unit, units)

    return Family(name=name, per_unit=per_unit, value=mean, by_parameter=by_parameter)


NDCG = _family("ndcg", _ndcg, by_parameter=True)
MAP = _family("map", _average_precision)
MRR = _family("mrr", _reciprocal_rank)
