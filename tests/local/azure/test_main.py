"""The command `python -m local.azure`: its env file, its folder, its port."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
import sys

import pytest

from tests.local.azure.conftest import get_token
from tests.patience import PATIENCE_S
from tests.running_azure import ROOT, read_env_file

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


def test_the_secret_is_in_the_env_file_only(local_azure, anonymous_http):
    get_token(anonymous_http, local_azure)
    secret = local_azure.environment["AZURE_CLIENT_SECRET"]
    assert read_env_file(local_azure.state.with_suffix(".env"))["AZURE_CLIENT_SECRET"] == secret
    assert secret not in local_azure.log.read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--other-workspace", "a/b"), "'a/b' cannot name a workspace: 3 to 33 letters"),
        (("--fault", "status=banana"), "--fault: in 'status=banana'"),
    ],
)
def test_an_option_that_makes_no_sense_is_named(tmp_path, options, words):
    result = subprocess.run(
        [sys.executable, "-m", "local.azure", "--state", str(tmp_path / "s"), *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert result.returncode == 2
    assert words in " ".join(result.stderr.split())
    assert not (tmp_path / "s").exists()
