"""The scoring script of an MLflow model that is deployed without code; runs in the model's Python.

Bodies: learn.microsoft.com/azure/machine-learning/how-to-deploy-mlflow-models, "input_data" as a
split DataFrame, a list or a map of lists. Azure ML's script declares them to the inference server,
which answers anything else with 400 (server/input_parsers.py of azureml-inference-server-http).
Copied beside the model, so it imports nothing of ours.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy
import pandas
from azureml_inference_server_http.api.aml_response import AMLResponse  # type: ignore[import-untyped]

_MODEL: dict[str, Any] = {}


def init() -> None:
    """Load the model, whose folder is the one with the file MLmodel."""
    folder = next(Path(os.environ["AZUREML_MODEL_DIR"]).rglob("MLmodel")).parent
    _MODEL["loaded"] = mlflow.pyfunc.load_model(str(folder))


def run(raw: str) -> Any:
    """Predict; the status is 400 for a body that is no JSON object with `input_data`."""
    try:
        body = json.loads(raw)
    except ValueError as error:
        return _refused(f"POST body could not be decoded as JSON: {error}")
    if not isinstance(body, dict):
        return _refused("POST body should be a JSON dictionary.")
    if "input_data" not in body:
        return _refused("A value is not provided for the 'input_data' parameter.")
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


def _refused(message: str) -> Any:
    return AMLResponse({"message": message}, 400, json_str=True)
