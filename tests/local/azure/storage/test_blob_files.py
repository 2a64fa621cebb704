"""Names of blobs that no file system holds, by the unmodified SDK."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from requests import Session

from tests.local.azure.conftest import Starter, get_token
from tests.running_azure import RunningAzure

NAMES = [
    "f",
    "f/g",
    "f/g/h",
    "f.",
    "f./x...",
    "ü ñ/数据 🚗.csv",
    "a%2Fb%20c%25",
    "q?x=1#y&z+",
    "n" * 1024,
    "ü" * 1024,
    "/".join(["s" * 60] * 16),
    " blank ",
    "con",
    "a:b",
    "bell\x07",
]


@pytest.fixture
def container(aml_workspace: Any) -> Any:
    from azureml._vendor.azure_storage.blob import BlobServiceClient

    datastore = aml_workspace.get_default_datastore()
    service = BlobServiceClient(
        f"https://{datastore.account_name}.blob.core.windows.net",
        credential=datastore.account_key,
        retry_total=0,
    )
    with service.get_container_client("names") as made:
        made.create_container()
        yield made
        made.delete_container()


@pytest.mark.parametrize("order", [NAMES, NAMES[::-1]])
def test_every_name_is_a_blob_of_its_own(container: Any, order: list[str]) -> None:
    for name in order:
        container.get_blob_client(name).upload_blob(name.encode())
    for name in order:
        assert container.get_blob_client(name).download_blob().readall() == name.encode(), name
    # The client of that age does not read names that XML cannot hold; the service quotes them.
    listed = {blob.name for blob in container.list_blobs()}
    assert listed >= set(NAMES) - {"bell\x07"}
    assert len(listed) == len(NAMES)
    assert [blob.name for blob in container.list_blobs(name_starts_with="f/")] == ["f/g", "f/g/h"]
    container.get_blob_client("f/g").upload_blob(b"again", overwrite=True)
    for name in order:
        container.get_blob_client(name).delete_blob()
    assert list(container.list_blobs()) == []


def test_blocks_of_a_long_name_make_a_blob(container: Any) -> None:
    from azureml._vendor.azure_storage.blob import BlobBlock

    client = container.get_blob_client("b" * 1000)
    for number in ("1", "2"):
        client.stage_block(number, number.encode() * 3)
    client.commit_block_list([BlobBlock("1"), BlobBlock("2")])
    assert client.download_blob().readall() == b"111222"
    assert client.download_blob(offset=2, length=2).readall() == b"12"


def test_names_too_long_or_leaving_their_container_are_refused(
    container: Any, local_azure: RunningAzure, anonymous_http: Session
) -> None:
    token = get_token(anonymous_http, local_azure, "https://storage.azure.com")
    headers = {"Authorization": f"Bearer {token}", "x-ms-blob-type": "BlockBlob"}
    base = re.sub("/names.*", "/names/", container.url)
    for name in ("n" * 1025, "%2E%2E/x", "a/%2e%2e/%2e%2e/x", "..%2f..%2fx", "%00", "a%5C..%5Cx"):
        answer = anonymous_http.put(base + name, data=b"x", headers=headers)
        assert answer.status_code == 400, name
    assert list(container.list_blobs()) == []


def test_half_an_upload_does_not_outlive_its_server(
    start_local_azure: Starter, tmp_path: Path
) -> None:
    left = tmp_path / "state" / "uploads" / "half"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x")
    with start_local_azure(tmp_path / "state"):
        assert not left.exists()
