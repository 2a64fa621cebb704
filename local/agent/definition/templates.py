"""Compile-time expressions: ``${{ }}`` in values, and if, elseif, else, each, insert as keys.

Source: MicrosoftDocs/azure-devops-docs docs/pipelines/process/templates.md and expressions.md.
Template files, ``extends`` and ``resources`` are refused where they are read (pipeline.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from pathlib import Path

from local.agent.definition.document import (
    Mapping,
    Node,
    Scalar,
    Sequence,
)
from local.agent.errors import PipelineFileError
from local.agent.expressions.language import Context, evaluate
from local.agent.expressions.values import (
    ExpressionError,
    Value,
    to_boolean,
    to_string,
)

_EXPRESSION = re.compile(r"\$\{\{((?:'(?:[^']|'')*'|(?!\}\}).)*)\}\}", re.DOTALL)
_DIRECTIVE = re.compile(r"(if|elseif|else|each|insert)\b\s*(.*)", re.DOTALL)
_EACH = re.compile(r"([A-Za-z_]\w*)\s+in\s+(.*)", re.DOTALL)
# Mappings below these keys may declare variables that their contents can read.
_LEVELS = ("stages", "jobs")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What compile-time expressions can read.

    Attributes:
        parameters: the pipeline's parameters, typed.
        variables: variables known before the run; those written in the file are added.
        overrides: variables given on the command line, which win over the file's top level.
    """

    parameters: Dict[str, Value]
    variables: Dict[str, str]
    overrides: Dict[str, str]


def expand(root: Node, scope: Scope, path: Path) -> Node:
    """Return the tree without ``${{ }}``.

    Raises:
        PipelineFileError: an expression is wrong or a directive stands where it cannot.
    """
    values: dict[str, Value] = {"parameters": scope.parameters, "variables": scope.variables}
    return _Expander(path, scope.overrides).node(root, values, level=0)


def value_of(node: Node) -> Value:
    """Return a node as a value; every scalar is text."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [value_of(item) for item in node.items]
    return {key.text: value_of(value) for key, value in node.entries}


def _node_of(value: Value, line: int) -> Node:
    if isinstance(value, Dict):
        entries = ((Scalar(text=k, line=line), _node_of(v, line)) for k, v in value.items())
        return Mapping(entries=tuple(entries), line=line)
    if isinstance(value, (list, tuple)):
        return Sequence(items=tuple(_node_of(item, line) for item in value), line=line)
    return Scalar(text=to_string(value), line=line)


class _Expander:
    """``level``: 0 at the root, 1 inside stages or jobs, None where variables mean nothing."""

    def __init__(self, path: Path, overrides: Dict[str, str]) -> None:
        self.path = path
        self.overrides = overrides

    def error(self, line: int, message: str) -> PipelineFileError:
        return PipelineFileError(self.path, line, message)

    def evaluate(self, text: str, values: dict[str, Value], line: int) -> Value:
        try:
            return evaluate(text, Context(values=values))
        except ExpressionError as error:
            raise self.error(line, str(error)) from error

    def node(self, node: Node, values: dict[str, Value], level: int | None) -> Node:
        if isinstance(node, Scalar):
            return self.scalar(node, values)
        if isinstance(node, Sequence):
            return replace(node, items=tuple(self.items(node.items, values, level)))
        return self.mapping(node, values, level)

    def scalar(self, node: Scalar, values: dict[str, Value]) -> Node:
        whole = _EXPRESSION.fullmatch(node.text.strip())
        if whole is not None:
            return _node_of(self.evaluate(whole[1], values, node.line), node.line)
        text = _EXPRESSION.sub(
            lambda match: to_string(self.evaluate(match[1], values, node.line)), node.text
        )
        if "${{" in _EXPRESSION.sub("", node.text):
            raise self.error(node.line, "'${{' has no matching '}}'")
        return replace(node, text=text)

    def directive(self, key: Scalar) -> tuple[str, str] | None:
        """Return the directive's name and the rest, None for any other key."""
        whole = _EXPRESSION.fullmatch(key.text.strip())
        match = _DIRECTIVE.fullmatch(whole[1].strip()) if whole is not None else None
        return (match[1], match[2].strip()) if match is not None else None

    def rounds(self, text: str, line: int, values: dict[str, Value]) -> Iterable[dict[str, Value]]:
        match = _EACH.fullmatch(text)
        if match is None:
            raise self.error(line, "write '${{ each NAME in EXPRESSION }}'")
        collection = self.evaluate(match[2], values, line)
        if isinstance(collection, Dict):
            for name, value in collection.items():
                yield {**values, match[1]: {"key": name, "value": value}}
        elif isinstance(collection, (list, tuple)):
            for item in collection:
                yield {**values, match[1]: item}
        else:
            raise self.error(line, f"'{match[2]}' is neither a list nor a mapping")

    def items(
        self, items: tuple[Node, ...], values: dict[str, Value], level: int | None
    ) -> Iterable[Node]:
        chain = _Chain()
        for item in items:
            directive = None
            if isinstance(item, Mapping) and len(item.entries) == 1:
                directive = self.directive(item.entries[0][0])
            if directive is None or not isinstance(item, Mapping):
                chain.close()
                expanded = self.node(item, values, level)
                # A list-valued expression as an item is spliced in, as the service does.
                if isinstance(item, Scalar) and isinstance(expanded, Sequence):
                    yield from expanded.items
                else:
                    yield expanded
                continue
            key, body = item.entries[0]
            for scope in self.taken(directive, key.line, values, chain):
                if not isinstance(body, Sequence):
                    raise self.error(key.line, "below this expression a list must stand")
                yield from self.items(body.items, scope, level)

    def taken(
        self,
        directive: tuple[str, str],
        line: int,
        values: dict[str, Value],
        chain: _Chain,
    ) -> Iterable[dict[str, Value]]:
        """Yield the scopes in which the directive's body stands: none, one, or one per round."""
        kind, text = directive
        if kind == "each":
            chain.close()
            yield from self.rounds(text, line, values)
        elif kind == "insert":
            chain.close()
            yield values
        else:
            if kind == "if":
                chain.taken = False
            elif chain.taken is None:
                raise self.error(line, f"'${{{{ {kind} }}}}' does not follow an if")
            elif chain.taken:
                return
            chain.taken = kind == "else" or to_boolean(self.evaluate(text, values, line))
            if chain.taken:
                yield values

    def mapping(self, node: Mapping, values: dict[str, Value], level: int | None) -> Node:
        if level is not None and node.get("variables") is not None:
            values = self.with_variables(node, values, level)
        return replace(node, entries=tuple(self.entries(node, values, level)))

    def entries(
        self, node: Mapping, values: dict[str, Value], level: int | None
    ) -> Iterable[tuple[Scalar, Node]]:
        chain = _Chain()
        for key, body in node.entries:
            directive = self.directive(key)
            if directive is None:
                chain.close()
                name = self.scalar(key, values)
                if not isinstance(name, Scalar):
                    raise self.error(key.line, "a key must be text")
                inner = 1 if level is not None and name.text in _LEVELS else None
                yield name, self.node(body, values, inner)
                continue
            for scope in self.taken(directive, key.line, values, chain):
                expanded = self.node(body, scope, level)
                if not isinstance(expanded, Mapping):
                    raise self.error(key.line, "below this expression a mapping must stand")
                yield from expanded.entries

    def with_variables(
        self, node: Mapping, values: dict[str, Value], level: int
    ) -> dict[str, Value]:
        declared = self.node(node.get("variables") or node, values, None)
        known = values["variables"]
        merged = dict(known) if isinstance(known, Dict) else {}
        for name, value in _declarations(declared):
            merged = {k: v for k, v in merged.items() if k.lower() != name.lower()}
            merged[name] = value
        if level == 0:
            for name, value in self.overrides.items():
                merged = {k: v for k, v in merged.items() if k.lower() != name.lower()}
                merged[name] = value
        return {**values, "variables": merged}


class _Chain:
    """An if, elseif, else chain: None outside one, else whether a branch was taken."""

    def __init__(self) -> None:
        self.taken: bool | None = None

    def close(self) -> None:
        self.taken = None


def _declarations(node: Node) -> Iterable[tuple[str, str]]:
    if isinstance(node, Mapping):
        for key, value in node.entries:
            if isinstance(value, Scalar):
                yield key.text, value.text
    elif isinstance(node, Sequence):
        for item in node.items:
            if isinstance(item, Mapping):
                name, text = item.get("name"), item.get("value")
                if isinstance(name, Scalar) and isinstance(text, Scalar):
                    yield name.text, text.text
