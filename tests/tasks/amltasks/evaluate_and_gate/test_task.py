"""EvaluateAndGate: what is told before any call, and against a port that fails."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from amltasks import errors
from amltasks.azure_pipelines import agent, connection
from amltasks.evaluate_and_gate import task
from amltasks.workspace.port import Model, Run
from tests.tasks.amltasks.conftest import FIRST_MAY_PASS, Starter

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
    assert ended.outputs == {"passed": "false"}


# --- what the local Azure cannot be brought to do ------------------------------------------------

RUN = Run(id="run-1", name="pipeline", status="Completed")
STEPS = (Run(id="s1", name="train", status="Completed"), Run(id="s2", name="b", status="Completed"))


class Workspace:
    """A port whose answers are given; what is not given fails the test."""

    name, location = "ws", "eastus"

    def __init__(self, *, run: Run = RUN, holders: tuple[str, ...] = ("s1",), served: Any) -> None:
        self.registered: list[str] = []
        self.quarantined: list[str] = []
        self.versions: list[Model] = []
        self.states: list[str] = []
        self.cancellation = agent.Cancellation()
        self.runs = SimpleNamespace(
            get=lambda _: run,
            steps=lambda _: STEPS,
            files=lambda i: ("outputs/model/a", "outputs/modeller") if i in holders else (),
            metrics=lambda i: {"accuracy": 0.9} if i == run.id else {},
            tag=lambda i, tags: self.quarantined.append(i),
        )
        self.services = SimpleNamespace(find=served)
        self.models = SimpleNamespace(
            register=self._register,
            get=lambda *_: MODEL,
            versions=lambda _: tuple(self.versions),
            tag=self._tag,
        )

    def _tag(self, model: Model, tags: dict[str, str]) -> Model:
        self.states.append(tags["gate"])
        return model

    def _register(self, **given: Any) -> Model:
        self.registered.append(given["name"])
        return MODEL


MODEL = Model(name="m", version=1, run_id="", description="", tags={"metric.accuracy": "0.8"})


def judged(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **inputs: str
) -> tuple[str, dict[str, str]]:
    monkeypatch.setattr(connection, "open_workspace", lambda *_, **__: workspace)
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


def service(*names: str) -> Any:
    models = tuple(
        Model(name=name, version=1, run_id="", description="", tags={}) for name in names
    )
    return lambda name: SimpleNamespace(name=name, models=models)


def failing(_: str) -> None:
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
        assert (found, outputs) == ("PREDICTIONS_INVALID", {"passed": "false"})


def test_who_promotes_while_one_looks_for_the_incumbent_is_a_rival(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def served(name: str) -> Any:
        tags = {"gate": "promoted", "gate_over": "m:1", "gate_by": "12"}
        workspace.versions = [Model(name="m", version=2, run_id="", description="", tags=tags)]
        return service("m")(name)

    workspace = Workspace(served=served)
    found, outputs = judged(workspace, monkeypatch, tmp_path)
    assert (found, outputs["passed"], outputs["modelVersion"]) == ("STEPPED_BACK", "false", "")
    assert workspace.states == ["stepped-back"]


def test_a_cancel_while_the_model_is_registered_withdraws_its_claim(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    workspace = Workspace(served=service("m"))

    def register(**_: Any) -> Model:
        workspace.cancellation._on_signal(2, None)
        return MODEL

    workspace.models.register = register
    with pytest.raises(KeyboardInterrupt):
        judged(workspace, monkeypatch, tmp_path)
    assert workspace.states == ["stepped-back"]


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_the_metrics_are_json_whatever_was_logged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: float
) -> None:
    workspace = Workspace(served=service("m"))
    workspace.runs.metrics = lambda i: {"accuracy": value}
    found, outputs = judged(workspace, monkeypatch, tmp_path)
    assert (found, outputs["passed"]) == ("METRIC_NOT_FINITE", "false")
    assert (outputs["metrics"], "metric.accuracy" in outputs) == ("{}", False)
