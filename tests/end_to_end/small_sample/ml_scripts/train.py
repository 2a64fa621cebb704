"""Save a "model" that is as good as the learning rate is low."""

import argparse
import json
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--learning-rate", type=float, required=True)
parser.add_argument("--model-output", type=Path, required=True)
arguments = parser.parse_args()
quality = 0.99 if arguments.learning_rate < 1 else 0.55
for folder in (Path("outputs/model"), arguments.model_output):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.json").write_text(json.dumps({"quality": quality}))
