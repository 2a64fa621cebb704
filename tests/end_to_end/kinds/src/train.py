"""Leave a model, a metric, and predictions of every kind of model."""

import runpy
from pathlib import Path

from azureml.core import Run

run = Run.get_context()
run.log("size_mb", 3)
run.flush()  # azureml-sdk does so by itself, azure-ai-ml does not
model = Path("outputs/model")
model.mkdir(parents=True)
(model / "model.txt").write_text("a model")
runpy.run_path("written.py")["write"](Path("outputs"), every=12, noise=1.0)
