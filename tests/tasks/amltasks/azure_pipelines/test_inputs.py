"""Inputs: typed, checked again, and in step with task.json."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amltasks.azure_pipelines import inputs
from amltasks.deploy_to_aks.task import DeployInputs
from amltasks.errors import TaskError
from amltasks.evaluate_and_gate.given import GateInputs
from amltasks.provision_aml_compute.task import ProvisionInputs
from amltasks.run_aml_pipeline.task import RunInputs
from amltasks.workspace.port import Scalar

TASKS = Path(__file__).resolve().parents[4] / "tasks"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Sample:
    name: str = inputs.text(required=True)
    group: str = inputs.text(required=True, alias="groupName")
    max_nodes: int = inputs.whole(default=4, least=1, most=10)
    share: float = inputs.number(default="0.5", least=0, most=1)
    exact: bool = inputs.boolean(default=False)
    kind: str = inputs.choice("run", "model")
    run_id: str = inputs.text(required=True, shown=inputs.Shown(input="kind", value="run"))
    version: str = inputs.text(required=True, shown=inputs.Shown(input="kind", value="model"))
    parameters: Mapping[str, Scalar] = inputs.values()
    tags: Mapping[str, str] = inputs.texts()
    wanted: tuple[str, ...] = inputs.lines()
    folder: str = inputs.text(default="$(System.DefaultWorkingDirectory)/out")
    script: str = inputs.file()
    needed: str = inputs.file(required=True, shown=inputs.Shown(input="exact", value="true"))


LEAST = {"name": "n", "group": "g", "runId": "r"}


def read(**given_inputs: str) -> Sample:
    return inputs.parse(Sample, {**LEAST, **given_inputs}, {"system.defaultworkingdirectory": "/w"})


def test_defaults_hold_for_what_is_empty_or_absent() -> None:
    found = read(maxNodes="", share=" ")
    assert (found.max_nodes, found.share, found.exact, found.kind) == (4, 0.5, False, "run")
    assert (found.parameters, found.tags, found.wanted) == ({}, {}, ())
    assert found.folder == "/w/out"


@pytest.mark.parametrize(
    ("root", "given", "found"),
    [
        # The agent makes its root of an empty filePath input, with or without a separator.
        ("Build.SourcesDirectory", "/a/1/s", ""),
        ("Build.SourcesDirectory", "/a/1/s/", ""),
        ("System.ArtifactsDirectory", "/a/1/s", ""),
        ("Build.SourcesDirectory", "", ""),
        ("Build.SourcesDirectory", "/a/1/s/score.py", "/a/1/s/score.py"),
        ("Build.SourcesDirectory", "/a/1", "/a/1"),
        ("Other", "/a/1/s", "/a/1/s"),
    ],
)
def test_a_file_that_is_the_agents_root_is_not_given(root: str, given: str, found: str) -> None:
    variables = {root.lower(): "/a/1/s", "system.defaultworkingdirectory": "/w"}
    assert inputs.parse(Sample, {**LEAST, "script": given}, variables).script == found
    if not found:
        with pytest.raises(TaskError, match=r"INPUT_MISSING: .*'needed'"):
            inputs.parse(Sample, {**LEAST, "exact": "true", "needed": given}, variables)


def test_values_are_converted() -> None:
    found = read(
        maxNodes=" 7 ",
        share="1e-1",
        exact="True",
        kind="model",
        version="3",
        wanted="a/b\n\n#x\n c/d ",
    )
    assert (found.max_nodes, found.share, found.exact, found.kind) == (7, 0.1, True, "model")
    assert found.version == "3"
    assert found.wanted == ("a/b", "c/d")


@pytest.mark.parametrize(
    ("given_inputs", "words"),
    [
        ({"name": "  "}, "INPUT_MISSING: the input 'name' is empty."),
        ({"runId": ""}, "'runId' is empty, though kind is 'run'."),
        ({"kind": "model", "version": ""}, "'version' is empty, though kind is 'model'."),
        ({"maxNodes": "4.5"}, "'maxNodes' is '4.5', which is not a whole number from 1 to 10."),
        ({"maxNodes": "0"}, "'maxNodes' is '0'"),
        ({"maxNodes": "11"}, "'maxNodes' is '11'"),
        ({"share": "nan"}, "not a number from 0 to 1"),
        ({"share": "half"}, "not a number from 0 to 1"),
        ({"exact": "yes"}, "not one of 'true', 'false'"),
        ({"kind": "Model"}, "not one of 'run', 'model'"),
        ({"parameters": "just words"}, "'parameters' is 'just words', which is not a YAML mapping"),
        ({"parameters": "- a\n- b"}, "not a YAML mapping"),
        ({"parameters": "b: 1\na: [1, 2]"}, "names to one value each (see entry 2)."),
        ({"parameters": "a:"}, "names to one value each (see entry 1)."),
        ({"parameters": "a: *other"}, "'parameters' is 'a: *other', which is not YAML:"),
        ({"name": "$(Build.Nothing)"}, "the variable 'Build.Nothing', which has no value"),
        ({"name": "a/$(mine)/b"}, "the variable 'mine', which has no value in this job."),
        ({"runId": "$(train.runId)"}, "no earlier step of this job named 'train' has set"),
        ({"runId": "$(train.runId)"}, "$[ dependencies.JOB.outputs['train.runId'] ] with"),
        ({"runId": "$(train.runId)"}, "$[ stageDependencies.STAGE.JOB.outputs['train.runId'] ]"),
        ({"parameters": "a: 1\nb: $(train.runId)"}, "INPUT_OUTPUT_UNSET: the input 'parameters'"),
        ({"folder": "$(mine)/out"}, "INPUT_VARIABLE_UNSET: the input 'folder'"),
        ({"maxNodes": "$(nodes)"}, "INPUT_VARIABLE_UNSET: the input 'maxNodes'"),
        ({"runId": "$[ dependencies.a.outputs['b.c'] ]"}, "INPUT_EXPRESSION: the input 'runId'"),
        ({"group": " "}, "INPUT_MISSING: the input 'groupName' is empty."),
        ({"parameters": "a: {b"}, "not YAML:"),
        ({"tags": "a: 1\n b: 2"}, "(line 2)"),
    ],
)
def test_what_is_wrong_is_named(given_inputs: dict[str, str], words: str) -> None:
    with pytest.raises(TaskError) as found:
        read(**given_inputs)
    assert words in str(found.value)


def test_a_required_input_that_is_not_shown_may_be_empty() -> None:
    assert read(kind="model", runId="", version="1").run_id == ""
    assert read(version="").version == ""


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("0.1", 0.1),
        ("1e-3", 0.001),
        ("20190809.10", 20190809.1),
        ("7", 7),
        ("-7", -7),
        ("007", "007"),
        ("true", True),
        ("no", "no"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("'7'", "7"),
    ],
)
def test_yaml_values_follow_the_core_schema(written: str, value: Any) -> None:
    found = read(parameters=f"p: {written}").parameters["p"]
    assert found == Scalar(value=value, written=written.strip("'"))
    assert type(found.value) is type(value)


@pytest.mark.parametrize(
    "text", ["run (it)", "$5", "$(a b)", "$env:X", "$$(", "${x}", "cost: 5 $ (five)"]
)
def test_what_only_looks_like_a_variable_is_a_text(text: str) -> None:
    assert read(name=text).name == text


def test_a_variable_in_an_input_that_does_not_count_is_left_alone() -> None:
    assert read(version="$(unset)").version == "$(unset)"


SECRET = "sEcReT/+0123456789" * 6


@pytest.mark.parametrize(
    "given_inputs",
    [
        {"parameters": f"password: {SECRET}: {{"},
        {"parameters": f"password: *{SECRET}"},
        {"parameters": f"password: !{SECRET} x"},
        {"parameters": f"a: ['{SECRET}', b]"},
        {"parameters": f"{SECRET}:"},
        {"parameters": f"a: &{SECRET} 1\nb: &{SECRET} 2\nc: {{"},
        {"parameters": SECRET},
        {"tags": f'"{SECRET}\\q"'},
        {"maxNodes": SECRET},
        {"share": SECRET},
        {"exact": SECRET},
        {"kind": SECRET},
        {"name": "x", "kind": f" {SECRET} "},
    ],
)
def test_no_part_of_a_long_input_is_shown(given_inputs: dict[str, str]) -> None:
    with pytest.raises(TaskError) as found:
        read(**given_inputs)
    told = str(found.value).lower()
    assert not [i for i in range(len(SECRET) - 7) if SECRET[i : i + 8].lower() in told], told


def test_an_input_of_any_length_makes_a_short_message(tmp_path: Path) -> None:
    long = "x" * 100_000
    for given_inputs in ({"maxNodes": long}, {"parameters": long}, {"kind": long}):
        with pytest.raises(TaskError, match="100,000 characters") as found:
            read(**given_inputs)
        assert len(str(found.value)) < 400
    for path in (long, "a\0b"):
        with pytest.raises(TaskError, match="FILE_NOT_FOUND") as found:
            inputs.existing_file("pipelineFile", path, tmp_path)
        assert len(str(found.value)) < 400


def test_tags_stay_as_they_are_written() -> None:
    assert read(tags="build: 20190809.10\nok: yes\nempty: ''").tags == {
        "build": "20190809.10",
        "ok": "yes",
        "empty": "",
    }


# JSON writes other characters as two escapes, which are two characters to YAML.
basic = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=40)


@given(st.dictionaries(basic, basic, max_size=5))
def test_any_text_mapping_survives_yaml(tags: dict[str, str]) -> None:
    assert dict(read(tags=json.dumps(tags)).tags) == tags


@given(st.text(max_size=60))
def test_no_text_ends_in_anything_but_a_named_error(text: str) -> None:
    for name in ("parameters", "tags", "maxNodes", "share", "wanted", "kind"):
        try:
            read(**{name: text})
        except TaskError as error:
            assert error.cause.code in ("INPUT_INVALID", "INPUT_MISSING")


@pytest.mark.parametrize(
    ("field", "name"),
    [("vm_size", "vmSize"), ("idle_seconds_before_scaledown", "idleSecondsBeforeScaledown")],
)
def test_camel_case(field: str, name: str) -> None:
    assert inputs.camel(field) == name


# --- agreement with task.json ------------------------------------------------------------------

KINDS = {
    "ProvisionAmlComputeV1": ProvisionInputs,
    "RunAmlPipelineV1": RunInputs,
    "EvaluateAndGateV1": GateInputs,
    "DeployToAksV1": DeployInputs,
}
# Read by the launcher: the connection's id, and where Python is.
_TYPED = {"rules", "settings"}  # documents of their own
LAUNCHERS_OWN = {"connectedServiceNameARM", "pythonPath"}
ALIKE = {
    "string": {"string", "pickList"},
    "file": {"filePath"},
    "whole": {"string", "pickList"},
    "number": {"string"},
    "boolean": {"boolean"},
    "choice": {"pickList"},
    "yaml": {"multiLine"},
    "texts": {"multiLine"},
    "lines": {"multiLine"},
}


def described(task: str) -> dict[str, dict[str, Any]]:
    found = json.loads((TASKS / task / "task.json").read_text(encoding="utf-8"))
    return {i["name"]: i for i in found["inputs"] if i["name"] not in LAUNCHERS_OWN}


@pytest.mark.parametrize("task", KINDS)
def test_names_agree_with_task_json(task: str) -> None:
    fields = [inputs.camel(field.name) for field in dataclasses.fields(KINDS[task])]
    assert fields == list(described(task))


@pytest.mark.parametrize("task", KINDS)
def test_types_defaults_and_rules_agree_with_task_json(task: str) -> None:
    for field in dataclasses.fields(KINDS[task]):
        spec, told = inputs.spec_of(field), described(task)[inputs.camel(field.name)]
        assert (told.get("defaultValue") or "") == spec.default, field.name
        assert (told.get("aliases") or [""])[0] == spec.alias, field.name
        kinds = ALIKE[spec.kind] | ({"multiLine"} if field.name in _TYPED else set())
        assert told["type"] in kinds, field.name
        # A picker that takes any text shows options (or asks Azure for them), and is no choice.
        editable = told.get("properties", {}).get("EditableOptions") == "True"
        assert editable == (told["type"] == "pickList" and spec.kind != "choice"), field.name
        assert editable or tuple(told.get("options", {})) == spec.options, field.name
        rule = spec.shown.rule if spec.shown else None
        assert told.get("visibleRule") == rule, field.name
        # With a visibleRule it is required only while shown, which task.json cannot say.
        assert told.get("required", False) == (spec.required and not spec.shown), field.name


OUTPUTS = {
    "ProvisionAmlComputeV1": {"computeName", "computeState", "computeOutcome"},
    "RunAmlPipelineV1": {"runId", "portalUrl", "runStatus", "metrics", "outputsPath"},
    "EvaluateAndGateV1": {
        "passed",
        "reason",
        "modelName",
        "modelVersion",
        "copyId",
        "baselineVersion",
        "metrics",
        "evalInfoPath",
        "reportPath",
    },
    "DeployToAksV1": {
        "revision",
        "previousRevision",
        "rolledBack",
        "serviceName",
        "serviceState",
        "scoringUri",
        "primaryKey",
    },
}


@pytest.mark.parametrize("task", OUTPUTS)
def test_outputs_agree_with_task_json(task: str) -> None:
    found = json.loads((TASKS / task / "task.json").read_text(encoding="utf-8"))
    assert {each["name"] for each in found["outputVariables"]} == OUTPUTS[task]
    allowed = set(found["restrictions"]["settableVariables"]["allowed"])
    assert allowed - {"metric.*"} == OUTPUTS[task]
