"""The environment service: names, versions, and what is not there."""

from typing import Any

import pytest


def tiny(name: str, *packages: str) -> Any:
    from azureml.core import Environment
    from azureml.core.conda_dependencies import CondaDependencies

    environment = Environment(name)
    environment.python.conda_dependencies = CondaDependencies.create(pip_packages=list(packages))
    return environment


def test_versions_count_up_when_the_definition_changes(aml_workspace: Any) -> None:
    from azureml.core import Environment

    first = tiny("counted", "six").register(aml_workspace)
    same = tiny("counted", "six").register(aml_workspace)
    other = tiny("counted", "six", "click").register(aml_workspace)
    assert (first.version, same.version, other.version) == ("1", "1", "2")
    assert Environment.get(aml_workspace, "counted").version == "2"
    old = Environment.get(aml_workspace, "counted", version="1")
    assert "click" not in list(old.python.conda_dependencies.pip_packages)
    assert Environment.list(aml_workspace)["counted"].version == "2"


def test_a_version_of_ones_own(aml_workspace: Any) -> None:
    from azureml.core import Environment

    environment = tiny("own-version", "six")
    environment.version = "2026-11"
    assert environment.register(aml_workspace).version == "2026-11"
    assert Environment.get(aml_workspace, "own-version").version == "2026-11"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("absent", "'absent' is not registered"),
        ("AzureML-sklearn-1.55", "knows the packages of a few curated environments only"),
        ("sklearn-1.5", "'sklearn-1.5' is not registered"),
    ],
)
def test_what_is_not_there(aml_workspace: Any, name: str, text: str) -> None:
    from azureml.core import Environment

    with pytest.raises(Exception, match=text):
        Environment.get(aml_workspace, name)


@pytest.mark.parametrize(
    ("name", "image"),
    [
        ("AzureML-sklearn-1.0", "mcr.microsoft.com/azureml/curated/sklearn-1.0:1"),
        ("azureml-sklearn-1.0", "mcr.microsoft.com/azureml/curated/sklearn-1.0:1"),
    ],
)
def test_curated_environments_are_read(aml_workspace: Any, name: str, image: str) -> None:
    from azureml.core import Environment

    found = Environment.get(aml_workspace, name)
    assert (found.version, found.docker.base_image) == ("1", image)
    packages = list(found.python.conda_dependencies.pip_packages)
    assert "scikit-learn>=1.0,<1.6" in packages
    assert Environment.get(aml_workspace, name, version="7").version == "7"
    assert name not in Environment.list(aml_workspace)
