"""Check what fills the lists of the classic editor: a task's `dataSourceBindings`.

The portal asks the service connection's API for each list. Sources: docs/authoring/endpoints/
dataSources.md and pagination.md of microsoft/azure-pipelines-extensions, Tasks/HelmDeployV1 of
microsoft/azure-pipelines-tasks for addresses that stand inline (the named data sources of Azure
Resource Manager are internal to Microsoft), and for the templates that follow Resource Manager's
`nextLink` the data source `AzureKubernetesClusters` of the service's own endpoint type `azurerm`,
as `_apis/serviceendpoint/types` answers it.
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
NEXT_PAGE = "{{{#if nextQueryParam}}}&{{{nextQueryParam}}}{{{/if}}}"
"""The end of the address of a list that comes in pages."""
PAGING = {
    "initialContextTemplate": '{"nextQueryParam": ""}',
    "callbackRequiredTemplate": "{{isTokenPresent response.nextLink}}",
    # Azure ML pages by $skip, Resource Manager by $skiptoken, and either may be escaped.
    "callbackContextTemplate": (
        '{"nextQueryParam": "{{#getTokenValue response.nextLink}}{{extractUrlQueryParamKeyValue '
        '%24skip,$skip,%24skiptoken,$skiptoken,skipToken}}{{/getTokenValue}}"}'
    ),
}
WHOLE = re.compile(r"/(?:locations|vmSizes)\?")
"""Lists that Azure answers whole, so that they have no further pages."""


def picker_problems(task: Task) -> Iterator[str]:
    """What is wrong with the bindings of a task, and with the inputs that they fill."""
    inputs = {item["name"]: item for item in task["inputs"]}
    bindings = task.get("dataSourceBindings", [])
    targets = [binding["target"] for binding in bindings]
    for name in sorted({name for name in targets if targets.count(name) > 1}):
        yield f"the list of {name} is bound twice"
    for name, item in inputs.items():
        if item["type"] == "pickList":
            yield from list_problems(item, bound=name in targets)
    for binding in bindings:
        for problem in binding_problems(binding, inputs):
            yield f"the list of {binding['target']}: {problem}"


def list_problems(item: Mapping[str, Any], *, bound: bool) -> Iterator[str]:
    """What is wrong with an input that is a list; `bound`: Azure fills it."""
    if not bound and not item.get("options"):
        yield f"input {item['name']}: it is a list, and nothing fills it"
    if bound and not editable(item):
        yield f"input {item['name']}: Azure fills the list, and nothing else can be typed"


def editable(item: Mapping[str, Any]) -> bool:
    """Whether the list of an input takes what is not in it, a variable for example."""
    return bool(item.get("properties", {}).get("EditableOptions") == "True")


def binding_problems(binding: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with one binding."""
    if inputs.get(binding["target"], {}).get("type") != "pickList":
        yield "there is no such input, or it is no pickList"
    if binding["endpointId"] != f"$({CONNECTION})":
        yield f"endpointId is not $({CONNECTION})"
    yield from address_problems(binding, inputs)
    yield from page_problems(binding)
    yield from result_problems(binding)


def address_problems(binding: Mapping[str, Any], inputs: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the address that the portal asks."""
    target, url = binding["target"], binding["endpointUrl"]
    if not url.startswith(BASE):
        yield f"endpointUrl does not start with {BASE}"
    if not re.search(r"\?api-version=\d{4}-\d\d-\d\d(&|{|$)", url):
        yield "endpointUrl has no released api-version"
    for name in INPUT.findall(url):
        if name == target or name not in inputs:
            yield f"endpointUrl names $({name}), which is no other input"
        elif may_be_empty(inputs[name]) and not inputs.get(target, {}).get("options"):
            # The portal asks only when it has a value for each input in the address.
            yield f"it stays empty while {name}, which may be left out, is empty: give it options"


def may_be_empty(item: Mapping[str, Any]) -> bool:
    """Whether people may leave it out; an input with a rule of its own is needed where it shows."""
    return not item["required"] and "visibleRule" not in item


def page_problems(binding: Mapping[str, Any]) -> Iterator[str]:
    """A list that comes in pages must follow them, or it ends after the first."""
    if WHOLE.search(binding["endpointUrl"]):
        for name in sorted(PAGING.keys() & binding.keys()):
            yield f"{name} is for lists that come in pages"
        return
    if not binding["endpointUrl"].endswith(NEXT_PAGE):
        yield f"endpointUrl does not end with {NEXT_PAGE}"
    for name, template in PAGING.items():
        if binding.get(name) != template:
            yield f"{name} is not {template}"


def result_problems(binding: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the way from an answer to the entries of the list."""
    if not binding["resultSelector"].startswith("jsonpath:$."):
        yield "resultSelector is no JSONPath"
    try:
        shown = json.loads(binding["resultTemplate"])
    except ValueError:
        yield "resultTemplate is not JSON"
        return
    if sorted(shown) != ["DisplayValue", "Value"]:
        yield "resultTemplate has other names than Value and DisplayValue"
