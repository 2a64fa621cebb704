"""environment.yml against the lock that the tests run on: what is tested is what is deployed."""

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def test_packages_have_the_versions_of_the_lock(sample_folder: Path) -> None:
    text = (sample_folder / "environment.yml").read_text(encoding="utf-8")
    *conda, pip = yaml.safe_load(text)["dependencies"]
    assert conda == ["python=3.11", "pip"]
    packages = dict(re.findall(r"^([\w-]+)==([\w.]+)", "\n".join(pip["pip"]), re.MULTILINE))
    assert len(packages) == len(pip["pip"])
    lock = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^([\w-]+)==([\w.]+)", lock, re.MULTILINE))
    assert packages == {name: locked[name] for name in packages}


def test_every_import_of_the_scripts_is_a_package_of_it(sample_folder: Path) -> None:
    scripts = [path.read_text(encoding="utf-8") for path in (ROOT / "ml_scripts").glob("*.py")]
    imported = {
        name
        for script in scripts
        for name in re.findall(r"^\s*(?:import|from) (\w+)", script, re.MULTILINE)
    }
    third_party = {"keras", "tensorflow", "numpy", "pandas", "azureml"}
    assert third_party | {"azureml_inference_server_http"} <= imported
    text = (sample_folder / "environment.yml").read_text(encoding="utf-8")
    for name in third_party | {"azureml_inference_server_http"}:
        assert name.replace("_", "-") in text
