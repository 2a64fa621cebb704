"""Measures of rankings, query by query: against scikit-learn, and against every order of ties."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as theirs

from amltasks.gate.measures import point
from amltasks.gate.rows import Side, Truth


def reciprocal_rank(relevance: Any, scores: Any) -> float:
    """The mean over all orders that the scores allow."""
    found = []
    for order in permutations(range(len(scores))):
        ordered = [scores[at] for at in order]
        if ordered == sorted(ordered, reverse=True):
            first = next(n for n, at in enumerate(order, start=1) if relevance[at] > 0)
            found.append(1 / first)
    return float(np.mean(found))


def ndcg(relevance: Any, scores: Any, most: int | None = None) -> float:
    if len(scores) == 1:  # scikit-learn refuses a list of one
        return 1.0
    return float(theirs.ndcg_score([relevance], [scores], k=most))


@st.composite
def rankings(draw: st.DrawFn) -> tuple[Truth, Side]:
    """Up to 4 queries of up to 5 rows, shuffled; few distinct scores, so that ties are common."""
    sizes = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    queries = np.repeat(np.arange(len(sizes)), sizes)
    count = len(queries)
    relevance = draw(st.lists(st.integers(0, 3), min_size=count, max_size=count))
    score = draw(st.sampled_from([st.just(0.5), st.sampled_from([0.0, 1.0]), st.floats(-5, 5)]))
    scores = draw(st.lists(score, min_size=count, max_size=count))
    order = np.array(draw(st.permutations(range(count))))
    weights = np.array(draw(st.lists(st.floats(0.5, 3), min_size=4, max_size=4)))
    truth = Truth(
        model_type="ranking",
        classes=(),
        labels=np.array(relevance, dtype=np.float64)[order],
        queries=queries[order],
        weights=draw(st.sampled_from([None, weights[queries][order]])),
    )
    side = Side(predictions=np.zeros((count, 0)), scores=np.array(scores)[order])
    return truth, side


@settings(max_examples=200, deadline=None)
@given(rankings())
def test_queries_agree_one_by_one(data: tuple[Truth, Side]) -> None:
    truth, side = data
    assert truth.queries is not None
    assert side.scores is not None
    found: dict[str, list[float]] = {"ndcg": [], "ndcg@2": [], "map": [], "mrr": []}
    weights = []
    for query in range(int(truth.queries.max()) + 1):
        rows = truth.queries == query
        relevance, scores = truth.labels[rows], side.scores[rows].tolist()
        if not relevance.any():
            continue
        weights.append(1.0 if truth.weights is None else truth.weights[rows][0])
        found["ndcg"].append(ndcg(relevance, scores))
        found["ndcg@2"].append(ndcg(relevance, scores, 2))
        found["map"].append(float(theirs.average_precision_score(relevance > 0, scores)))
        found["mrr"].append(reciprocal_rank(relevance, scores))
    for name, values in found.items():
        expected = np.average(values, weights=weights) if values else np.nan
        np.testing.assert_allclose(point(name, truth, side), expected, atol=1e-12, err_msg=name)
