"""Verdicts on each kind of model, judged from seeded predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from amltasks.gate.judge import Candidate, judge
from amltasks.gate.rows import Array, Rows
from amltasks.gate.rules import read
from amltasks.gate.verdict import Baseline, Verdict

ROWS = 1200
CLASSES = ("carbon fibre", "copper", "iron", "plastic", "steel $alloy$", "wood")
RULES = {
    "multiclass": "[{metric: accuracy, max_loss: 0.05}, {metric: macro_f1, max_loss: 0.05}]",
    "multilabel": "[{metric: micro_f1, max_loss: 0.05}, {metric: 'recall:iron', floor: 0.5}]",
    "regression": "[{metric: rmse, max_loss: 5%, slices: horizon}, {metric: r2, floor: 0.5}]",
    "ranking": "[{metric: ndcg@10, max_loss: 0.05}, {metric: mrr, max_loss: 0.05}]",
    "scores": "[{metric: 'mean:bleu', direction: higher, max_loss: 0.05}]",
}


def judged(model_type: str, *, alone: bool = False, rows: int = ROWS) -> Verdict:
    """A verdict on a model of that kind, with a baseline or without one."""
    candidate, baseline = made(model_type, 0.8, rows), made(model_type, 1.0, rows)
    text = f"rules: {RULES[model_type]}\nresamples: 200\nno_incumbent: pass"
    return judge(
        Candidate(metrics={}, rows=candidate),
        Baseline(
            label="the latest", metrics=None if alone else {}, rows=None if alone else baseline
        ),
        read(text, source="sample"),
    )


def made(model_type: str, noise: float, rows: int = ROWS) -> Rows:
    """Rows of one model; the labels are the same whatever the noise of its predictions."""
    truth, own = np.random.default_rng(3), np.random.default_rng(int(noise * 100))
    ids = np.array([f"{n:05}" for n in range(rows)], dtype=object)
    plain = Rows(
        ids=ids,
        model_type=model_type,
        classes=(),
        labels=np.zeros((rows, 0)),
        predictions=np.zeros((rows, 0)),
        inputs=np.arange(rows),
    )
    if model_type == "multiclass":
        labels = truth.integers(len(CLASSES), size=rows)
        scores = _softmax(2.5 * np.eye(len(CLASSES))[labels] + noise * _noise(own, rows))
        said = scores.argmax(axis=1)
        return replace(plain, classes=CLASSES, labels=labels, predictions=said, scores=scores)
    if model_type == "multilabel":
        classes = CLASSES[1:4]
        labels = (truth.random((rows, 3)) < (0.5, 0.3, 0.2)).astype(np.int8)
        scores = 1 / (1 + np.exp(-(4 * labels - 2 + noise * own.normal(size=(rows, 3)))))
        said = (scores > 0.5).astype(np.int8)
        return replace(plain, classes=classes, labels=labels, predictions=said, scores=scores)
    if model_type == "regression":
        values = truth.gamma(3, 20, size=rows)
        guesses = values + noise * own.normal(size=rows) * (4 + values / 10)
        horizon = truth.integers(1, 4, size=rows).astype(str).astype(object)
        return replace(plain, labels=values, predictions=guesses, slices={"horizon": horizon})
    if model_type == "ranking":
        relevance = truth.integers(0, 4, size=rows).astype(np.float64)
        queries = np.arange(rows) // 8
        scores = relevance + 2 * noise * own.normal(size=rows)
        return replace(plain, labels=relevance, queries=queries, inputs=queries, scores=scores)
    bleu = np.clip(truth.beta(4, 3, size=rows) + 0.1 * noise * own.normal(size=rows), 0, 1)
    return replace(plain, values={"bleu": bleu})


def _noise(generator: np.random.Generator, rows: int) -> Array:
    return generator.normal(size=(rows, len(CLASSES)))


def _softmax(logits: Array) -> Array:
    raised = np.exp(logits)
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))
