"""Which earlier model the total loss is held to, and how often the same rows were looked at."""

from __future__ import annotations

import numpy as np
import pytest

from amltasks import errors
from amltasks.azure_pipelines import devops
from amltasks.azure_pipelines.agent import Job
from amltasks.evaluate_and_gate import anchors, evidence
from amltasks.gate.rows import Rows
from amltasks.gate.rules import read
from amltasks.gate.verdict import Baseline
from amltasks.workspace.port import Model
from tests.tasks.amltasks.fakes import FakeModels, fake_workspace

LABELS = np.array([0, 1] * 50, dtype=np.int8)
ROWS = Rows(
    ids=np.arange(100).astype(str).astype(object),
    labels=LABELS,
    predictions=LABELS,
    inputs=np.arange(100),
)
JOB: Job = None  # type: ignore[assignment]


def version(number: int, accuracy: float, *, state: str = "promoted", digest: str = "") -> Model:
    tags = {
        "gate": state,
        "gate_evaluation": digest or ROWS.digest,
        "metric.accuracy": str(accuracy),
        "build_number": f"b{number}",
    }
    return Model(name="m", version=number, run_id=f"run-{number}", description="", tags=tags)


VERSIONS = (
    version(6, 0.99, digest="other rows"),
    version(5, 0.98, state="rejected"),
    version(4, 0.93),
    version(3, 0.95),
    version(2, 0.95),
    version(1, 0.90),
)


class Models(FakeModels):
    def versions(self, name: str) -> tuple[Model, ...]:
        return VERSIONS

    def get(self, name: str, version: int) -> Model:
        found = [each for each in VERSIONS if each.version == version]
        if not found:
            raise errors.MODEL_NOT_FOUND.error(model=f"{name}:{version}", workspace="ws")
        return found[0]


@pytest.fixture(autouse=True)
def evidence_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "trail_of", lambda _, model: model.run_id)
    monkeypatch.setattr(evidence, "rows_of", lambda _, run, *__: ROWS if run != "run-2" else None)
    monkeypatch.setattr(devops, "connect", lambda _: None)


def earlier(more: str = "", *, baseline: str = "4", own: int = 0) -> anchors.Earlier:
    rules = read("rules: [{metric: accuracy, max_loss: 0.01}]\n" + more, source="t")
    wanted = anchors.Wanted(
        model_name="m", own_version=own, predictions_path="", rules=rules, rows=ROWS
    )
    served = Baseline(label="b", metrics={}, model="m", version=baseline)
    return anchors.find(JOB, wanted, served, fake_workspace(models=Models()))


@pytest.mark.parametrize(
    ("more", "baseline", "own", "anchor"),
    [
        # Version 2 is as good and came first, but its predictions are gone.
        ("", "4", 0, "3"),
        ("", "4", 3, "4x"),
        ("anchor: first", "4", 0, "1"),
        ("anchor: 4", "3", 0, "4"),
        ("anchor: none", "4", 0, ""),
        # The baseline needs no second look.
        ("anchor: first", "1", 0, ""),
    ],
)
def test_the_anchor_is_the_one_asked_for(more: str, baseline: str, own: int, anchor: str) -> None:
    found = earlier(more, baseline=baseline, own=own).anchor
    # Without version 3 the best with predictions is version 4, which is the baseline.
    wanted = "" if anchor.endswith("x") else anchor
    assert (found.version if found else "") == wanted


def test_an_anchor_that_is_not_there_is_unreachable() -> None:
    found = earlier("anchor: 99").anchor
    assert found is not None
    assert "MODEL_NOT_FOUND" in found.unreachable


def test_looks_and_earlier_promotions_are_those_on_the_same_rows() -> None:
    found = earlier()
    assert found.looks == 5
    assert [(each.version, each.build) for each in found.past] == [
        *(("1", "b1"), ("2", "b2"), ("3", "b3"), ("4", "b4"))
    ]
    assert found.past[0].metrics == {"accuracy": 0.9}


class Client:
    def __init__(self, builds: int | None) -> None:
        self.builds = builds

    def builds_with(self, tag: str) -> int:
        assert tag == f"gate-rows-{ROWS.digest[:16]}"
        if self.builds is None:
            raise errors.DEVOPS_UNREACHABLE.error(doing="counting", detail="503")
        return self.builds


def test_builds_count_where_azure_devops_knows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devops, "connect", lambda _: Client(17))
    assert earlier().looks == 17
    monkeypatch.setattr(devops, "connect", lambda _: Client(None))
    assert earlier().looks == 5
    with pytest.raises(errors.TaskError, match="DEVOPS_UNREACHABLE"):
        earlier("looks: spend")
