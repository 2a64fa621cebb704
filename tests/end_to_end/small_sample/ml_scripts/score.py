"""Answer the sign of each number, and which model answered."""

import json
import os
from pathlib import Path

model = {}


def init():
    """Load the model that the service was given."""
    (path,) = Path(os.environ["AZUREML_MODEL_DIR"]).rglob("model.json")
    model.update(json.loads(path.read_text()))


def run(raw):
    """Return one prediction per number of ``data``."""
    rows = json.loads(raw)["data"]
    return {"predictions": [int(row > 0) for row in rows], "quality": model["quality"]}
