"""The Azure ML run that a script belongs to, if any: where its metrics go."""

import logging
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol


class Run(Protocol):
    """Takes metrics, for itself or for the pipeline's run, which is what the gate looks at."""

    def log(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        """Log numbers to this run; of one name, those of several steps make a curve."""

    def log_to_pipeline(self, metrics: Mapping[str, float]) -> None:
        """Log numbers to the run of the pipeline that this one is a step of, if it is one."""


def current_run() -> Run | None:
    """Return the run of this script, or None outside Azure ML.

    Azure ML names the run in ``AZUREML_RUN_ID``. A job of azure-ai-ml (v2) is told where MLflow is;
    in a run of azureml-sdk (v1) azureml-core is the way.
    """
    run_id = os.environ.get("AZUREML_RUN_ID")
    if not run_id:
        return None
    if os.environ.get("MLFLOW_TRACKING_URI", "").startswith("azureml:"):
        return _MlflowRun(run_id)
    return _AzuremlRun()


class _MlflowRun:
    """A job of azure-ai-ml, by MLflow with the plug-in azureml-mlflow."""

    def __init__(self, run_id: str) -> None:
        from mlflow import MlflowClient

        self._client = MlflowClient()
        self._run_id = run_id
        self._pipeline = os.environ.get("AZUREML_ROOT_RUN_ID") or run_id

    def log(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        self._log(self._run_id, metrics, step)

    def log_to_pipeline(self, metrics: Mapping[str, float]) -> None:
        if self._pipeline != self._run_id:
            self._log(self._pipeline, metrics, 0)

    def _log(self, run_id: str, metrics: Mapping[str, float], step: int) -> None:
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        values = [Metric(name, value, now, step) for name, value in metrics.items()]
        self._client.log_batch(run_id, metrics=values)


class _AzuremlRun:
    """A run of azureml-sdk."""

    def __init__(self) -> None:
        from azureml.core import Run as AzuremlRun

        # With allow_offline there would be a run that prints each metric instead.
        self._run: Any = AzuremlRun.get_context(allow_offline=False)

    def log(self, metrics: Mapping[str, float], *, step: int = 0) -> None:
        for name, value in metrics.items():
            self._run.log(name, value, step=step or None)

    def log_to_pipeline(self, metrics: Mapping[str, float]) -> None:
        if self._run.parent is not None:
            for name, value in metrics.items():
                self._run.parent.log(name, value)


def log_to_stdout() -> None:
    """Send this program's log lines to stdout, which Azure ML streams; libraries only warn."""
    logging.basicConfig(
        level=logging.WARNING,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        stream=sys.stdout,
    )
    logging.getLogger("compliance").setLevel(logging.INFO)
