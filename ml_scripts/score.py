"""The service: texts, or rows of ids, to labels and scores. It needs neither Keras nor TensorFlow.

Azure ML's inference server calls `init` once and `run` for each request
(https://learn.microsoft.com/azure/machine-learning/how-to-inference-server-http).
"""

import os
from pathlib import Path
from typing import Any

import one_thread  # noqa: F401  (first: what numpy is built on reads it when it is loaded)

# isort: split
import collection
import forward
import numpy as np
from azureml_inference_server_http.api.aml_response import AMLResponse  # type: ignore[import-untyped]
from forward import Scorer
from metrics import predictions
from payload import RequestError, read_rows, sent_rows

_scorer: Scorer
_collect: collection.Collect | None


def find_model(root: Path) -> Path:
    """Return the one folder below ``root`` that holds a model, however it was registered.

    Raises FileNotFoundError when there is none or more than one.
    """
    found = [path.parent for path in root.rglob(forward.FILE_NAME)]
    if len(found) != 1:
        raise FileNotFoundError(
            f"There are {len(found)} files {forward.FILE_NAME} below {root} (AZUREML_MODEL_DIR), "
            "and exactly one is needed. Next: register the folder outputs/model of a training run."
        )
    return found[0]


def init() -> None:
    """Load the model and score with it once.

    An error here ends the server, so that neither liveness nor readiness is ever told of a model
    that cannot answer. Raises ValueError when the model's scores are not numbers.
    """
    global _scorer, _collect
    folder = find_model(Path(os.environ["AZUREML_MODEL_DIR"]))
    _scorer = Scorer.load(folder)
    # Every known word once, and nothing at all.
    vocabulary = _scorer.vocabulary
    rows = vocabulary.encode([*vocabulary.words, ""])
    if not np.isfinite(_scorer.scores(rows)).all():
        raise ValueError(
            f"The model in {folder} gives scores that are not numbers: its training diverged. "
            "Next: train with a smaller learning rate."
        )
    _collect = collection.start()


def run(raw_data: str) -> dict[str, list[Any]] | AMLResponse:
    """Answer ``{"data": [row, ...]}`` with ``predictions`` (0 or 1) and ``scores`` of label 1.

    A request that cannot be answered gets HTTP status 400, or 413 when it is too large, and a JSON
    object with ``error``.
    """
    try:
        ids = read_rows(raw_data, _scorer.vocabulary)
    except RequestError as error:
        return AMLResponse({"error": str(error)}, error.status, json_str=True)
    scores = _scorer.scores(ids)
    answer = {"predictions": predictions(scores).tolist(), "scores": scores.tolist()}
    if _collect is not None:
        _collect(sent_rows(raw_data), answer["predictions"], answer["scores"])
    return answer
