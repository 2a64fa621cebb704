"""Snapshots through azureml-core's own client, and back."""

from __future__ import annotations

import json
import uuid
import zipfile
from pathlib import Path

import pytest

from local.azure.history import snapshots
from local.azure.kernel.http import ServiceError


@pytest.fixture(scope="module")
def client(aml_workspace):
    from azureml._restclient.snapshots_client import SnapshotsClient

    return SnapshotsClient(aml_workspace.service_context)


def unpacked(client, snapshot, folder):
    """The files of a snapshot by name, as the SDK downloads them."""
    folder.mkdir()
    with zipfile.ZipFile(client.restore_snapshot(snapshot, str(folder))) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def test_a_changed_folder_becomes_a_second_snapshot_of_what_changed(client, tmp_path, local_azure):
    source = tmp_path / "source"
    (source / "sub dir").mkdir(parents=True)
    (source / "train.py").write_text("one")
    (source / "sub dir" / "ü.py").write_text("same")
    (source / "gone.py").write_text("gone")
    first = client.create_snapshot(str(source))
    assert client.create_snapshot(str(source)) == first

    before = len(list((local_azure.state / "snapshot-files").iterdir()))
    (source / "train.py").write_text("two")
    (source / "gone.py").unlink()
    second = client.create_snapshot(str(source))
    assert len(list((local_azure.state / "snapshot-files").iterdir())) == before + 1
    assert unpacked(client, first, tmp_path / "a") == {
        "train.py": "one",
        "sub dir/ü.py": "same",
        "gone.py": "gone",
    }
    assert unpacked(client, second, tmp_path / "b") == {"train.py": "two", "sub dir/ü.py": "same"}


def test_ignored_files_stay_at_home(client, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / ".amlignore").write_text("*.secret\n")
    (source / "a.secret").write_text("x")
    (source / "a.py").write_text("y")
    files = unpacked(client, client.create_snapshot(str(source)), tmp_path / "a")
    assert sorted(files) == [".amlignore", "a.py"]


def test_a_client_with_a_stale_cache_sends_everything_again(client, tmp_path, aml_workspace):
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.py").write_text("a")
    client.create_snapshot(str(source))
    latest = Path(client._cache._get_latest_snapshot_cache_file())
    cached = json.loads(latest.read_text(encoding="utf-8"))
    latest.write_text(json.dumps({**cached, "snapshot_id": str(uuid.uuid4())}), encoding="utf-8")
    (source / "b.py").write_text("b")
    files = unpacked(client, client.create_snapshot(str(source)), tmp_path / "a")
    assert files == {"a.py": "a", "b.py": "b"}


def snapshot_url(local_azure):
    return f"https://eastus.api.azureml.ms/content/v2.0{local_azure.scope}/snapshots/{uuid.uuid4()}"


def tree(*names):
    return {"children": {name: {"type": "File", "name": name} for name in names}}


def test_a_file_that_was_not_uploaded_is_missed(azure_http, local_azure):
    answer = azure_http.post(snapshot_url(local_azure), json={"DirTreeNode": tree("a.py")})
    assert answer.status_code == 400
    assert "'a.py' was not uploaded" in answer.json()["error"]["message"]


@pytest.mark.parametrize("name", ["../a.py", "/etc/a.py", "C:\\a.py"])
def test_a_name_that_leaves_the_snapshot_is_refused(azure_http, local_azure, name):
    answer = azure_http.post(snapshot_url(local_azure), json={"DirTreeNode": tree(name)})
    assert answer.status_code == 400
    assert "leaves the snapshot" in answer.json()["error"]["message"]


def test_restores_below_a_folder(fresh_azure, tmp_path):
    snapshots.make_folders(fresh_azure)
    (fresh_azure.root / "snapshot-files" / "digest").write_text("text")
    fresh_azure.store.put("snapshot", "id", {"files": {"sub/a.py": "digest"}})
    snapshots.restore_snapshot(fresh_azure, "id", tmp_path / "to")
    assert (tmp_path / "to" / "sub" / "a.py").read_text() == "text"
    with pytest.raises(ServiceError, match="Snapshot absent was not found"):
        snapshots.restore_snapshot(fresh_azure, "absent", tmp_path / "to")
