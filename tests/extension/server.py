"""How Azure DevOps runs an `HttpRequest` by itself, for gates and for checks.

Source: docs/authoring/servertaskauthoring.md of microsoft/azure-pipelines-tasks: macros of inputs
and variables are filled in everywhere, the request is made, and the expression is a condition that
also knows `root`, `jsonpath` and `count`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import requests

from local.agent.expressions import language
from local.agent.expressions.functions import Function
from tests.extension.portal import STRICT


def filled(text: str, values: Mapping[str, str]) -> str:
    """Text with its macros replaced; defaults of inputs hold macros themselves."""
    lowered = {name.lower(): value for name, value in values.items()}

    def replaced(found: re.Match[str]) -> str:
        value = lowered.get(found[1].lower())
        return found[0] if value is None else filled(value, values)

    return re.sub(r"\$\(([\w.]+)\)", replaced, text)


def answered(
    http: requests.Session, request: Mapping[str, str], values: Mapping[str, str]
) -> requests.Response:
    """The answer to the request."""
    return http.request(
        request["Method"],
        filled(request["EndpointUrl"], values),
        headers=json.loads(filled(request["Headers"], values)),
    )


def passes(http: requests.Session, request: Mapping[str, str], values: Mapping[str, str]) -> bool:
    """Whether one evaluation passes: the answer is a success, and the expression holds."""
    answer = answered(http, request, values)
    if not answer.ok:
        return False
    root = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)

    def jsonpath(arguments: Sequence[Any]) -> Any:
        return STRICT.findall(str(arguments[0]), root)

    def count(arguments: Sequence[Any]) -> Any:
        return Decimal(len(arguments[0]))

    functions = {
        "jsonpath": Function(1, 1, jsonpath),
        "count": Function(1, 1, count),
    }
    context = language.Context(values={"root": root}, functions=functions)
    return language.condition(filled(request["Expression"], values), context)
