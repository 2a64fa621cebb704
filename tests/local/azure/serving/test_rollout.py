"""Deployments end in a word to whoever waits, whatever goes wrong inside."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any, cast

import pytest

from local.azure.kernel import operations
from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.serving import deployments, rollout
from local.azure.serving.service_records import SERVICES, Service, ServiceRecord
from local.azure.storage import blob, datastores

SERVICE = cast(
    "Service", {"name": "words", "computeType": "AKS", "environmentImageRequest": {}, "models": []}
)


def request(url: str) -> dict[str, Any]:
    """What the SDK sends for one source folder, with an interpreter that is there."""
    python = {"userManagedDependencies": True, "interpreterPath": "python3"}
    return {
        "environment": {"name": "serving", "python": python},
        "assets": [{"id": "source", "url": url, "unpack": True}],
        "driverProgram": "source/score.py",
    }


def upload(cloud: Cloud, folder: Path) -> Path:
    """A source folder where the SDK's upload of it would lie."""
    (folder / "source").mkdir()
    (folder / "source" / "score.py").write_text("def init(): ...")
    place = blob.path_of(cloud, datastores.ARTIFACT_CONTAINER, "LocalUpload/source.tar.gz")
    place.parent.mkdir(parents=True)
    with tarfile.open(place, "w:gz") as archive:
        archive.add(folder / "source", arcname="source")
    return place


def prepare(cloud: Cloud) -> deployments.Revision:
    url = "aml://artifact/LocalUpload/source.tar.gz"
    return deployments.prepare(
        cloud, "words", request(url), stop=Stop(), progress=lambda _text: None
    )


@pytest.mark.parametrize("has_filter", [True, False], ids=["3.11.4", "3.11.2"])
def test_a_source_folder_is_unpacked_by_every_supported_python(
    fresh_azure: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_filter: bool
) -> None:
    if not has_filter:
        monkeypatch.delattr(tarfile, "data_filter")
    upload(fresh_azure, tmp_path)
    revision = prepare(fresh_azure)
    assert (revision.folder(fresh_azure) / "app" / "source" / "score.py").is_file()


def test_half_an_archive_is_refused(fresh_azure: Cloud, tmp_path: Path) -> None:
    place = upload(fresh_azure, tmp_path)
    place.write_bytes(place.read_bytes()[:40])
    with pytest.raises(deployments.DeploymentFailure, match="is no archive"):
        prepare(fresh_azure)


def test_a_fault_of_ours_ends_the_operation(
    fresh_azure: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_arguments: object, **_options: object) -> None:
        raise TypeError("a fault")

    monkeypatch.setattr(deployments, "prepare", fault)
    operation = operations.start(fresh_azure, "Service", "services/words")
    record: ServiceRecord = {
        "service": SERVICE,
        "keys": {"primaryKey": "1", "secondaryKey": "2"},
        "revision": None,
        "operation": None,
        "settled": True,
        "error": None,
    }
    SERVICES.insert(fresh_azure, "words", record)
    rollout.start(fresh_azure, "words", SERVICE, operation)
    rollout.stop_all(fresh_azure)  # waits for the thread
    ended = fresh_azure.store.get("operation", operation)
    assert ended is not None
    assert ended["state"] == "Failed"
    assert "its log says why" in ended["error"]["details"][0]["message"]
    assert not rollout.under_way("words")
