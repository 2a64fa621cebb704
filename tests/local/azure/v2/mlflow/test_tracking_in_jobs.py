"""mlflow inside a job: no set-up at all, and the job's own run."""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

SCRIPT = """
import mlflow

with mlflow.start_run() as run:
    mlflow.log_param("rate", 0.1)
    mlflow.log_metric("accuracy", 0.5)
    mlflow.log_text("words", "notes.txt")
print("run", run.info.run_id)
"""


@pytest.fixture(scope="module")
def python_with_mlflow(azure_http: requests.Session, local_azure: Any) -> str:
    """An environment that is this very Python, registered as v1 registers it."""
    base = f"https://eastus.api.azureml.ms/environment/v1.0{local_azure.scope}/environments"
    answer = azure_http.put(
        f"{base}/python-with-mlflow/versions/1",
        json={"python": {"userManagedDependencies": True, "interpreterPath": sys.executable}},
    )
    assert answer.ok, answer.text
    return "python-with-mlflow:1"


def test_a_job_logs_to_its_own_run(
    ml_client: Any, aml_workspace: Any, python_with_mlflow: str, tmp_path: Path
) -> None:
    from azure.ai.ml import command
    from azureml.core import Run

    (tmp_path / "track.py").write_text(SCRIPT)
    asked = command(
        code=str(tmp_path),
        # The tests' own Python and not the first one on the path.
        command=f"{sys.executable} track.py",
        environment=python_with_mlflow,
        experiment_name="mlflow-in-jobs",
    )
    job = ml_client.jobs.create_or_update(asked)
    # What a job says before the stream begins, the SDK does not show; its log has it.
    with contextlib.redirect_stdout(io.StringIO()):
        ml_client.jobs.stream(job.name)
    ml_client.jobs.download(job.name, download_path=tmp_path / "got", all=True)
    log = tmp_path / "got" / "artifacts" / "user_logs" / "std_log.txt"
    assert f"run {job.name}" in log.read_text()
    assert ml_client.jobs.get(job.name).status == "Completed"
    run = Run.get(aml_workspace, job.name)
    assert run.get_metrics() == {"accuracy": 0.5}
    assert "notes.txt" in run.get_file_names()
