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
    environment = {**os.environ, "PYTHONPATH": str(SAMPLE / "src"), **variables}
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


def test_the_model_is_served_without_a_script(trained: Path) -> None:
    rows = smoke.read(SAMPLE / "smoke.json")
    text = (SAMPLE / "README.md").read_text(encoding="utf-8")
    shown, answer = text[text.index('{"input_data"') :].split("\n\n")[:2]
    bodies = [smoke.request(smoke.Test(rows=rows, mlflow=True)), shown]
    # As the local Azure serves it, from a folder that has none of the sample's modules.
    program = (
        "import json, sys; import mlflow_score; mlflow_score.init()\n"
        "for body in sys.argv[1:]: print(json.dumps(mlflow_score.run(body)))"
    )
    served = str(ROOT / "local" / "azure" / "v2" / "online")
    model = str(trained / "outputs")
    said = run(program, trained, *bodies, PYTHONPATH=served, AZUREML_MODEL_DIR=model)
    *_, smoked, told = said.strip().splitlines()
    assert smoke.compare(rows, smoked) == []
    assert json.loads(told) == pytest.approx(json.loads(answer), abs=0.1)


def test_the_model_brings_the_packages_of_the_service(trained: Path) -> None:
    conda = yaml.safe_load((trained / "outputs/model/conda.yaml").read_text(encoding="utf-8"))
    (pip,) = (each["pip"] for each in conda["dependencies"] if isinstance(each, dict))
    assert {"mlflow", "scikit-learn", "skops"} <= {line.partition("==")[0] for line in pip}


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
    assert len(paths) == 3
    assert "entryScript" not in steps["DeployToAks"]
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
