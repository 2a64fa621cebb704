"""The service: raw texts, or rows of ids, to labels and scores.

Azure ML's inference server calls `init` once and `run` for each request
(https://learn.microsoft.com/azure/machine-learning/how-to-inference-server-http).
"""

import os
from pathlib import Path
from typing import Any

import network
from azureml_inference_server_http.api.aml_response import AMLResponse  # type: ignore[import-untyped]
from metrics import predictions
from payload import BadRequestError, read_rows

_model: Any = None


def find_model(root: Path) -> Path:
    """Return the one folder below ``root`` that holds a model, however it was registered.

    Raises FileNotFoundError when there is none or more than one.
    """
    found = [path.parent for path in root.rglob(network.MODEL_FILE)]
    if len(found) != 1:
        raise FileNotFoundError(
            f"There are {len(found)} files {network.MODEL_FILE} below {root} (AZUREML_MODEL_DIR), "
            "and exactly one is needed. Next: register the folder outputs/model of a training run."
        )
    return found[0]


def init() -> None:
    """Load the model. An error here ends the server, so that Azure ML sees that it is not alive."""
    global _model
    _model = network.load(find_model(Path(os.environ["AZUREML_MODEL_DIR"])))


def run(raw_data: str) -> dict[str, list[Any]] | AMLResponse:
    """Answer ``{"data": [row, ...]}`` with ``predictions`` (0 or 1) and ``scores`` of label 1.

    A malformed request gets HTTP status 400 and a JSON object with ``error``.
    """
    vocabulary, scores_of = _model
    try:
        rows = read_rows(raw_data, vocabulary)
    except BadRequestError as error:
        return AMLResponse({"error": str(error)}, 400, json_str=True)
    scores = scores_of(rows)
    return {"predictions": predictions(scores).tolist(), "scores": scores.tolist()}
