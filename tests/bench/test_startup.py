"""The benchmark of whole tasks: what they are given, and that a wrong end is no measurement."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench import startup
from bench.startup import client_environment, task, trained
from bench.wrong_input import CONNECTION

AZURE = {
    "AZURE_TENANT_ID": "t",
    "AZURE_CLIENT_ID": "c",
    "AZURE_CLIENT_SECRET": "canary",
    "AML_SUBSCRIPTION_ID": "s",
    "AML_RESOURCE_GROUP": "rg",
    "AML_WORKSPACE_NAME": "ws",
    "HTTPS_PROXY": "http://127.0.0.1:1",
}


def said(monkeypatch: pytest.MonkeyPatch, text: str) -> list[dict[str, str]]:
    """Let each task say a text; returns the environments that they get."""
    given: list[dict[str, str]] = []

    def run(_command: list[str], *, env: dict[str, str], **_: object) -> SimpleNamespace:
        given.append(env)
        return SimpleNamespace(stdout=text, stderr="")

    monkeypatch.setattr(startup, "subprocess", SimpleNamespace(run=run, PIPE=subprocess.PIPE))
    return given


def test_a_task_gets_its_credentials_by_the_connection_alone(tmp_path: Path) -> None:
    found = client_environment(tmp_path, AZURE)
    holders = [name for name, value in found.items() if "canary" in value]
    assert holders == [f"ENDPOINT_AUTH_{CONNECTION}"]
    assert json.loads(found[holders[0]])["parameters"]["serviceprincipalkey"] == "canary"
    assert found["HTTPS_PROXY"] == "http://127.0.0.1:1"
    assert (found["INPUT_RESOURCEGROUP"], found["INPUT_WORKSPACE"]) == ("rg", "ws")


def test_a_task_is_given_its_inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = said(monkeypatch, "the cluster was reused")
    folder = {"AGENT_TEMPDIRECTORY": str(tmp_path)}
    task("ProvisionAmlCompute", "v2", {"computeName": "cpu"}, "was reused", folder)
    (environment,) = given
    assert (environment["INPUT_COMPUTENAME"], environment["INPUT_SDK"]) == ("cpu", "v2")


def test_a_task_that_ends_otherwise_is_not_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said(monkeypatch, "AUTHENTICATION_FAILED")
    with pytest.raises(RuntimeError, match=r"did not say 'was reused':\nAUTHENTICATION_FAILED"):
        task("ProvisionAmlCompute", "v2", {}, "was reused", {"AGENT_TEMPDIRECTORY": str(tmp_path)})


def test_the_run_is_found_in_what_the_task_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = {"AGENT_TEMPDIRECTORY": str(tmp_path)}
    line = "##vso[task.setvariable variable=runId;isOutput=true;]bright_sail\n"
    said(monkeypatch, f"{line}Run bright_sail is Completed\n")
    assert trained("v1", folder) == "bright_sail"
    said(monkeypatch, "Run bright_sail is Completed\n")
    with pytest.raises(RuntimeError, match="the run has no id"):
        trained("v1", folder)


def test_the_pipeline_of_v1_is_python() -> None:
    compile(startup.PIPELINES["v1"], "pipeline.py", "exec")
    compile(startup.TRAIN, "train.py", "exec")
