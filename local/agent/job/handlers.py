"""Running a step's process: Node for tasks, shells for scripts.

The agent: src/Agent.Worker/Handlers/NodeHandler.cs. Shell arguments:
microsoft/azure-pipelines-tasks Tasks/BashV3, CmdLineV2 and PowerShellV2.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.agent.definition.model import Step
from local.agent.errors import AgentError
from local.agent.host.process import (
    SIGINT_S,
    SIGTERM_S,
    Wish,
    run_process,
)
from local.agent.host.tasks import Handler, TaskDefinition
from local.agent.host.variables import CaseInsensitive, expand
from local.agent.job.logging_commands import process_line
from local.agent.job.step_record import StepRecord
from local.agent.session.session import Session

MIN_NODE = 20
# The preference variables that PowerShell@2 sets, with its defaults.
PREFERENCES = {
    "errorActionPreference": "stop",
    "warningPreference": "default",
    "informationPreference": "default",
    "verbosePreference": "default",
    "debugPreference": "default",
    "progressPreference": "silentlyContinue",
}


class Stopped(Exception):  # noqa: N818 - control flow: the step was asked to end, and did
    """The step ended because its job was canceled or its time was up."""


@dataclass(frozen=True, kw_only=True)
class StepRun:
    """All that a handler needs of the step it carries out.

    Attributes:
        environment: the whole environment of the step's process.
        wish: what to do with a running process, asked again and again.
    """

    step: Step
    record: StepRecord
    session: Session
    inputs: CaseInsensitive
    environment: Mapping[str, str]
    wish: Callable[[], Wish]

    def path(self, name: str) -> Path:
        """Return a variable's value as a path."""
        return Path(self.record.variables.get(name) or "")


def find_node(path: str | None) -> str:
    """Return the Node to run tasks with.

    Raises:
        AgentError: there is none on PATH, or it is older than 20.
    """
    node = shutil.which("node", path=path)
    advice = f"install Node {MIN_NODE} or later and put it on PATH"
    if node is None:
        raise AgentError(f"Node was not found on PATH, and tasks are Node programs; {advice}")
    result = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    major = result.stdout.strip().lstrip("v").partition(".")[0]
    if not major.isdecimal() or int(major) < MIN_NODE:
        found = result.stdout.strip() or "unusable"
        raise AgentError(f"the Node on PATH ({node}) is {found}; {advice}")
    return node


def run_node(run: StepRun, task: TaskDefinition, handler: Handler) -> None:
    """Run a task's Node script.

    Raises:
        AgentError: the script is missing or ended with another exit code than 0.
        Stopped: it ended because it was asked to.
    """
    texts = run.record.variables.texts()
    target = (
        run.session.folders.tasks / task.folder / expand(expand(handler.target, run.inputs), texts)
    )
    if not target.is_file():
        raise AgentError(f"the task {task.label} has no file {handler.target}; rebuild the .vsix")
    folder = expand(expand(handler.working_directory, run.inputs), texts)
    command = [run.session.node, str(target)]
    code = _run(
        run, command, Path(folder) if folder else run.path("System.DefaultWorkingDirectory")
    )
    if code:
        process = f"file name '{command[0]}', arguments '\"{target}\"'"
        raise AgentError(f"Exit code {code} returned from process: {process}.")


def _run(
    run: StepRun,
    command: list[str],
    folder: Path,
    *,
    abandon: bool = False,
    on_stderr: Callable[[str], None] = lambda _: None,
) -> int:
    """Run a process of the step to its end; 0 also when it was left after ``done=true``."""

    def on_line(line: str, from_stderr: bool) -> None:
        if not process_line(line, run.record, run.session):
            run.record.log.write(line)
            if from_stderr:
                on_stderr(line)

    try:
        outcome = run_process(
            command,
            environment=run.environment,
            folder=folder,
            on_line=on_line,
            wish=run.wish,
            sigint_s=_seconds(run, "PROCESS_SIGINT_TIMEOUT", SIGINT_S),
            sigterm_s=_seconds(run, "PROCESS_SIGTERM_TIMEOUT", SIGTERM_S),
            abandon=abandon,
        )
    except OSError as error:
        message = f"'{command[0]}' cannot be started in '{folder}' ({error.strerror})"
        raise AgentError(f"{message}; check the program and the working directory") from error
    if outcome.stopped:
        raise Stopped
    return outcome.code or 0


def _seconds(run: StepRun, knob: str, default: float) -> float:
    """Return a time limit that a variable or the agent's environment may give in ms."""
    value = run.record.variables.get(knob) or run.session.environment.get(knob) or ""
    return int(value) / 1000 if value.isdecimal() else default


def run_script(run: StepRun) -> None:
    """Carry out ``script:``, that is CmdLine@2."""
    temp = run.path("Agent.TempDirectory")
    if sys.platform == "win32":
        file = temp / f"{uuid.uuid4()}.cmd"
        file.write_text("@echo off\r\n" + run.inputs.get("script", ""), encoding="utf-8")
        command = ["cmd.exe", "/D", "/E:ON", "/V:OFF", "/S", "/C", f'CALL "{file}"']
    else:
        file = temp / f"{uuid.uuid4()}.sh"
        file.write_text(run.inputs.get("script", ""), encoding="utf-8")
        command = [_shell("bash"), "--noprofile", "--norc", str(file)]
    _run_shell(run, command, "Cmd.exe" if sys.platform == "win32" else "Bash")


def run_bash(run: StepRun) -> None:
    """Carry out ``bash:`` and Bash@3."""
    file = _script_file(run, ".sh", default_type="filepath")
    arguments = run.inputs.get("arguments", "")
    if arguments and run.inputs.get("targetType", "filePath").lower() == "filepath":
        # The arguments are one line of shell words; let the shell split them.
        wrapper = run.path("Agent.TempDirectory") / f"{uuid.uuid4()}.sh"
        wrapper.write_text(f". '{file}' {arguments}\n", encoding="utf-8")
        file = wrapper
    _run_shell(run, [_shell("bash"), "--noprofile", "--norc", str(file)], "Bash")


def run_powershell(run: StepRun) -> None:
    """Carry out ``pwsh:``, ``powershell:`` and PowerShell@2."""
    core = run.inputs.get("pwsh", "").lower() == "true" or sys.platform != "win32"
    file = _script_file(run, ".ps1", default_type="filepath")
    chosen = {name: run.inputs.get(name) or default for name, default in PREFERENCES.items()}
    lines = [
        f"${name[0].upper()}{name[1:]} = '{value}'"
        for name, value in chosen.items()
        if value.lower() != "default"
    ]
    lines.append(f". '{file}' {run.inputs.get('arguments', '')}")
    if run.inputs.get("ignoreLASTEXITCODE", "").lower() != "true":
        lines.append("if (Test-Path -LiteralPath variable:\\LASTEXITCODE) { exit $LASTEXITCODE }")
    wrapper = run.path("Agent.TempDirectory") / f"{uuid.uuid4()}.ps1"
    wrapper.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
    program = _shell("pwsh" if core else "powershell")
    options = ["-NoLogo", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Unrestricted"]
    _run_shell(run, [program, *options, "-Command", f". '{wrapper}'"], "PowerShell")


def _script_file(run: StepRun, suffix: str, *, default_type: str) -> Path:
    """Return the script that the inputs name, or a file with the inline one."""
    if run.inputs.get("targetType", default_type).lower() == "inline":
        file = run.path("Agent.TempDirectory") / f"{uuid.uuid4()}{suffix}"
        file.write_text(run.inputs.get("script", ""), encoding="utf-8")
        return file
    file = run.path("System.DefaultWorkingDirectory") / run.inputs.get("filePath", "")
    if not file.is_file():
        raise AgentError(f"Invalid file path '{file}'.")
    return file


def _shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise AgentError(f"'{name}' was not found on PATH; install it or use another kind of step")
    return found


def _run_shell(run: StepRun, command: list[str], name: str) -> None:
    errors: list[str] = []
    working_directory = run.inputs.get("workingDirectory", "")
    folder = run.path("System.DefaultWorkingDirectory") / working_directory
    if not folder.is_dir():
        raise AgentError(f"Not found workingDirectory: {folder}")
    # Here the agent interrupts the task's Node, which dies at once and leaves the shell to the
    # clean-up at the job's end: no time for the shell.
    code = _run(run, command, folder, abandon=True, on_stderr=errors.append)
    if code:
        raise AgentError(f"{name} exited with code '{code}'.")
    if errors and run.inputs.get("failOnStderr", "").lower() == "true":
        raise AgentError(f"{name} wrote one or more lines to the standard error stream.")
