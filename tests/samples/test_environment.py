"""The environments against the lock that the tests run on: what is tested is what is deployed."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "ml_scripts"
# What an import is called in an environment file, where the names differ.
PACKAGES = {
    "azureml_inference_server_http": "azureml-inference-server-http",
    "azureml.ai.monitoring": "azureml-ai-monitoring",
    "azureml.core": "azureml-core",
    "mlflow": "azureml-mlflow",
    "tensorflow": "tensorflow",
}
# The programs of each environment.
PROGRAMS = {"environment.yml": ("train", "evaluate"), "service.yml": ("score",)}


def packages_of(file: Path) -> dict[str, str]:
    *conda, pip = yaml.safe_load(file.read_text(encoding="utf-8"))["dependencies"]
    assert conda == ["python=3.11", "pip"]
    found = [re.match(r"([\w-]+)==([\w.]+)", line) for line in pip["pip"]]
    return {match[1]: match[2] for match in found if match}


def imports_of(program: str) -> set[str]:
    """The modules that a program imports, with those of our own modules that it imports."""
    found: set[str] = set()
    waiting, seen = [program], set[str]()
    while waiting:
        module = waiting.pop()
        if module in seen:
            continue
        seen.add(module)
        text = (SCRIPTS / f"{module}.py").read_text(encoding="utf-8")
        for name in re.findall(r"^\s*(?:import|from) ([\w.]+)", text, re.MULTILINE):
            if (SCRIPTS / f"{name}.py").is_file():
                waiting.append(name)
            else:
                found.add(name)
    return found


@pytest.mark.parametrize("name", PROGRAMS)
def test_packages_have_the_versions_of_the_lock(name: str, sample_folder: Path) -> None:
    packages = packages_of(sample_folder / name)
    lock = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w-]+)==([\w.]+)", lock, re.MULTILINE))
    assert packages
    assert packages == {name: locked[name] for name in packages}


@pytest.mark.parametrize(("name", "programs"), PROGRAMS.items())
def test_every_import_is_a_package_of_it(
    name: str, programs: tuple[str, ...], sample_folder: Path
) -> None:
    packages = packages_of(sample_folder / name)
    third_party = {"keras", "tensorflow", "numpy", "pandas", "mlflow", "azureml"}
    imported = {one for program in programs for one in imports_of(program)}
    named = {one for one in imported if one.split(".")[0] in third_party | {*PACKAGES}}
    assert named
    for one in named:
        root = one.split(".")[0]
        package = next((p for n, p in PACKAGES.items() if one.startswith(n)), root)
        # The collector brings pandas, which is needed only with it.
        known = packages.keys() | ({"pandas"} if "azureml-ai-monitoring" in packages else set())
        assert package in known, f"{one} is imported, but {name} has no {package}"


def test_the_service_needs_no_tensorflow(sample_folder: Path) -> None:
    assert "keras" in imports_of("train")
    assert not {"keras", "tensorflow", "network"} & imports_of("score")
    assert not {"keras", "tensorflow"} & packages_of(sample_folder / "service.yml").keys()


def test_the_regression_has_the_versions_of_the_lock() -> None:
    packages = packages_of(ROOT / "samples" / "tabular-regression" / "environment.yml")
    lock = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w-]+)==([\w.]+)", lock, re.MULTILINE))
    # MLflow loads skops where it saves a model, and names it in no requirement of its own.
    assert {"scikit-learn", "skops", "azureml-mlflow"} <= packages.keys()
    assert packages == {name: locked[name] for name in packages}
