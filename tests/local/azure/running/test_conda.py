"""Environment definitions become a Python version and pip requirements, or a clear failure."""

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from local.azure.running.conda import EnvironmentFailure, EnvironmentSpec, read_definition


def definition(*dependencies: Any, **python: Any) -> dict[str, Any]:
    return {
        "name": "tiny",
        "environmentVariables": {"EXAMPLE_ENV_VAR": "EXAMPLE_VALUE", "COLOUR": "blue"},
        "python": {"condaDependencies": {"dependencies": list(dependencies)}, **python},
        "docker": {"baseImage": "mcr.microsoft.com/azureml/base"},
    }


@pytest.mark.parametrize(
    ("entry", "requirement"),
    [
        ("numpy", "numpy"),
        ("numpy=1.21", "numpy==1.21.*"),
        ("numpy=1.21.*", "numpy==1.21.*"),
        ("numpy==1.21.0", "numpy==1.21.0"),
        ("numpy=1.21.0=py310h1", "numpy==1.21.0"),
        ("numpy 1.21.0 py310h1", "numpy==1.21.0"),
        ("numpy>=1.20,<2", "numpy>=1.20,<2"),
        ("conda-forge::scikit-learn=1.5", "scikit-learn==1.5.*"),
        ("pytorch>=2", "torch>=2"),
    ],
)
def test_a_conda_specification_in_pips_words(entry: str, requirement: str) -> None:
    assert read_definition(definition(entry)).requirements == (requirement,)


@pytest.mark.parametrize(
    ("entry", "minor"),
    [
        ("python=3.10.18", "3.10"),
        ("python==3.9", "3.9"),
        ("python=3.12.*", "3.12"),
        ("python 3.8.13", "3.8"),
        ("python>=3.8", f"3.{sys.version_info.minor}"),
        ("python>=3.7,<3.9", "3.8"),
        ("python", f"3.{sys.version_info.minor}"),
    ],
)
def test_the_minor_version_of_python(entry: str, minor: str) -> None:
    assert read_definition(definition(entry, "pip")).python == minor


def test_pip_section_options_and_the_sdks_default_index() -> None:
    spec = read_definition(
        definition(
            {
                "pip": [
                    "--find-links https://pypi.python.org/simple/index.html",
                    "--extra-index-url https://packages.example/simple",
                    "--pre",
                    "azureml-defaults",
                ]
            }
        )
    )
    assert spec.requirements == ("azureml-defaults",)
    assert spec.options == (
        *("--extra-index-url", "https://packages.example/simple"),
        *("--prerelease", "allow"),
    )
    assert "default index" in spec.notes[0]


def test_extra_requirements_are_added_once() -> None:
    spec = read_definition(
        definition({"pip": ["AzureML_Inference.Server-HTTP==1.5.1"]}),
        extra=("azureml-inference-server-http", "click"),
    )
    assert spec.requirements == ("AzureML_Inference.Server-HTTP==1.5.1", "click")


def test_variables_leave_out_the_sdks_example() -> None:
    assert read_definition(definition()).variables == {"COLOUR": "blue"}


def test_the_digest_names_the_content_and_not_the_environment() -> None:
    first = read_definition(definition("numpy", "pandas"))
    assert first.digest == read_definition({**definition("pandas", "numpy"), "name": "x"}).digest
    assert first.digest != read_definition(definition("numpy")).digest


def test_an_own_interpreter_is_taken_as_it_is() -> None:
    spec = read_definition(
        definition("numpy", userManagedDependencies=True, interpreterPath=sys.executable)
    )
    assert spec.interpreter == sys.executable
    assert spec.requirements == ()


@pytest.mark.parametrize(
    ("broken", "text"),
    [
        (definition("numpy[build=py310]"), "numpy\\[build=py310\\]"),
        (definition("numpy=1.2|1.3"), "1.2\\|1.3"),
        (definition("python>=3.9,<3.9"), "which no Python is"),
        (definition({"pip": ["-r requirements.txt"]}), "-r requirements.txt"),
        (definition({"pip": ["./wheels/own.whl"]}), "not part of it"),
        ({"name": "AzureML-Minimal", "python": {}}, "'AzureML-Minimal' has no conda dependencies"),
        ({**definition(), "docker": {"baseDockerfile": "FROM x"}}, "without Docker"),
    ],
)
def test_what_cannot_be_built_is_named(broken: Mapping[str, Any], text: str) -> None:
    with pytest.raises(EnvironmentFailure, match=text):
        read_definition(broken)


def test_an_old_pin_of_conda_bounds_numpy() -> None:
    def spec(*dependencies: str) -> EnvironmentSpec:
        conda = {"dependencies": ["python=3.11", *dependencies]}
        return read_definition({"name": "old", "python": {"condaDependencies": conda}})

    assert "numpy<2" in spec("scikit-learn=0.24.2").constraints
    assert "numpy<2" not in spec("scikit-learn").constraints
    assert spec("scikit-learn=0.24.2").digest != spec("scikit-learn").digest
