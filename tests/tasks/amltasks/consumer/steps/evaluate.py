import argparse
import pathlib

from azureml.core import Run

parser = argparse.ArgumentParser()
parser.add_argument("--accuracy", type=float)
parser.add_argument("--holds")
parser.add_argument("--after")
given = parser.parse_args()

run = Run.get_context()
run.log("loss", 0.25)
run.parent.log("accuracy", given.accuracy)
if given.holds == "True":
    pathlib.Path("outputs/model").mkdir(parents=True)
    pathlib.Path("outputs/model/weights.txt").write_text("plastic")
run.parent.flush()  # azureml-sdk does so by itself, azure-ai-ml does not
run.flush()
