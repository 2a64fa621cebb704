"""The classic definitions against what they name: tasks, inputs, variables, files, each other."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from azure.devops.v7_1.build import models as build_models
from azure.devops.v7_1.release import models as release_models
from msrest import Deserializer, Serializer

from local.agent.definition.classic_build import read_build
from local.agent.definition.classic_release import read_release
from local.agent.host.globs import matches
from local.agent.job.builtin import built_in

ROOT = Path(__file__).resolve().parents[2]
DROP = "$(System.DefaultWorkingDirectory)/$(Release.PrimaryArtifactSourceAlias)/drop/"
PREDEFINED = {
    *("Build.ArtifactStagingDirectory", "System.DefaultWorkingDirectory"),
    *("Release.PrimaryArtifactSourceAlias", "rev:r", "date:yyyyMMdd", "rev:.r"),
    *("build.buildNumber", "provision.computeName", "train.runId"),
}
# Where they differ from azure-pipelines.yml: a build is one job and its artifact one folder; the
# model comes to a release in a file.
OF_THEIR_OWN: dict[str, set[str]] = {
    "provision": set(),
    "train": {"downloadPath"},
    "gate": {"candidateRunId", "outputDirectory"},
    "deploy": {"modelName", "modelVersion", "modelSource", "evalInfoFile", "target"},
}


@pytest.fixture(scope="module")
def build(sample_folder: Path) -> dict[str, Any]:
    file = sample_folder / "classic" / "build-definition.json"
    return dict(json.loads(file.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def release(sample_folder: Path) -> dict[str, Any]:
    file = sample_folder / "classic" / "release-definition.json"
    return dict(json.loads(file.read_text(encoding="utf-8")))


@pytest.fixture(scope="module")
def tasks() -> dict[str, dict[str, Any]]:
    """Our task.json files by id."""
    files = (ROOT / "tasks").glob("*/task.json")
    found = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    return {task["id"]: task for task in found}


@pytest.fixture(scope="module")
def steps(build: dict[str, Any], release: dict[str, Any]) -> list[tuple[str, str, dict[str, str]]]:
    """Task id, version spec and inputs of every step of both definitions."""
    of_build = [step for phase in build["process"]["phases"] for step in phase["steps"]]
    phases = [phase for stage in release["environments"] for phase in stage["deployPhases"]]
    return [
        *((one["task"]["id"], one["task"]["versionSpec"], one["inputs"]) for one in of_build),
        *(
            (one["taskId"], one["version"], one["inputs"])
            for phase in phases
            for one in phase["workflowTasks"]
        ),
    ]


def test_every_task_exists_in_that_version(
    steps: list[tuple[str, str, dict[str, str]]], tasks: dict[str, dict[str, Any]]
) -> None:
    ours = []
    for identity, version, _ in steps:
        major = version.removesuffix(".*")
        if identity in tasks:
            assert tasks[identity]["version"]["Major"] == int(major)
            ours.append(tasks[identity]["name"])
        else:
            assert built_in(f"{identity}@{major}"), identity
    assert ours == [
        *("ProvisionAmlCompute", "RunAmlPipeline", "EvaluateAndGate"),
        *("DeployToAks", "DeployToAks"),
    ]


def test_inputs_are_those_of_the_task(
    steps: list[tuple[str, str, dict[str, str]]], tasks: dict[str, dict[str, Any]]
) -> None:
    for identity, _, given in steps:
        if identity not in tasks:
            continue
        declared = {one["name"]: one for one in tasks[identity]["inputs"]}
        assert given.keys() <= declared.keys()  # an export has names, not their aliases
        for name, one in declared.items():
            if one.get("required") and not one.get("defaultValue"):
                assert given.get(name), name
        for name, value in given.items():
            options = declared[name].get("options")
            if options and "$(" not in value:
                assert value in options, name


def test_inputs_are_those_of_azure_pipelines_yml(
    build: dict[str, Any],
    release: dict[str, Any],
    tasks: dict[str, dict[str, Any]],
    sample_folder: Path,
) -> None:
    text = (sample_folder / "azure-pipelines.yml").read_text(encoding="utf-8")
    written = {
        step["name"]: step["inputs"]
        for stage in yaml.load(text, Loader=yaml.BaseLoader)["stages"]  # noqa: S506 - ours
        for job in stage["jobs"]
        for step in job["steps"]
        if "name" in step
    }
    steps = [(one["task"]["id"], one) for one in build["process"]["phases"][0]["steps"]]
    for stage in release["environments"]:
        steps += [(one["taskId"], one) for one in stage["deployPhases"][0]["workflowTasks"]]
    compared = []
    for identity, step in steps:
        if identity not in tasks:
            continue
        aliases = {
            alias: one["name"]
            for one in tasks[identity]["inputs"]
            for alias in one.get("aliases", [])
        }
        expected = {
            aliases.get(name, name): value.strip()
            for name, value in written[step["refName"]].items()
        }
        found = {n: value.strip().removeprefix(DROP) for n, value in step["inputs"].items()}
        for name in OF_THEIR_OWN[step["refName"]]:
            expected.pop(name, None)
            found.pop(name, None)
        assert found == expected, step["refName"]
        compared.append(step["refName"])
    assert compared == ["provision", "train", "gate", "deploy", "deploy"]


def test_variables_are_defined_and_used(build: dict[str, Any], release: dict[str, Any]) -> None:
    of_stages = {name for stage in release["environments"] for name in stage["variables"]}
    for definition, more in ((build, set()), (release, of_stages)):
        used = set(re.findall(r"\$\(([^)]+)\)", json.dumps(definition)))
        assert used <= definition["variables"].keys() | PREDEFINED
        assert definition["variables"].keys() | more <= used


def test_a_release_has_the_variables_of_the_workshop(
    release: dict[str, Any], sample_folder: Path
) -> None:
    names = ("aks_name", "aks_region", "service_name", "description")
    assert release["variables"].keys() >= set(names)
    text = (sample_folder / "azure-pipelines.yml").read_text(encoding="utf-8")
    of_yaml = yaml.safe_load(text)["variables"]
    assert {n: v["value"] for n, v in release["variables"].items()} == {
        name: of_yaml[name] for name in release["variables"]
    }


def test_a_build_has_the_defaults_of_azure_pipelines_yml(
    build: dict[str, Any], sample_folder: Path
) -> None:
    text = (sample_folder / "azure-pipelines.yml").read_text(encoding="utf-8")
    of_yaml = yaml.safe_load(text)["variables"]
    assert {n: v["value"] for n, v in build["variables"].items()} == {
        name: str(of_yaml[name]) for name in build["variables"]
    }


def test_what_a_release_deploys_is_in_the_artifact(
    build: dict[str, Any], release: dict[str, Any]
) -> None:
    steps = build["process"]["phases"][0]["steps"]
    (copy,) = [step["inputs"] for step in steps if "Contents" in step["inputs"]]
    (publish,) = [step for step in steps if "ArtifactName" in step["inputs"]]
    (gate,) = [step["inputs"] for step in steps if step["refName"] == "gate"]
    assert publish["inputs"]["ArtifactName"] == "drop"
    assert publish["condition"] == "succeededOrFailed()"  # the report of a no is wanted most
    assert copy["TargetFolder"] == publish["inputs"]["PathtoPublish"]
    assert gate["outputDirectory"] == copy["TargetFolder"] + "/gate"
    for stage in release["environments"]:
        inputs = stage["deployPhases"][0]["workflowTasks"][-1]["inputs"]
        assert inputs["evalInfoFile"] == DROP + "gate/eval_info.json"
        for name in ("entryScript", "environmentFile", "smokeFile"):
            path = inputs[name].removeprefix(DROP)
            assert (ROOT / path).is_file(), path
            assert any(matches(line, path) for line in copy["Contents"].splitlines()), path


def test_a_good_build_of_main_starts_test_and_a_person_production(
    build: dict[str, Any], sample_folder: Path
) -> None:
    built = read_build(
        sample_folder / "classic" / "build-definition.json", environment={}, overrides={}
    )
    found = read_release(
        sample_folder / "classic" / "release-definition.json", environment={}, overrides={}
    )
    (artifact,) = found.artifacts
    assert artifact.source == built.name
    assert [one.branch for one in found.triggers[artifact.alias]] == ["main"]
    assert built.default_branch == "refs/heads/main"
    test, production = found.pipeline.stages
    assert (test.name, test.depends_on, test.approvers) == ("Test", (), ())
    assert (production.name, production.depends_on) == ("Production", ("Test",))
    assert production.approvers
    # Nothing reaches the service of Production in Test.
    assert [one.name for one in test.variables] == ["service_name", "description"]
    assert built.stages[0].jobs[0].steps[0].task == "checkout"


@pytest.mark.parametrize(
    ("name", "package", "kind"),
    [
        ("build-definition.json", build_models, "BuildDefinition"),
        ("release-definition.json", release_models, "ReleaseDefinition"),
    ],
)
def test_the_rest_client_loses_nothing_of_a_definition(
    name: str, package: ModuleType, kind: str, sample_folder: Path
) -> None:
    """Read and written again by azure-devops, whose classes drop what the service has not."""
    classes = {n: c for n, c in vars(package).items() if isinstance(c, type)}
    written = json.loads((sample_folder / "classic" / name).read_text(encoding="utf-8"))
    read = Deserializer(classes)(kind, written)
    assert without_empty(Serializer(classes).body(read, kind)) == without_empty(written)


def without_empty(value: Any) -> Any:
    """Leave out nulls and empty containers, which a client need not send."""
    if isinstance(value, dict):
        kept = {name: without_empty(one) for name, one in value.items()}
        return {name: one for name, one in kept.items() if one not in (None, {}, [])}
    return [without_empty(one) for one in value] if isinstance(value, list) else value
