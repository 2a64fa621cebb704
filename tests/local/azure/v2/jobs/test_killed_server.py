"""v2's state survives a server that was killed, and the jobs it left say so."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.local.azure.conftest import get_token, http_session
from tests.patience import PATIENCE_S


def arm(azure: Any, method: str, tail: str, body: Any = None) -> Any:
    with http_session(azure) as session:
        session.headers["Authorization"] = f"Bearer {get_token(session, azure)}"
        url = f"https://management.azure.com{azure.scope}/{tail}?api-version=2024-10-01"
        answer = session.request(method, url, json=body)
    assert answer.ok, answer.text
    return answer.json()["properties"]


def await_running(azure: Any, *jobs: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while any(arm(azure, "GET", f"jobs/{name}")["status"] != "Running" for name in jobs):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform == "win32", reason="sleep is a command of POSIX shells")
def test_killed_server(start_local_azure: Any, tmp_path: Path) -> None:
    command = {
        "jobType": "Command",
        "command": "sleep 600",
        "environmentId": "azureml:python-env:1",
    }
    spec = {
        "type": "command",
        "command": "sleep 600",
        "environment": "azureml:python-env:1",
        "inputs": {},
        "outputs": {},
    }
    with start_local_azure(tmp_path / "state") as azure:
        arm(azure, "PUT", "environments/python-env/versions/1", {"properties": {"image": "python"}})
        arm(azure, "PUT", "components/slow/versions/1", {"properties": {"componentSpec": spec}})
        nodes = {"a": {"type": "command", "componentId": "azureml:slow:1"}}
        arm(azure, "PUT", "jobs/single", {"properties": command})
        arm(azure, "PUT", "jobs/graph", {"properties": {"jobType": "Pipeline", "jobs": nodes}})
        # Two run at once without a cluster; this one waits for a free place.
        await_running(azure, "single", "graph")
        arm(azure, "PUT", "jobs/waiting", {"properties": command})
        azure.process.kill()
        azure.process.wait()
        azure.state.with_suffix(".env").unlink()
    with start_local_azure(tmp_path / "state") as azure:
        for name in ("single", "graph", "waiting"):
            assert arm(azure, "GET", f"jobs/{name}")["status"] == "Failed", name
        assert arm(azure, "GET", "environments/python-env/versions/1")["image"] == "python"
        assert arm(azure, "GET", "components/slow/versions/1")["componentSpec"]["name"] == "slow"
        with http_session(azure) as session:
            session.headers["Authorization"] = f"Bearer {get_token(session, azure)}"
            base = f"https://eastus.api.azureml.ms/history/v1.0{azure.scope}/runs/graph"
            children = session.get(f"{base}/children").json()["value"]
            details = session.get(f"{base}/details").json()
        assert [child["status"] for child in children] == ["Failed"]
        assert details["error"]["error"]["code"] == "ServiceInterrupted"
