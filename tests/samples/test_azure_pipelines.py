"""azure-pipelines.yml against what it names: tasks, inputs, files, parameters."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from amltasks.deploy_to_aks.smoke import read as read_smoke_file
from amltasks.gate import rules

ROOT = Path(__file__).resolve().parents[2]
SEED_NAMES = {
    *("resourcegroup", "workspace", "experiment", "aml_compute_target", "model_name"),
    *("aks_name", "aks_region", "service_name", "description"),
}


@pytest.fixture(scope="module")
def pipeline(sample_folder: Path) -> dict[str, Any]:
    text = (sample_folder / "azure-pipelines.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


@pytest.fixture(scope="module")
def our_steps(pipeline: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The steps that are our tasks, by name."""
    jobs = [job for stage in pipeline["stages"] for job in stage["jobs"]]
    steps = [step for job in jobs for step in job["steps"] if "name" in step]
    return {step["name"]: step for step in steps}


def hook_defaults(sample_folder: Path) -> dict[str, Any]:
    """What build_pipeline takes if nothing is given, read without importing azureml."""
    tree = ast.parse((sample_folder / "aml_pipeline_v1.py").read_text(encoding="utf-8"))
    (hook,) = (
        node
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == "build_pipeline"
    )
    names = [argument.arg for argument in hook.args.args]
    values = [ast.literal_eval(value) for value in hook.args.defaults]
    return dict(zip(names[-len(values) :], values, strict=True))


def test_variables_have_the_names_of_the_workshop(pipeline: dict[str, Any]) -> None:
    assert pipeline["variables"].keys() >= SEED_NAMES


def test_steps_are_our_four_tasks(our_steps: dict[str, dict[str, Any]]) -> None:
    assert {name: step["task"] for name, step in our_steps.items()} == {
        "provision": "ProvisionAmlCompute@1",
        "train": "RunAmlPipeline@1",
        "gate": "EvaluateAndGate@1",
        "deploy": "DeployToAks@1",
    }


@pytest.mark.parametrize("name", ["provision", "train", "gate", "deploy"])
def test_inputs_are_those_of_the_task(name: str, our_steps: dict[str, dict[str, Any]]) -> None:
    step = our_steps[name]
    folder = step["task"].replace("@", "V")
    task = json.loads((ROOT / "tasks" / folder / "task.json").read_text(encoding="utf-8"))
    known = {alias for i in task["inputs"] for alias in (i["name"], *i.get("aliases", []))}
    assert step["inputs"].keys() <= known
    for required in task["inputs"]:
        if required.get("required") and "defaultValue" not in required:
            given = {required["name"], *required.get("aliases", [])} & step["inputs"].keys()
            assert given, required["name"]


def test_macros_are_defined(pipeline: dict[str, Any], our_steps: dict[str, dict[str, Any]]) -> None:
    of_jobs = {
        name
        for stage in pipeline["stages"]
        for job in stage["jobs"]
        for name in job.get("variables", {})
    }
    outputs = {"provision.computeName", "train.outputsPath"}
    predefined = {"Build.ArtifactStagingDirectory"}
    used = set(re.findall(r"\$\(([^)]+)\)", json.dumps(pipeline)))
    assert used <= pipeline["variables"].keys() | of_jobs | outputs | predefined
    assert of_jobs <= used


def test_named_files_exist(our_steps: dict[str, dict[str, Any]], pipeline: dict[str, Any]) -> None:
    for step, key in (
        *(("train", "pipelineFile"), ("deploy", "entryScript")),
        *(("deploy", "environmentFile"), ("deploy", "smokeFile")),
    ):
        named = our_steps[step]["inputs"][key]
        path = named.replace("$(aml_pipeline)", pipeline["variables"]["aml_pipeline"])
        assert (ROOT / path).is_file()


def test_parameters_are_those_of_the_hook(
    pipeline: dict[str, Any], our_steps: dict[str, dict[str, Any]], sample_folder: Path
) -> None:
    given = yaml.safe_load(our_steps["train"]["inputs"]["parameters"])
    defaults = hook_defaults(sample_folder)
    assert given.keys() == defaults.keys() | {"aml_compute_target"}
    variables = pipeline["variables"]
    assert {name: variables[name] for name in defaults} == defaults


def test_both_pipelines_have_the_same_parameters(sample_folder: Path) -> None:
    text = (sample_folder / "aml_pipeline_v2.yml").read_text(encoding="utf-8")
    inputs = yaml.safe_load(text)["inputs"]
    assert inputs == {**hook_defaults(sample_folder), "aml_compute_target": "cpu-cluster"}


def test_rules_are_valid(our_steps: dict[str, dict[str, Any]], sample_folder: Path) -> None:
    file = ROOT / our_steps["gate"]["inputs"]["rulesFile"]
    assert file.parent == sample_folder
    found = rules.read(file.read_text(encoding="utf-8"), source=file.name)
    assert found.no_incumbent == "pass"
    assert [rule.metric for rule in found.rules[:2]] == ["accuracy", "recall"]
    assert str(found.rules[0].max_loss) == "0.1"


def test_smoke_file_has_both_labels_texts_and_ids(sample_folder: Path) -> None:
    rows = read_smoke_file(sample_folder / "smoke.json")
    assert {row.expected for row in rows} == {0, 1}
    assert {type(row.input) for row in rows} == {str, list}


def test_readme_names_every_variable_with_its_default(
    pipeline: dict[str, Any], sample_folder: Path
) -> None:
    readme = (sample_folder / "README.md").read_text(encoding="utf-8")
    table = dict(re.findall(r"^\| `(\w+)` \| `?([^`|]+?)`? \|", readme, re.MULTILINE))
    expected = {name: str(value) or "empty" for name, value in pipeline["variables"].items()}
    assert table.keys() == expected.keys()
    del table["description"], expected["description"]  # a sentence, shortened there
    assert table == expected
