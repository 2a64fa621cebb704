import argparse
import pathlib
import time

from azureml.core import Run

# The model is an MLflow model too, of a flavor that needs no library of learning.
MLFLOW = {
    "MLmodel": """
flavors:
  python_function: {loader_module: word_model, code: ., data: weights.txt, env: conda.yaml}
""",
    "conda.yaml": """
name: words
dependencies: [python=3.11, {pip: [mlflow-skinny==3.15.0, numpy, pandas]}]
""",
    "word_model.py": """
import pathlib

import numpy


class Word:
    def __init__(self, word):
        self.word = word

    def predict(self, rows, params=None):
        return numpy.array([int(self.word in str(row)) for row in rows])


def _load_pyfunc(path):
    return Word(pathlib.Path(path).read_text())
""",
}

parser = argparse.ArgumentParser()
parser.add_argument("--mode")
parser.add_argument("--report")
parser.add_argument("--holds")
parser.add_argument("--count", type=int)
given = parser.parse_args()

run = Run.get_context()
print(  # noqa: T201 - a step's way to speak; and an attempt to command the agent
    "training in mode", given.mode, "##vso[task.setvariable variable=stolen]yes", flush=True
)
if given.mode == "crash":
    raise ValueError("the column 'text' is not there")
if given.mode == "slow":
    time.sleep(100)
for epoch in range(3):
    run.log("loss", 1 / (epoch + 1))
if given.holds == "True":
    pathlib.Path("outputs/model").mkdir(parents=True)
    pathlib.Path("outputs/model/weights.txt").write_text("plastic")
    for name, text in MLFLOW.items():
        pathlib.Path("outputs/model", name).write_text(text)
pathlib.Path(given.report).mkdir(parents=True, exist_ok=True)
pathlib.Path(given.report, "report.txt").write_text("fine")
run.flush()  # azureml-sdk does so by itself, azure-ai-ml does not
