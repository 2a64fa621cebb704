"""The tasks as they are in the .vsix start, with the real lock, and refuse what they cannot use."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.tasks.launcher.harness import Launcher

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


def task_in(unpacked: Path, name: str) -> Launcher:
    """One of the tasks, ready to be started."""
    return Launcher(
        folder=unpacked / "tasks" / name,
        tools=unpacked / "tools",
        temp=unpacked / "temp",
        sources=unpacked / "sources",
    )


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
    outcome = task_in(unpacked_vsix, name).run(inputs={**COMMON, **others, missing: ""})
    assert outcome.result[0] == "Failed", outcome.stdout
    (error,) = outcome.errors
    assert error.startswith("INPUT_MISSING: ")
    assert missing in error
    assert " Next: " in error
    assert "Traceback" not in outcome.stdout + outcome.stderr


def test_tasks_share_one_environment(unpacked_vsix: Path) -> None:
    kept = unpacked_vsix / "tools" / "azure-machine-learning-tasks"
    task_in(unpacked_vsix, "ProvisionAmlComputeV1").run(inputs=COMMON)
    before = {path.name for path in kept.iterdir()}
    task_in(unpacked_vsix, "DeployToAksV1").run(inputs=COMMON)
    assert {path.name for path in kept.iterdir()} == before
