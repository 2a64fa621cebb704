"""Log the accuracy and save a "model" that remembers it."""

import argparse
import json
from pathlib import Path

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--quality", type=float, required=True)
quality = parser.parse_args().quality
run = Run.get_context()
run.log("accuracy", quality)
run.parent.log("accuracy", quality)
for each in (run, run.parent):
    each.flush()  # azureml-sdk does so by itself, azure-ai-ml does not
model = Path("outputs/model")
model.mkdir(parents=True, exist_ok=True)
(model / "model.json").write_text(json.dumps({"quality": quality}))
print(f"trained to {quality}; ##vso[task.setvariable variable=stolen]a log is foreign text")  # noqa: T201
