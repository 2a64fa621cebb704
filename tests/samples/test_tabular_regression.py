"""The sample of a regression: its parts fit the tasks, and its model passes its own gate."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from amltasks.deploy_to_aks import smoke
from amltasks.evaluate_and_gate.predictions import reader
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.gate import rules

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "samples" / "tabular-regression"


def run(program: str, folder: Path, *arguments: str, **variables: str) -> str:
    """Run Python in the sample's scripts, as Azure ML does: their folder is the root."""
    environment = os.environ | {"PYTHONPATH": str(SAMPLE / "src"), **variables}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which train.py ran."""
    folder = tmp_path_factory.mktemp("trained")
    tracking = f"sqlite:///{folder}/mlflow.db"
    run("import train; train.main(['--rows', '5000'])", folder, MLFLOW_TRACKING_URI=tracking)
    return folder


def test_the_model_passes_the_floors_of_its_rules(trained: Path) -> None:
    found = rules.read((SAMPLE / "gate.yml").read_text(encoding="utf-8"), source="gate.yml")
    assert found.model_type == "regression"
    rows = reader.read(trained / "outputs" / "predictions.csv", Layout.of(found))
    assert len(rows) == 500
    assert set(rows.slices) == {"fuel", "gearbox"}
    error = abs(rows.labels - rows.predictions)
    rule = found.rules[0]
    assert (rule.metric, rule.slices) == ("mae", ())
    assert error.mean() < float(str(rule.ceiling))


def test_the_service_answers_the_smoke_rows(trained: Path) -> None:
    rows = smoke.read(SAMPLE / "smoke.json")
    program = "import score, sys; score.init(); print(score.json.dumps(score.run(sys.argv[1])))"
    model = str(trained / "outputs")
    said = run(program, trained, smoke.request(smoke.Test(rows=rows)), AZUREML_MODEL_DIR=model)
    assert smoke.compare(rows, said.strip().splitlines()[-1]) == []


def test_a_malformed_request_is_told_what_is_wrong(trained: Path) -> None:
    bodies = ["", "[]", '{"rows": []}', '{"data": [1]}', '{"data": [{}]}']
    program = (
        "import score, sys; score.init()\n"
        "for body in sys.argv[1:]:\n"
        "    answer = score.run(body)\n"
        "    print(answer.status_code, answer.get_data(as_text=True))"
    )
    said = run(program, trained, *bodies, AZUREML_MODEL_DIR=str(trained / "outputs"))
    assert said.count("400 {") == len(bodies)
    assert said.count("a car having weight_kg") == len(bodies)


def test_the_pipeline_names_inputs_of_the_tasks_and_files_that_exist() -> None:
    pipeline = yaml.safe_load((SAMPLE / "azure-pipelines.yml").read_text(encoding="utf-8"))
    tasks = {
        task["name"]: task
        for file in (ROOT / "tasks").glob("*/task.json")
        for task in [json.loads(file.read_text(encoding="utf-8"))]
    }
    steps = {step["task"].split("@")[0]: step["inputs"] for step in pipeline["steps"]}
    assert steps.keys() - tasks.keys() == {"UsePythonVersion"}
    for name in steps.keys() & tasks.keys():
        known = {one["name"] for one in tasks[name]["inputs"]}
        known |= {alias for one in tasks[name]["inputs"] for alias in one.get("aliases", [])}
        assert steps[name].keys() <= known
    paths = [
        value for given in steps.values() for value in given.values() if "samples/" in str(value)
    ]
    assert len(paths) == 5
    assert all((ROOT / path).is_file() for path in paths)


def test_the_inputs_of_both_pipelines_agree() -> None:
    outer: dict[str, Any] = yaml.safe_load((SAMPLE / "azure-pipelines.yml").read_text("utf-8"))
    inner = yaml.safe_load((SAMPLE / "aml_pipeline.yml").read_text("utf-8"))["inputs"]
    (given,) = (
        yaml.safe_load(step["inputs"]["parameters"])
        for step in outer["steps"]
        if step.get("name") == "train"
    )
    assert given.keys() == inner.keys()
    assert {name: outer["variables"][name] for name in inner} == inner
