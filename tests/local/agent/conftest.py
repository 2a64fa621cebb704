"""Pipelines run in this process, their tasks in real Node processes from a small .vsix."""

from __future__ import annotations

import json
import textwrap
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.agent import result
from local.agent.masking import SecretMasker
from local.agent.run import run_pipeline
from local.agent.start import prepare
from local.agent.variables import Variables

CONNECTION = {
    "AZURE_TENANT_ID": "11111111-aaaa-bbbb-cccc-000000000001",
    "AZURE_CLIENT_ID": "11111111-aaaa-bbbb-cccc-000000000002",
    "AZURE_CLIENT_SECRET": "the~client.secret-of-tests",
    "AML_SUBSCRIPTION_ID": "11111111-aaaa-bbbb-cccc-000000000003",
}


@dataclass(frozen=True, kw_only=True)
class Played:
    """A pipeline that has run: its result document and what the console showed."""

    document: dict[str, Any]
    console: str

    @property
    def result(self) -> str:
        return str(self.document["result"])

    def step(self, name: str) -> dict[str, Any]:
        (found,) = [step for step in self.document["steps"] if step["name"] == name]
        return dict(found)

    @property
    def results(self) -> dict[str, str]:
        return {step["name"]: step["result"] for step in self.document["steps"]}

    def lines(self, name: str) -> list[str]:
        """What a step printed."""
        marker = f" {name} | "
        return [line.partition(marker)[2] for line in self.console.splitlines() if marker in line]


@pytest.fixture
def task_json() -> Callable[..., dict[str, Any]]:
    """A task.json with both Node handlers; keyword arguments replace or add keys."""

    def build(name: str, **changes: Any) -> dict[str, Any]:
        return {
            "id": "7d3a3bb5-6f3f-4c0e-9d3c-0d6f1a3d9a01",
            "name": name,
            "friendlyName": name,
            "version": {"Major": 1, "Minor": 2, "Patch": 3},
            "inputs": [],
            "execution": {"Node20_1": {"target": "main.js"}, "Node24": {"target": "main.js"}},
            **changes,
        }

    return build


@pytest.fixture
def make_vsix(tmp_path: Path) -> Callable[..., Path]:
    """Pack tasks as tfx does: each argument is a task.json and the files beside it."""

    def build(*tasks: tuple[dict[str, Any], dict[str, str]], name: str = "tasks.vsix") -> Path:
        path = tmp_path / name
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(
                "extension.vsixmanifest",
                '<PackageManifest xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">'
                '<Metadata><Identity Id="tests" Publisher="acme" Version="1.0.0"/></Metadata>'
                "</PackageManifest>",
            )
            for document, files in tasks:
                folder = f"tasks/{document['name']}V{document['version']['Major']}"
                archive.writestr(f"{folder}/task.json", json.dumps(document))
                for file, text in files.items():
                    archive.writestr(f"{folder}/{file}", textwrap.dedent(text))
        return path

    return build


@pytest.fixture
def pipeline_file(tmp_path: Path) -> Callable[[str], Path]:
    """Write a pipeline file into a folder of its own."""

    def write(text: str) -> Path:
        path = tmp_path / "repository" / "azure-pipelines.yml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write


@pytest.fixture
def play(
    tmp_path: Path,
    pipeline_file: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Callable[..., Played]:
    """Run a pipeline's text to its end and return what came of it."""
    monkeypatch.setenv("AGENT_TOOLSDIRECTORY", str(tmp_path / "tools"))
    for name, value in CONNECTION.items():
        monkeypatch.setenv(name, value)

    def run(
        text: str,
        *,
        vsix: Path | None = None,
        variables: dict[str, str] | None = None,
        parameters: dict[str, str] | None = None,
        change: Callable[..., Any] | None = None,
    ) -> Played:
        file = pipeline_file(text)
        began = time.monotonic()
        prepared = prepare(
            file,
            vsix=vsix,
            variables=variables or {},
            parameters=parameters or {},
            connections={},
            work=tmp_path / "work",
        )
        if change is not None:
            prepared = change(prepared)
        stages = run_pipeline(prepared.pipeline, prepared.plan, prepared.session)
        seconds = time.monotonic() - began
        document = result.document(stages, prepared.session, pipeline=file, seconds=seconds)
        return Played(document=document, console=capsys.readouterr().out)

    return run


@pytest.fixture
def connection_settings() -> dict[str, str]:
    """The environment variables that the service connection of `play` is made from."""
    return dict(CONNECTION)


@pytest.fixture
def masker() -> SecretMasker:
    return SecretMasker()


@pytest.fixture
def job_variables(masker: SecretMasker) -> Variables:
    return Variables(masker)
