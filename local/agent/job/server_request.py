"""Carrying out a task that needs no agent: one HTTP request, and what decides on its result.

That is an expression over the answer, or the event ``TaskCompleted``, which somebody sends to the
organisation later.

Source: docs/authoring/servertaskauthoring.md of microsoft/azure-pipelines-tasks. Macros of inputs
and variables are filled in everywhere; the expression also knows ``root``, ``jsonpath`` and
``count``.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import jsonpath
import requests

from local.agent.errors import AgentError
from local.agent.expressions import language
from local.agent.expressions.functions import Function
from local.agent.expressions.language import Context
from local.agent.expressions.values import Value
from local.agent.host.connection import Connection
from local.agent.host.process import Wish
from local.agent.host.tasks import HttpRequest, TaskDefinition
from local.agent.host.variables import CaseInsensitive
from local.agent.job.handlers import StepRun, Stopped
from local.agent.session.task_result import Result

# The service waits no longer for an answer.
_TIMEOUT_S = 20.0
_LOOK_S = 0.5
_MACRO = re.compile(r"\$\(([\w.]+)\)")
# An input's default may hold macros whose values hold macros.
_MAX_DEPTH = 10
_STRICT = jsonpath.JSONPathEnvironment(strict=True)


def run_request(run: StepRun, task: TaskDefinition, request: HttpRequest) -> None:
    """Send a task's request; evaluate its answer, or wait for the event that ends the step.

    Raises:
        AgentError: the request cannot be sent, its answer is not a success, the expression is
            false, or the event does not come in time.
        Stopped: the step was asked to end while it waited.
    """
    answer, known = _sent(run, task, request)
    if request.waits:
        _wait(run, task, request)
        return
    expression = _filled(request.expression, known)
    if expression.strip() and not language.condition(expression, _context(answer.text)):
        raise AgentError(f"the answer does not fulfil the task's expression: {expression}")


def _wait(run: StepRun, task: TaskDefinition, request: HttpRequest) -> None:
    """Wait until somebody completes the step."""
    identity = run.record.identity
    run.record.log.write("Waiting for the event TaskCompleted")
    begun = time.monotonic()
    while (result := run.session.observer.told_result(identity)) is None:
        if run.wish() in (Wish.STOP, Wish.KILL):
            _cancel(run, task, request)
            raise Stopped
        if request.patience_s is not None and time.monotonic() - begun > request.patience_s:
            raise AgentError(f"no event TaskCompleted came within {request.patience_s:g} s")
        time.sleep(_LOOK_S)
    if result is Result.Canceled:
        run.record.error("The event TaskCompleted said: canceled")
    elif result is Result.Failed:
        run.record.error("The event TaskCompleted said: failed")
    run.record.result = result


def _cancel(run: StepRun, task: TaskDefinition, request: HttpRequest) -> None:
    """Send what the task sends when it is canceled; a failure is a warning."""
    if request.cancel is None:
        return
    try:
        _sent(run, task, request.cancel)
    except AgentError as error:
        run.record.warning(str(error))


def _sent(
    run: StepRun, task: TaskDefinition, request: HttpRequest
) -> tuple[requests.Response, CaseInsensitive]:
    """Send a request; return its answer, and the values that its macros stand for."""
    values = {
        **run.record.variables.texts(),
        "System.TaskInstanceId": run.record.identity,
        **run.inputs,
    }
    connection = _connection(run, request, CaseInsensitive(values))
    headers: dict[str, str] = {}
    if connection is not None:
        values.update({f"endpoint.{name}": text for name, text in connection.data.items()})
        values["endpoint.url"] = connection.url
        headers["authorization"] = f"Bearer {_token(run, connection)}"
    known = CaseInsensitive(values)
    url = _filled(request.url, known)
    headers.update(_headers(_filled(request.headers, known), task))
    try:
        answer = requests.request(
            request.method,
            url,
            headers=headers,
            data=_filled(request.body, known).encode() or None,
            timeout=_TIMEOUT_S,
        )
    except requests.RequestException as error:
        message = f"{request.method} {url} has no answer ({type(error).__name__})"
        raise AgentError(f"{message}; check the task's inputs and the network") from error
    run.record.log.write(f"{request.method} {url}: {answer.status_code} {answer.reason}")
    if not answer.ok:
        raise AgentError(
            f"{request.method} {url} was answered with {answer.status_code} {answer.reason}; check "
            "the task's inputs and permissions"
        )
    return answer, known


def _filled(text: str, values: Mapping[str, str], depth: int = 0) -> str:
    """Replace macros, also those in the values; unknown ones stay."""

    def fill(match: re.Match[str]) -> str:
        value = values.get(match[1])
        if value is None or depth == _MAX_DEPTH:
            return match[0]
        return _filled(value, values, depth + 1)

    return _MACRO.sub(fill, text)


def _headers(text: str, task: TaskDefinition) -> dict[str, str]:
    try:
        found = json.loads(text or "{}")
        return {str(name): str(value) for name, value in found.items()}
    except (ValueError, AttributeError) as error:
        message = f"the headers of {task.label} are not a JSON object"
        raise AgentError(f"{message}; correct its task.json or its inputs") from error


def _context(answer: str) -> Context:
    try:
        root = json.loads(answer, parse_float=Decimal, parse_int=Decimal)
    except ValueError:
        root = answer

    def find(arguments: Sequence[Value]) -> Value:
        found: list[Any] = _STRICT.findall(str(arguments[0]), root)
        return found

    def count(arguments: Sequence[Value]) -> Value:
        items = arguments[0]
        return Decimal(len(items) if isinstance(items, (list, tuple)) else 0)

    functions = {"jsonpath": Function(1, 1, find), "count": Function(1, 1, count)}
    return Context(values={"root": root}, functions=functions)


def _connection(run: StepRun, request: HttpRequest, values: Mapping[str, str]) -> Connection | None:
    """Return the service connection that the request goes through, None for none."""
    identity = _filled(request.endpoint, values).strip()
    if not identity:
        return None
    for connection in run.session.connections:
        if connection.identity == identity.lower():
            return connection
    raise AgentError(f"the service connection '{identity}' does not exist; name one that does")


def _token(run: StepRun, connection: Connection) -> str:
    """Sign in to Azure Resource Manager by the connection's client secret."""
    parameters = connection.parameters
    if parameters.get("authenticationType") != "spnKey":
        raise AgentError(
            f"the connection '{connection.name}' has no client secret, the only way in which the "
            "local agent signs in for a job without an agent; use the scheme spnKey"
        )
    authority = connection.data["activeDirectoryAuthority"]
    answer = requests.post(
        f"{authority}{parameters['tenantid']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": parameters["serviceprincipalid"],
            "client_secret": parameters["serviceprincipalkey"],
            "scope": f"{connection.url}.default",
        },
        timeout=_TIMEOUT_S,
    )
    if not answer.ok:
        raise AgentError(
            f"the connection '{connection.name}' cannot sign in ({answer.status_code} "
            f"{answer.reason}); check its client id and secret"
        )
    token = str(answer.json()["access_token"])
    run.session.masker.add_variable(token)
    return token
