"""The agent's proxy and certificate settings as the task's Python sees them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tasks.launcher.harness import Launcher

SHOW = (
    "print(json.dumps({k: v for k, v in os.environ.items()}))\n"
    "send(type='result', result='Succeeded')"
)
PROXY = {"Agent.ProxyUrl": "http://proxy.example:8080"}


def seen(launcher: Launcher, variables: dict[str, str], **env: str) -> dict[str, str]:
    """The environment of Python under these agent variables."""
    outcome = launcher.run(SHOW, variables=variables, env=env)
    found = json.loads(outcome.log.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def test_nothing_is_set_when_the_agent_has_no_proxy(launcher: Launcher) -> None:
    names = {name.upper() for name in seen(launcher, {})}
    assert not names & {"HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "SSL_CERT_FILE"}


@pytest.fixture
def authorities(tmp_path: Path) -> str:
    """A file in the form of one with trusted certificates."""
    path = tmp_path / "ca.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    return str(path)


def test_the_agents_proxy_and_authorities(launcher: Launcher, authorities: str) -> None:
    bypass = [
        "internal\\.example$",
        ".*\\.corp\\.example",
        "^https?://host:8443/",
        "10\\.0\\.[0-9]+\\.1",
        "plain.example",
    ]
    found = seen(
        launcher,
        {
            **PROXY,
            "Agent.ProxyBypassList": json.dumps(bypass),
            "Agent.CAInfo": authorities,
        },
    )
    for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"):
        assert found[name] == "http://proxy.example:8080"
    assert found["NO_PROXY"] == found["no_proxy"]
    assert found["NO_PROXY"].split(",") == [
        "internal.example",
        ".corp.example",
        "host:8443",
        "plain.example",
        "localhost",
        "127.0.0.1",
        "169.254.169.254",
    ]
    assert found["REQUESTS_CA_BUNDLE"] == found["SSL_CERT_FILE"] == authorities


def test_user_and_password_go_into_the_address(launcher: Launcher) -> None:
    outcome = launcher.run(
        "import os; print(os.environ['HTTPS_PROXY'][::-1])\n" + SHOW,
        variables={**PROXY, "Agent.ProxyUsername": "me@corp"},
        env={
            "SECRET_AGENT_PROXYPASSWORD": "p@ss:word",
            "VSTS_SECRET_VARIABLES": '["Agent.ProxyPassword"]',
        },
    )
    # Backwards, because the launcher knows this form of the password for a secret.
    assert "http://me%40corp:p%40ss%3Aword@proxy.example:8080"[::-1] in outcome.log
    assert '"HTTPS_PROXY": "http://me%40corp:***@proxy.example:8080"' in outcome.log
    # The agent masks the password as typed; we ask it to mask the form in the address, too.
    assert [command.data for command in outcome.named("task.setsecret")] == ["p%40ss%3Aword"]
    assert "p@ss:word" not in outcome.stdout


def test_what_is_set_already_wins(launcher: Launcher, authorities: str, tmp_path: Path) -> None:
    mine = tmp_path / "mine.pem"
    mine.write_bytes(Path(authorities).read_bytes())
    found = seen(
        launcher,
        {**PROXY, "Agent.CAInfo": authorities},
        https_proxy="http://mine.example:1",
        NO_PROXY="a.example, localhost",
        REQUESTS_CA_BUNDLE=str(mine),
    )
    assert found["HTTPS_PROXY"] == found["https_proxy"] == "http://mine.example:1"
    assert found["HTTP_PROXY"] == "http://proxy.example:8080"
    assert found["NO_PROXY"] == "a.example,localhost,127.0.0.1,169.254.169.254"
    assert found["REQUESTS_CA_BUNDLE"] == str(mine)
    assert found["SSL_CERT_FILE"] == authorities


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("AGENT_CAINFO", "The agent setting Agent.CAInfo (--sslcacert)"),
        ("REQUESTS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"),
        ("SSL_CERT_FILE", "SSL_CERT_FILE"),
    ],
)
def test_a_file_of_certificates_that_is_of_no_use_is_named(
    launcher: Launcher, tmp_path: Path, setting: str, named: str
) -> None:
    file = tmp_path / "ca.pem"
    for why in ("does not exist", "holds no certificate"):
        (error,) = launcher.run(SHOW, env={setting: str(file)}).errors
        assert error.startswith(f"CERTIFICATES_UNUSABLE: {named} names the file of trusted")
        assert f"'{file}', which {why}." in error
        file.write_text("no certificate\n")
    file.unlink()
    file.mkdir()
    assert launcher.run(SHOW, env={setting: str(file)}).result[0] == "Succeeded"


@pytest.mark.parametrize("text", ["not json", '{"a": 1}'])
def test_a_bypass_list_that_cannot_be_read_is_a_warning(launcher: Launcher, text: str) -> None:
    outcome = launcher.run(SHOW, variables={**PROXY, "Agent.ProxyBypassList": text})
    assert outcome.result[0] == "Succeeded"
    (warning,) = outcome.named("task.logissue")
    assert warning.properties == {"type": "warning"}
    assert "Agent.ProxyBypassList" in warning.data
