"""azureml-sdk publishes pipelines under one endpoint with versions, and runs them."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.local.azure.conftest import provisioned


@pytest.fixture(scope="module")
def published_twice(aml_workspace: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Two published pipelines of one step, which says a word."""
    from azureml.core.compute import AmlCompute, ComputeTarget
    from azureml.core.runconfig import RunConfiguration
    from azureml.pipeline.core import Pipeline
    from azureml.pipeline.core.graph import PipelineParameter
    from azureml.pipeline.steps import PythonScriptStep

    size = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=1)
    provisioned(ComputeTarget.create(aml_workspace, "endpoint-cpu", size))
    folder: Path = tmp_path_factory.mktemp("source")
    (folder / "say.py").write_text("import sys; print(sys.argv[1:])")
    configuration = RunConfiguration()
    configuration.environment.python.user_managed_dependencies = True
    python = getattr(
        sys, "_base_executable", sys.executable
    )  # has nothing to import, so it is quick
    configuration.environment.python.interpreter_path = python

    def publish(word: str) -> Any:
        step = PythonScriptStep(
            name="say",
            script_name="say.py",
            source_directory=str(folder),
            arguments=[word, PipelineParameter("more", "nothing")],
            compute_target="endpoint-cpu",
            runconfig=configuration,
            allow_reuse=False,
        )
        return Pipeline(aml_workspace, [step]).publish(name=word, description="", version="1")

    return [publish("first"), publish("second")]


@pytest.fixture(scope="module")
def endpoint(aml_workspace: Any, published_twice: list[Any]) -> Any:
    from azureml.pipeline.core import PipelineEndpoint

    made = PipelineEndpoint.publish(aml_workspace, "speech", "says things", published_twice[0])
    made.add(published_twice[1])
    return made


def _said(run: Any) -> str:
    run.wait_for_completion(show_output=False, raise_on_error=True)
    (step,) = run.get_steps()
    text: str = step.get_stdout_log()
    return text


def test_an_endpoint_is_found_by_name_id_and_in_the_list(
    aml_workspace: Any, endpoint: Any, published_twice: list[Any]
) -> None:
    from azureml.pipeline.core import PipelineEndpoint

    named = PipelineEndpoint.get(aml_workspace, name="speech")
    assert named.description == "says things"
    assert PipelineEndpoint.get(aml_workspace, id=named.id).name == "speech"
    assert [each.id for each in PipelineEndpoint.list(aml_workspace)] == [named.id]
    assert [each.version for each in named.list_versions()] == ["0", "1"]
    assert [each.id for each in named.list_pipelines()] == [each.id for each in published_twice]
    assert named.get_pipeline().name == "first"
    with pytest.raises(ValueError, match="already exists"):
        PipelineEndpoint.publish(aml_workspace, "speech", "", published_twice[0])


def test_the_default_version_runs_unless_one_is_asked_for(
    aml_workspace: Any, endpoint: Any
) -> None:
    from azureml.core import Experiment

    experiment = Experiment(aml_workspace, "endpoints")
    default = experiment.submit(endpoint, pipeline_parameters={"more": "word"})
    asked = experiment.submit(endpoint, pipeline_version="1")
    assert "['first', 'word']" in _said(default)
    assert "['second', 'nothing']" in _said(asked)
    with pytest.raises(Exception, match="Not Found"):
        experiment.submit(endpoint, pipeline_version="7")


def test_rest_runs_a_version_by_the_endpoints_name(
    aml_workspace: Any, endpoint: Any, azure_http: Any
) -> None:
    from azureml.core import Experiment
    from azureml.pipeline.core import PipelineRun

    address = endpoint.endpoint.split("Id")[0] + "Name?name=speech&pipelineVersion=1"
    body = {"ExperimentName": "endpoints", "RunSource": "API"}
    answer = azure_http.post(
        address, json={**body, "ParameterAssignments": {"more": "rest", "1": "x"}}
    )
    assert answer.status_code == 200
    run = PipelineRun(Experiment(aml_workspace, "endpoints"), answer.json()["Id"])
    assert "['second', 'rest']" in _said(run)
    unknown = azure_http.post(address.replace("speech", "silence"), json=body)
    assert unknown.status_code == 404


def test_an_endpoint_is_changed_archived_and_reactivated(
    aml_workspace: Any, endpoint: Any, published_twice: list[Any], azure_http: Any
) -> None:
    from azureml.pipeline.core import PipelineEndpoint

    changed = PipelineEndpoint.publish(aml_workspace, "change", "", published_twice[0])
    changed.add_default(published_twice[1])
    changed.set_name("changed")
    assert PipelineEndpoint.get(aml_workspace, name="changed").get_default_version() == "1"
    changed.set_default_version("0")
    assert PipelineEndpoint.get(aml_workspace, name="changed").get_pipeline().name == "first"
    with pytest.raises(Exception, match="Conflict"):
        changed.set_name("speech")
    changed.archive()
    assert changed.id not in [each.id for each in PipelineEndpoint.list(aml_workspace)]
    everything = PipelineEndpoint.list(aml_workspace, active_only=False)
    assert changed.id in [each.id for each in everything]
    refused = azure_http.post(changed.endpoint, json={"ExperimentName": "endpoints"})
    assert refused.status_code == 400
    assert "is disabled" in refused.text
    changed.reactivate("changed")
    assert PipelineEndpoint.get(aml_workspace, name="changed").id == changed.id
