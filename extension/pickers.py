"""Check what fills the lists of the classic editor: a task's `dataSourceBindings`.

The portal asks the service connection's API for each list. Sources: docs/authoring/endpoints/
dataSources.md of microsoft/azure-pipelines-extensions, and Tasks/HelmDeployV1 of
microsoft/azure-pipelines-tasks for addresses that stand inline (the named data sources of Azure
Resource Manager are internal to Microsoft).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

Task = Mapping[str, Any]

CONNECTION = "connectedServiceNameARM"
BASE = "{{{endpoint.url}}}/subscriptions/{{{endpoint.subscriptionId}}}/"
INPUT = re.compile(r"\$\((\w+)\)")


def picker_problems(task: Task) -> Iterator[str]:
    """What is wrong with the bindings of a task, and with the inputs that they fill."""
    inputs = {item["name"]: item for item in task["inputs"]}
    bindings = task.get("dataSourceBindings", [])
    targets = [binding["target"] for binding in bindings]
    for name in sorted({name for name in targets if targets.count(name) > 1}):
        yield f"the list of {name} is bound twice"
    for name, item in inputs.items():
        if item["type"] != "pickList":
            continue
        if name not in targets and not item.get("options"):
            yield f"input {name}: it is a list, and nothing fills it"
        if name in targets and not editable(item):
            yield f"input {name}: Azure fills the list, and nothing else can be typed"
    for binding in bindings:
        for problem in binding_problems(binding, inputs):
            yield f"the list of {binding['target']}: {problem}"


def editable(item: Mapping[str, Any]) -> bool:
    """Whether the list of an input takes what is not in it, a variable for example."""
    return bool(item.get("properties", {}).get("EditableOptions") == "True")


def binding_problems(binding: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one binding."""
    target, url = binding["target"], binding["endpointUrl"]
    if inputs.get(target, {}).get("type") != "pickList":
        yield "there is no such input, or it is no pickList"
    if binding["endpointId"] != f"$({CONNECTION})":
        yield f"endpointId is not $({CONNECTION})"
    if not url.startswith(BASE):
        yield f"endpointUrl does not start with {BASE}"
    if not re.search(r"\?api-version=\d{4}-\d\d-\d\d(&|$)", url):
        yield "endpointUrl has no released api-version"
    for name in INPUT.findall(url):
        if name == target or name not in inputs:
            yield f"endpointUrl names $({name}), which is no other input"
    if not binding["resultSelector"].startswith("jsonpath:$."):
        yield "resultSelector is no JSONPath"
    try:
        shown = json.loads(binding["resultTemplate"])
    except ValueError:
        yield "resultTemplate is not JSON"
    else:
        if sorted(shown) != ["DisplayValue", "Value"]:
            yield "resultTemplate has other names than Value and DisplayValue"
