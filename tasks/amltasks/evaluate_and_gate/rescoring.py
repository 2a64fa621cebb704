"""Scoring the evaluation rows by the service in place, so that both models are judged on them."""

from __future__ import annotations

import json
import logging

import numpy as np

from amltasks import errors, scoring_answers
from amltasks.gate.rows import Rows
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
    _, first = np.unique(rows.inputs, return_index=True)
    if len(first) > MOST_INPUTS:
        raise _failed(service, f"{len(first)} distinct inputs are more than {MOST_INPUTS}")
    log.info("Asking service %s for its labels of %d inputs", service, len(first))
    asked = Revision(service=service, name=service, label=service, fresh=False, in_service=True)
    labels: list[int] = []
    scores: list[float] = []
    for start in range(0, len(first), _BATCH):
        texts = [str(rows.texts[at]) for at in first[start : start + _BATCH]]
        said = services.score(asked, json.dumps({"data": texts}, ensure_ascii=False))
        if said.status != 200:
            raise _failed(service, f"it answered {said.status}: {said.body[:200]}")
        try:
            answer = scoring_answers.answers(said.body)
            if len(answer.labels) != len(texts) or not set(answer.labels) <= {0, 1}:
                raise ValueError(f"it gave no {len(texts)} labels that are 0 or 1")
            scores += [float(score) for score in answer.scores or ()]
        except (ValueError, TypeError) as cause:
            raise _failed(service, str(cause)) from None
        labels += [int(label) for label in answer.labels]
    return Rows(
        ids=rows.ids,
        labels=rows.labels,
        predictions=np.array(labels, dtype=np.int8)[rows.inputs],
        scores=np.array(scores)[rows.inputs] if len(scores) == len(labels) else None,
        inputs=rows.inputs,
        texts=rows.texts,
        slices=rows.slices,
    )


def _failed(service: str, detail: str) -> errors.TaskError:
    return errors.RESCORING_FAILED.error(detail=f"service '{service}': {detail}")
