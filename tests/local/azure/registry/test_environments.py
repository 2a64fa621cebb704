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
        ("AzureML-sklearn-1.5", "Curated environments are images"),
    ],
)
def test_what_is_not_there(aml_workspace: Any, name: str, text: str) -> None:
    from azureml.core import Environment

    with pytest.raises(Exception, match=text):
        Environment.get(aml_workspace, name)
