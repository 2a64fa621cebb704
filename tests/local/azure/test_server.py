"""The server: TLS, unknown requests, and what a restart finds."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time

import pytest

from tests.local.azure.conftest import open_workspace
from tests.patience import PATIENCE_S


def test_certificates_are_for_the_host_asked_for_and_no_other(local_azure):
    port = int(local_azure.environment["HTTPS_PROXY"].rpartition(":")[2])
    context = ssl.create_default_context(cafile=local_azure.environment["SSL_CERT_FILE"])

    def handshake(tunnel, name):
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
            connection.sendall(f"CONNECT {tunnel}:443 HTTP/1.1\r\n\r\n".encode())
            assert b"200" in connection.recv(4096)
            with context.wrap_socket(connection, server_hostname=name) as tls:
                found = tls.getpeercert()
                assert found
                return found["subjectAltName"]

    host = "some-aks.westeurope.cloudapp.azure.com"
    assert handshake(host, host) == (("DNS", host),)
    strict = ssl.create_default_context()
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\n\r\n".encode())
        connection.recv(4096)
        strict.wrap_socket(connection, server_hostname=host)


@pytest.mark.parametrize(
    "url",
    [
        "https://management.azure.com/no/such/thing?sig=do-not-log-me",
        "https://eastus.api.azureml.ms/no/such/plane",
        "https://mine.vault.azure.net/secrets/x",
    ],
)
def test_what_is_not_covered_is_501_and_recorded(anonymous_http, local_azure, url):
    answer = anonymous_http.get(url)
    assert answer.status_code == 501
    assert answer.json()["error"]["code"] == "NotImplemented"
    path = url.removeprefix("https://").partition("?")[0]
    log = local_azure.log.read_text()
    assert f"not covered by the local Azure: GET {path}" in log
    assert "do-not-log-me" not in log
    recorded = (local_azure.state / "unknown-requests.log").read_text()
    assert "do-not-log-me" not in recorded
    assert any(path == one["host"] + one["path"] for one in map(json.loads, recorded.splitlines()))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda scope: re.sub("/subscriptions/[^/]+", "/subscriptions/x", scope), "Subscription"),
        (lambda scope: scope.replace("rg-local", "rg-other"), "ResourceGroup"),
        (lambda scope: scope.replace("ws-local", "ws-other"), "Resource"),
    ],
)
def test_another_workspace_is_not_found_on_any_plane(azure_http, local_azure, change, code):
    scope = change(local_azure.scope)
    for url in (
        f"https://management.azure.com{scope}/computes",
        f"https://eastus.api.azureml.ms/modelmanagement/v1.0{scope}/models",
    ):
        answer = azure_http.get(url)
        assert answer.status_code == 404
        assert answer.json()["error"]["code"] == f"{code}NotFound"


def test_everything_is_still_there_after_a_restart(
    azure_variables, start_local_azure, tmp_path, monkeypatch
):
    from azureml.core import Datastore, Experiment, Model
    from azureml.core.compute import AmlCompute, ComputeTarget

    monkeypatch.chdir(tmp_path)
    (tmp_path / "model.pkl").write_text("pickle")

    def connect(azure):
        for name, value in azure.environment.items():
            monkeypatch.setenv(name, value)
        return open_workspace(azure.environment)

    with start_local_azure(tmp_path / "state") as azure:
        workspace = connect(azure)
        config = AmlCompute.provisioning_configuration("STANDARD_DS3_V2", max_nodes=1)
        ComputeTarget.create(workspace, "cpu", config)
        run = Experiment(workspace, "kept").start_logging(snapshot_directory=None)
        run.log("accuracy", 0.5)
        run.tag("build", "7")
        run.upload_file("outputs/model.pkl", "model.pkl")
        run.complete()
        Model.register(workspace, "model.pkl", "kept", tags={"a": "b"})
        workspace.get_default_keyvault().set_secret("kept", "value")
        azure.process.kill()
        azure.process.wait(PATIENCE_S)
        (tmp_path / "state.env").unlink()
        before = azure.environment

    with start_local_azure(tmp_path / "state") as azure:
        changed = {name for name, value in before.items() if azure.environment[name] != value}
        assert changed <= {"HTTPS_PROXY", "https_proxy", "AZURE_POD_IDENTITY_AUTHORITY_HOST"}
        workspace = connect(azure)
        (found,) = Experiment(workspace, "kept").get_runs(tags={"build": "7"})
        assert found.id == run.id
        assert found.get_metrics() == {"accuracy": 0.5}
        found.download_file("outputs/model.pkl", str(tmp_path / "from-run.pkl"))
        assert (tmp_path / "from-run.pkl").read_text() == "pickle"
        model = Model(workspace, "kept")
        assert model.tags == {"a": "b"}
        model.download(str(tmp_path / "down"))
        assert (tmp_path / "down" / "model.pkl").read_text() == "pickle"
        assert workspace.get_default_keyvault().get_secret("kept") == "value"
        assert Datastore.get_default(workspace).name == "workspaceblobstore"
        run_again = Experiment(workspace, "kept").start_logging(snapshot_directory=None)
        run_again.complete()
        assert run_again.number == run.number + 1
        # It was still being created when the first server was killed.
        deadline = time.monotonic() + PATIENCE_S
        while ComputeTarget(workspace, "cpu").provisioning_state != "Succeeded":
            assert time.monotonic() < deadline
            time.sleep(0.2)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/history/v1.0{scope}/experiments/e/runs/r"),
        ("POST", "/history/v1.0{scope}/experiments:query"),
        ("GET", "/modelmanagement/v1.0{scope}/models"),
        ("GET", "/modelmanagement/v1.0{scope}/services"),
        ("GET", "/pipelines/v1.0{scope}/Pipelines"),
        ("GET", "/datastore/v1.0{scope}/datastores"),
        ("GET", "/environment/v1.0{scope}/environments"),
        ("GET", "/credential/v2.0{scope}/secrets"),
        ("POST", "/mlflow/v2.0{scope}/api/2.0/mlflow/experiments/create"),
    ],
)
def test_a_parameter_that_is_not_known_is_named(azure_http, local_azure, method, path):
    url = f"https://eastus.api.azureml.ms{path.format(scope=local_azure.scope)}"
    answer = azure_http.request(method, url, params={"colour": "blue"}, json={})
    assert answer.status_code == 501
    assert "the parameter colour of" in answer.text
