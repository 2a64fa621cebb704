"""A v1 Environment definition read as what uv needs: a Python version and pip requirements.

The local Azure has no conda. Packages of the conda section are asked for from the package index
under the same name (or the index's own name for a few well-known ones), which is right for nearly
every Python package and fails by name for the rest.

Conda's match specifications: docs.conda.io, "Package match specifications".
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from local.azure.running import numpy_abi

# What conda calls otherwise than the package index does.
_INDEX_NAMES = {
    "pytorch": "torch",
    "pytorch-cpu": "torch",
    "opencv": "opencv-python-headless",
    "py-opencv": "opencv-python-headless",
    "matplotlib-base": "matplotlib",
    "seaborn-base": "seaborn",
    "py-xgboost": "xgboost",
    "dask-core": "dask",
}

# 2.26.1 was published for macOS only, while azureml-dataprep asks for the newest of its series.
_CONSTRAINTS = ('azureml-dataprep-rslex!=2.26.1 ; sys_platform != "darwin"',)

# The SDK adds its default index to every CondaDependencies.create(). Which index this machine uses
# is for its own settings (UV_INDEX_URL and the like) to say, so exactly that one is left out.
_SDK_DEFAULT_INDEX = re.compile(r"https?://pypi\.(python\.)?org/")

# Counts the ways in which environments were built; another one must not find the old ones.
_RECIPE = 3

_INDEX_OPTIONS = ("--find-links", "-f", "--index-url", "-i", "--extra-index-url")
_CONDA_SPEC = re.compile(
    r"(?:(?P<channel>[^\s:]+)::)?(?P<name>[A-Za-z0-9][\w.\-]*)\s*(?P<version>.*)"
)


class EnvironmentFailure(Exception):  # noqa: N818 -- a job fails because of it
    """An environment that cannot be built; the text says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class EnvironmentSpec:
    """What to build, or which interpreter to use as it is."""

    name: str
    variables: Mapping[str, str]
    interpreter: str | None = None
    python: str = ""
    requirements: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    conda_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    constraints: tuple[str, ...] = _CONSTRAINTS

    @property
    def digest(self) -> str:
        """Names the built environment: equal for equal contents on equal platforms."""
        content = [
            *(_RECIPE, self.python, sorted(self.requirements), self.options, self.constraints),
            *(sys.platform, platform.machine()),
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]


def read_definition(definition: Mapping[str, Any], *, extra: Iterable[str] = ()) -> EnvironmentSpec:
    """Read an environment as the SDK serialises it.

    extra: requirements that the caller's image would add, left out when already asked for.
    Raises EnvironmentFailure for what only an image or conda could give.
    """
    found = {key.lower(): value for key, value in definition.items()}
    python = found.get("python") or {}
    docker = found.get("docker") or {}
    name = found.get("name") or "environment"
    variables = {
        key: str(value)
        for key, value in (found.get("environmentvariables") or {}).items()
        if key != "EXAMPLE_ENV_VAR"  # a placeholder of the SDK's own
    }
    if docker.get("baseDockerfile") or docker.get("buildContext"):
        raise EnvironmentFailure(
            f"Environment '{name}' is built from a Dockerfile, and the local Azure builds Python "
            "environments without Docker. Describe it by conda dependencies instead."
        )
    if python.get("userManagedDependencies"):
        return EnvironmentSpec(
            name=name,
            variables=variables,
            interpreter=python.get("interpreterPath") or "python",
        )
    if python.get("condaDependencies") is None:
        raise EnvironmentFailure(
            f"Environment '{name}' has no conda dependencies to build it from. Set "
            "environment.python.conda_dependencies, or user_managed_dependencies with an "
            "interpreter path."
        )
    spec = _read_conda(name, python["condaDependencies"])
    missing = [package for package in extra if _key(package) not in map(_key, spec.requirements)]
    return EnvironmentSpec(
        **{
            **vars(spec),
            "variables": variables,
            "requirements": (*spec.requirements, *missing),
        }
    )


def _read_conda(name: str, conda: Mapping[str, Any]) -> EnvironmentSpec:
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    requirements: list[str] = []
    options: list[str] = []
    conda_names: list[str] = []
    notes: list[str] = []
    for entry in conda.get("dependencies") or []:
        if isinstance(entry, Mapping):
            for line in entry.get("pip") or []:
                _read_pip(name, str(line).strip(), requirements, options, notes)
            continue
        package, version = _split(name, str(entry))
        if package == "python":
            python = _python_version(name, version) or python
        elif package != "pip":  # uv takes the place of pip
            index_name = _INDEX_NAMES.get(package, package)
            if index_name != package:
                notes.append(f"conda's {package} is {index_name} on the package index")
            requirements.append(index_name + _pip_version(name, package, version))
            conda_names.append(index_name)
    return EnvironmentSpec(
        name=name,
        variables={},
        python=python,
        requirements=tuple(requirements),
        options=tuple(options),
        conda_names=tuple(conda_names),
        notes=tuple(notes),
        constraints=(*_CONSTRAINTS, *numpy_abi.constraints(requirements)),
    )


def _read_pip(
    name: str, line: str, requirements: list[str], options: list[str], notes: list[str]
) -> None:
    if not line or line.startswith("#"):
        return
    if not line.startswith("-"):
        if line.startswith((".", "/")) or "file:" in line:
            raise EnvironmentFailure(
                f"Environment '{name}' asks pip for '{line}', a file that is not part of it. "
                "Publish the package to an index, or add it as a private wheel by its URL."
            )
        requirements.append(line)
        return
    option, value = [*re.split(r"[\s=]+", line, maxsplit=1), ""][:2]
    if option in _INDEX_OPTIONS and _SDK_DEFAULT_INDEX.match(value):
        notes.append(f"{option} names the SDK's default index: this machine's own index is used")
    elif option in _INDEX_OPTIONS:
        options.extend((option, value))
    elif option == "--pre":
        options.extend(("--prerelease", "allow"))
    elif option == "--trusted-host":
        options.extend(("--allow-insecure-host", value))
    else:
        raise EnvironmentFailure(
            f"Environment '{name}' uses the pip option '{line}', which the local Azure does not "
            "know. Leave it out."
        )


def _split(name: str, entry: str) -> tuple[str, str]:
    found = _CONDA_SPEC.fullmatch(entry.strip())
    if not found or "[" in entry or "|" in entry:
        raise EnvironmentFailure(
            f"Environment '{name}' asks for '{entry}', which the local Azure cannot translate for "
            "pip. Use name, name=version or name>=version."
        )
    return found["name"].lower(), found["version"].strip()


def _pip_version(name: str, package: str, version: str) -> str:
    """Conda's version constraint as pip writes it: `=1.2` means 1.2.*; a third part is a build."""
    if not version:
        return ""
    if re.match(r"[<>!~]=?|==", version):
        constraint, _, _build = version.partition(" ")
        return re.sub(r"(?<=\w)=.*", "", constraint)
    number, _, build = version.lstrip("=").replace(" ", "=").partition("=")
    if not re.fullmatch(r"[\w.+*!]+", number):
        _split(name, f"{package}|{version}")
    if version.startswith("=") and not build:
        return f"=={number}" if number.endswith("*") else f"=={number}.*"
    return f"=={number}"


def _python_version(name: str, version: str) -> str | None:
    """The minor version to use, None for any. The patch asked for may not be on this machine."""
    if not version:
        return None
    exact = re.match(r"=*\s*(3\.\d+)", version)
    if exact:
        return exact[1]
    bounds = re.findall(r"([<>]=?|!=)\s*3\.(\d+)", version)
    minors = [sys.version_info.minor, *range(14, 6, -1)]
    for minor in minors:
        if all(_within(minor, sign, int(bound)) for sign, bound in bounds):
            return f"3.{minor}"
    raise EnvironmentFailure(
        f"Environment '{name}' asks for 'python{version}', which no Python is."
    )


def _within(minor: int, sign: str, bound: int) -> bool:
    return {
        "<": minor < bound,
        "<=": minor <= bound,
        ">": minor > bound,
        ">=": minor >= bound,
        "!=": minor != bound,
    }[sign]


def _key(requirement: str) -> str:
    found = re.match(r"[\w.\-]+", requirement)
    return re.sub(r"[-_.]+", "-", found[0]).lower() if found else requirement
