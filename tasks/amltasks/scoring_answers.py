"""What scoring services answer: their labels and scores, in the forms that score scripts use."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from amltasks.core_yaml import shortened

# What score scripts call the list of their answers; the first that is there counts.
_ANSWER_KEYS = ("predictions", "result", "results", "labels")


_SCORE_KEYS = ("scores", "probabilities")


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A service's labels and, where it gives them, the scores behind them."""

    labels: list[Any]
    scores: list[Any] | None = None


def answers(body: str) -> Answers:
    """What a service said of each row.

    Args:
        body: the service's answer: a JSON list, or an object with such a list under
            ``predictions`` (``result``, ``results``, ``labels``), or either as a JSON text.

    Raises:
        ValueError: the answer is nothing of the kind.
    """
    found = json.loads(body)
    if isinstance(found, str):  # azureml scripts often return json.dumps(...), encoded once more
        found = json.loads(found)
    scores = None
    if isinstance(found, dict):
        key = next((key for key in _ANSWER_KEYS if key in found), None)
        scores = next((found[key] for key in _SCORE_KEYS if isinstance(found.get(key), list)), None)
        found = found[key] if key else None
    if not isinstance(found, list):
        raise ValueError(f"the answer holds no list of predictions: {shortened(body, 200)}")
    return Answers(labels=found, scores=scores)
