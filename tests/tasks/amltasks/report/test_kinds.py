"""The report of each kind of model: its pictures, its tables and its card."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from amltasks.gate.rows import Pair
from amltasks.gate.verdict import Reason
from amltasks.report import class_plots, drawing, html, model_card, number_plots, plots
from tests.tasks.amltasks.report import kinds

PICTURES = {
    "multiclass": ["Confusion of the candidate", "Recall by class", "Calibration by class"],
    "multilabel": ["Recall by class", "Calibration by class"],
    "regression": ["Residuals", "Absolute errors", "Gain by decile"],
    "ranking": ["NDCG of the queries", "Differences in NDCG"],
    "scores": ["Values of bleu", "Differences in bleu"],
}


@pytest.mark.parametrize("model_type", PICTURES)
def test_each_kind_has_its_pictures(model_type: str) -> None:
    verdict = kinds.judged(model_type)
    assert verdict.reason is Reason.PASSED, verdict.detail
    found = plots.of(verdict)
    titles = [plot.title for plot in found.drawn if not plot.title.startswith("Slices")]
    assert titles == PICTURES[model_type]
    assert all(len(plot.svg) < 150_000 for plot in found.drawn)
    page = html.gate(verdict, title="m", facts={})
    assert ("Where they differ" in page) == model_type.startswith("multi")
    assert f"for a {model_type} model" in model_card.gate(
        verdict, title="m", facts={}, description=""
    )


@pytest.mark.parametrize("model_type", PICTURES)
def test_without_a_baseline_the_candidate_stands_alone(model_type: str) -> None:
    found = plots.of(kinds.judged(model_type, alone=True))
    titles = [plot.title for plot in found.drawn]
    alone = [each for each in PICTURES[model_type] if each not in ("Gain by decile",)]
    assert titles == [each for each in alone if not each.startswith("Differences")]
    assert any("stands alone" in sentence for sentence in found.left_out)


@pytest.mark.parametrize("model_type", PICTURES)
def test_rows_that_weigh_nothing_are_not_drawn(model_type: str) -> None:
    """Weights of 0 and 1 make the pictures of the rows with 1."""
    verdict = kinds.judged(model_type)
    rows, pair = verdict.candidate_rows, verdict.pair
    assert rows is not None
    assert pair is not None
    kept = np.arange(len(rows)) % 16 < 8  # whole queries
    weights = kept.astype(float)
    weighted = replace(
        verdict, candidate_rows=replace(rows, weights=weights), pair=replace(pair, weights=weights)
    )
    fewer = replace(verdict, candidate_rows=rows.where(kept), pair=pair.where(kept))
    found, wanted = plots.of(weighted), plots.of(fewer)
    assert any("weigh the rows" in sentence for sentence in found.left_out)
    for ours, theirs in zip(found.drawn, wanted.drawn, strict=True):
        assert ours.title == theirs.title
        if ours.title.startswith(("Recall", "Confusion")):
            numbers = [re.findall(r"[-+]?[0-9]+\.[0-9]+", each.caption) for each in (ours, theirs)]
            assert numbers[0] == numbers[1]


def test_the_confusion_of_many_classes_is_cut_to_those_with_most_errors() -> None:
    names = tuple(f"class {n:02}" for n in range(30))
    labels = np.arange(3000) % 30
    said = np.where((labels < 13) & (np.arange(3000) % 7 == 0), (labels + 1) % 30, labels)
    rows = replace(kinds.made("multiclass", 1.0, 3000), classes=names, labels=labels)
    rows = replace(rows, predictions=said, scores=None)
    with drawing.style():
        confusion, recall = class_plots.of(rows, None)
    assert "The 18 classes with the fewest errors are one." in confusion.caption
    assert "(others)" in confusion.svg
    assert "18 classes of a higher recall are left out" in recall.caption


def test_rows_that_say_little_are_drawn_or_left_out() -> None:
    """One row, labels that are all the same, no relevant row: no warning, no picture of nothing."""
    one = kinds.made("regression", 1.0, 1)
    assert len(number_plots.of_regression(one, None)) == 2
    ranking = kinds.made("ranking", 1.0, 8)
    none = replace(ranking, labels=np.zeros(8))
    assert number_plots.of_ranking(none, None) == []
    pair = Pair(
        model_type="ranking",
        classes=(),
        labels=ranking.labels,
        queries=ranking.queries,
        inputs=ranking.inputs,
        candidate=ranking.side,
        baseline=ranking.side,
    )
    same = number_plots.of_ranking(ranking, pair)[1]
    assert "the same in 1" in same.caption
    values = kinds.made("scores", 1.0, 3)
    gap = replace(values, values={"bleu": np.array([0.1, np.nan, 0.2])})
    assert number_plots.of_values(gap, None) == []
    wrong = replace(kinds.made("multiclass", 1.0, 5), labels=np.zeros(5, dtype=np.int64))
    assert len(class_plots.of(wrong, None)) == 3
