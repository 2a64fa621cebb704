"""Each kind of baseline: found, not there, and not to be looked at."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from amltasks import errors
from amltasks.azure_pipelines import agent, devops
from amltasks.evaluate_and_gate import baselines
from amltasks.evaluate_and_gate.baselines import Wanted
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.workspace.port import Model
from tests.tasks.amltasks.fakes import FakeModels, fake_workspace


def model(version: int, **tags: str) -> Model:
    return Model(name="m", version=version, run_id="", description="", tags=tags)


VERSIONS = (
    model(5, gate="rejected", stage="production"),
    model(4, gate="stepped-back"),
    model(3, gate="claimed"),
    model(2, gate="promoted", stage="production", **{"metric.accuracy": "0.9"}),
    model(1, stage="production"),
)


class Registry(FakeModels):
    def get(self, name: str, version: int) -> Model:
        found = [each for each in VERSIONS if (name, version) == ("m", each.version)]
        if not found:
            raise errors.MODEL_NOT_FOUND.error(model=f"{name}:{version}", workspace="ws")
        return found[0]

    def versions(self, name: str) -> tuple[Model, ...]:
        return VERSIONS if name == "m" else ()


WORKSPACE = fake_workspace(models=Registry())


def job(**variables: str) -> agent.Job:
    handover = agent.Handover(task="t", inputs={}, connection=None, variables=variables)
    channel = agent.Channel(io.BytesIO())
    return agent.Job(handover=handover, channel=channel, cancellation=agent.Cancellation())


def find(kind: str, *, of: agent.Job | None = None, **more: Any) -> Any:
    given: dict[str, Any] = {"model_name": "m", "metrics": {"accuracy"}, "layout": Layout(), **more}
    return baselines.find(of or job(), Wanted(kind=kind, **given), WORKSPACE)


@pytest.mark.parametrize(
    ("kind", "more", "version"),
    [
        ("latest", {}, "2"),
        ("latest", {"own_version": 2}, "1"),
        ("tag", {"tag": "stage=production"}, "2"),
        ("version", {"version": 1}, "1"),
        ("latest", {"model_name": "new"}, ""),
        ("tag", {"tag": "stage=testing"}, ""),
    ],
)
def test_the_version_that_is_meant(kind: str, more: dict[str, Any], version: str) -> None:
    found = find(kind, **more)
    assert (found.version, found.unreachable) == (version, "")
    assert (found.metrics is None) is (version == "")


def test_none_is_none_and_a_version_that_is_not_there_is_unreachable() -> None:
    assert find("none") is None
    found = find("version", version=9)
    assert (found.metrics, found.version) == (None, "")
    assert found.unreachable.startswith("MODEL_NOT_FOUND: ")


# --- the previous successful build -----------------------------------------------------------


class Builds:
    """Azure DevOps as a job sees it."""

    def __init__(self, builds: tuple[devops.Build, ...], properties: dict[str, str]) -> None:
        self.builds, self.kept = builds, properties
        self.asked: list[Any] = []

    def previous_successful_builds(self, *asked: Any) -> tuple[devops.Build, ...]:
        self.asked.append(asked)
        return self.builds

    def properties(self, build_id: int) -> dict[str, str]:
        return self.kept if build_id == 7 else {}


BUILD = (devops.Build(id=7, number="20261124.1"),)
REJECTED = (devops.Build(id=8, number="20261124.2"),)


@pytest.mark.parametrize(
    ("builds", "properties", "version", "unreachable"),
    [
        (BUILD, {"AmlGate.m.ModelVersion": "2"}, "2", ""),
        (REJECTED + BUILD, {"AmlGate.m.ModelVersion": "2"}, "2", ""),
        ((), {}, "", ""),
        (REJECTED, {"AmlGate.m.ModelVersion": "2"}, "", "BASELINE_AMBIGUOUS: "),
        (BUILD, {}, "", "BASELINE_AMBIGUOUS: "),
        (BUILD, {"AmlGate.m.ModelVersion": ""}, "", "BASELINE_AMBIGUOUS: "),
        (BUILD, {"AmlGate.m.ModelVersion": "9"}, "", "MODEL_NOT_FOUND: "),
    ],
)
def test_the_previous_build(
    monkeypatch: pytest.MonkeyPatch,
    builds: tuple[devops.Build, ...],
    properties: dict[str, str],
    version: str,
    unreachable: str,
) -> None:
    client = Builds(builds, properties)
    monkeypatch.setattr(devops, "connect", lambda _: client)
    variables = {"system.definitionid": "3", "build.sourcebranch": "refs/heads/main"}
    found = find("build", of=job(**variables))
    assert client.asked == [(3, "refs/heads/main")]
    assert found.version == version
    assert found.unreachable.startswith(unreachable)
    assert bool(found.unreachable) is bool(unreachable)


@pytest.mark.parametrize(
    ("variables", "asked"),
    [
        ({"release.releaseid": "5", "build.definitionid": "4"}, (4, "refs/heads/topic")),
        ({"system.pullrequest.targetbranch": "refs/heads/main"}, (3, "refs/heads/main")),
        ({"system.pullrequest.targetbranch": "main"}, (3, "refs/heads/main")),
    ],
)
def test_whose_builds_come_before(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], asked: tuple[int, str]
) -> None:
    client = Builds((), {})
    monkeypatch.setattr(devops, "connect", lambda _: client)
    here = {"system.definitionid": "3", "build.sourcebranch": "refs/heads/topic"}
    find("build", of=job(**here, **variables))
    assert client.asked == [asked]


def test_a_job_without_a_token_cannot_look_at_builds() -> None:
    assert find("build").unreachable.startswith("DEVOPS_UNREACHABLE: ")


# --- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "unreachable"),
    [
        ("metrics.json", '{"accuracy": 0.9, "sha": "x"}', ""),
        ("predictions.csv", "id,label,prediction\n1,1,1\n", ""),
        ("metrics.json", "{", "BASELINE_AMBIGUOUS: "),
        ("metrics.json", "[0.9]", "BASELINE_AMBIGUOUS: "),
        ("predictions.csv", "id,label\n1,1\n", "PREDICTIONS_INVALID: "),
        ("other.json", "{}", "FILE_NOT_FOUND: "),
    ],
)
def test_a_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    content: str,
    unreachable: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ("elsewhere" if name == "other.json" else name)).write_text(content)
    found = find("file", file=name)
    assert found.unreachable.startswith(unreachable)
    if not unreachable:
        assert not found.unreachable
        assert found.metrics == ({} if found.rows is not None else {"accuracy": 0.9})
