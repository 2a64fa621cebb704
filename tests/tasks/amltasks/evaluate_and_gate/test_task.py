"""EvaluateAndGate: what is told before any call, and against a port that fails."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amltasks import errors
from amltasks.azure_pipelines import agent, connection
from amltasks.evaluate_and_gate import evidence, task
from amltasks.gate.rows import Rows
from amltasks.workspace.port import Answer, Model, Run, Service
from tests.tasks.amltasks.conftest import FIRST_MAY_PASS, Starter
from tests.tasks.amltasks.fakes import FakeModels, FakeRuns, FakeServices, fake_workspace

TASK = "EvaluateAndGate"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"rules": "rules: [{metric: accuracy}]"}, "RULES_INVALID"),
        ({"rules": "rules: [{metric"}, "RULES_INVALID"),
        ({"rules": "rules: []", "rulesFile": "gate.yml"}, "INPUT_INVALID"),
        ({"rulesFile": "gate.yml"}, "FILE_NOT_FOUND"),
        ({"baseline": "tag", "baselineTag": ""}, "INPUT_MISSING"),
        ({"baseline": "version"}, "INPUT_MISSING"),
        ({"baseline": "file"}, "INPUT_MISSING"),
        ({"candidateRunId": ""}, "INPUT_MISSING"),
        ({"serviceName": ""}, "INPUT_MISSING"),
        ({"candidate": "model"}, "INPUT_MISSING"),
        ({"candidate": "model", "candidateModelVersion": "one"}, "INPUT_INVALID"),
        ({"outputDirectory": __file__}, "INPUT_INVALID"),
    ],
)
def test_wrong_inputs_stop_before_any_call(
    start: Starter, changed: dict[str, str], code: str
) -> None:
    inputs = {
        "resourceGroup": "rg",
        "workspace": "ws",
        "candidateRunId": "r",
        "modelName": "m",
        "serviceName": "s",
        **changed,
    }
    ended = start(TASK, inputs).end()
    assert list(ended.issues) == [code]
    assert ended.outputs == {"passed": "false", "reason": code}


# --- what the local Azure cannot be brought to do ------------------------------------------------

RUN = Run(id="run-1", name="pipeline", status="Completed")
STEPS = (Run(id="s1", name="train", status="Completed"), Run(id="s2", name="b", status="Completed"))


class _Runs(FakeRuns):
    """One run with its steps; ``holders`` are those that hold the model's files."""

    def __init__(self, run: Run, holders: tuple[str, ...]) -> None:
        self.run = run
        self.holders = holders
        self.accuracy = 0.9
        self.tagged: list[str] = []

    def get(self, run_id: str) -> Run:
        return self.run

    def steps(self, run_id: str) -> tuple[Run, ...]:
        return STEPS

    def files(self, run_id: str) -> tuple[str, ...]:
        return ("outputs/model/a", "outputs/modeller") if run_id in self.holders else ()

    def metrics(self, run_id: str) -> dict[str, float]:
        return {"accuracy": self.accuracy} if run_id == self.run.id else {}

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        self.tagged.append(run_id)


class _Models(FakeModels):
    """A registry; ``on_register`` is called when a model is registered."""

    def __init__(self) -> None:
        self.registered: list[str] = []
        self.found: list[Model] = []
        self.states: list[str] = []
        self.on_register: Callable[[], object] = lambda: None

    def register(
        self, *, run_id: str, path: str, name: str, tags: Mapping[str, str], description: str
    ) -> Model:
        self.registered.append(name)
        self.on_register()
        return MODEL

    def get(self, name: str, version: int) -> Model:
        return MODEL

    def versions(self, name: str) -> tuple[Model, ...]:
        return tuple(self.found)

    def tag(self, model: Model, tags: Mapping[str, str]) -> Model:
        self.states.append(tags["gate"])
        return model


Find = Callable[[str], Service | None]


class _Services(FakeServices):
    """Finds what it is told to find."""

    def __init__(self, served: Find) -> None:
        self.served = served

    def find(self, name: str) -> Service | None:
        return self.served(name)


class Workspace:
    """A workspace whose answers are given, and what the gate did in it."""

    def __init__(self, *, run: Run = RUN, holders: tuple[str, ...] = ("s1",), served: Find) -> None:
        self.cancellation = agent.Cancellation()
        self.runs = _Runs(run, holders)
        self.models = _Models()
        self.opened = fake_workspace(runs=self.runs, models=self.models, services=_Services(served))

    @property
    def registered(self) -> list[str]:
        return self.models.registered

    @property
    def quarantined(self) -> list[str]:
        return self.runs.tagged

    @property
    def states(self) -> list[str]:
        return self.models.states


MODEL = Model(name="m", version=1, run_id="", description="", tags={"metric.accuracy": "0.8"})


def judged(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **inputs: str
) -> tuple[str, dict[str, str]]:
    monkeypatch.setattr(connection, "open_workspace", lambda *_, **__: workspace.opened)
    kept = io.BytesIO()
    job = agent.Job(
        handover=agent.Handover(
            task=TASK,
            inputs={
                "resourceGroup": "rg",
                "workspace": "ws",
                "candidateRunId": "run-1",
                "modelName": "m",
                "serviceName": "s",
                "outputDirectory": str(tmp_path),
                "rules": FIRST_MAY_PASS,
                **inputs,
            },
            connection=None,
            variables={},
        ),
        channel=agent.Channel(kept),
        cancellation=workspace.cancellation,
    )
    code = "PASSED"
    try:
        task.run(job)
    except errors.TaskError as error:
        code = error.cause.code
    lines = [json.loads(line) for line in kept.getvalue().splitlines()]
    return code, {each["name"]: each["value"] for each in lines if each["type"] == "variable"}


def service(*names: str) -> Find:
    models = tuple(
        Model(name=name, version=1, run_id="", description="", tags={}) for name in names
    )
    return lambda name: Service(
        name=name, kind="Managed", state="Healthy", cluster="", scoring_uri="", models=models
    )


def failing(_: str) -> Service | None:
    raise errors.FORBIDDEN.error(doing="looking", detail="no")


@pytest.mark.parametrize(
    ("served", "code"),
    [
        (failing, "BASELINE_UNREACHABLE"),
        (service(), "BASELINE_UNREACHABLE"),
        (service("a", "b"), "BASELINE_UNREACHABLE"),
        (service("a", "m"), "PASSED"),
        (service("other"), "PASSED"),
        (lambda _: None, "PASSED"),
    ],
)
def test_a_baseline_that_cannot_be_seen_never_passes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, served: Any, code: str
) -> None:
    workspace = Workspace(served=served)
    found, outputs = judged(workspace, monkeypatch, tmp_path)
    assert (found, outputs["reason"]) == (code, code)
    assert workspace.registered == (["m"] if code == "PASSED" else [])
    assert workspace.quarantined == ([] if code == "PASSED" else ["run-1"])


@pytest.mark.parametrize(
    ("workspace", "code"),
    [
        (Workspace(served=service("m"), holders=("s1", "s2")), "MODEL_FILES_AMBIGUOUS"),
        (Workspace(served=service("m"), holders=()), "MODEL_FILES_NOT_FOUND"),
        (
            Workspace(served=service("m"), run=Run(id="run-1", name="p", status="Running")),
            "CANDIDATE_NOT_COMPLETED",
        ),
    ],
)
def test_a_candidate_must_be_one_and_complete(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, workspace: Workspace, code: str
) -> None:
    assert judged(workspace, monkeypatch, tmp_path)[0] == code
    assert workspace.registered == []


def test_predictions_that_are_named_must_be_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    registered = {"candidate": "model", "candidateModelVersion": "1"}
    for inputs in ({}, registered):
        workspace = Workspace(served=service("m"))
        found, outputs = judged(
            workspace, monkeypatch, tmp_path, predictionsPath="outputs/p.csv", **inputs
        )
        assert found == "PREDICTIONS_INVALID"
        assert outputs == {"passed": "false", "reason": "PREDICTIONS_INVALID"}


def test_who_promotes_while_one_looks_for_the_incumbent_is_a_rival(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def served(name: str) -> Service | None:
        tags = {"gate": "promoted", "gate_over": "m:1", "gate_by": "12"}
        workspace.models.found = [Model(name="m", version=2, run_id="", description="", tags=tags)]
        return service("m")(name)

    workspace = Workspace(served=served)
    found, outputs = judged(workspace, monkeypatch, tmp_path)
    assert (found, outputs["passed"], outputs["modelVersion"]) == ("STEPPED_BACK", "false", "")
    assert workspace.states == ["stepped-back"]


def test_a_cancel_while_the_model_is_registered_withdraws_its_claim(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workspace = Workspace(served=service("m"))
    workspace.models.on_register = lambda: workspace.cancellation._on_signal(2, None)
    with pytest.raises(KeyboardInterrupt):
        judged(workspace, monkeypatch, tmp_path)
    assert workspace.states == ["stepped-back"]


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_the_metrics_are_json_whatever_was_logged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: float
) -> None:
    workspace = Workspace(served=service("m"))
    workspace.runs.accuracy = value
    found, outputs = judged(workspace, monkeypatch, tmp_path)
    assert (found, outputs["passed"]) == ("METRIC_NOT_FINITE", "false")
    assert (outputs["metrics"], "metric.accuracy" in outputs) == ("{}", False)


def test_the_report_is_there_when_registering_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workspace = Workspace(served=service("m"))

    def broken() -> None:
        verdict = json.loads((tmp_path / "verdict.json").read_text(encoding="utf-8"))
        assert verdict["reason"] == "NOT_REGISTERED"
        raise errors.SERVICE_UNAVAILABLE.error(doing="registering", status=503, detail="no")

    workspace.models.on_register = broken
    found, outputs = judged(workspace, monkeypatch, tmp_path)
    assert found == "SERVICE_UNAVAILABLE"
    assert (outputs["passed"], outputs["reason"]) == ("false", "SERVICE_UNAVAILABLE")
    info = json.loads((tmp_path / "eval_info.json").read_text(encoding="utf-8"))
    assert info["deploy_model"] is False


@pytest.mark.parametrize("accuracy", ["0.9", "0.1"])
def test_judge_only_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, accuracy: str
) -> None:
    workspace = Workspace(served=service("m"))
    rules = (
        "rules: [{metric: accuracy, floor: 0.9}]\nsingle_numbers: pass"
        if accuracy == "0.9"
        else "rules: [{metric: accuracy, ceiling: 0.1}]\nsingle_numbers: pass"
    )
    found, outputs = judged(workspace, monkeypatch, tmp_path, mode="judge", rules=rules)
    assert outputs["passed"] == ("true" if accuracy == "0.9" else "false")
    assert found == outputs["reason"] == ("PASSED" if accuracy == "0.9" else "ABOVE_CEILING")
    assert (workspace.models.registered, workspace.models.states) == ([], [])
    assert workspace.runs.tagged == []
    info = json.loads((tmp_path / "eval_info.json").read_text(encoding="utf-8"))
    assert info["deploy_model"] is False


def test_what_is_promoted_carries_the_measured_metrics(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workspace = Workspace(served=service("m"))
    labels = np.array([0, 1] * 50, dtype=np.int8)
    ids = np.arange(100).astype(str).astype(object)
    rows = Rows(ids=ids, labels=labels, predictions=labels, inputs=np.arange(100))
    monkeypatch.setattr(evidence, "rows_of", lambda *_: rows)
    told: dict[str, str] = {}

    def kept(tags: Mapping[str, str]) -> Model:
        told.update(tags)
        return MODEL

    monkeypatch.setattr(workspace.models, "register", lambda **given: kept(given["tags"]))
    found, _ = judged(workspace, monkeypatch, tmp_path, rules=FIRST_MAY_PASS)
    assert found == "PASSED"
    assert (told["metric.accuracy"], told["gate_evaluation"]) == ("1.0", rows.digest)


def test_an_outage_of_the_baselines_service_rejects(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workspace = Workspace(served=service("m"))
    labels = np.array([0, 1] * 50, dtype=np.int8)
    texts = np.array([f"text {n}" for n in range(100)], dtype=object)
    ids = np.arange(100).astype(str).astype(object)
    rows = Rows(ids=ids, labels=labels, predictions=labels, inputs=np.arange(100), texts=texts)
    left = [rows, None]
    monkeypatch.setattr(evidence, "trail_of", lambda *_: evidence.trail(workspace.opened, "run-1"))
    monkeypatch.setattr(evidence, "rows_of", lambda *_: left.pop(0))
    monkeypatch.setattr(
        _Services,
        "score",
        lambda *_: Answer(status=503, body="no healthy upstream", seconds=0.0),
        raising=False,
    )
    rules = "rules: [{metric: accuracy, max_loss: 0.1}]"
    found, outputs = judged(workspace, monkeypatch, tmp_path, rules=rules)
    assert (found, outputs["reason"]) == ("RESCORING_FAILED", "RESCORING_FAILED")
    assert workspace.registered == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is full, on Linux")
def test_a_full_disk_is_told_and_nothing_is_registered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workspace = Workspace(served=service("m"))
    (tmp_path / "verdict.json").symlink_to("/dev/full")
    found, outputs = judged(workspace, monkeypatch, tmp_path)
    assert (found, outputs["passed"]) == ("RESULTS_NOT_WRITTEN", "false")
    assert outputs["reason"] == "RESULTS_NOT_WRITTEN"
    assert workspace.registered == []
