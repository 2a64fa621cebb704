"""v1 and v2 over one state: what one registers or runs, the other sees."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def model_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    # Outside the working directory v1 downloads nothing.
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "model.bin"
    path.write_text("weights")
    return path


def test_model_of_v2_is_v1s(
    ml_client: Any, aml_workspace: Any, model_file: Path, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import Model
    from azureml.core import Model as ModelV1

    asked = Model(name="two-way", path=str(model_file), tags={"a": "1"}, description="of v2")
    made = ml_client.models.create_or_update(asked)
    seen = ModelV1(aml_workspace, name="two-way", version=int(made.version))
    assert (seen.tags, seen.description) == ({"a": "1"}, "of v2")
    got = Path(seen.download(str(tmp_path / "v1"), exist_ok=True))
    assert got.read_text() == "weights"
    next_one = ModelV1.register(aml_workspace, str(model_file), "two-way")
    assert next_one.version == int(made.version) + 1


def test_model_of_v1_is_v2s(
    ml_client: Any, aml_workspace: Any, model_file: Path, tmp_path: Path
) -> None:
    from azureml.core import Model as ModelV1

    folder = model_file.parent / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    (folder / "b.txt").write_text("b")
    ModelV1.register(aml_workspace, str(folder), "from-v1", tags={"b": "2"})
    seen = ml_client.models.get("from-v1", label="latest")
    assert (seen.version, seen.tags) == ("1", {"b": "2"})
    ml_client.models.download("from-v1", "1", download_path=tmp_path / "v2")
    assert sorted(file.name for file in (tmp_path / "v2").rglob("*.txt")) == ["a.txt", "b.txt"]
    seen.tags["c"] = "3"
    ml_client.models.create_or_update(seen)
    assert ModelV1(aml_workspace, name="from-v1").tags == {"b": "2", "c": "3"}


def test_environment_of_v1_is_v2s(ml_client: Any, aml_workspace: Any) -> None:
    from azure.ai.ml import command
    from azureml.core import Environment
    from azureml.core.conda_dependencies import CondaDependencies

    environment = Environment("env-of-v1")
    environment.python.conda_dependencies = CondaDependencies()
    environment.register(aml_workspace)
    seen = ml_client.environments.get("env-of-v1", label="latest")
    assert "python" in str(seen.conda_file)
    job = ml_client.jobs.create_or_update(
        command(command="python --version", environment=f"env-of-v1:{seen.version}")
    )
    ml_client.jobs.stream(job.name)


def test_runs_show_in_both(ml_client: Any, aml_workspace: Any, bare_python: Any) -> None:
    from azure.ai.ml import command
    from azureml.core import Experiment, Run

    asked = command(command="echo hi", environment=bare_python, experiment_name="shared")
    job = ml_client.jobs.create_or_update(asked)
    ml_client.jobs.stream(job.name)
    seen = Run.get(aml_workspace, job.name)
    assert (seen.experiment.name, seen.get_status()) == ("shared", "Completed")
    assert "user_logs/std_log.txt" in seen.get_file_names()

    run = Experiment(aml_workspace, "shared").start_logging(snapshot_directory=None)
    run.complete()
    assert ml_client.jobs.get(run.id).status == "Completed"
