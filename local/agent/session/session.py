"""What one run shares between its jobs: folders, collected files, cancellation."""

from __future__ import annotations

import datetime
import shutil
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.agent.errors import AgentError
from local.agent.host.connection import Connection
from local.agent.host.console import Console
from local.agent.host.file_names import is_file_name
from local.agent.host.masking import SecretMasker
from local.agent.session.approvals import Approvals
from local.agent.session.artifacts import Source
from local.agent.session.counters import Counters
from local.agent.session.observer import RunObserver


@dataclass(frozen=True, kw_only=True)
class Folders:
    """The run's folder and what lies in it; ``tools`` is shared between runs."""

    root: Path
    tools: Path

    @property
    def work(self) -> Path:
        """The agent's work folder."""
        return self.root / "_work"

    @property
    def temp(self) -> Path:
        """Emptied at the start and the end of each job."""
        return self.work / "_temp"

    @property
    def tasks(self) -> Path:
        """Where tasks are unpacked."""
        return self.work / "_tasks"

    @property
    def logs(self) -> Path:
        """One log per step."""
        return self.root / "logs"

    @property
    def artifacts(self) -> Path:
        """Published artifacts, one folder each."""
        return self.root / "artifacts"

    @property
    def attachments(self) -> Path:
        """Uploaded summaries, attachments, files and test results."""
        return self.root / "attachments"


@dataclass(kw_only=True)
class Cancellation:
    """Ctrl-C once cancels the run, twice kills it."""

    requested: threading.Event = field(default_factory=threading.Event)
    killed: threading.Event = field(default_factory=threading.Event)

    def interrupt(self) -> None:
        """Count one Ctrl-C or termination signal."""
        if self.requested.is_set():
            self.killed.set()
        self.requested.set()


@dataclass(frozen=True, kw_only=True)
class ReleaseRun:
    """What a session has beside the rest when it runs a release: its artifacts by alias."""

    sources: Mapping[str, Source]


@dataclass(kw_only=True)
class Session:
    """One run of a pipeline.

    Attributes:
        release: set when it is a release that runs.
        started: when the run started, UTC.
        counters: for ``counter()``.
        open_run: the file that says the run is in progress in an organisation; removed at its end.
        observer: receives the run's events, and sends them to an organisation if there is one.
        environment: the agent's own environment, without its settings; steps inherit it.
        predefined: the variables every job starts with.
        secrets: the secret variables every job starts with.
        connections: the service connections that tasks may name.
    """

    folders: Folders
    masker: SecretMasker
    console: Console
    source: Path
    environment: Mapping[str, str]
    predefined: dict[str, str]
    access_token: str
    connections: tuple[Connection, ...]
    system: Connection
    started: datetime.datetime
    counters: Counters
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    node: str = "node"
    open_run: Path | None = None
    default_branch: str = ""
    release: ReleaseRun | None = None
    approvals: Approvals = field(default_factory=Approvals)
    observer: RunObserver = field(default_factory=RunObserver)
    cancellation: Cancellation = field(default_factory=Cancellation)
    tags: list[str] = field(default_factory=list)
    artifacts: dict[str, Path] = field(default_factory=dict)
    summaries: list[Path] = field(default_factory=list)
    attachments: list[dict[str, str]] = field(default_factory=list)
    test_results: list[Path] = field(default_factory=list)

    @property
    def build_number(self) -> str:
        """The build's number, which a step may change; empty in a release of no build."""
        return self.predefined.get("Build.BuildNumber", "")

    @property
    def title(self) -> str:
        """What the run is called: a release has a name, a build a number."""
        return self.predefined.get("Release.ReleaseName") or f"#{self.build_number}"

    def attach(self, file: Path, kind: str, step: str) -> Path:
        """Copy a file to the run's attachments and return the copy."""
        folder = self.folders.attachments / kind / step
        number = 1
        while (folder / file.name).exists():
            number += 1
            folder = folder.with_name(f"{step}-{number}")
        folder.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copyfile(file, folder / file.name))

    def publish(self, source: Path, name: str, *, below: str = "", merge: bool = False) -> Path:
        """Copy a file or folder to the artifact ``name`` and return the artifact's folder.

        Raises:
            AgentError: the name is not allowed or taken, or there is nothing to publish.
        """
        if not is_file_name(name):
            raise AgentError(f"'{name}' cannot name an artifact; use letters, digits, '-', '.'")
        if name in self.artifacts and not merge:
            raise AgentError(f"Artifact {name} already exists for build {self.build_number}.")
        if not source.exists():
            raise AgentError(f"Path does not exist: {source}")
        target = self.folders.artifacts / name
        destination = target / below if below else target
        destination.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, destination, dirs_exist_ok=True, symlinks=True)
        else:
            shutil.copy2(source, destination / source.name)
        if name not in self.artifacts:
            self.observer.published(name, target)
        self.artifacts[name] = target
        return target
