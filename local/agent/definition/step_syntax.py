"""Reading steps; shorthands become the tasks that the service makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from local.agent.definition.document import Mapping, Node, Scalar
from local.agent.definition.fields import Fields
from local.agent.definition.model import Step
from local.agent.errors import Place, nearest
from local.agent.expressions.contexts import STEP_CONDITION
from local.agent.expressions.language import Context, check
from local.agent.expressions.values import ExpressionError

_COMMON = (
    "name",
    "displayName",
    "condition",
    "continueOnError",
    "enabled",
    "env",
    "timeoutInMinutes",
    "retryCountOnTaskFailure",
    "target",
)
_REFUSED = ("template", "downloadBuild", "getPackage", "upload", "reviewApp")
_REFERENCE = re.compile(r"[-_A-Za-z0-9]+")
_GUID = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_TASK = re.compile(r"[A-Za-z0-9.\-]+@\d+(\.\d+)*")
# What the agent itself does before the first task of a release's job.
DOWNLOAD = "DownloadPipelineArtifact@2"
DOWNLOAD_ARTIFACTS = "downloadReleaseArtifacts"


def read_steps(fields: Fields) -> tuple[Step, ...]:
    """Read the ``steps`` of a job and give each its reference name.

    Raises:
        PipelineFileError: a mistake in a step, or two steps with the same name.
    """
    found = [_read_step(node) for node in fields.items("steps")]
    if not found:
        raise fields.place.error(f"{fields.what} needs steps")
    return named(found, fields.place)


def download_artifacts_step(aliases: Iterable[str]) -> Step:
    """Return the download with which a job of a release starts; aliases name no line breaks."""
    return Step(
        task=DOWNLOAD_ARTIFACTS,
        name="__artifacts",
        display_name="Download artifacts",
        inputs={"aliases": "\n".join(aliases)},
    )


def named(steps: Iterable[Step], place: Place) -> tuple[Step, ...]:
    """Give each step of a job a reference name and a display name.

    Args:
        steps: of the job.
        place: the job's.

    Raises:
        PipelineFileError: two steps have the same name.
    """
    found: list[Step] = []
    taken: set[str] = set()
    for step in steps:
        kind = step.task.partition("@")[0].rpartition(".")[2]
        # A classic definition names tasks by GUID, which says nothing in a log.
        base = step.display_name if _GUID.fullmatch(kind) else kind
        name = step.name or _free_name(base, taken)
        if name.lower() in taken:
            message = f"two steps of this job are called '{name}'"
            raise (step.place or place).error(message)
        taken.add(name.lower())
        display = step.display_name or step.task.partition("@")[0]
        found.append(replace(step, name=name, display_name=display))
    return tuple(found)


def read_condition(fields: Fields, context: Context) -> str | None:
    """Return the key ``condition``, None when it is empty.

    Raises:
        PipelineFileError: it cannot be parsed, or names what it cannot see.
    """
    text = fields.text("condition").strip()
    if not text:
        return None
    try:
        check(text, context)
    except ExpressionError as error:
        raise (fields.get("condition") or fields.node).place.error(str(error)) from error
    return text


def read_reference(fields: Fields, key: str) -> str:
    """Return the name that a step's output variables carry; raises PipelineFileError."""
    name = fields.text(key)
    if name and not _REFERENCE.fullmatch(name):
        message = f"'{name}' cannot name a step: use letters, digits, '-' and '_'"
        raise fields.place.error(message)
    return name


def checkout_step() -> Step:
    """Return the ``checkout: self`` that the service adds to a job without a checkout."""
    return Step(
        task="checkout", name="__checkout", display_name="Checkout", inputs={"repository": "self"}
    )


def download_step() -> Step:
    """Return the ``download: current`` that the service adds to a deployment job."""
    return Step(
        task=DOWNLOAD,
        name="__download",
        display_name="Download artifacts",
        inputs={"source": "current", "path": "$(Pipeline.Workspace)"},
    )


def _free_name(text: str, taken: set[str]) -> str:
    base = re.sub(r"\W", "", text) or "step"
    name, number = base, 0
    while name.lower() in taken:
        number += 1
        name = f"{base}{number}"
    return name


def _read_step(node: Node) -> Step:
    if not isinstance(node, Mapping):
        raise node.place.error("a step must be a mapping such as 'script: ...'")
    for key, _ in node.entries:
        if key.text in _SPARSE:
            message = f"'{key.text}': the local agent checks out all files, not some of them"
            raise key.place.error(f"{message}; remove the key")
        if key.text in _REFUSED:
            message = f"'{key.text}' steps are not supported by the local agent; remove this one"
            raise key.place.error(message)
    kind = next((kind for kind in _KINDS if kind in node), None)
    if kind is None:
        first = next(iter(node), "")
        message = f"a step starts with one of {', '.join(_KINDS)}; {nearest(first, _KINDS)}"
        raise node.place.error(message)
    keys, build = _KINDS[kind]
    fields = Fields(node, f"a {kind} step", (kind, *keys, *_COMMON))
    task, inputs = build(fields)
    return _common(fields, task, inputs)


def _common(fields: Fields, task: str, inputs: dict[str, str]) -> Step:
    restricted, settable = _target(fields)
    return Step(
        task=task,
        name=read_reference(fields, "name"),
        display_name=fields.text("displayName"),
        inputs=inputs,
        input_places=fields.places("inputs"),
        env=fields.texts("env"),
        condition=read_condition(fields, STEP_CONDITION),
        continue_on_error=fields.boolean("continueOnError"),
        enabled=fields.boolean("enabled", default=True),
        timeout_minutes=fields.number("timeoutInMinutes", 0),
        retry_count=fields.number("retryCountOnTaskFailure", 0),
        restricted_commands=restricted,
        settable_variables=settable,
        place=fields.place,
    )


def _target(fields: Fields) -> tuple[bool, tuple[str, ...] | None]:
    node = fields.get("target")
    if node is None:
        return False, None
    if isinstance(node, Scalar):
        if node.text.lower() == "host":
            return False, None
        message = f"the target '{node.text}' is a container, which the local agent does not support"
        raise node.place.error(message)
    known = ("commands", "settableVariables")
    target = Fields(node, "a target", known, ("container",))
    commands = target.text("commands", "any").lower()
    if commands not in ("any", "restricted"):
        message = f"'commands' must be any or restricted, not '{commands}'"
        raise node.place.error(message)
    settable = target.get("settableVariables")
    names: tuple[str, ...] | None = None
    if isinstance(settable, Scalar):
        if settable.text.lower() != "none":
            message = "'settableVariables' must be none or a list of names"
            raise settable.place.error(message)
        names = ()
    elif settable is not None:
        items = target.items("settableVariables")
        names = tuple(item.text for item in items if isinstance(item, Scalar))
    return commands == "restricted", names


def _task(fields: Fields) -> tuple[str, dict[str, str]]:
    task = fields.text("task")
    if not _TASK.fullmatch(task):
        message = f"'{task}' does not name a task: write Name@Major, for example Bash@3"
        raise fields.place.error(message)
    return task, fields.texts("inputs")


def _script(fields: Fields) -> tuple[str, dict[str, str]]:
    return "CmdLine@2", _shell_inputs(fields, "script")


def _bash(fields: Fields) -> tuple[str, dict[str, str]]:
    return "Bash@3", {"targetType": "inline", **_shell_inputs(fields, "bash")}


def _powershell(fields: Fields, *, core: bool) -> tuple[str, dict[str, str]]:
    inputs = _shell_inputs(fields, "pwsh" if core else "powershell")
    for key in ("errorActionPreference", "ignoreLASTEXITCODE"):
        if fields.has(key):
            inputs[key] = fields.text(key)
    return "PowerShell@2", {"targetType": "inline", "pwsh": str(core).lower(), **inputs}


def _shell_inputs(fields: Fields, key: str) -> dict[str, str]:
    inputs = {"script": fields.text(key)}
    for name in ("workingDirectory", "failOnStderr"):
        if fields.has(name):
            inputs[name] = fields.text(name)
    return inputs


def _checkout(fields: Fields) -> tuple[str, dict[str, str]]:
    repository = fields.text("checkout")
    if repository not in ("self", "none"):
        message = f"the local agent can check out self or none, not '{repository}'"
        raise fields.place.error(message)
    for key in ("lfs", "submodules"):
        if fields.text(key).lower() not in ("", "false"):
            message = f"the local agent cannot check out with '{key}'; it copies files as they are"
            raise fields.error(f"{message} on disk, so remove the key")
    inputs = {key: fields.text(key) for key in ("path", "fetchDepth", "fetchTags")}
    return "checkout", {"repository": repository, **inputs}


def _publish(fields: Fields) -> tuple[str, dict[str, str]]:
    inputs = {"targetPath": fields.text("publish"), "artifactName": fields.text("artifact")}
    return "PublishPipelineArtifact@1", inputs


def _download(fields: Fields) -> tuple[str, dict[str, str]]:
    source = fields.text("download")
    if source not in ("current", "none"):
        message = f"the local agent can download from current or none, not '{source}'"
        raise fields.place.error(message)
    artifact = fields.text("artifact")
    inputs = {
        "source": source,
        "artifactName": artifact,
        "path": "$(Pipeline.Workspace)" + (f"/{artifact}" if artifact else ""),
    }
    if fields.has("patterns"):
        inputs["patterns"] = fields.text("patterns")
    return DOWNLOAD, inputs


_SHELL = ("workingDirectory", "failOnStderr")
_POWERSHELL = (*_SHELL, "errorActionPreference", "ignoreLASTEXITCODE")
_CHECKOUT = (
    "path",
    "clean",
    "fetchDepth",
    "fetchFilter",
    "fetchTags",
    "lfs",
    "submodules",
    "persistCredentials",
    "workspaceRepo",
)
_SPARSE = ("sparseCheckoutDirectories", "sparseCheckoutPatterns")
_KINDS: dict[str, tuple[tuple[str, ...], Callable[[Fields], tuple[str, dict[str, str]]]]] = {
    "task": (("inputs",), _task),
    "script": (_SHELL, _script),
    "bash": (_SHELL, _bash),
    "pwsh": (_POWERSHELL, lambda fields: _powershell(fields, core=True)),
    "powershell": (_POWERSHELL, lambda fields: _powershell(fields, core=False)),
    "checkout": (_CHECKOUT, _checkout),
    "publish": (("artifact",), _publish),
    "download": (("artifact", "patterns"), _download),
}
