"""Each scheme of a service connection, from the agent through the launcher to the real SDKs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import AgentRun, local_azure, run_agent

WAYS = ("key", "certificate", "machine", "federation")
CONNECTIONS = {
    "by-key": "spnKey",
    "by-certificate": "spnCertificate",
    "as-machine": "ManagedServiceIdentity",
    # Whom the application of a new state trusts.
    "aml-connection": "WorkloadIdentityFederation",
    "not-trusted": "WorkloadIdentityFederation",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("connections")


@pytest.fixture(scope="module")
def ran(vsix: Path, folder: Path) -> Iterator[AgentRun]:
    """The pipeline, where tokens live two seconds and clusters take four to make."""
    options = ("--verbose", "--token-lifetime", "2", "--fault", "creating=4")
    with local_azure(folder, *options) as azure:
        pairs = [f"{name}={scheme}" for name, scheme in CONNECTIONS.items()]
        given = [word for pair in pairs for word in ("--connection", pair)]
        pipeline = Path(__file__).parent / "connections.yml"
        yield run_agent(pipeline, vsix, azure, folder, *given)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("sdk", ["v2", "v1"])
def test_a_task_outlives_its_tokens_however_it_signs_in(ran: AgentRun, sdk: str, way: str) -> None:
    step = ran.step(f"{sdk}_{way}")
    assert step["result"] == "succeeded", ran.console
    assert step["outputs"]["computeOutcome"] == "created"
    assert step["seconds"] > 4


def test_tokens_were_renewed(ran: AgentRun, folder: Path) -> None:
    log = (folder / "state.log").read_text()
    # Six steps got theirs from Entra; each at its start, and again while the cluster was made.
    assert len(re.findall(r"POST login\.microsoftonline\.com\S+/token 200", log)) >= 2 * 6
    # Of the three steps that are federated, each asks for a new assertion each time.
    assert len(re.findall(r"POST dev\.azure\.com\S+/oidctoken 200", log)) >= 2 * 2 + 1


def test_a_connection_that_the_application_does_not_trust(ran: AgentRun) -> None:
    step = ran.step("stranger")
    assert step["result"] == "failed"
    (issue,) = step["issues"]
    assert "FEDERATION_NOT_TRUSTED: the application does not trust this service" in str(issue)
    assert "AADSTS700213" in str(issue)
    assert "/aml/not-trusted" in str(issue)


def test_no_secret_is_told_and_no_certificate_is_left(ran: AgentRun, folder: Path) -> None:
    private = next((folder / "state").glob("client-certificate.pem")).read_text()
    (key,) = re.findall(r"-----BEGIN PRIVATE KEY-----\n(.*?)\n", private)
    assert key not in ran.console
    left = [path for path in (folder / "work").rglob("*") if path.is_file()]
    assert left
    assert not [path for path in left if key.encode() in path.read_bytes()]
