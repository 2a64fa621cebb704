"""Bindings, durations and stand-ins for images, which are pure functions."""

from __future__ import annotations

import pytest

from local.azure.kernel.http import ServiceError
from local.azure.registry import curated
from local.azure.v2.jobs import job_io


def test_bindings_are_replaced() -> None:
    values = {"inputs.a": "1", "inputs.group.b": "2", "outputs.o": "/out"}
    text = "x ${{inputs.a}} ${{ inputs.group.b }} ${{outputs.o}}/f $HOME ${X}"
    assert job_io.bind(text, values) == "x 1 2 /out/f $HOME ${X}"


def test_optional_parts_go_when_their_input_is_absent() -> None:
    text = "run $[[--a ${{inputs.a}}]] $[[--b ${{inputs.b}}]]"
    assert job_io.bind(text, {"inputs.a": "1"}) == "run --a 1 "


def test_binding_without_value_is_named() -> None:
    with pytest.raises(ServiceError, match=r"\$\{\{inputs\.gone\}\}"):
        job_io.bind("x ${{inputs.gone}}", {})


@pytest.mark.parametrize(
    ("text", "seconds"), [("PT1H30M", 5400), ("P1DT1S", 86401), (90, 90), (None, None), ("", None)]
)
def test_durations(text: object, seconds: float | None) -> None:
    assert job_io.read_timeout(text) == seconds


@pytest.mark.parametrize("text", ["P", "one hour", "1h"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(ServiceError, match="ISO 8601"):
        job_io.read_timeout(text)


def test_outputs_get_a_place() -> None:
    outputs = {
        "folder": job_io.Output(),
        "file": job_io.Output(type="uri_file"),
        "own": job_io.Output(uri="azureml://datastores/other/paths/${{name}}/${{output_name}}"),
    }
    placed = job_io.place_outputs(outputs, job_name="job", run_id="run", store="azureml:mine")
    assert {name: output.uri for name, output in placed.items()} == {
        "folder": "azureml://datastores/mine/paths/azureml/run/folder/",
        "file": "azureml://datastores/mine/paths/azureml/run/file",
        "own": "azureml://datastores/other/paths/job/own",
    }


@pytest.mark.parametrize(
    ("image", "dependencies"),
    [
        ("python", []),
        ("library/python:3.11.6", ["python=3.11"]),
        ("docker.io/library/python:3.12-slim", ["python=3.12"]),
        ("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:latest", []),
    ],
)
def test_images_that_are_a_bare_python(image: str, dependencies: list[str]) -> None:
    found = curated.conda_of_image(image)
    assert found is not None
    assert found[0] == {"dependencies": dependencies}


@pytest.mark.parametrize("image", ["rstats:4", "example.com/python:3", "nvidia/cuda", ""])
def test_other_images_have_no_stand_in(image: str) -> None:
    assert curated.conda_of_image(image) is None


@pytest.mark.parametrize(
    "name", ["sklearn-1.5", "AzureML-sklearn-1.5", "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu"]
)
def test_curated_names(name: str) -> None:
    found = curated.conda_of_curated(name)
    assert found is not None
    (packages,) = (one["pip"] for one in found[0]["dependencies"] if not isinstance(one, str))
    assert any(line.startswith("scikit-learn") for line in packages)


def test_curated_name_that_is_not_known() -> None:
    assert curated.conda_of_curated("AzureML-sklearn-1.55") is None
