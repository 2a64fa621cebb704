"""Answer the sign of each number, and which model answered."""

import json
import os
from pathlib import Path

from azureml_inference_server_http.api.aml_response import AMLResponse

model = {}


def init():
    """Load the model that the service was given."""
    (path,) = Path(os.environ["AZUREML_MODEL_DIR"]).rglob("model.json")
    model.update(json.loads(path.read_text()))


def run(raw):
    """Return one prediction per number of ``data``; what is no JSON gets status 400."""
    try:
        rows = json.loads(raw)["data"]
    except ValueError:
        return AMLResponse({"error": "this is no JSON"}, 400, json_str=True)
    return {"predictions": [int(row > 0) for row in rows], "quality": model["quality"]}
