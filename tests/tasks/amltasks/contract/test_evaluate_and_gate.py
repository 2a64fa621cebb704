"""EvaluateAndGate against the local Azure, on both SDKs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tasks.amltasks.conftest import FIRST_MAY_PASS, VARIABLES, Ended, Starter
from tests.tasks.amltasks.contract.conftest import Seen

TASK = "EvaluateAndGate"


def gate(start: Starter, trained: Ended, **changed: str) -> Ended:
    inputs = {
        "candidateRunId": trained.outputs["runId"],
        "modelName": "first",
        "serviceName": "not-there",
        **changed,
    }
    return start(TASK, inputs).end()


def test_no_incumbent_fails_closed_and_registers_nothing(
    trained: Ended, start_in_azure: Starter, sdk: str, seen: Seen
) -> None:
    ended = gate(start_in_azure, trained, modelName=f"closed-{sdk}")
    assert (ended.result, ended.code) == ("Failed", 1)
    assert list(ended.issues) == ["NO_INCUMBENT"]
    assert (ended.outputs["passed"], ended.outputs["reason"]) == ("false", "NO_INCUMBENT")
    assert ended.outputs["modelVersion"] == ""
    info = json.loads(Path(ended.outputs["evalInfoPath"]).read_text(encoding="utf-8"))
    assert (info["deploy_model"], info["model_version"]) == (False, "")
    assert (info["model_acc"], info["deployed_model_acc"]) == (0.9, -1)
    assert seen.versions(f"closed-{sdk}") == []
    _, tags = seen.run(trained.outputs["runId"])
    assert (tags["gate"], tags["gate_reason"]) == ("rejected", "NO_INCUMBENT")


def test_a_first_model_passes_where_allowed_and_carries_its_tags(
    trained: Ended, start_in_azure: Starter, sdk: str, seen: Seen
) -> None:
    ended = gate(
        start_in_azure,
        trained,
        modelName=f"tagged-{sdk}",
        rules=FIRST_MAY_PASS,
        modelTags="team: parts\nrun_id: forged",
        modelDescription="parts",
    )
    assert ended.result == "Succeeded", ended.message
    assert (
        ended.outputs.items()
        >= {
            "passed": "true",
            "reason": "PASSED",
            "modelName": f"tagged-{sdk}",
            "modelVersion": "1",
        }.items()
    )
    (model,) = seen.versions(f"tagged-{sdk}")
    assert model == {
        "version": 1,
        "text": "parts",
        "tags": {
            "team": "parts",
            "run_id": trained.outputs["runId"],
            "build_number": VARIABLES["build.buildnumber"],
            "build_id": "4711",
            "commit": VARIABLES["build.sourceversion"],
            "branch": "refs/heads/main",
            "metric.accuracy": "0.9",
            "metric.train.loss": repr(1 / 3),
            "metric.evaluate.loss": "0.25",
            "gate": "promoted",
            "gate_over": "nothing",
            "gate_by": "4711",
            "gate_at": model["tags"]["gate_at"],
            "pipelines_step": model["tags"]["pipelines_step"],
            "pipelines_attempt": "1.1.1.1",
        },
    }
    (summary,) = ended.of("summary")
    report = Path(summary["path"]).read_text(encoding="utf-8")
    assert f"## Gate: tagged-{sdk} passed" in report
    assert VARIABLES["build.buildnumber"] in report
    attached = {one["kind"]: Path(one["path"]) for one in ended.of("attachment")}
    links = json.loads(attached["aml.gate.verdict"].read_text(encoding="utf-8"))["links"]
    assert {what: page.partition("?")[0] for what, page in links.items()} == {
        "run": f"https://ml.azure.com/runs/{trained.outputs['runId']}",
        "model": f"https://ml.azure.com/model/tagged-{sdk}:1/details",
    }


def test_against_the_latest_registered(
    trained: Ended, start_in_azure: Starter, sdk: str, seen: Seen
) -> None:
    gate(start_in_azure, trained, modelName=f"latest-{sdk}", rules=FIRST_MAY_PASS)
    for rule, reason, words in (
        ("metric: accuracy, min_gain: 0.01", "NOT_BETTER", "a gain of +0,"),
        ("metric: accuracy, min_gain: 0", "TIE", "a tie, where better is asked"),
        ("metric: accuracy, floor: 0.95", "BELOW_FLOOR", "the floor 0.95"),
        ("metric: f1, floor: 0", "METRIC_MISSING", "no metric 'f1'"),
    ):
        ended = gate(
            start_in_azure,
            trained,
            modelName=f"latest-{sdk}",
            baseline="latest",
            rules=f"rules: [{{{rule}}}]\nsingle_numbers: pass",
        )
        assert (list(ended.issues), ended.outputs["reason"]) == ([reason], reason)
        assert words in ended.message
        assert ended.outputs["baselineVersion"] == "1"
    assert len(seen.versions(f"latest-{sdk}")) == 1
    ended = gate(start_in_azure, trained, modelName=f"latest-{sdk}", baseline="latest")
    assert (list(ended.issues), ended.outputs["reason"]) == (["NO_PREDICTIONS"], "NO_PREDICTIONS")
    assert len(seen.versions(f"latest-{sdk}")) == 1
    inputs = {"modelName": f"latest-{sdk}", "baseline": "latest", "rules": FIRST_MAY_PASS}
    judged = gate(start_in_azure, trained, mode="judge", **inputs)
    outputs = (judged.outputs["passed"], judged.outputs["reason"], judged.outputs["modelVersion"])
    assert outputs == ("true", "PASSED", "")
    assert len(seen.versions(f"latest-{sdk}")) == 1
    ended = gate(start_in_azure, trained, **inputs)
    assert (ended.outputs["reason"], ended.outputs["modelVersion"]) == ("PASSED", "2")
    assert ended.outputs["metric.accuracyGain"] == "0"


def test_a_registered_model_is_judged_and_promoted_by_tags(
    trained: Ended, start_in_azure: Starter, sdk: str, seen: Seen
) -> None:
    gate(start_in_azure, trained, modelName=f"again-{sdk}", rules=FIRST_MAY_PASS)
    ended = start_in_azure(
        TASK,
        {
            "candidate": "model",
            "candidateModelVersion": "1",
            "modelName": f"again-{sdk}",
            "baseline": "none",
            "rules": "rules: [{metric: accuracy, floor: 0.5}]\nsingle_numbers: pass",
            "promoteTags": "stage: production",
        },
        variables={"build.buildid": "4712"},
    ).end()
    assert ended.result == "Succeeded", ended.message
    (model,) = seen.versions(f"again-{sdk}")
    assert model["tags"]["stage"] == "production"
    assert model["tags"]["build_id"] == "4712"
    assert model["tags"]["run_id"] == trained.outputs["runId"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"candidateRunId": "not-a-run"}, "RUN_NOT_FOUND"),
        ({"modelPath": "outputs/other"}, "MODEL_FILES_NOT_FOUND"),
        ({"candidate": "model", "candidateModelVersion": "99"}, "MODEL_NOT_FOUND"),
    ],
)
def test_what_is_not_there_is_named(
    trained: Ended, start_in_azure: Starter, changed: dict[str, str], code: str
) -> None:
    assert list(gate(start_in_azure, trained, **changed).issues) == [code]
