"""Editors complete and check our tasks once they are in the schema: in the samples and the docs."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from extension import yaml_schema

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ("samples/compliance-classifier/azure-pipelines.yml",)
CONSUMER = "tests/end_to_end/consumer/azure-pipelines.yml"
PROSE = sorted(
    path
    for pattern in ("README.md", "extension/overview.md", "tasks/*/README.md", "docs/*.md")
    for path in ROOT.glob(pattern)
)
FULL = "amltasks.azure-machine-learning-tasks.RunAmlPipelineV1.RunAmlPipeline@1"


def in_box(name: str, **inputs: Any) -> dict[str, Any]:
    """A branch of the closed list, as the public schema has it for a task of Microsoft's."""
    return {
        "properties": {
            "task": {"description": name, "ignoreCase": "value", "pattern": f"^{name}$"},
            "inputs": {
                "description": f"{name} inputs",
                "properties": inputs,
                "additionalProperties": False,
                "required": [],
            },
        },
        "doNotSuggest": False,
        "firstProperty": ["task"],
        "required": ["task"],
    }


def listed(key: str, of: str) -> dict[str, Any]:
    return {"type": "array", "items": {"$ref": f"#/definitions/{of}"}, "description": key}


def steps_at(*path: str) -> dict[str, Any]:
    """An object that has steps at a path, for strategies of deployment jobs."""
    found: dict[str, Any] = {"$ref": "#/definitions/steps"}
    for key in reversed(path):
        found = {"type": "object", "properties": {key: found}}
    return found


IN_BOX = {
    "UsePythonVersion@0": {"versionSpec": {"type": "string", "ignoreCase": "key"}},
    "PublishPipelineArtifact@1": {
        name: {"type": "string", "ignoreCase": "key"} for name in ("targetPath", "artifact")
    },
    "Cache@2": {name: {"type": "string", "ignoreCase": "key"} for name in ("key", "path")},
    "PipAuthenticate@1": {"artifactFeeds": {"type": "string", "ignoreCase": "key"}},
}
PUBLIC: dict[str, Any] = {
    # The public schema's form in small: pipeline, stages, jobs, steps, the closed list of tasks.
    "$schema": "http://json-schema.org/draft-07/schema#",
    "oneOf": [{"$ref": "#/definitions/pipeline"}, {"type": "string", "pattern": "^$"}],
    "definitions": {
        "pipeline": {
            "type": "object",
            "properties": {
                **{key: {} for key in ("trigger", "pool", "variables", "parameters", "name", "pr")},
                "stages": listed("stages", "stage"),
                "jobs": listed("jobs", "job"),
                "steps": {"$ref": "#/definitions/steps"},
                "resources": {},
                "schedules": {},
            },
            "additionalProperties": False,
        },
        "stage": {"type": "object", "properties": {"jobs": listed("jobs", "job")}},
        "job": {
            "type": "object",
            "properties": {
                "steps": {"$ref": "#/definitions/steps"},
                "strategy": steps_at("runOnce", "deploy", "steps"),
            },
        },
        "steps": {"type": "array", "items": {"$ref": "#/definitions/step"}},
        "step": {
            "anyOf": [
                {"type": "object", "$ref": "#/definitions/task"},
                *(
                    {"type": "object", "firstProperty": [key], "required": [key]}
                    for key in ("script", "bash", "checkout", "publish", "download", "template")
                ),
            ]
        },
        "task": {
            "type": "object",
            "properties": {
                "task": {
                    "anyOf": [
                        {"description": name, "ignoreCase": "value", "enum": [name]}
                        for name in IN_BOX
                    ]
                },
                **{key: {} for key in ("displayName", "name", "condition", "env", "target")},
                **{key: {} for key in ("continueOnError", "enabled", "timeoutInMinutes")},
                "retryCountOnTaskFailure": {"type": "integer"},
                "inputs": {"type": "object"},
            },
            "additionalProperties": False,
            "firstProperty": ["task"],
            "anyOf": [in_box(name, **inputs) for name, inputs in IN_BOX.items()],
        },
    },
}


def run(schema: str) -> subprocess.CompletedProcess[str]:
    """The command that everybody uses, with the schema on standard input."""
    return subprocess.run(
        [sys.executable, "-m", "extension.yaml_schema", "-"],
        cwd=ROOT,
        check=False,
        input=schema,
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    done = run(json.dumps(PUBLIC))
    assert (done.returncode, done.stderr) == (0, "")
    return dict(json.loads(done.stdout))


def edited(schema: dict[str, Any], documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the language service of Microsoft's editors says of documents."""
    done = subprocess.run(
        ["node", "tests/extension/language_service.js"],
        cwd=ROOT,
        check=True,
        input=json.dumps({"schema": schema, "documents": documents}),
        stdout=subprocess.PIPE,
        text=True,
    )
    return list(json.loads(done.stdout))


def snippets(path: Path) -> list[str]:
    """The pieces of pipeline files in a page, each as a whole file."""
    found = []
    for block in re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.DOTALL | re.MULTILINE):
        parsed = yaml.safe_load(block)
        if isinstance(parsed, list) and any("task" in step for step in parsed):
            found.append("steps:\n" + block)
        elif isinstance(parsed, dict) and parsed.keys() & {"steps", "jobs", "stages"}:
            found.append(block)
    return found


def test_without_the_tasks_the_sample_is_full_of_errors() -> None:
    (answer,) = edited(PUBLIC, [{"text": (ROOT / SAMPLES[0]).read_text()}])
    assert any("Unexpected property azureSubscription" in line for line in answer["problems"])


@pytest.mark.parametrize("name", [*SAMPLES, CONSUMER])
def test_the_samples_have_no_problems(schema: dict[str, Any], name: str) -> None:
    assert edited(schema, [{"text": (ROOT / name).read_text()}])[0]["problems"] == []


def test_the_snippets_in_the_docs_have_no_problems(schema: dict[str, Any]) -> None:
    found = {f"{path.relative_to(ROOT)}: {text}": text for path in PROSE for text in snippets(path)}
    assert len(found) >= 6  # every task's page, the front page and the gallery's
    answers = edited(schema, [{"text": text} for text in found.values()])
    problems = {name: answer["problems"] for name, answer in zip(found, answers, strict=True)}
    assert {name: lines for name, lines in problems.items() if lines} == {}


STEP = """\
steps:
  - task: DeployToAks@1
    inputs:
      azureSubscription: my-connection
      resourceGroupName: my-group
      workspace: my-workspace
      serviceName: my-service
      modelName: parts
      modelVersion: 3
      entryScript: score.py
      environmentFile: environment.yml
      exportKey: true
      target: managed
"""


def test_names_aliases_variables_and_the_full_name_are_known(schema: dict[str, Any]) -> None:
    run_step = f"steps:\n  - task: {FULL}\n    inputs: {{ connectedServiceNameARM: a, "
    run_step += "resourceGroup: b, workspaceName: c, pipelineFile: d, experimentName: e }\n"
    texts = [
        STEP,
        STEP.replace("exportKey: true", "exportKey: $(key)").replace("managed", "${{ x.y }}"),
        run_step,
    ]
    assert [answer["problems"] for answer in edited(schema, [{"text": t} for t in texts])] == [
        [],
        [],
        [],
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("workspace:", "workspce:", "6:7 Unexpected property workspce"),
        ("workspace:", "workspce:", '3:5 Missing property "workspaceName".'),
        ("target: managed", "target: manged", "13:15 Value is not accepted."),
        ("exportKey: true", "exportKey: yes please", "12:18 Incorrect type."),
        ("DeployToAks@1", "DeployToAks@2", "2:11 Value is not accepted."),
    ],
)
def test_what_is_misspelt_is_told_with_its_place(
    schema: dict[str, Any], right: str, wrong: str, problem: str
) -> None:
    (answer,) = edited(schema, [{"text": STEP.replace(right, wrong)}])
    assert any(line.startswith(problem) for line in answer["problems"]), answer["problems"]


def test_an_editor_offers_the_tasks_and_their_inputs(schema: dict[str, Any]) -> None:
    tasks, inputs = edited(
        schema,
        [
            {"text": "steps:\n  - task: R\n", "line": 2, "column": 12},
            # An editor makes a whole line of what is being written.
            {"text": STEP + "      x: 1\n", "line": 14, "column": 7},
        ],
    )
    assert {"RunAmlPipeline@1", "DeployToAks@1"} <= set(tasks["offered"])
    assert FULL not in tasks["offered"]
    assert {"smokeFile", "aksName"} <= set(inputs["offered"])
    assert "modelName" not in inputs["offered"]  # it is there already


def test_an_organisations_schema_that_has_them_gets_these(schema: dict[str, Any]) -> None:
    """Where the extension is installed the schema has its tasks, of some version, already."""
    old = copy.deepcopy(schema)
    for branch in old["definitions"]["task"]["anyOf"]:
        branch["properties"]["inputs"]["properties"].pop("smokeFile", None)
    again = json.loads(run(json.dumps(old)).stdout)
    assert again == schema != old


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "it is not JSON"),
        ('{"definitions": {}}', "no schema of Azure Pipelines: it has no 'task'"),
        ("[]", "no schema of Azure Pipelines"),
    ],
)
def test_what_is_no_pipelines_schema_is_refused_in_a_sentence(text: str, words: str) -> None:
    done = run(text)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("<stdin> was not extended: ")
    assert words in done.stderr


def test_server_tasks_are_no_steps() -> None:
    gate = {"runsOn": ["ServerGate"], "name": "Check", "version": {"Major": 1}, "inputs": []}
    assert yaml_schema.extended(PUBLIC, [gate], "p.e") == PUBLIC
