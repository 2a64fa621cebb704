"""Variable groups: from files and from the organisation; secrets from the agent's environment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from local.agent.definition.variable_groups import GroupVariable, VariableGroups
from local.agent.errors import AgentError, PipelineFileError, Place

PLACE = Place(Path("pipeline.yml"), 3)
SHOWN: dict[str, Any] = {
    "id": 4,
    "name": "deploy",
    "type": "Vsts",
    "variables": {"region": {"value": "west"}, "key": {"value": None, "isSecret": True}},
}


@pytest.fixture
def group_file(tmp_path):
    def write(content, name="group.json"):
        file = tmp_path / name
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    return write


def found(groups, name="deploy"):
    return {one.name: (one.value, one.secret) for one in groups.read(name, PLACE)}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("g.json", {"region": "west", "key": {"value": "k", "isSecret": True}}),
        ("g.yml", "region: west\nkey: {value: k, isSecret: true}\n"),
        (
            "g.json",
            {**SHOWN, "variables": {**SHOWN["variables"], "key": {"value": "k", "isSecret": True}}},
        ),
    ],
)
def test_files(group_file, name, content):
    groups = VariableGroups(files={"Deploy": group_file(content, name)})
    assert found(groups) == {"region": ("west", False), "key": ("k", True)}


def test_a_secret_that_nobody_shows_comes_from_the_environment(group_file):
    environment = {"KEY": "from outside", "PATH": "x"}
    groups = VariableGroups(files={"deploy": group_file(SHOWN)}, environment=environment)
    assert found(groups)["key"] == ("from outside", True)
    assert environment == {"PATH": "x"}
    # A second reference finds it, too.
    assert found(groups, "DEPLOY")["key"] == ("from outside", True)


def test_the_organisation_is_asked_for_what_no_file_has(group_file):
    asked = []

    def fetch(name):
        asked.append(name)
        return (GroupVariable(name="a", value="1"),) if name == "there" else None

    groups = VariableGroups(files={"deploy": group_file({"b": "2"})}, fetch=fetch)
    assert found(groups) == {"b": ("2", False)}
    assert found(groups, "there") == {"a": ("1", False)}
    with pytest.raises(
        PipelineFileError, match=r"pipeline.yml:3: the variable group 'nosuch' is ne"
    ):
        found(groups, "nosuch")
    assert asked == ["there", "nosuch"]


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (SHOWN, "set KEY in the agent's environment"),
        ([1], "must be a mapping of names to values"),
        ({"a": {"vale": "x"}}, "did you mean 'value'?"),
        ("{", "not valid JSON"),
    ],
)
def test_files_that_cannot_be_used(group_file, content, part):
    with pytest.raises(AgentError) as caught:
        found(VariableGroups(files={"deploy": group_file(content)}))
    assert part in str(caught.value)


def test_a_file_that_the_pipeline_has_no_use_for_is_refused(group_file):
    groups = VariableGroups(files={"deploi": group_file({"a": "1"}), "deploy": group_file({})})
    found(groups)
    with pytest.raises(AgentError, match="no such group; did you mean 'deploy'"):
        groups.check_all_read()


PIPELINE = """
variables:
- {name: region, value: file}
- group: deploy
- {name: after, value: $(region)}
stages:
- stage: one
  condition: eq(variables.region, 'west')
  jobs:
  - job: a
    variables: [{group: job}]
    steps:
    - checkout: none
    - bash: echo "$(after) $(own) [$(key)] [$KEY] $(key)x"
      name: a
  - job: b
    steps: [{checkout: none}, {bash: 'echo "[$(own)]" || true', name: b}]
"""


def test_a_pipeline(play, group_file, monkeypatch):
    monkeypatch.setenv("KEY", "s3cret-value")
    groups = {"deploy": group_file(SHOWN), "job": group_file("own: mine\n", "job.yml")}
    played = play(PIPELINE, groups=groups)
    assert played.lines("a") == ["west mine [***] [] ***x"]
    assert "s3cret-value" not in played.console + json.dumps(played.document)
    assert "mine" not in "".join(played.lines("b"))


def test_a_secret_is_masked_before_any_job(play, group_file, monkeypatch):
    monkeypatch.setenv("KEY", "s3cret-value")
    text = "variables: [{group: deploy}]\njobs:\n- job: a\n  condition: gt(1, variables.key)\n"
    text += "  steps: [{checkout: none}, {bash: 'true'}]\n"
    played = play(text, groups={"deploy": group_file(SHOWN)})
    assert "cannot compare '1' with '***'" in played.console
    assert played.result == "failed"


def test_classic_definitions(
    play_build, build_json, play_release, release_json, stage_json, group_file
):
    groups = {"deploy": group_file({"region": "west", "size": "group"})}
    linked = [{"id": 4, "name": "deploy", "type": "Vsts"}]
    variables = {"size": {"value": "own"}}
    step = {"refName": "s", "script": "echo $(region) $(size)"}
    definition = build_json(step, variableGroups=linked, variables=variables)
    assert play_build(definition, groups=groups).lines("s") == ["west own"]
    release = release_json(stage_json("S", step, variableGroups=[4]))
    files = {"4": groups["deploy"]}
    assert play_release(release, groups=files).lines("s") == ["west group"]
