"""The environment variables of a run: what Azure ML sets, and nothing of this process's own."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Protocol

from local.azure.history import runs
from local.azure.kernel.cloud import Cloud

# All that a child gets of this process's own environment: nothing that could be a secret.
PASSED_ON = (
    *("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "TEMP", "TMP"),
    *("SYSTEMROOT", "WINDIR", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS"),
)


class Identity(Protocol):
    """Which run it is, and of which experiment."""

    @property
    def run_id(self) -> str:
        """The run's id."""

    @property
    def root_run_id(self) -> str:
        """The id of the pipeline that it belongs to, or its own."""

    @property
    def experiment(self) -> str:
        """The name of the experiment."""

    @property
    def experiment_id(self) -> str:
        """The id of the experiment."""


def of_run(cloud: Cloud, job: Identity, folder: Path, python: Path) -> dict[str, str]:
    """What Azure ML sets for a run, and how the SDK inside reaches this server."""
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    home = str(folder / "home")
    discovery = f"{cloud.base_url}/discovery/workspaces/{cloud.workspace_id}"
    return {
        **passed_on,
        **cloud.client_environment(),
        "PATH": os.pathsep.join([str(python.parent), passed_on.get("PATH", os.defpath)]),
        "HOME": home,
        "USERPROFILE": home,
        "AZURE_CONFIG_DIR": str(folder / "home" / ".azure"),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
        "AZUREML_ARM_SUBSCRIPTION": cloud.subscription_id,
        "AZUREML_ARM_RESOURCEGROUP": cloud.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": cloud.workspace_name,
        "AZUREML_ARM_PROJECT_NAME": job.experiment,
        "AZUREML_EXPERIMENT_ID": job.experiment_id,
        "AZUREML_WORKSPACE_ID": cloud.workspace_id,
        "AZUREML_WORKSPACE_SCOPE": cloud.workspace_scope,
        "AZUREML_EXPERIMENT_SCOPE": f"{cloud.workspace_scope}/experiments/{job.experiment}",
        "AZUREML_RUN_ID": job.run_id,
        "AZUREML_ROOT_RUN_ID": job.root_run_id,
        "AZUREML_RUN_TOKEN": runs.issue_run_token(cloud, job.run_id),
        "AZUREML_RUN_TOKEN_EXPIRY": str(int(time.time() + runs.RUN_TOKEN_LIFETIME.total_seconds())),
        "AZUREML_SERVICE_ENDPOINT": cloud.base_url,
        "AZUREML_RUN_HISTORY_SERVICE_ENDPOINT": cloud.base_url,
        "AZUREML_DISCOVERY_SERVICE_ENDPOINT": discovery,
        "AZUREML_TARGET_TYPE": "mlc",
    }
