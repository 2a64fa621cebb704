"""What the portal makes of a task's `dataSourceBindings`.

Source: docs/authoring/endpoints/dataSources.md and pagination.md of
microsoft/azure-pipelines-extensions: values of inputs replace `$(name)`, the address, the contexts
and the results are mustache templates, and the selector is a JSONPath. Strict RFC 9535, so that
nothing passes that only our JSONPath library knows. Mustache has no helpers: those that `azurerm`
uses are known here, and another fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import chevron
import jsonpath

STRICT = jsonpath.JSONPathEnvironment(strict=True)
MOST_CALLS = 5
"""The portal asks no more often than this for one list."""

_IF = re.compile(r"{{{#if (\w+)}}}(.*?){{{/if}}}")
_TOKEN = re.compile(r"{{#getTokenValue response\.(\w+)}}(.*?){{/getTokenValue}}")
_PRESENT = re.compile(r"{{isTokenPresent response\.(\w+)}}")
_QUERY = re.compile(r"{{extractUrlQueryParamKeyValue ([^}]+)}}")


def waits_for(binding: Mapping[str, Any], inputs: Mapping[str, str]) -> list[str]:
    """The inputs without a value, for which the portal does not ask yet."""
    return [name for name in re.findall(r"\$\((\w+)\)", binding["endpointUrl"]) if not inputs[name]]


def address(
    binding: Mapping[str, Any],
    inputs: Mapping[str, str],
    endpoint: Mapping[str, str],
    context: Mapping[str, str] | None = None,
) -> str:
    """The URL that the portal asks, for values of inputs and the data of a service connection.

    `context` is that of the page; without one it is the first page's.
    """
    found = context or json.loads(binding.get("initialContextTemplate", "{}"))
    filled = re.sub(r"\$\((\w+)\)", lambda name: inputs[name[1]], binding["endpointUrl"])
    chosen = _IF.sub(lambda part: part[2] if found.get(part[1]) else "", filled)
    return _rendered(chosen, {"endpoint": endpoint, **found})


def next_context(binding: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str] | None:
    """The context of the page after this answer, None when it was the last."""
    needed = _PRESENT.sub(
        lambda part: str(bool(answer.get(part[1]))).lower(),
        binding.get("callbackRequiredTemplate", "false"),
    )
    if _rendered(needed, {}) != "true":
        return None

    def extracted(part: re.Match[str]) -> str:
        link = str(answer[part[1]])
        return _QUERY.sub(lambda names: _query_of(link, names[1].split(",")), part[2])

    filled = _TOKEN.sub(extracted, binding["callbackContextTemplate"])
    context: dict[str, str] = json.loads(_rendered(filled, {}))
    return context


def entries(
    binding: Mapping[str, Any],
    inputs: Mapping[str, str],
    endpoint: Mapping[str, str],
    ask: Callable[[str], Mapping[str, Any]],
) -> dict[str, str]:
    """The whole list: what is taken, and what people read. `ask` gets the answer of an address."""
    shown: dict[str, str] = {}
    for answer in _answers(binding, inputs, endpoint, ask):
        shown |= choices(binding, answer)
    return shown


def _answers(
    binding: Mapping[str, Any],
    inputs: Mapping[str, str],
    endpoint: Mapping[str, str],
    ask: Callable[[str], Mapping[str, Any]],
) -> Iterator[Mapping[str, Any]]:
    context = None
    for _ in range(MOST_CALLS):
        answer = ask(address(binding, inputs, endpoint, context))
        yield answer
        context = next_context(binding, answer)
        if context is None:
            return


def choices(binding: Mapping[str, Any], answer: Any) -> dict[str, str]:
    """The list that the portal shows for one answer."""
    selector = binding["resultSelector"].removeprefix("jsonpath:")
    shown = (
        json.loads(chevron.render(binding["resultTemplate"], item))
        for item in STRICT.findall(selector, answer)
    )
    return {item["Value"]: item["DisplayValue"] for item in shown}


def _query_of(link: str, names: list[str]) -> str:
    """`key=value`, as it stands in the link, of the first parameter that has one of the names."""
    pairs = urlsplit(link).query.split("&")
    return next((pair for pair in pairs if pair.partition("=")[0] in names), "")


def _rendered(template: str, data: Mapping[str, Any]) -> str:
    helper = re.search(r"{{[#/]?\w+ [^}]*}}", template)
    assert helper is None, f"the portal has no helper {helper}"
    return str(chevron.render(template, dict(data)))
