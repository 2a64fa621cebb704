"""The service: cars to litres. Azure ML's inference server calls init once and run per request."""

import json
import os
from pathlib import Path
from typing import Any

import data
import mlflow
import pandas as pd
from azureml_inference_server_http.api.aml_response import AMLResponse  # type: ignore[import-untyped]

_model: Any = None


def init() -> None:
    """Load the one MLflow model that was deployed."""
    global _model
    (file,) = Path(os.environ["AZUREML_MODEL_DIR"]).rglob("MLmodel")
    _model = mlflow.sklearn.load_model(str(file.parent))


def run(raw: str) -> dict[str, list[float]] | AMLResponse:
    """Answer ``{"data": [{"weight_kg": 1200, ...}, ...]}``; 400 to what is no such thing."""
    try:
        rows = pd.DataFrame(json.loads(raw)["data"])[list(data.FEATURES)]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        message = f'{error}. Send {{"data": [car, ...]}}, a car having {", ".join(data.FEATURES)}.'
        return AMLResponse({"error": message}, 400, json_str=True)
    return {"predictions": _model.predict(rows).round(2).tolist()}
