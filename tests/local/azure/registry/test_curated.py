"""Stand-ins for environments that are images in Azure ML."""

from __future__ import annotations

import pytest

from local.azure.registry.curated import conda_of_curated, conda_of_image, curated_names


@pytest.mark.parametrize(
    "name",
    ["sklearn-1.5", "AzureML-sklearn-1.5", "azureml-sklearn-1.1-ubuntu20.04-py38-cpu"],
)
def test_a_curated_environment_is_found_under_all_its_names(name):
    found = conda_of_curated(name)
    assert found is not None
    conda, note = found
    assert f"'{name}' is an image in Azure ML" in note
    packages = str(conda["dependencies"])
    assert "scikit-learn" in packages
    assert "azureml-inference-server-http" in packages


def test_every_name_is_its_own():
    assert all(conda_of_curated(name) for name in curated_names())
    for name in ("sklearn-1.55", "sklearn", "pytorch-2.0"):
        assert conda_of_curated(name) is None


@pytest.mark.parametrize(
    ("image", "dependencies"),
    [
        ("python:3.11-slim", ["python=3.11"]),
        ("docker.io/library/python:3.10", ["python=3.10"]),
        ("python", []),
        ("mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04:20230120.v1", []),
    ],
)
def test_an_image_with_a_bare_python(image, dependencies):
    found = conda_of_image(image)
    assert found is not None
    assert found[0]["dependencies"] == dependencies


@pytest.mark.parametrize("image", ["ubuntu:22.04", "evil/python:3.11", "mcr.microsoft.com/dotnet"])
def test_any_other_image_has_no_stand_in(image):
    assert conda_of_image(image) is None
