"""The scoring script of an MLflow model that is deployed without code; runs in the model's Python.

Bodies: learn.microsoft.com/azure/machine-learning/how-to-deploy-mlflow-models, "input_data" as a
split DataFrame, a list or a map of lists. Copied beside the model, so it imports nothing of ours.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy
import pandas

_MODEL: dict[str, Any] = {}


def init() -> None:
    """Load the model, whose folder is the one with the file MLmodel."""
    folder = next(Path(os.environ["AZUREML_MODEL_DIR"]).rglob("MLmodel")).parent
    _MODEL["loaded"] = mlflow.pyfunc.load_model(str(folder))


def run(raw: str) -> Any:
    """Predict. Raises KeyError for a body without `input_data`."""
    body = json.loads(raw)
    data, params = body["input_data"], body.get("params")
    given: Any
    if isinstance(data, dict) and {"columns", "data"} <= data.keys():
        given = pandas.DataFrame(data["data"], index=data.get("index"), columns=data["columns"])
    elif isinstance(data, dict):
        given = {name: numpy.array(values) for name, values in data.items()}
    else:
        given = numpy.array(data)
    model = _MODEL["loaded"]
    found = model.predict(given, params=params) if params else model.predict(given)
    if isinstance(found, (pandas.DataFrame, pandas.Series)):
        return json.loads(found.to_json(orient="records"))
    return found.tolist() if hasattr(found, "tolist") else found
