"""The tasks of a .vsix: reading their task.json, finding one, unpacking.

The agent: src/Agent.Worker/TaskManager.cs (folders, handler priorities).
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from xml.etree import ElementTree

from local.agent.errors import AgentError

# Best first; the 2026 agents ship the two Nodes only (src/Misc/externals.sh).
HANDLERS = ("Node24", "Node20_1")
_SPAN = re.compile(r"(?:(\d+)\.)?(\d\d):(\d\d):(\d\d)")


@dataclass(frozen=True, kw_only=True)
class TaskInput:
    """One input of a task."""

    name: str
    type: str
    default: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Handler:
    """How one execution of a task is started: a Node script below the task's folder."""

    target: str
    working_directory: str = ""


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """What the service does for a task that needs no agent; macros are still in the texts.

    Attributes:
        endpoint: the service connection, empty for none.
        expression: must hold over the answer; empty when any success will do.
        waits: whether the service waits for a callback, the event ``TaskCompleted``.
        patience_s: how long it waits; None where task.json does not say.
        cancel: what it sends when the step is canceled, None for nothing.
    """

    url: str
    method: str
    headers: str
    body: str
    endpoint: str
    expression: str
    waits: bool
    patience_s: float | None = None
    cancel: HttpRequest | None = None


@dataclass(frozen=True, kw_only=True)
class TaskDefinition:
    """A task.json.

    Attributes:
        root: the task's folder in the archive.
        handlers: by execution: ``prejobexecution``, ``execution``, ``postjobexecution``; None
            where the task has that execution but no handler this agent can run.
        runs_on: ``Agent``, ``DeploymentGroup``, ``Server``, ``ServerGate``; empty for agents.
        http_request: how it runs without an agent, None when it cannot.
        restricted_commands: whether only harmless logging commands are allowed.
        settable_variables: patterns, None when the task does not restrict them.
    """

    identity: str
    name: str
    friendly_name: str
    version: tuple[int, int, int]
    root: PurePosixPath
    full_name: str = ""
    inputs: Sequence[TaskInput] = ()
    handlers: Mapping[str, Handler | None] = field(default_factory=dict)
    runs_on: tuple[str, ...] = ()
    http_request: HttpRequest | None = None
    restricted_commands: bool = False
    settable_variables: tuple[str, ...] | None = None
    output_variables: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        """``Name@Major``."""
        return f"{self.name}@{self.version[0]}"

    @property
    def folder(self) -> Path:
        """Where the task is unpacked, below the agent's task folder."""
        return Path(f"{self.name}_{self.identity}") / ".".join(map(str, self.version))

    @property
    def input_names(self) -> dict[str, str]:
        """The names of task.json by each name, lower-case, that a pipeline may write."""
        return {
            name.lower(): declared.name
            for declared in self.inputs
            for name in (*declared.aliases, declared.name)
        }

    def input_name(self, written: str) -> str:
        """Return the name of task.json for one that a pipeline wrote; the same if unknown."""
        return self.input_names.get(written.strip().lower(), written.strip())

    def resolve_aliases(self, inputs: Mapping[str, str]) -> dict[str, str]:
        """Return inputs under the names of task.json, as the service sends them."""
        return {self.input_name(name): value for name, value in inputs.items()}


def read_tasks(vsix: Path) -> list[TaskDefinition]:
    """Read every task.json of an extension.

    Raises:
        AgentError: the file is no .vsix, or has no task, or a task.json cannot be used.
    """
    with _opened(vsix) as archive:
        publisher = _publisher(archive)
        tasks = [
            _read_task(archive, PurePosixPath(name).parent, publisher)
            for name in archive.namelist()
            if PurePosixPath(name).name == "task.json" and "node_modules" not in name.split("/")
        ]
    if not tasks:
        raise AgentError(f"{vsix} has no task.json; give an extension that has tasks")
    return tasks


def unpack(vsix: Path, tasks: Sequence[TaskDefinition], folder: Path) -> None:
    """Unpack tasks below ``folder``; raises AgentError as :func:`read_tasks`."""
    with _opened(vsix) as archive:
        for task in tasks:
            target = folder / task.folder
            for name in archive.namelist():
                path = PurePosixPath(name)
                if name.endswith("/") or not path.is_relative_to(task.root):
                    continue
                relative = path.relative_to(task.root)
                if ".." in relative.parts:
                    raise AgentError(f"{vsix}: the entry {name} would leave its folder")
                file = target.joinpath(*relative.parts)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(archive.read(name))
            target.with_name(target.name + ".completed").touch()


@contextlib.contextmanager
def _opened(vsix: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(vsix) as archive:
            yield archive
    except (OSError, zipfile.BadZipFile) as error:
        raise AgentError(f"{vsix} is not a readable .vsix ({error}); build it again") from error


def _publisher(archive: zipfile.ZipFile) -> str:
    """Return ``publisher.extension`` from the manifest, empty when there is none."""
    if "extension.vsixmanifest" not in archive.namelist():
        return ""
    # The user's own file, read to name tasks; a broken one must not stop a run.
    try:
        root = ElementTree.fromstring(archive.read("extension.vsixmanifest"))  # noqa: S314
    except ElementTree.ParseError:
        return ""
    for element in root.iter():
        if element.tag.rpartition("}")[2] == "Identity":
            return f"{element.get('Publisher', '')}.{element.get('Id', '')}"
    return ""


def _read_task(archive: zipfile.ZipFile, root: PurePosixPath, publisher: str) -> TaskDefinition:
    try:
        document = json.loads(archive.read(str(root / "task.json")).decode("utf-8-sig"))
        return _definition(document, root, f"{publisher}.{root.name}" if publisher else "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        place = f"{archive.filename}: {root / 'task.json'}"
        raise AgentError(f"{place} cannot be used ({error!r}); correct it") from error


def _definition(document: dict[str, Any], root: PurePosixPath, full_name: str) -> TaskDefinition:
    version = tuple(int(document["version"][part]) for part in ("Major", "Minor", "Patch"))
    identity, name = str(document["id"]).lower(), str(document["name"])
    restrictions = document.get("restrictions") or {}
    settable = (restrictions.get("settableVariables") or {}).get("allowed")
    if settable is None and "settableVariables" in restrictions:
        settable = []
    handlers = {}
    for execution in ("prejobexecution", "execution", "postjobexecution"):
        declared = document.get(execution)
        if declared:
            handlers[execution] = _handler(declared)
    return TaskDefinition(
        identity=identity,
        name=name,
        friendly_name=str(document.get("friendlyName") or name),
        version=(version[0], version[1], version[2]),
        root=root,
        full_name=f"{full_name}.{name}" if full_name else "",
        inputs=[
            TaskInput(
                name=str(one["name"]),
                type=str(one.get("type") or "string"),
                default=_text(one.get("defaultValue")),
                aliases=tuple(one.get("aliases") or ()),
            )
            for one in document.get("inputs") or ()
        ],
        handlers=handlers,
        runs_on=tuple(str(one) for one in document.get("runsOn") or ()),
        http_request=_http_request(document.get("execution") or {}),
        restricted_commands=(restrictions.get("commands") or {}).get("mode") == "restricted",
        settable_variables=None if settable is None else tuple(settable),
        output_variables=tuple(one["name"] for one in document.get("outputVariables") or ()),
    )


def _http_request(execution: dict[str, Any]) -> HttpRequest | None:
    """Read the form with ``Execute`` around the request, and the one without."""
    declared = execution.get("HttpRequest")
    if not declared:
        return None
    cancel = declared.get("Cancel")
    timeout = ((declared.get("Events") or {}).get("TaskCompleted") or {}).get("Timeout")
    return dataclasses.replace(
        _request(declared.get("Execute", declared)),
        patience_s=_seconds(_text(timeout)),
        cancel=_request(cancel) if cancel else None,
    )


def _seconds(span: str) -> float | None:
    """The seconds of a time span of .NET, ``d.hh:mm:ss`` or ``hh:mm:ss``."""
    match = _SPAN.fullmatch(span)
    if match is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _request(request: dict[str, Any]) -> HttpRequest:
    return HttpRequest(
        url=_text(request["EndpointUrl"]),
        method=_text(request.get("Method")) or "GET",
        headers=_text(request.get("Headers")),
        body=_text(request.get("Body")),
        endpoint=_text(request.get("EndpointId")),
        expression=_text(request.get("Expression")),
        waits=_text(request.get("WaitForCompletion")).lower() == "true",
    )


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _handler(declared: dict[str, dict[str, Any]]) -> Handler | None:
    for name in HANDLERS:
        if name in declared:
            chosen = declared[name]
            return Handler(
                target=str(chosen["target"]),
                working_directory=str(chosen.get("workingDirectory") or ""),
            )
    return None


def find(tasks: Sequence[TaskDefinition], reference: str) -> TaskDefinition | None:
    """Return the task that ``Name@Major`` names, the newest one; None when there is none.

    The name may be the task's own, its GUID, or publisher.extension.contribution.name.
    """
    name, _, version = reference.lower().partition("@")
    wanted = tuple(int(part) for part in version.split("."))
    found = [
        task
        for task in tasks
        if name in (task.name.lower(), task.identity, task.full_name.lower())
        and task.version[: len(wanted)] == wanted
    ]
    return max(found, key=lambda task: task.version, default=None)


def unknown(tasks: Sequence[TaskDefinition], reference: str, built_in: Sequence[str]) -> str:
    """Return the sentence for an unknown task, with the known ones."""
    available = [*(task.label for task in tasks), *built_in]
    close = difflib.get_close_matches(reference, available, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    listed = ", ".join(available)
    return f"the task '{reference}' is neither in the .vsix nor built in; {hint}Available: {listed}"
