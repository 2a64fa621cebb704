from __future__ import annotations

from collections.abc import Mapping

from local.azure.v2.assets.component_specs import Spec, anonymous_version, normal, written

SPEC: Spec = {
    "name": "train",
    "version": "1",
    "type": "command",
    "command": "python train.py ${{inputs.rows}}",
    "inputs": {"rows": {"type": "integer", "default": 5}},
    "environment": "azureml:env:1",
}


def test_a_command_is_written_anew_with_texts() -> None:
    shown = written(SPEC, code="azureml:/full/code", environment="azureml:/full/env")
    assert shown["inputs"] == {"rows": {"type": "integer", "optional": "False", "default": "5"}}
    assert shown["resources"] == {"instance_count": "1"}
    assert (shown["code"], shown["environment"]) == ("azureml:/full/code", "azureml:/full/env")
    names = [name for name in shown if name in ("name", "version", "inputs", "command")]
    assert names == ["name", "version", "inputs", "command"]


def test_the_nodes_of_a_pipeline_stay_as_they_are() -> None:
    node = {"type": "command", "limits": {"timeout": 5}}
    jobs: dict[str, Mapping[str, object]] = {"one": node}
    assert written({"type": "pipeline", "jobs": jobs}, code=None, environment=None) == {
        "type": "pipeline",
        "jobs": jobs,
    }


def test_what_the_service_wrote_equals_what_was_sent() -> None:
    shown = written(SPEC, code=None, environment=None)
    assert normal(shown["inputs"]) == normal(SPEC["inputs"])
    assert normal({"rows": {"type": "integer", "default": 6}}) != normal(SPEC["inputs"])


def test_the_version_of_a_component_without_a_name_follows_its_content() -> None:
    assert anonymous_version(SPEC) == anonymous_version({**SPEC, "version": "2"})
    assert anonymous_version(SPEC) != anonymous_version({**SPEC, "command": "python other.py"})
