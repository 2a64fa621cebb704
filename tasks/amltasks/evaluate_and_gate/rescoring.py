"""Scoring the evaluation rows by the service in place, so that both models are judged on them."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import Any

import numpy as np

from amltasks import errors, scoring_answers
from amltasks.gate.model_types import BINARY, MULTICLASS, REGRESSION
from amltasks.gate.rows import Array, Rows, recoded
from amltasks.workspace.port import Revision, Services

log = logging.getLogger("amltasks")

MOST_INPUTS = 20_000
"""More distinct inputs than this are not sent to a service that others live on."""

_BATCH = 200


def rescore(services: Services, service: str, rows: Rows) -> Rows:
    """Ask a service for its labels of the rows' inputs, each distinct one once.

    Args:
        services: where the service is.
        service: its name; all its revisions in service may answer.
        rows: the candidate's predictions, with texts.

    Raises:
        TaskError: ``RESCORING_FAILED``
    """
    if rows.texts is None:
        raise _failed(service, "the predictions have no column 'text' or 'input' to send")
    # A cluster may be of more than one text: rows of one group are one.
    asked_texts, of_row = np.unique(rows.texts.astype(str), return_inverse=True)
    if len(asked_texts) > MOST_INPUTS:
        raise _failed(service, f"{len(asked_texts)} distinct inputs are more than {MOST_INPUTS}")
    log.info("Asking service %s for its labels of %d inputs", service, len(asked_texts))
    asked = Revision(service=service, name=service, label=service, fresh=False, in_service=True)
    labels: list[Any] = []
    scores: list[float] = []
    for start in range(0, len(asked_texts), _BATCH):
        texts = asked_texts[start : start + _BATCH].tolist()
        said = services.score(asked, json.dumps({"data": texts}, ensure_ascii=False))
        if said.status != 200:
            raise _failed(service, f"it answered {said.status}: {said.body[:200]}")
        try:
            answer = scoring_answers.answers(said.body)
            if len(answer.labels) != len(texts):
                raise ValueError(f"it gave {len(answer.labels)} labels for {len(texts)} inputs")
            scores += [float(score) for score in answer.scores or ()]
        except (ValueError, TypeError) as cause:
            raise _failed(service, str(cause)) from None
        labels += answer.labels
    try:
        coded, predictions = _coded(rows, labels)
    except (ValueError, TypeError) as cause:
        raise _failed(service, str(cause)) from None
    # A service gives one score a row: that of label 1.
    scored = rows.model_type == BINARY and len(scores) == len(labels)
    return dataclasses.replace(
        coded,
        predictions=predictions[of_row],
        scores=np.array(scores)[of_row] if scored else None,
        values={},
        seen=None,
        notes=(),
    )


def _coded(rows: Rows, labels: list[Any]) -> tuple[Rows, Array]:
    """The rows, and what a service said of each input in the codes of their labels."""
    if rows.model_type == REGRESSION:
        numbers = np.array([float(label) for label in labels])
        if not np.isfinite(numbers).all():
            raise ValueError("a prediction is not a finite number")
        return rows, numbers
    if rows.model_type == BINARY and set(labels) <= {0, 1}:
        return rows, np.array(labels, dtype=np.int8)
    names = [str(label) for label in labels]
    if rows.model_type == BINARY:
        other = sorted(set(names) - set(rows.classes))
        if other:
            raise ValueError(f"the label '{other[0]}' is neither 0 nor 1")
        return rows, np.array([rows.classes.index(name) for name in names], dtype=np.int8)
    if rows.model_type != MULTICLASS:
        raise ValueError(f"predictions of a {rows.model_type} model cannot be asked for")
    classes = tuple(sorted({*rows.classes, *names}))
    return recoded(rows, classes), np.array([classes.index(name) for name in names])


def _failed(service: str, detail: str) -> errors.TaskError:
    return errors.RESCORING_FAILED.error(detail=f"service '{service}': {detail}")
