"""Pipelines run in this process, their tasks in real Node processes from a small .vsix."""

from __future__ import annotations

import datetime
import json
import textwrap
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local.agent.definition.numbering import Numbers
from local.agent.host.connection import system_connection
from local.agent.host.console import Console
from local.agent.host.masking import SecretMasker
from local.agent.host.variables import Variables
from local.agent.organization.caller import SETTINGS
from local.agent.run import json_report
from local.agent.run.run import run_pipeline
from local.agent.run.setup import Options
from local.agent.run.start import Prepared, prepare, prepare_release
from local.agent.session.counters import Counters
from local.agent.session.session import Folders, Session
from tests.local.agent.classic_json import build_definition, release_definition, release_stage

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
    def stages(self) -> dict[str, str]:
        return {stage["name"]: stage["result"] for stage in self.document["stages"]}

    @property
    def results(self) -> dict[str, str]:
        return {step["name"]: step["result"] for step in self.document["steps"]}

    def lines(self, name: str) -> list[str]:
        """What a step printed."""
        marker = f" {name} | "
        return [line.partition(marker)[2] for line in self.console.splitlines() if marker in line]


@pytest.fixture(autouse=True)
def no_organisation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs belong to none, also in a shell that sourced a local Azure's env file."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)


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
        connections: dict[str, str] | None = None,
        groups: dict[str, Path] | None = None,
        change: Callable[..., Any] | None = None,
    ) -> Played:
        file = pipeline_file(text)
        began = time.monotonic()
        prepared = prepare(
            file,
            Options(
                vsix=vsix,
                variables=variables or {},
                connections=connections or {},
                groups=groups or {},
                work=tmp_path / "work",
            ),
            parameters=parameters or {},
        )
        if change is not None:
            prepared = change(prepared)
        stages = run_pipeline(prepared.pipeline, prepared.plan, prepared.session)
        seconds = time.monotonic() - began
        document = dict(
            json_report.document(stages, prepared.session, pipeline=file, seconds=seconds)
        )
        return Played(document=document, console=capsys.readouterr().out)

    return run


@pytest.fixture
def play_build(
    tmp_path: Path, json_file: Callable[..., Path], play_prepared: Callable[..., Played]
) -> Callable[..., Played]:
    """Run a build definition."""

    def run(
        definition: dict[str, Any], *, groups: dict[str, Path] | None = None, **variables: str
    ) -> Played:
        file = json_file(definition, "build.json")
        work = tmp_path / "work"
        return play_prepared(
            prepare(
                file,
                Options(variables=variables, groups=groups or {}, work=work),
                parameters={},
            )
        )

    return run


@pytest.fixture
def play_release(
    tmp_path: Path, json_file: Callable[..., Path], play_prepared: Callable[..., Played]
) -> Callable[..., Played]:
    """Run a release of a folder with one file, unless ``artifacts`` or ``after`` say what of."""

    def run(definition: dict[str, Any], **options: Any) -> Played:
        own = {name: options.pop(name, {}) for name in ("variables", "connections", "groups")}
        given: dict[str, Any] = {"artifacts": {}, "after": None, "approve": (), "reject": ()}
        if "after" not in options:
            (tmp_path / "folder").mkdir(exist_ok=True)
            (tmp_path / "folder" / "file.txt").write_text("in the artifact")
            given["artifacts"] = {"_made": tmp_path / "folder"}
        file = json_file(definition, "release.json")
        common = Options(work=tmp_path / "work", **own)
        return play_prepared(prepare_release(file, common, **{**given, **options}))

    return run


@pytest.fixture
def play_prepared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Prepared], Played]:
    """Run what is prepared."""
    monkeypatch.setenv("AGENT_TOOLSDIRECTORY", str(tmp_path / "tools"))

    def run(prepared: Prepared) -> Played:
        stages = run_pipeline(prepared.pipeline, prepared.plan, prepared.session)
        file = prepared.pipeline.path
        document = dict(json_report.document(stages, prepared.session, pipeline=file, seconds=0.0))
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


@pytest.fixture
def build_json() -> Callable[..., dict[str, Any]]:
    """Makes build definitions."""
    return build_definition


@pytest.fixture
def stage_json() -> Callable[..., dict[str, Any]]:
    """Makes stages of releases."""
    return release_stage


@pytest.fixture
def release_json() -> Callable[..., dict[str, Any]]:
    """Makes release definitions."""
    return release_definition


@pytest.fixture
def json_file(tmp_path: Path) -> Callable[..., Path]:
    """Write a document beside where the pipeline would be."""

    def write(document: dict[str, Any], name: str = "definition.json") -> Path:
        path = tmp_path / "repository" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return write


@pytest.fixture
def build_result(tmp_path):
    """Write what a build's --json has for a release; keyword arguments change its facts."""

    def write(*, result="succeeded", tags=(), **facts):
        artifact = tmp_path / "built"
        artifact.mkdir(exist_ok=True)
        (artifact / "file.txt").write_text("built")
        build = {
            "id": "12",
            "number": "20260102.3",
            "definitionName": "made here",
            "sourceBranch": "refs/heads/main",
            "defaultBranch": "refs/heads/main",
            **facts,
        }
        document = {
            "result": result,
            "build": build,
            "artifacts": {"drop": str(artifact)},
            "tags": list(tags),
        }
        path = tmp_path / "build-result.json"
        path.write_text(json.dumps(document))
        return path

    return write


@pytest.fixture
def session(tmp_path, masker):
    """A run that has not started."""
    return Session(
        folders=Folders(root=tmp_path / "run", tools=tmp_path / "tools"),
        masker=masker,
        console=Console(masker),
        source=tmp_path / "azure-pipelines.yml",
        environment={},
        predefined={"Build.BuildNumber": "20260102.1"},
        access_token="a-token",
        connections=(),
        system=system_connection("http://127.0.0.1/", "a-token"),
        started=datetime.datetime.now(datetime.timezone.utc),
        counters=Counters(numbers=Numbers(tmp_path / "numbers.json"), pipeline="p"),
    )
