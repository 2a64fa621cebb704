"""A local Azure, and the verbs as their users start them: `python3 dev.py admin ...`."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.patience import PATIENCE_S
from tests.running_azure import running_azure

ROOT = Path(__file__).resolve().parents[4]
_CHANGES = re.compile(r"^\S+ (POST|PUT|PATCH|DELETE) (\S+) (\d+)", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What one verb left: its exit code and what it wrote on both streams."""

    code: int
    text: str

    def lines(self, state: str) -> list[str]:
        """The things that are said to be in a state, such as `created`."""
        return [
            line[15:] for line in self.text.splitlines() if line[:15].rstrip().startswith(state)
        ]


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """A running local Azure with its organisation."""

    environment: Mapping[str, str]
    log: Path
    session: requests.Session

    @property
    def workspace(self) -> tuple[str, ...]:
        env = self.environment
        return (
            *("--resource-group", env["AML_RESOURCE_GROUP"]),
            *("--workspace", env["AML_WORKSPACE_NAME"]),
        )

    @property
    def identity(self) -> tuple[str, ...]:
        env = self.environment
        return (
            *("--tenant", env["AZURE_TENANT_ID"], "--client-id", env["AZURE_CLIENT_ID"]),
            *("--subscription", env["AML_SUBSCRIPTION_ID"]),
        )

    def admin(self, *arguments: str, **variables: str) -> Ran:
        """Run a verb; the token must be in nothing that it writes."""
        keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [sys.executable, "dev.py", "admin", *arguments],
            cwd=ROOT,
            env={**keep, **self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert self.environment["AZURE_DEVOPS_EXT_PAT"] not in done.stdout
        assert "Traceback" not in done.stdout
        return Ran(code=done.returncode, text=done.stdout)

    def ask(self, method: str, path: str, *, host: str = "dev.azure.com", **options: Any) -> Any:
        """A plain request below the organisation, as its user."""
        name = self.environment["AZURE_DEVOPS_ORG_URL"].rpartition("/")[2]
        answer = self.session.request(
            method,
            f"https://{host}/{name}/{path}",
            auth=("", self.environment["AZURE_DEVOPS_EXT_PAT"]),
            params={"api-version": "7.1-preview", **options.pop("params", {})},
            timeout=PATIENCE_S,
            **options,
        )
        assert answer.ok, answer.text
        return answer

    def new_project(self, name: str) -> str:
        """Create a project; the second fixture of a test that wants to be alone."""
        operation = self.ask("POST", "_apis/projects", json={"name": name}).json()
        end = time.monotonic() + PATIENCE_S
        while operation["status"] != "succeeded":
            assert time.monotonic() < end, operation
            time.sleep(0.1)
            operation = self.ask("GET", f"_apis/operations/{operation['id']}").json()
        return name

    def changes(self, *, more_than: int = -1) -> list[str]:
        """The requests so far that changed something; a token of Entra is no change.

        The server writes its log when it has answered already, so wait until it has fallen silent,
        and for so many requests as must be there.
        """
        end = time.monotonic() + PATIENCE_S
        found = self._logged()
        while time.monotonic() < end:
            time.sleep(0.2)
            before, found = found, self._logged()
            if found == before and len(found) > more_than:
                break
        return found

    def _logged(self) -> list[str]:
        found = _CHANGES.findall(self.log.read_text(encoding="utf-8"))
        return [
            f"{verb} {path}"
            for verb, path, status in found
            if status < "400" and "/oauth2/" not in path
        ]


@contextlib.contextmanager
def running(folder: Path, *options: str) -> Iterator[Cloud]:
    with (
        running_azure(folder / "state", "--verbose", *options) as server,
        requests.Session() as session,
    ):
        session.trust_env = False
        session.proxies = {"https": server.environment["HTTPS_PROXY"]}
        session.verify = server.environment["REQUESTS_CA_BUNDLE"]
        yield Cloud(environment=server.environment, log=server.log, session=session)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with running(tmp_path_factory.mktemp("cloud")) as started:
        yield started
