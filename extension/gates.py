"""Check the tasks that the service runs by itself: gates, which ask an address again and again.

Source: docs/authoring/gates.md and servertaskauthoring.md of microsoft/azure-pipelines-tasks. No
tool checks them: tasks.schema.json knows no `HttpRequest`, and tfx looks for handlers' files only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Task = Mapping[str, Any]

ORGANISATION = "$(System.TeamFoundationCollectionUri)"
"""The only address that a job's token may be sent to."""
TEXTS = ("EndpointUrl", "Method", "Body", "Headers", "WaitForCompletion", "Expression")
MACRO = re.compile(r"\$\(([\w.]+)\)")


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
    try:
        json.loads(request["Headers"])
    except ValueError:
        yield "Headers is not JSON"
    inputs = {item["name"] for item in task["inputs"]}
    used = {name for text in TEXTS for name in MACRO.findall(request[text])}
    for name in sorted(used):
        if "." not in name and name not in inputs:
            yield f"HttpRequest names $({name}), which is no input"
    for name in sorted(inputs - used):
        yield f"input {name}: HttpRequest does not use it"
