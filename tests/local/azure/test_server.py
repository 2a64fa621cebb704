"""The process: proxy, TLS, unknown requests, signals, lock, and what a restart finds."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time

import psutil
import pytest

from tests.local.azure.conftest import ROOT, get_token, http_session, open_workspace, read_env_file
from tests.patience import PATIENCE_S

CONTRACT = {
    "HTTPS_PROXY",
    "https_proxy",
    "NO_PROXY",
    "no_proxy",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PATH",
    "AZURE_POD_IDENTITY_AUTHORITY_HOST",
    "AML_SUBSCRIPTION_ID",
    "AML_RESOURCE_GROUP",
    "AML_REGISTRY_NAME",
    "AML_WORKSPACE_NAME",
    "AZURE_DEVOPS_CACHE_DIR",
    "AZURE_DEVOPS_EXT_PAT",
    "AZURE_DEVOPS_ORG_URL",
    "AZURE_DEVOPS_PROJECT",
}


def through_proxy(azure, request):
    """The first line that the proxy answers to raw bytes."""
    port = int(azure.environment["HTTPS_PROXY"].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        connection.sendall(request)
        return connection.makefile("rb").readline().decode().strip()


def test_the_env_file_has_what_a_client_needs(local_azure):
    assert set(local_azure.environment) == CONTRACT
    assert local_azure.environment["AML_RESOURCE_GROUP"] == "rg-local"
    env_file = local_azure.state.with_suffix(".env")
    if os.name == "posix":
        assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
        assert stat.S_IMODE(local_azure.state.stat().st_mode) == 0o700


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on this machine")
def test_curl_needs_the_env_file_only(local_azure):
    done = subprocess.run(
        ["curl", "-sS", "-w", "%{http_code}", "https://management.azure.com/what/ever"],
        env={"PATH": os.environ["PATH"], **local_azure.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("501"), done.stderr


@pytest.mark.parametrize(
    "request_line",
    [
        "CONNECT example.com:443 HTTP/1.1",
        "CONNECT management.azure.com.example.com:443 HTTP/1.1",
        "CONNECT management.azure.com:80 HTTP/1.1",
        "CONNECT evilazure.com:443 HTTP/1.1",
        "CONNECT 127.0.0.1:443 HTTP/1.1",
        "GET http://management.azure.com/ HTTP/1.1",
        "nonsense",
    ],
)
def test_the_proxy_refuses_what_is_not_azure(local_azure, request_line):
    answer = through_proxy(local_azure, f"{request_line}\r\nHost: x\r\n\r\n".encode())
    assert answer == "HTTP/1.1 403 Forbidden"
    assert f"proxy refused {' '.join(request_line.split()[:2])}" in local_azure.log.read_text()


def test_the_proxy_lets_azure_through(local_azure):
    answer = through_proxy(local_azure, b"CONNECT management.azure.com:443 HTTP/1.1\r\n\r\n")
    assert answer == "HTTP/1.1 200 Connection established"


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


def test_it_listens_on_loopback_only(local_azure):
    addresses = {
        connection.laddr.ip  # type: ignore[union-attr]  # sockets of inet have one
        for connection in psutil.net_connections("inet")
        if connection.pid == local_azure.process.pid and connection.status == psutil.CONN_LISTEN
    }
    assert addresses == {"127.0.0.1"}


def test_a_second_server_on_the_same_state_is_refused(local_azure):
    second = subprocess.run(
        [sys.executable, "-m", "local.azure", "--state", str(local_azure.state)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert second.returncode == 1
    assert "Another local Azure already uses the state folder" in second.stderr
    assert "Traceback" not in second.stderr


@pytest.mark.parametrize("absent", ["state", "env file"])
def test_a_place_that_cannot_be_written_is_named(tmp_path, absent):
    state, env_file = tmp_path / "state", tmp_path / "azure.env"
    if absent == "state":
        (state / "lock.db").mkdir(parents=True)  # whoever runs this: root may write everywhere
    else:
        env_file = tmp_path / "nowhere" / "azure.env"
    result = subprocess.run(
        [
            *(sys.executable, "-m", "local.azure"),
            *("--state", str(state), "--env-file", str(env_file)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert result.returncode == 1
    named = {"state": f"cannot keep its state in {state}", "env file": f"{env_file} cannot be"}
    assert named[absent] in result.stderr
    assert "Traceback" not in result.stderr


def test_a_port_that_is_taken_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = subprocess.run(
            [sys.executable, "-m", "local.azure", "--state", str(tmp_path / "s"), "--port", port],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    assert result.returncode == 1
    assert f"Port {port} on 127.0.0.1 cannot be used" in result.stderr
    assert "Traceback" not in result.stderr


def test_two_states_have_nothing_in_common(local_azure, start_local_azure, tmp_path):
    with start_local_azure(tmp_path / "other") as other:
        same = {"NO_PROXY", "no_proxy", "AML_RESOURCE_GROUP", "AML_WORKSPACE_NAME"}
        same |= {"AZURE_DEVOPS_PROJECT", "AML_REGISTRY_NAME"}
        for name in CONTRACT - same:
            assert other.environment[name] != local_azure.environment[name], name


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.skipif(os.name != "posix", reason="Windows has no such signals for another process")
def test_a_signal_ends_it_cleanly(start_local_azure, tmp_path, kind):
    with start_local_azure(tmp_path / "state") as azure:
        with http_session(azure) as session:
            get_token(session, azure)
            azure.process.send_signal(kind)
            assert azure.process.wait(PATIENCE_S) == 0
        assert not (tmp_path / "state.env").exists()
        log = azure.log.read_text()
        assert len(log.splitlines()) == 4, log
        assert f"its state is in {tmp_path / 'state'}" in log


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
        changed = {name for name in CONTRACT if azure.environment[name] != before[name]}
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


def test_the_secret_is_in_the_env_file_only(local_azure, anonymous_http):
    get_token(anonymous_http, local_azure)
    secret = local_azure.environment["AZURE_CLIENT_SECRET"]
    assert read_env_file(local_azure.state.with_suffix(".env"))["AZURE_CLIENT_SECRET"] == secret
    assert secret not in local_azure.log.read_text()
