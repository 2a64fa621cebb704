"""Datastores and the Blob service through the SDK's own storage client."""

from __future__ import annotations

import base64
import datetime
import os

import pytest
import requests

from local.azure.kernel.http import ServiceError
from local.azure.storage import blob
from tests.local.azure.conftest import get_token


@pytest.fixture(scope="module")
def datastore(aml_workspace):
    return aml_workspace.get_default_datastore()


@pytest.fixture(scope="module")
def storage(aml_workspace):
    from azureml._vendor.azure_storage import blob

    return blob


@pytest.fixture(scope="module")
def account(storage, datastore):
    """A client for the account with the credential given, the account's key by default."""

    def connect(credential=None):
        return storage.BlobServiceClient(
            f"https://{datastore.account_name}.blob.core.windows.net",
            credential=credential or datastore.account_key,
            retry_total=0,
        )

    return connect


@pytest.fixture
def new_blob(account, datastore, request):
    """A client for a blob that does not exist yet."""
    return account().get_blob_client(datastore.container_name, f"tests/{request.node.name}.bin")


def test_a_folder_goes_up_and_comes_down_again(datastore, tmp_path):
    source = tmp_path / "up"
    (source / "sub dir").mkdir(parents=True)
    (source / "a.txt").write_text("a")
    (source / "sub dir" / "ü & b.txt").write_text("b")
    # More than one block: the SDK cuts what is larger than 64 MB.
    (source / "large.bin").write_bytes(os.urandom(1_000_000) * 66)
    datastore.upload(str(source), target_path="folder", show_progress=False)
    assert datastore.download(str(tmp_path / "down"), prefix="folder", show_progress=False) == 3
    for file in source.rglob("*.*"):
        copy = tmp_path / "down" / "folder" / file.relative_to(source)
        assert copy.read_bytes() == file.read_bytes()


def test_a_container_is_registered_as_datastore_and_becomes_the_default(aml_workspace, datastore):
    from azureml.core import Datastore

    before = set(aml_workspace.datastores)  # other files of tests share the server
    mine = Datastore.register_azure_blob_container(
        aml_workspace,
        "mine",
        "my-container",
        datastore.account_name,
        account_key=datastore.account_key,
        create_if_not_exists=True,
    )
    assert mine.container_name == "my-container"
    aml_workspace.set_default_datastore("mine")
    assert aml_workspace.get_default_datastore().name == "mine"
    aml_workspace.set_default_datastore("workspaceblobstore")
    mine.unregister()
    own = {
        "workspaceartifactstore",
        "workspaceblobstore",
        "workspacefilestore",
        "workspaceworkingdirectory",
    }
    assert own <= before
    assert set(aml_workspace.datastores) == before


def test_another_account_is_no_datastore(aml_workspace):
    from azureml.core import Datastore
    from azureml.exceptions import UserErrorException

    with pytest.raises(UserErrorException, match="has blob containers of the account"):
        Datastore.register_azure_blob_container(
            aml_workspace, "theirs", "c", "other", account_key=base64.b64encode(b"k").decode()
        )


def test_a_blob_is_written_once_unless_overwritten(new_blob):
    from azure.core.exceptions import ResourceExistsError

    new_blob.upload_blob(b"one", metadata={"Key": "value"})
    with pytest.raises(ResourceExistsError):
        new_blob.upload_blob(b"two")
    assert new_blob.download_blob().readall() == b"one"
    assert new_blob.get_blob_properties().metadata == {"key": "value"}
    new_blob.upload_blob(b"two", overwrite=True)
    assert new_blob.download_blob().readall() == b"two"
    new_blob.delete_blob()
    assert not new_blob.exists()


def test_ranges_are_read(new_blob):
    new_blob.upload_blob(bytes(range(100)))
    assert new_blob.download_blob(offset=10, length=5).readall() == bytes(range(10, 15))
    assert new_blob.download_blob(offset=95).readall() == bytes(range(95, 100))


def test_an_empty_blob_is_read(new_blob):
    new_blob.upload_blob(b"")
    assert new_blob.download_blob().readall() == b""


def test_a_log_grows_by_appending(new_blob):
    new_blob.create_append_blob()
    assert new_blob.append_block(b"one\n")["blob_append_offset"] == "0"
    assert new_blob.append_block(b"two\n")["blob_append_offset"] == "4"
    assert new_blob.download_blob().readall() == b"one\ntwo\n"
    assert new_blob.get_blob_properties().blob_type == "AppendBlob"


def test_a_block_blob_is_not_appended_to(new_blob):
    from azure.core.exceptions import HttpResponseError

    new_blob.upload_blob(b"x")
    with pytest.raises(HttpResponseError, match="blob type is invalid"):
        new_blob.append_block(b"y")


def test_a_list_of_unknown_blocks_is_refused(new_blob, storage):
    from azure.core.exceptions import HttpResponseError

    new_blob.stage_block("known", b"x")
    with pytest.raises(HttpResponseError, match="block list is invalid"):
        new_blob.commit_block_list([storage.BlobBlock("known"), storage.BlobBlock("unknown")])
    new_blob.commit_block_list([storage.BlobBlock("known")])
    assert new_blob.download_blob().readall() == b"x"


def test_blobs_are_listed_in_pages_and_as_folders(account):
    container = account().get_container_client("list-of-blobs")
    container.create_container()
    names = [f"f/{number}.txt" for number in range(5)] + ["g/x.txt", "h.txt"]
    for name in names:
        container.upload_blob(name, b"x")
    pages = list(container.list_blobs(results_per_page=3).by_page())
    assert [blob.name for blob in container.list_blobs(results_per_page=3)] == names
    assert len(pages) == 3
    assert [entry.name for entry in container.walk_blobs()] == ["f/", "g/", "h.txt"]
    assert [entry.name for entry in container.walk_blobs("f/")] == names[:5]
    container.delete_container()
    assert not container.exists()


@pytest.fixture(scope="module")
def signed(storage, datastore):
    """A SAS for tests/signed.txt: permissions, and hours until it expires."""

    def sign(permission="r", hours=1, key=None):
        return storage.generate_blob_sas(
            datastore.account_name,
            datastore.container_name,
            "tests/signed.txt",
            account_key=key or datastore.account_key,
            permission=permission,
            expiry=datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours),
        )

    return sign


@pytest.fixture(scope="module")
def signed_blob(account, datastore):
    def connect(credential):
        return account(credential).get_blob_client(datastore.container_name, "tests/signed.txt")

    connect(datastore.account_key).upload_blob(b"signed", overwrite=True)
    return connect


def test_a_sas_made_by_the_sdk_is_good_for_what_it_permits(signed, signed_blob):
    from azure.core.exceptions import HttpResponseError

    reader = signed_blob(signed("r"))
    assert reader.download_blob().readall() == b"signed"
    with pytest.raises(HttpResponseError, match="not authorized to perform this operation"):
        reader.upload_blob(b"x", overwrite=True)
    with pytest.raises(HttpResponseError, match="not authorized to perform this operation"):
        reader.delete_blob()
    signed_blob(signed("w")).upload_blob(b"signed", overwrite=True)


def test_a_sas_of_a_container_is_good_for_its_blobs(
    storage, datastore, account, signed, signed_blob
):
    from azure.core.exceptions import HttpResponseError

    expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    sas = storage.generate_container_sas(
        datastore.account_name,
        datastore.container_name,
        account_key=datastore.account_key,
        permission="rl",
        expiry=expiry,
    )
    assert signed_blob(sas).download_blob().readall() == b"signed"
    assert list(account(sas).get_container_client(datastore.container_name).list_blobs())
    with pytest.raises(HttpResponseError):
        list(account(signed("r")).get_container_client(datastore.container_name).list_blobs())


def test_a_wrong_signature_key_or_time_is_refused(signed, signed_blob):
    from azure.core.exceptions import ClientAuthenticationError

    other = base64.b64encode(b"o" * 64).decode()
    refused = {
        "changed": signed("r").replace("sp=r", "sp=rw"),
        "expired": signed("r", hours=-1),
        "other key": signed("r", key=other),
        "shared key": other,
    }
    for credential in refused.values():
        with pytest.raises(ClientAuthenticationError, match="Server failed to authenticate"):
            signed_blob(credential).download_blob()


def test_nobody_reads_without_a_credential(anonymous_http, datastore):
    url = f"https://{datastore.account_name}.blob.core.windows.net/{datastore.container_name}"
    assert anonymous_http.get(f"{url}/tests/signed.txt").status_code == 401
    assert anonymous_http.get(f"{url}?restype=container&comp=list").status_code == 401


@pytest.mark.parametrize(
    ("container", "name"),
    [
        ("container", "../x"),
        ("container", "a/../../x"),
        ("container", "./x"),
        ("container", "a\\..\\x"),
        ("container", ""),
        ("..", "x"),
        ("Upper", "x"),
        ("a/b", "x"),
    ],
)
def test_a_name_cannot_leave_its_container(fresh_azure, container, name):
    with pytest.raises(ServiceError, match="resource name is invalid"):
        blob.path_of(fresh_azure, container, name)


def test_a_name_is_a_path_below_its_container(fresh_azure):
    path = blob.path_of(fresh_azure, "container", "a/b c.txt")
    assert path == fresh_azure.root / "blobs" / "container" / "a" / "b c.txt"


def test_a_damaged_upload_is_refused(anonymous_http, account, datastore, storage):
    expiry = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
    name = "tests/damaged.bin"
    sas = storage.generate_blob_sas(
        datastore.account_name,
        datastore.container_name,
        name,
        account_key=datastore.account_key,
        permission="cw",
        expiry=expiry,
    )
    answer: requests.Response = anonymous_http.put(
        f"https://{datastore.account_name}.blob.core.windows.net/{datastore.container_name}/{name}"
        f"?{sas}",
        data=b"damaged",
        headers={
            "x-ms-blob-type": "BlockBlob",
            "Content-MD5": base64.b64encode(b"0" * 16).decode(),
        },
    )
    assert answer.status_code == 400
    assert answer.headers["x-ms-error-code"] == "Md5Mismatch"
    assert not account().get_blob_client(datastore.container_name, name).exists()


def test_an_entra_token_for_storage_reads_and_one_for_arm_does_not(
    anonymous_http, local_azure, datastore, signed_blob
):
    url = (
        f"https://{datastore.account_name}.blob.core.windows.net/{datastore.container_name}"
        "/tests/signed.txt"
    )

    def status(resource):
        token = get_token(anonymous_http, local_azure, resource)
        return anonymous_http.get(url, headers={"Authorization": f"Bearer {token}"}).status_code

    assert status("https://storage.azure.com") == 200
    assert status("https://management.azure.com") == 401
