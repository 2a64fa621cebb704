"""Check the tasks that the service runs by itself: gates, which ask an address again and again, and
steps of jobs without an agent, which wait until somebody calls back.

Source: docs/authoring/gates.md and servertaskauthoring.md of microsoft/azure-pipelines-tasks. No
tool checks them: tasks.schema.json knows no `HttpRequest`, and tfx looks for handlers' files only.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from extension.pickers import CONNECTION

Task = Mapping[str, Any]

ORGANISATION = "$(System.TeamFoundationCollectionUri)"
"""The only address that a job's token may be sent to, but for the callback of a step."""
TEXTS = ("EndpointUrl", "Method", "Body", "Headers", "WaitForCompletion", "Expression")
CANCEL_TEXTS = ("EndpointId", "EndpointUrl", "Method", "Body", "Headers")
EXECUTE_TEXTS = (*CANCEL_TEXTS, "WaitForCompletion")
CONNECTED = "$(endpoint.url)subscriptions/$(endpoint.subscriptionId)/"
LONGEST = datetime.timedelta(hours=72)
"""The service waits no longer for an event."""
MACRO = re.compile(r"\$\(([\w.]+)\)")
SPAN = re.compile(r"(?:(\d+)\.)?([01]\d|2[0-3]):([0-5]\d):([0-5]\d)")


def gate_problems(task: Task) -> Iterator[str]:
    """What is wrong with how the service runs a gate."""
    if task["runsOn"] != ["ServerGate"] or list(task["execution"]) != ["HttpRequest"]:
        yield "it is no gate: runsOn ServerGate, execution HttpRequest"
        return
    request = task["execution"]["HttpRequest"]["Execute"]
    if missing := [name for name in TEXTS if name not in request]:
        yield f"HttpRequest has no {', '.join(missing)}"
        return
    if request["Method"] != "GET" or request["WaitForCompletion"] != "false":
        yield "HttpRequest is no GET that is answered at once: gates only ask"
    if not request["EndpointUrl"].startswith(ORGANISATION):
        yield f"EndpointUrl does not start with {ORGANISATION}"
    if not is_json(request["Headers"]):
        yield "Headers is not JSON"
    yield from input_problems(task, [request[name] for name in TEXTS])


def callback_problems(task: Task) -> Iterator[str]:
    """What is wrong with how the service runs a step that waits for a callback."""
    if task["runsOn"] != ["Server"] or list(task["execution"]) != ["HttpRequest"]:
        yield "it is no step without an agent: runsOn Server, execution HttpRequest"
        return
    declared = task["execution"]["HttpRequest"]
    parts = {"Execute": EXECUTE_TEXTS, "Cancel": CANCEL_TEXTS}
    for part, names in parts.items():
        if missing := [name for name in names if name not in declared.get(part, {})]:
            yield f"{part} has no {', '.join(missing)}"
            return
    if declared["Execute"]["WaitForCompletion"] != "true":
        yield "Execute does not wait: the step would succeed before the run has ended"
    if not is_json(declared["Execute"]["Body"]):
        yield "the Body of Execute is not JSON"
    for part in parts:
        yield from request_problems(part, declared[part])
    span = declared.get("Events", {}).get("TaskCompleted", {}).get("Timeout", "")
    if not is_timeout(span):
        yield f"the Timeout of TaskCompleted, {span!r}, is no time span up to 72 hours"
    yield from input_problems(
        task, [declared[part][name] for part, names in parts.items() for name in names]
    )


def request_problems(part: str, request: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with a request that the service sends by the task's connection."""
    if request["EndpointId"] != f"$({CONNECTION})":
        yield f"the EndpointId of {part} is not $({CONNECTION})"
    if not request["EndpointUrl"].startswith(CONNECTED):
        yield f"the EndpointUrl of {part} does not start with {CONNECTED}"
    if not is_json(request["Headers"]):
        yield f"the Headers of {part} are not JSON"


def input_problems(task: Task, texts: list[str]) -> Iterator[str]:
    """Inputs that are named and not there, and those that are there and not named."""
    inputs = {item["name"] for item in task["inputs"]}
    used = {name for text in texts for name in MACRO.findall(text)}
    for name in sorted(used):
        if "." not in name and name not in inputs:
            yield f"HttpRequest names $({name}), which is no input"
    for name in sorted(inputs - used):
        yield f"input {name}: HttpRequest does not use it"


def is_json(text: str) -> bool:
    """Whether a text is JSON; macros in it stand within texts."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def is_timeout(span: str) -> bool:
    """Whether a text is a time span of .NET (`d.hh:mm:ss`) that the service may wait."""
    match = SPAN.fullmatch(span)
    if not match:
        return False
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    waits = datetime.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    return datetime.timedelta() < waits <= LONGEST
