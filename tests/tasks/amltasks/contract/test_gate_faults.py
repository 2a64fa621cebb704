"""The gate against a local Azure that fails, and an agent that dies, while it registers a model."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import CONSUMER, FIRST_MAY_PASS, Azure, Ended, Started, start_task
from .conftest import OPEN, asked
from .test_faults import RUN, _end, _make_cluster, azure_with

REGISTER = "method=PUT path=*/models/faulty/versions/*"
# The third registration waits for so long that the task can be killed meanwhile.
# Copying is refused once, and then waits for so long that the task can be killed meanwhile.
IMPORT = "method=POST path=*/registries/*/import"
FAULTS = (
    # So that the first of two builds can be stopped before it has promoted.
    "latency=4 times=2 method=PUT path=*/models/raced/versions/*",
    "latency=8 times=1 method=PUT path=*/models/full/versions/*",
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


def gate(
    azure: Azure, run_id: str, folder: Path, attempt: int = 0, build: str = "4711", **changed: str
) -> Started:
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
        variables={
            "build.buildid": build,
            **({"system.jobattempt": str(attempt)} if attempt else {}),
        },
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
    killed.wait_for(judged)
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


def tags_of(azure: Azure, model: str) -> list[dict[str, str]]:
    """The tags of each version, the newest first."""
    with asked(azure, OPEN["v2"], Path.cwd()) as ask:
        found: list[dict[str, str]] = ask(f"[m.tags for m in ml.models.list({model!r})]")
    return found


def names(azure: Azure) -> list[str]:
    """The names of all models."""
    with asked(azure, OPEN["v2"], Path.cwd()) as ask:
        found: list[str] = ask("[m.name for m in ml.models.list()]")
    return found


def judged(started: Started) -> bool:
    """Whether the gate has judged, and goes on to register."""
    return any(each.get("value") == "NOT_REGISTERED" for each in started.commands)


def test_of_two_builds_at_once_exactly_one_promotes(
    azure: Azure, run_id: str, tmp_path: Path
) -> None:
    for attempt in range(10):
        name = f"raced-{attempt}"
        folders = [tmp_path / name / build for build in ("4711", "4712")]
        for folder in folders:
            folder.mkdir(parents=True)
        first = gate(azure, run_id, folders[0], modelName=name, build="4711")
        first.wait_for(judged)
        # It goes on only when the other one has judged, too: neither has seen a promoted version.
        first.process.send_signal(signal.SIGSTOP)
        try:
            second = gate(azure, run_id, folders[1], modelName=name, build="4712")
            second.wait_for(judged)
        finally:
            first.process.send_signal(signal.SIGCONT)
        ended = [each.end() for each in (first, second)]
        told = [each.outputs["reason"] for each in ended]
        assert [reason_of(folder) for folder in folders] == told
        states = sorted(tags["gate"] for tags in tags_of(azure, name))
        assert states.count("promoted") == 1, "\n----\n".join(each.log for each in ended)
        # Where the first registered before it was stopped, the other found the run's version.
        if len(states) == 2:
            break
    else:
        pytest.fail("ten times the first build registered before it was stopped")
    assert sorted(told) == ["PASSED", "STEPPED_BACK"], "\n----\n".join(each.log for each in ended)
    assert states == ["promoted", "stepped-back"]


def test_a_gate_killed_at_any_time_leaves_its_retry_one_version_to_promote(
    azure: Azure, run_id: str, tmp_path: Path
) -> None:
    whole = gate(azure, run_id, tmp_path, modelName="measured").end().seconds
    chance = random.Random(7)  # noqa: S311 - when to kill
    for attempt in range(1, 6):
        begun = gate(azure, run_id, tmp_path, attempt, modelName="mortal")
        time.sleep(whole * chance.uniform(0.3, 1))
        begun.process.kill()
        killed = begun.end()
        told = killed.outputs.get("reason", "NOT_JUDGED")
        assert told in ("NOT_JUDGED", "NOT_REGISTERED", "PASSED"), killed.log
    last = gate(azure, run_id, tmp_path, 6, modelName="mortal").end()
    assert (last.outputs["reason"], reason_of(tmp_path)) == ("PASSED", "PASSED"), last.log
    states = [tags["gate"] for tags in tags_of(azure, "mortal")]
    assert states.count("promoted") == 1, states


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full, on Linux")
def test_a_full_disk_is_told_with_what_became_of_the_model(
    azure: Azure, run_id: str, tmp_path: Path
) -> None:
    (tmp_path / "gate").mkdir()
    page = tmp_path / "gate" / "gate.html"
    page.symlink_to("/dev/full")
    full = gate(azure, run_id, tmp_path, modelName="full").end()
    assert (list(full.issues), full.outputs["passed"]) == (["RESULTS_NOT_WRITTEN"], "false")
    assert "No space left on device" in full.message
    assert "nothing was registered" in full.message
    assert "full" not in names(azure)

    page.unlink()
    later = gate(azure, run_id, tmp_path, 1, modelName="full")
    later.wait_for(judged)
    page.unlink()
    page.symlink_to("/dev/full")
    ended = later.end()
    assert list(ended.issues) == ["RESULTS_NOT_WRITTEN"], ended.log
    assert "full:1 is registered" in ended.message
    assert (ended.outputs["passed"], ended.outputs["reason"]) == ("false", "RESULTS_NOT_WRITTEN")

    page.unlink()
    again = gate(azure, run_id, tmp_path, 2, modelName="full").end()
    assert (again.outputs["reason"], again.outputs["modelVersion"]) == ("PASSED", "1"), again.log
