"""Assets of v2 as azure-ai-ml reads them: folders, addresses, versions by default, curated ones."""

from pathlib import Path
from typing import Any

import pytest

from tests.local.azure.v2.jobs.test_jobs import TERMINAL, error_of, wait_for


def test_curated_environments_are_read(ml_client: Any) -> None:
    name = "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu"
    found = ml_client.environments.get(name, "1")
    assert found.id.endswith(f"/environments/{name}/versions/1")
    assert found.image == "mcr.microsoft.com/azureml/curated/sklearn-1.0-ubuntu20.04-py38-cpu:1"
    assert ml_client.environments.get(name, label="latest").version == "1"
    with pytest.raises(Exception, match="Not found environment AzureML-nothing"):
        ml_client.environments.get("AzureML-nothing", "1")


def test_a_component_without_a_version_is_its_newest_one(ml_client: Any) -> None:
    from azure.ai.ml.entities import CommandComponent

    environment = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"
    for version in ("0.0.2", "0.0.1"):
        ml_client.components.create_or_update(
            CommandComponent(
                name="by_default", version=version, command="echo 1", environment=environment
            )
        )
    assert ml_client.components.get("by_default").version == "0.0.1"
    with pytest.raises(Exception, match="Not found component by_nobody"):
        ml_client.components.get("by_nobody")


def test_the_address_of_a_folder_ends_with_a_slash(ml_client: Any, tmp_path: Path) -> None:
    from azure.ai.ml.entities import Data

    folder = tmp_path / "table"
    folder.mkdir()
    (folder / "a.csv").write_text("x\n1\n")
    for _ in range(2):  # the same content under the same version is no conflict
        made = ml_client.data.create_or_update(
            Data(name="slashed", version="1", path=str(folder), type="uri_folder")
        )
    assert made.path.endswith("/table/")


def test_data_elsewhere_is_registered_unseen(ml_client: Any, bare_python: Any) -> None:
    from azure.ai.ml import Input, command
    from azure.ai.ml.entities import Data

    made = ml_client.data.create_or_update(
        Data(name="elsewhere", version="1", path="https://example.com/a.csv", type="uri_file")
    )
    assert made.path == "https://example.com/a.csv"
    job = ml_client.jobs.create_or_update(
        command(
            command="cat ${{inputs.table}}",
            environment=bare_python,
            inputs={"table": Input(type="uri_file", path=made.id)},
        )
    )
    assert wait_for(ml_client, job.name, *TERMINAL).status == "Failed"
    assert "'https://example.com/a.csv' is not on this machine" in error_of(ml_client, job.name)
