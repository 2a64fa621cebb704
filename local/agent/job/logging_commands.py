"""Carrying out logging commands that steps print.

The agent: src/Agent.Worker/WorkerCommandManager.cs, TaskCommandExtension.cs,
Build/ArtifactCommandExtension.cs, Build/BuildCommandExtension.cs; the messages are
src/Misc/layoutbin/en-US/strings.json's.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path

from local.agent.errors import AgentError
from local.agent.host.file_names import is_file_name
from local.agent.job.command_syntax import (
    Command,
    escape,
    parse,
    unescape,
)
from local.agent.job.step_record import StepRecord
from local.agent.session.observer import SUMMARY
from local.agent.session.session import Session
from local.agent.session.task_result import Result

_DOCS = "Please reference documentation (http://go.microsoft.com/fwlink/?LinkId=817296)"


class _CommandError(Exception):
    """A command that cannot be carried out; it fails the step."""


def process_line(line: str, record: StepRecord, session: Session) -> bool:
    """Carry out the command in ``line``; False when it is plain output to print."""
    percents = (record.variables.get("DECODE_PERCENTS") or "true").lower() != "false"
    command = parse(line, decode_percents=percents)
    if command is None:
        if "##vso" in line:
            record.warning(
                f"'{line}' contains logging command keyword '##vso', but it's not a legal command. "
                "Please see the list of accepted commands: "
                "https://go.microsoft.com/fwlink/?LinkId=817296"
            )
        return False
    events = _AREAS.get(command.area)
    if events is None:
        record.warning(f"Cannot find command extension for ##vso[{command.area}.command]. {_DOCS}")
        return True
    try:
        name = f"{command.area}.{command.event}"
        if name in _UNSUPPORTED:
            raise _CommandError(
                f"##vso[{name}] is not supported by the local agent. {_UNSUPPORTED[name]}"
            )
        if command.event not in events:
            raise _CommandError(
                f"##vso[{command.area}.{command.event}] is not a recognized command for "
                f"{command.area} command extension. {_DOCS}."
            )
        harmless, action = events[command.event]
        if record.command_allowed(harmless=harmless):
            action(command, record, session)
        else:
            record.warning(
                f"##vso[{command.area}.{command.event}] is not allowed in this step due to policy "
                f"restrictions. {_DOCS}"
            )
    except (_CommandError, AgentError, OSError) as error:
        record.error(f"Unable to process command '{line}' successfully. {_DOCS}")
        record.error(str(error))
        record.command_failed()
    if (command.area, command.event) != ("task", "debug"):
        record.debug(f"Processed: {unescape(line, decode_percents=percents)}")
    return True


def _flag(command: Command, name: str) -> bool:
    return command.properties.get(name, "").strip().lower() == "true"


def _required(command: Command, name: str) -> str:
    value = command.properties.get(name, "")
    if not value:
        raise _CommandError(
            f"Required field '{name}' is missing in ##vso[{command.area}.{command.event}] command."
        )
    return value


def _file(command: Command) -> Path:
    path = Path(command.data)
    if not command.data or not path.is_file():
        raise _CommandError(
            f"##vso[{command.area}.{command.event}] names no file that exists: '{command.data}'"
        )
    return path


def _log_issue(command: Command, record: StepRecord, _session: Session) -> None:
    kind = command.properties.get("type")
    if kind is None:
        record.warning("Can't create TaskIssue from logging event.")
        return
    code = command.properties.get("code", "")
    message = command.data
    if "sourcepath" in command.properties:
        numbers = [command.properties.get(key, "") for key in ("linenumber", "columnnumber")]
        place = f"{command.properties['sourcepath']}({','.join(numbers)})"
        message = f"{place}: {kind} {code}: {message}"
    if kind.lower() == "error":
        record.error(message, code)
    elif kind.lower() == "warning":
        record.warning(message, code)
    else:
        raise _CommandError(f"issue type {kind} is not an expected issue type.")


def _log_detail(command: Command, record: StepRecord, _session: Session) -> None:
    try:
        uuid.UUID(command.properties.get("id", ""))
    except ValueError as error:
        raise _CommandError("##vso[task.logdetail] needs a GUID as id") from error
    name, state = (command.properties.get(key, "") for key in ("name", "state"))
    record.debug(f"detail {name} {state} {command.data}")


def _complete(command: Command, record: StepRecord, _session: Session) -> None:
    name = command.properties.get("result", "")
    if name.strip() not in Result.__members__:
        raise _CommandError("Command doesn't have valid result value.")
    record.complete(Result[name.strip()], command.data)
    if command.properties.get("done", "").lower() in ("1", "true", "$true"):
        record.force_complete()


def _set_progress(command: Command, record: StepRecord, _session: Session) -> None:
    value = command.properties.get("value", "").strip()
    record.progress(int(value) if value.lstrip("-").isdecimal() else 0, command.data)


def _set_secret(command: Command, record: StepRecord, _session: Session) -> None:
    record.log.console.masker.add(command.data)


def _hide_secret(command: Command, record: StepRecord, session: Session) -> None:
    unsafe = record.variables.get("SYSTEM_UNSAFEALLOWMULTILINESECRET") or session.environment.get(
        "SYSTEM_UNSAFEALLOWMULTILINESECRET", ""
    )
    # Before anything is refused: the refusal quotes the command.
    record.log.console.masker.add(escape(command.data))
    record.log.console.masker.add(command.data)
    if os.linesep in command.data and unsafe.lower() != "true":
        raise _CommandError("Secrets cannot contain multiple lines")


def _set_variable(command: Command, record: StepRecord, session: Session) -> None:
    name = _required(command, "variable")
    if record.variables.is_read_only(name):
        record.warning(
            f"Overwriting readonly variable '{name}'. This behavior will be disabled in the future."
        )
    secret = _flag(command, "issecret")
    if secret:
        _hide_secret(command, record, session)
    if record.may_set(name):
        record.set_variable(
            name,
            command.data,
            secret=secret,
            output=_flag(command, "isoutput"),
            read_only=_flag(command, "isreadonly"),
            preserve_case=_flag(command, "preservecase"),
        )


def _set_task_variable(command: Command, record: StepRecord, session: Session) -> None:
    name = _required(command, "variable")
    secret = _flag(command, "issecret")
    if secret:
        _hide_secret(command, record, session)
    record.task_variables.set(
        name,
        command.data,
        secret=secret,
        read_only=_flag(command, "isreadonly"),
        preserve_case=_flag(command, "preservecase"),
    )


def _debug(command: Command, record: StepRecord, _session: Session) -> None:
    record.debug(command.data)


def _prepend_path(command: Command, record: StepRecord, _session: Session) -> None:
    if not record.may_set("PATH"):
        return
    if not command.data:
        raise _CommandError("##vso[task.prependpath] names no folder")
    if command.data in record.prepend_path:
        record.prepend_path.remove(command.data)
    record.prepend_path.append(command.data)


def _upload_summary(command: Command, record: StepRecord, session: Session) -> None:
    copy = session.attach(_file(command), "summaries", record.name)
    session.summaries.append(copy)
    session.observer.attached(record.identity, SUMMARY, copy.name, copy)


def _add_attachment(command: Command, record: StepRecord, session: Session) -> None:
    kind, name = _required(command, "type"), _required(command, "name")
    if not (is_file_name(kind) and is_file_name(name)):
        raise _CommandError("Type or name of the attachment contains invalid characters.")
    if kind == SUMMARY:
        _upload_summary(command, record, session)
        return
    copy = session.attach(_file(command), kind, record.name)
    session.attachments.append({"type": kind, "name": name, "path": str(copy)})
    session.observer.attached(record.identity, kind, name, copy)


def _upload_file(command: Command, record: StepRecord, session: Session) -> None:
    file = _file(command)
    copy = session.attach(file, "files", record.name)
    kind = "DistributedTask.Core.FileAttachment"
    session.attachments.append({"type": kind, "name": file.name, "path": str(copy)})
    session.observer.attached(record.identity, kind, file.name, copy)


def _upload_artifact(command: Command, _record: StepRecord, session: Session) -> None:
    name = _required(command, "artifactname")
    if not command.data:
        raise _CommandError("Artifact location is required.")
    folder = command.properties.get("containerfolder", "")
    below = folder if folder and folder != name else ""
    if ".." in Path(below).parts or Path(below).is_absolute():
        raise _CommandError(f"the container folder '{below}' would leave the artifact")
    session.publish(Path(command.data), name, below=below, merge=True)


def _associate_artifact(command: Command, record: StepRecord, _session: Session) -> None:
    name = _required(command, "artifactname")
    record.log.write(f"Associated artifact {name} with {command.data}")


def _publish_results(command: Command, record: StepRecord, session: Session) -> None:
    kind = _required(command, "type")
    title = command.properties.get("runtitle") or f"{kind}_TestResults_{session.build_number}"
    files = [Path(part.strip()) for part in _required(command, "resultfiles").split(",")]
    for file in files:
        if not file.is_file():
            raise _CommandError(f"the test result file '{file}' does not exist")
        copy = session.attach(file, "test-results", record.name)
        session.test_results.append(copy)
        if kind.lower() == "junit":
            session.observer.tested(title, copy)


def _update_build_number(command: Command, record: StepRecord, session: Session) -> None:
    if not command.data:
        raise _CommandError("Build number is required.")
    record.variables.set("Build.BuildNumber", command.data)
    session.predefined["Build.BuildNumber"] = command.data
    session.observer.numbered(command.data)


def _add_build_tag(command: Command, _record: StepRecord, session: Session) -> None:
    tag = command.data.strip()
    if not tag:
        raise _CommandError("Build tag is required.")
    if tag.lower() not in (known.lower() for known in session.tags):
        session.tags.append(tag)
    session.observer.tagged(tag)


def _no_effect(command: Command, record: StepRecord, _session: Session) -> None:
    """Warn that a command of the real agent has no effect here."""
    record.warning(f"##vso[{command.area}.{command.event}] has no effect in the local agent.")


def _ignore(_command: Command, _record: StepRecord, _session: Session) -> None:
    """Accept what only the service would use."""


_Action = Callable[[Command, StepRecord, Session], None]
# Commands of the real agent that fail the step here, and what to do instead.
_UNSUPPORTED = {
    "task.setendpoint": "Make the service connection as you need it with --connection NAME=SCHEME.",
}
# By area and event: whether restricted steps may use it, and what it does.
_AREAS: dict[str, dict[str, tuple[bool, _Action]]] = {
    "task": {
        "logissue": (True, _log_issue),
        "issue": (True, _log_issue),
        "logdetail": (True, _log_detail),
        "complete": (True, _complete),
        "setprogress": (True, _set_progress),
        "setsecret": (True, _set_secret),
        "setvariable": (True, _set_variable),
        "settaskvariable": (True, _set_task_variable),
        "debug": (True, _debug),
        "prependpath": (True, _prepend_path),
        "uploadsummary": (False, _upload_summary),
        "addattachment": (False, _add_attachment),
        "uploadfile": (False, _upload_file),
    },
    "telemetry": {"publish": (True, _ignore)},
    "codecoverage": {"publish": (False, _no_effect), "enable": (False, _no_effect)},
    "release": {"updatereleasename": (False, _no_effect)},
    "artifact": {"upload": (False, _upload_artifact), "associate": (False, _associate_artifact)},
    "results": {"publish": (False, _publish_results)},
    "build": {
        "updatebuildnumber": (False, _update_build_number),
        "addbuildtag": (False, _add_build_tag),
        "uploadlog": (False, _upload_file),
        "uploadsummary": (False, _upload_summary),
    },
}
