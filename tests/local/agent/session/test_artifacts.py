"""The artifacts that a release deploys."""

from __future__ import annotations

import json

import pytest

from local.agent.errors import AgentError
from local.agent.session.artifacts import artifact_variables, primary_variables, read_source


def test_a_build_brings_its_facts(build_result, tmp_path):
    source = read_source(build_result(tags=["nightly"]))
    assert source.is_build
    assert source.parts == {"drop": tmp_path / "built"}
    assert (source.tags, source.default_branch) == (("nightly",), "refs/heads/main")
    found = artifact_variables("_made", source)
    assert found["Release.Artifacts._made.BuildNumber"] == "20260102.3"
    assert found["Release.Artifacts._made.Type"] == "Build"


def test_the_primary_artifact_has_the_names_of_a_build(build_result):
    found = primary_variables(read_source(build_result(definitionId="7")))
    assert found["Build.BuildNumber"] == "20260102.3"
    assert found["Build.DefinitionId"] == "7"
    assert "System.DefinitionId" not in found


def test_a_folder_has_no_facts(tmp_path):
    source = read_source(tmp_path)
    assert (dict(source.parts), source.is_build) == ({"": tmp_path}, False)
    assert artifact_variables("a", source) == primary_variables(source) == {}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"build": {}, "artifacts": []}', "\udc80"])
def test_other_files_are_refused(tmp_path, text):
    file = tmp_path / "result.json"
    file.write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(AgentError, match="is not the result of a build"):
        read_source(file)


def test_what_is_gone_is_named(tmp_path, build_result):
    with pytest.raises(AgentError, match=r"cannot be read \(No such file"):
        read_source(tmp_path / "gone.json")
    file = build_result()
    document = json.loads(file.read_text())
    file.write_text(json.dumps({**document, "artifacts": {"drop": str(tmp_path / "gone")}}))
    with pytest.raises(AgentError, match=r"the artifact 'drop' of .* no longer exists"):
        read_source(file)
