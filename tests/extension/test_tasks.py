"""The tasks as they are in the .vsix start, with the real lock, and refuse what they cannot use."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.tasks.launcher.harness import Launcher, Outcome

COMMON = {"resourceGroup": "group", "workspace": "workspace"}


@pytest.fixture(scope="module")
def unpacked_vsix(built_vsix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `tasks` of the .vsix, and a tool directory `tools` beside it."""
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(built_vsix) as archive:
        archive.extractall(folder)
    for name in ("temp", "sources"):
        (folder / name).mkdir()
    return folder


def run(unpacked: Path, name: str, inputs: Mapping[str, str]) -> Outcome:
    """Run one of the tasks to its end, with those of the inputs that it declares."""
    folder = unpacked / "tasks" / name
    launcher = Launcher(
        folder=folder,
        tools=unpacked / "tools",
        temp=unpacked / "temp",
        sources=unpacked / "sources",
    )
    about = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    declared = {one["name"] for one in about["inputs"]}
    given = {one: text for one, text in inputs.items() if one in declared}
    # The harness gives every launcher the inputs of its stand-in for a task.
    own = {"code", "computeName"} - set(given)
    return launcher.run(inputs=given, env={f"INPUT_{one.upper()}": None for one in own})


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("ProvisionAmlComputeV1", "computeName"),
        ("RunAmlPipelineV1", "pipelineFile"),
        ("EvaluateAndGateV1", "modelName"),
        ("DeployToAksV1", "serviceName"),
    ],
)
def test_a_required_input_that_is_empty_is_named(
    unpacked_vsix: Path, name: str, missing: str
) -> None:
    others = {
        "computeName": "cpu-cluster",
        "experimentName": "experiment",
        "candidateRunId": "run",
        "modelVersion": "1",
    }
    outcome = run(unpacked_vsix, name, {**COMMON, **others, missing: ""})
    assert outcome.result[0] == "Failed", outcome.stdout
    (error,) = outcome.errors
    assert error.startswith("INPUT_MISSING: ")
    assert missing in error
    assert " Next: " in error
    assert "Traceback" not in outcome.stdout + outcome.stderr


def test_tasks_share_one_environment(unpacked_vsix: Path) -> None:
    kept = unpacked_vsix / "tools" / "azure-machine-learning-tasks"
    run(unpacked_vsix, "ProvisionAmlComputeV1", COMMON)
    before = {path.name for path in kept.iterdir()}
    run(unpacked_vsix, "DeployToAksV1", COMMON)
    assert {path.name for path in kept.iterdir()} == before
