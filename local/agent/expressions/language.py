"""The expression language of conditions, ``$[ ]`` and ``${{ }}``: parsing and evaluation.

Functions and grammar: MicrosoftDocs/azure-devops-docs docs/pipelines/process/expressions.md
(commit 0003e520c1dfb2272516290355e7d2d7b14b2790) and the agent's
src/Agent.Worker/ExpressionManager.cs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from local.agent.errors import nearest
from local.agent.expressions.functions import FUNCTIONS, Function
from local.agent.expressions.values import (
    ExpressionError,
    Value,
    lookup,
    parse_version,
    to_boolean,
)

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>'(?:[^']|'')*')
      | (?P<number>[-+]?(?:\d[\d.]*|\.\d+))
      | (?P<name>[A-Za-z_][A-Za-z0-9_-]*)
      | (?P<symbol>[()\[\],.*])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True, kw_only=True)
class Context:
    """What an expression can see.

    Attributes:
        values: the named values, e.g. ``variables`` and ``dependencies``.
        functions: functions beyond the built-in ones, by lower-case name.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    functions: Mapping[str, Function] = field(default_factory=dict)


@dataclass(frozen=True)
class _Literal:
    value: Value


@dataclass(frozen=True)
class _Named:
    name: str


@dataclass(frozen=True)
class _Index:
    container: _Expression
    key: _Expression


@dataclass(frozen=True)
class _Filter:
    container: _Expression


@dataclass(frozen=True)
class _Call:
    name: str
    arguments: tuple[_Expression, ...]


_Expression = _Literal | _Named | _Index | _Filter | _Call


def evaluate(text: str, context: Context) -> Value:
    """Evaluate an expression.

    Raises:
        ExpressionError: it cannot be parsed, names something unknown, or compares what cannot be
            compared.
    """
    return _evaluate(_Parser(text, context).parse(), context)


def check(text: str, context: Context) -> None:
    """Parse without evaluating; raises as :func:`evaluate`."""
    _Parser(text, context).parse()


def condition(text: str, context: Context) -> bool:
    """Evaluate a condition; raises as :func:`evaluate`."""
    return to_boolean(evaluate(text, context))


class _Parser:
    def __init__(self, text: str, context: Context) -> None:
        self.text = text
        self.context = context
        self.tokens: list[tuple[str, str]] = []
        position = 0
        stripped = text.rstrip()
        while position < len(stripped):
            match = _TOKEN.match(stripped, position)
            if match is None:
                raise self.error(f"unexpected '{stripped[position:].strip()[:20]}'")
            kind = str(match.lastgroup)
            self.tokens.append((kind, match[kind]))
            position = match.end()
        self.position = 0

    def error(self, problem: str) -> ExpressionError:
        return ExpressionError(f"{problem} in the expression '{self.text.strip()}'")

    def parse(self) -> _Expression:
        if not self.tokens:
            raise self.error("there is nothing")
        expression = self.expression()
        if self.position < len(self.tokens):
            raise self.error(f"unexpected '{self.tokens[self.position][1]}'")
        return expression

    def take(self, symbol: str | None = None) -> tuple[str, str]:
        if self.position >= len(self.tokens):
            raise self.error(f"'{symbol}' is missing" if symbol else "a value is missing")
        token = self.tokens[self.position]
        if symbol is not None and token != ("symbol", symbol):
            raise self.error(f"'{symbol}' is missing before '{token[1]}'")
        self.position += 1
        return token

    def next_is(self, symbol: str) -> bool:
        return self.tokens[self.position : self.position + 1] == [("symbol", symbol)]

    def expression(self) -> _Expression:
        kind, text = self.take()
        node: _Expression
        if kind == "string":
            node = _Literal(text[1:-1].replace("''", "'"))
        elif kind == "number":
            node = _Literal(self.number(text))
        elif kind == "name" and self.next_is("("):
            node = self.call(text)
        elif kind == "name":
            node = self.named(text)
        else:
            raise self.error(f"unexpected '{text}'")
        while self.next_is(".") or self.next_is("["):
            node = self.access(node)
        return node

    def number(self, text: str) -> Value:
        if text.count(".") > 1:
            version = parse_version(text)
            if version is None:
                raise self.error(f"'{text}' is neither a number nor a version")
            return version
        if text.endswith("."):
            raise self.error(f"'{text}' is not a number")
        return Decimal(text)

    def call(self, name: str) -> _Expression:
        self.take("(")
        arguments: list[_Expression] = []
        while not self.next_is(")"):
            if arguments:
                self.take("," if self.position < len(self.tokens) else ")")
            arguments.append(self.expression())
        self.take(")")
        known = {**FUNCTIONS, **self.context.functions}
        if name.lower() not in known:
            raise self.error(f"the function '{name}' is unknown ({nearest(name, known)})")
        declared = known[name.lower()]
        if not declared.least <= len(arguments) <= declared.most:
            raise self.error(f"the function '{name}' cannot take {len(arguments)} arguments")
        return _Call(name.lower(), tuple(arguments))

    def named(self, name: str) -> _Expression:
        if name.lower() in ("true", "false"):
            return _Literal(name.lower() == "true")
        for known in self.context.values:
            if known.lower() == name.lower():
                return _Named(known)
        valid = nearest(name, self.context.values)
        raise self.error(f"the value '{name}' is not available here ({valid})")

    def access(self, node: _Expression) -> _Expression:
        if self.take()[1] == "[":
            if self.next_is("*"):
                self.take("*")
                self.take("]")
                return _Filter(node)
            key = self.expression()
            self.take("]")
            return _Index(node, key)
        kind, text = self.take()
        if (kind, text) == ("symbol", "*"):
            return _Filter(node)
        if kind != "name":
            raise self.error(f"a name is missing before '{text}'")
        return _Index(node, _Literal(text))


def _evaluate(node: _Expression, context: Context) -> Value:
    if isinstance(node, _Literal):
        return node.value
    if isinstance(node, _Named):
        return context.values[node.name]
    if isinstance(node, _Filter):
        container = _evaluate(node.container, context)
        if isinstance(container, Mapping):
            return _Filtered(container.values())
        return _Filtered(container if isinstance(container, (list, tuple)) else ())
    if isinstance(node, _Index):
        container = _evaluate(node.container, context)
        key = _evaluate(node.key, context)
        if isinstance(container, _Filtered):
            found = (lookup(item, key) for item in container)
            return _Filtered(item for item in found if item is not None)
        return lookup(container, key)
    if node.name in ("and", "or", "iif", "coalesce"):
        return _short_circuit(node, context)
    arguments = [_evaluate(argument, context) for argument in node.arguments]
    function = context.functions.get(node.name) or FUNCTIONS[node.name]
    return function.call(arguments)


class _Filtered(list[Value]):
    """The result of ``.*``: indexing it indexes each item."""


def _short_circuit(node: _Call, context: Context) -> Value:
    """Evaluate the functions that leave later arguments alone once the answer is known."""
    if node.name in ("and", "or"):
        decisive = node.name == "or"
        for argument in node.arguments:
            if to_boolean(_evaluate(argument, context)) is decisive:
                return decisive
        return not decisive
    if node.name == "iif":
        chosen = 1 if to_boolean(_evaluate(node.arguments[0], context)) else 2
        return _evaluate(node.arguments[chosen], context)
    for argument in node.arguments:
        value = _evaluate(argument, context)
        if value is not None and value != "":
            return value
    return None
