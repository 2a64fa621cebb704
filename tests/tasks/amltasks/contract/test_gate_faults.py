"""The gate against a local Azure that fails, and an agent that dies, while it registers a model."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import CONSUMER, FIRST_MAY_PASS, Azure, Ended, Started, start_task
from .test_faults import RUN, _end, _make_cluster, azure_with

REGISTER = "method=PUT path=*/models/*/versions/*"
# The third registration waits for so long that the task can be killed meanwhile.
# Copying is refused once, and then waits for so long that the task can be killed meanwhile.
IMPORT = "method=POST path=*/registries/*/import"
FAULTS = (
    f"expired times=1 {REGISTER}",
    f"latency=30 times=1 after=2 {REGISTER}",
    f"status=403 times=1 {IMPORT}",
    f"latency=30 times=1 after=1 {IMPORT}",
)


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azure]:
    """A local Azure that refuses the first token with which a model is registered."""
    with azure_with(tmp_path_factory.mktemp("faulty"), "creating=0", *FAULTS) as opened:
        _make_cluster(opened)
        yield opened


@pytest.fixture(scope="module")
def run_id(azure: Azure, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run that left a model."""
    folder = tmp_path_factory.mktemp("consumer")
    shutil.copytree(CONSUMER, folder, dirs_exist_ok=True)
    ended = _end(azure, "v2", "RunAmlPipeline", RUN["v2"], folder)
    return ended.outputs["runId"]


def gate(azure: Azure, run_id: str, folder: Path, attempt: int = 0, **changed: str) -> Started:
    inputs = {
        "candidateRunId": run_id,
        "modelName": "faulty",
        "baseline": "latest",
        "rules": FIRST_MAY_PASS,
        "outputDirectory": str(folder / "gate"),
        **changed,
    }
    return start_task(
        "EvaluateAndGate",
        {**azure.place, "sdk": "v2", **inputs},
        folder=folder,
        connection=azure.connection,
        environment=azure.client_environment,
        variables={"system.jobattempt": str(attempt)} if attempt else None,
    )


def reason_of(folder: Path) -> str:
    verdict = json.loads((folder / "gate" / "verdict.json").read_text(encoding="utf-8"))
    return str(verdict["reason"])


def test_what_ends_the_gate_while_it_registers_leaves_its_report(
    azure: Azure, run_id: str, tmp_path: Path
) -> None:
    expired: Ended = gate(azure, run_id, tmp_path).end()
    if expired.result == "Failed":
        # The client does not sign in anew for this request: the report says what was decided.
        assert list(expired.issues) == ["UNAUTHORIZED"]
        assert expired.outputs["reason"] == "UNAUTHORIZED"
        assert reason_of(tmp_path) == "NOT_REGISTERED"
        expired = gate(azure, run_id, tmp_path).end()
    assert expired.outputs["reason"] == "PASSED", expired.log
    assert reason_of(tmp_path) == "PASSED"

    killed = gate(azure, run_id, tmp_path)
    killed.wait_for(
        lambda started: any(each.get("value") == "NOT_REGISTERED" for each in started.commands)
    )
    assert reason_of(tmp_path) == "NOT_REGISTERED"
    killed.process.kill()
    ended = killed.end()
    assert (ended.outputs["passed"], ended.outputs["reason"]) == ("false", "NOT_REGISTERED")
    info = json.loads((tmp_path / "gate" / "eval_info.json").read_text(encoding="utf-8"))
    assert info["deploy_model"] is False


def test_what_ends_the_gate_while_it_copies_leaves_the_promoted_version(
    azure: Azure, run_id: str, tmp_path: Path
) -> None:
    where = {"modelName": "kept", "copyTo": "registry", "registryName": "registry-local"}
    refused = gate(azure, run_id, tmp_path, 1, **where).end()
    assert list(refused.issues)[-1] == "NOT_COPIED", refused.log
    assert (refused.outputs["reason"], refused.outputs["copyId"]) == ("NOT_COPIED", "")
    assert "kept:1 is not in the registry 'registry-local'" in refused.message
    assert reason_of(tmp_path) == "NOT_COPIED"

    killed = gate(azure, run_id, tmp_path, 2, **where)
    killed.wait_for(
        lambda started: any(each.get("value") == "NOT_COPIED" for each in started.commands)
    )
    killed.process.kill()
    assert killed.end().outputs["reason"] == "NOT_COPIED"
    assert reason_of(tmp_path) == "NOT_COPIED"

    # Each attempt finds the version that the first one promoted, and only makes the copy.
    last = gate(azure, run_id, tmp_path, 3, **where).end()
    assert (last.outputs["reason"], last.outputs["modelVersion"]) == ("PASSED", "1"), last.log
    copy = "azureml://registries/registry-local/models/kept/versions/1"
    assert last.outputs["copyId"] == copy
    assert reason_of(tmp_path) == "PASSED"
