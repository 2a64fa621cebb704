"""A gate for each kind of model, by the built task under the local agent."""

from __future__ import annotations

import json
import runpy
import shutil
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from amltasks.gate import model_types

from .conftest import AgentRun, local_azure, run_agent

HERE = Path(__file__).parent / "kinds"
# Kind -> its file in the run, the baseline's file, and the rules.
CASES: dict[str, tuple[str, str, str]] = {
    "binary": (
        "outputs/binary.csv",
        "binary.csv",
        """
        rules: [{metric: recall, max_loss: 0.05}, {metric: f1, min_gain: 0}]
        positive_label: bad
        """,
    ),
    "multiclass": (
        "outputs/multiclass.csv.gz",
        "multiclass.csv.gz",
        """
        rules:
          - {metric: macro_f1, min_gain: 0}
          - {metric: 'recall:iron', max_loss: 0.1}
          - {metric: log_loss, max_loss: 0.1}
          - {metric: top_k_accuracy@2, floor: 0.5}
          - {metric: accuracy, floor: 0.3, slices: [label * era]}
        columns: {label: truth}
        """,
    ),
    "multilabel": (
        "outputs/multilabel.csv",
        "multilabel.csv",
        "rules: [{metric: hamming_loss, min_gain: 0}, {metric: micro_f1, max_loss: 0.05}]",
    ),
    "regression": (
        "outputs/regression.csv",
        "regression.csv",
        """
        rules:
          - {metric: rmse, min_gain: 10%}
          - {metric: mae, max_loss: 0.2, slices: horizon}
          - {metric: pinball@0.5, max_loss: 0.2}
        """,
    ),
    "ranking": (
        "outputs/ranking",
        "ranking/part-0.csv",
        "rules: [{metric: ndcg@3, min_gain: 0}, {metric: mrr, max_loss: 0.1}]",
    ),
    "scores": (
        "outputs/scores.tsv",
        "scores.tsv",
        "rules: [{metric: 'mean:judged', direction: higher, min_gain: 0, floor: 4.5}]",
    ),
}
# What has no kind: a file that no rule needs, and rows that are left out on purpose.
OTHERS: dict[str, tuple[str, str, str]] = {
    "unneeded": ("", "", "rules: [{metric: size_mb, direction: lower, ceiling: 4}]"),
    "unreadable": ("", "", "rules: [{metric: rmse, ceiling: 4}]"),
    "left-out": ("none", "", "rules: [{metric: accuracy, floor: 0.5}]"),
}


def pipeline(repository: Path) -> Path:
    place = {
        "azureSubscription": "aml-connection",
        "resourceGroup": "rg-local",
        "workspace": "ws-local",
    }
    train = {
        **place,
        "experimentName": "kinds",
        "pipelineFile": "aml_pipeline_v2.yml",
        "parameters": "interpreter: $(interpreter)",
    }
    steps: list[dict[str, Any]] = [
        {"task": "ProvisionAmlCompute@1", "inputs": {**place, "computeName": "cpu-cluster"}},
        {"task": "RunAmlPipeline@1", "name": "train", "inputs": train},
    ]
    for kind, (predictions, baseline, rules) in {**CASES, **OTHERS}.items():
        compared = {"baseline": "file", "baselineFile": f"baseline/{baseline}"}
        inputs = {
            **place,
            **(compared if baseline else {"baseline": "none"}),
            "candidateRunId": "$(train.runId)",
            "modelName": f"model-{kind}",
            "predictionsPath": predictions,
            "rules": textwrap.dedent(rules),
            "onReject": "continue",
            "outputDirectory": f"$(Build.ArtifactStagingDirectory)/{kind}",
        }
        step: dict[str, Any] = {
            "task": "EvaluateAndGate@1",
            "name": kind.replace("-", ""),
            "inputs": inputs,
        }
        steps.append({**step, "continueOnError": True} if kind == "unreadable" else step)
    path = repository / "azure-pipelines.yml"
    path.write_text(yaml.safe_dump({"trigger": "none", "steps": steps}, sort_keys=False))
    return path


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with local_azure(tmp_path_factory.mktemp("azure")) as environment:
        yield environment


@pytest.fixture(scope="module")
def judged(vsix: Path, azure: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> AgentRun:
    """One build with a gate for each kind; the baselines are wrong more often."""
    folder = tmp_path_factory.mktemp("kinds")
    repository = folder / "repository"
    shutil.copytree(HERE, repository)
    write = runpy.run_path(str(HERE / "src" / "written.py"))["write"]
    (repository / "baseline").mkdir()
    write(repository / "baseline", every=4, noise=2.0)
    option = ("--variable", f"interpreter={sys.executable}")
    return run_agent(pipeline(repository), vsix, azure, folder, *option)


def test_there_is_a_case_for_every_kind() -> None:
    assert tuple(CASES) == model_types.ALL


@pytest.mark.parametrize("kind", CASES)
def test_each_kind_is_judged_on_pairs_of_rows(judged: AgentRun, kind: str) -> None:
    outputs = judged.step(kind)["outputs"]
    assert outputs["reason"] == "PASSED", judged.console
    folder = Path(outputs["reportPath"]).parent
    verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
    compared = [check for check in verdict["checks"] if check["gain"] is not None]
    assert compared
    assert all(check["low"] is not None for check in compared), compared
    better = [check for check in compared if "superiority" in check["asked"]]
    assert better
    assert all(check["gain"] > 0 for check in better)
    assert f"for a {kind} model" in (folder / "model-card.md").read_text(encoding="utf-8")
    page = (folder / "gate.html").read_text(encoding="utf-8")
    assert "<figure>" in page


def test_crossed_slices_are_judged_one_by_one(judged: AgentRun) -> None:
    report = Path(judged.step("multiclass")["outputs"]["reportPath"])
    verdict = json.loads((report.parent / "verdict.json").read_text(encoding="utf-8"))
    scopes = {check["scope"] for check in verdict["checks"] if "=" in check["scope"]}
    times = " \N{MULTIPLICATION SIGN} "
    assert f"label{times}era=wood{times}old" in scopes
    assert len(scopes) == 6


def test_a_file_that_no_rule_needs_is_a_warning(judged: AgentRun) -> None:
    assert judged.step("unneeded")["outputs"]["reason"] == "PASSED"
    assert "No rule needs the predictions, so they are left out" in judged.console
    unreadable = judged.step("unreadable")
    assert unreadable["outputs"]["reason"] == "PREDICTIONS_INVALID"
    assert "it has no column 'id'; its columns are name, caption" in judged.console


def test_rows_are_left_out_on_purpose(judged: AgentRun) -> None:
    outputs = judged.step("leftout")["outputs"]
    assert (outputs["passed"], outputs["reason"]) == ("false", "METRIC_MISSING")
