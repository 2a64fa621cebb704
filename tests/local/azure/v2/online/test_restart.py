"""Online deployments outlive a server that was killed; one that was being made says so."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from tests.local.azure.conftest import get_token, http_session
from tests.patience import PATIENCE_S

SCORE = "def init():\n    {}\n\n\ndef run(raw):\n    return 'still here'\n"
SLOW = "import time; time.sleep(600)"


class Plane:
    """Resource Manager and an endpoint, by plain HTTP."""

    def __init__(self, azure: Any) -> None:
        """`azure`: a running server."""
        self.scope = azure.scope
        self.session = http_session(azure)
        self.session.headers["Authorization"] = f"Bearer {get_token(self.session, azure)}"

    def arm(self, method: str, tail: str, body: Any = None) -> Any:
        url = f"https://management.azure.com{self.scope}/{tail}?api-version=2024-10-01"
        answer = self.session.request(method, url, json=body)
        assert answer.ok, answer.text
        return answer.json()

    def upload(self, name: str, script: str) -> None:
        """Register a code asset with one score script."""
        place = self.arm("POST", f"codes/{name}/versions/1/startPendingUpload", {})
        found = place["blobReferenceForConsumption"]
        parts = urlsplit(found["credential"]["sasUri"])
        headers = {"x-ms-blob-type": "BlockBlob", "Authorization": ""}
        blob = parts._replace(path=f"{parts.path}/code/score.py").geturl()
        put = self.session.put(blob, data=script, headers={**headers, "x-ms-version": "2021-08-06"})
        assert put.ok, put.text
        code = {"properties": {"codeUri": f"{found['blobUri']}/code"}}
        self.arm("PUT", f"codes/{name}/versions/1", code)

    def deploy(self, name: str) -> None:
        """Deploy the code asset of the same name."""
        properties = {
            "endpointComputeType": "Managed",
            "instanceType": "Standard_DS3_v2",
            "environmentId": "azureml:this-python:1",
            "codeConfiguration": {
                "codeId": f"azureml:{name}:1",
                "scoringScript": "score.py",
            },
        }
        self.arm("PUT", f"onlineEndpoints/kept/deployments/{name}", {"properties": properties})

    def state(self, name: str) -> str:
        found = self.arm("GET", f"onlineEndpoints/kept/deployments/{name}")
        return str(found["properties"]["provisioningState"])

    def endpoint_state(self) -> str:
        return str(self.arm("GET", "onlineEndpoints/kept")["properties"]["provisioningState"])

    def score(self, key: str) -> int:
        headers = {"Authorization": f"Bearer {key}", "azureml-model-deployment": "quick"}
        url = "https://kept.eastus.inference.ml.azure.com/score"
        return self.session.post(url, json={}, headers=headers).status_code


def until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "nothing happened for 60 s"
        time.sleep(0.1)


@pytest.mark.skipif(sys.platform == "win32", reason="models are served with gunicorn")
def test_deployments_after_a_kill(start_local_azure: Any, tmp_path: Path) -> None:
    with start_local_azure(tmp_path / "state") as azure:
        plane = Plane(azure)
        interpreter = {"userManagedDependencies": True, "interpreterPath": sys.executable}
        plane.session.put(
            f"https://eastus.api.azureml.ms/environment/v1.0{azure.scope}"
            "/environments/this-python/versions/1",
            json={"python": interpreter},
        ).raise_for_status()
        plane.upload("quick", SCORE.format("pass"))
        plane.upload("slow", SCORE.format(SLOW))
        plane.arm("PUT", "onlineEndpoints/kept", {"properties": {"authMode": "Key"}})
        key = plane.arm("POST", "onlineEndpoints/kept/listKeys")["primaryKey"]
        until(lambda: plane.endpoint_state() == "Succeeded")
        plane.deploy("quick")
        plane.deploy("slow")
        until(lambda: plane.state("quick") == "Succeeded")
        assert plane.state("slow") == "Creating"
        assert plane.score(key) == 200
        processes = psutil.Process(azure.process.pid).children(recursive=True)
        azure.process.kill()
        azure.process.wait()
        azure.state.with_suffix(".env").unlink()
    with start_local_azure(tmp_path / "state") as azure:
        assert not any(one.is_running() and one.status() != "zombie" for one in processes)
        plane = Plane(azure)
        assert (plane.state("quick"), plane.state("slow")) == ("Succeeded", "Failed")
        until(lambda: plane.score(key) == 200)
