"""Compile-time expressions: ``${{ }}`` in values, and if, elseif, else, each, insert as keys.

Source: MicrosoftDocs/azure-devops-docs docs/pipelines/process/templates.md and expressions.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, replace
from typing import Protocol, TypeGuard

from local.agent.definition.document import Mapping, Node, Scalar, Sequence
from local.agent.definition.node_values import node_of
from local.agent.errors import Place
from local.agent.expressions.language import Context, evaluate
from local.agent.expressions.values import ExpressionError, Value, to_boolean, to_string

_EXPRESSION = re.compile(r"\$\{\{((?:'(?:[^']|'')*'|(?!\}\}).)*)\}\}", re.DOTALL)
_DIRECTIVE = re.compile(r"(if|elseif|else|each|insert)\b\s*(.*)", re.DOTALL)
_EACH = re.compile(r"([A-Za-z_]\w*)\s+in\s+(.*)", re.DOTALL)
# Lists that template files can fill. Below the first two, mappings may declare variables that
# their contents can read.
_LEVELS = ("stages", "jobs")
LISTS = (*_LEVELS, "steps", "variables")
Names = dict[str, Value]


class Include(Protocol):
    """What an expander does with a reference to a template file."""

    def __call__(self, reference: Mapping, kind: str, expander: Expander) -> Iterable[Node]:
        """Return the items that the file has for a list of the kind."""
        ...


@dataclass(frozen=True)
class Variables:
    """The variables that template expressions read: a block's own appear as they are declared.

    Attributes:
        fixed: variables of the command line, which win over those of the file's top level.
        known: by name.
    """

    fixed: Dict[str, str]
    known: dict[str, Value]

    def inner(self, *, top: bool = False) -> Variables:
        """Return those of an inner block; only the top level gives way to the command line."""
        return Variables(self.fixed if top else {}, dict(self.known))

    def declare(self, name: str, value: str) -> None:
        """Add a variable; names that differ in case are one."""
        fixed = {one.lower(): text for one, text in self.fixed.items()}
        for other in [one for one in self.known if one.lower() == name.lower()]:
            del self.known[other]
        self.known[name] = fixed.get(name.lower(), value)


@dataclass(frozen=True, kw_only=True)
class Expander:
    """Expands the expressions of one file.

    Attributes:
        parameters: of the file, typed.
        variables: known where the expressions stand.
        loops: the names that ``each`` gave.
        include: replaces references to template files.
    """

    parameters: Dict[str, Value]
    variables: Variables
    include: Include
    loops: Dict[str, Value]

    def node(self, node: Node, *, level: int | None = None, kind: str | None = None) -> Node:
        """Return a node without ``${{ }}``.

        Args:
            node: what to expand.
            level: 0 at the root, 1 inside stages or jobs, None where variables mean nothing.
            kind: of a list, which template files can fill.

        Raises:
            PipelineFileError: an expression is wrong, or a directive is in the wrong place.
        """
        if isinstance(node, Scalar):
            return self._scalar(node)
        if isinstance(node, Sequence):
            return replace(node, items=tuple(self.items(node, level=level, kind=kind)))
        if level is not None and node.get("variables") is not None:
            return self._declaring(node, level)
        return replace(node, entries=tuple(self.entries(node, level=level)))

    def _evaluate(self, text: str, place: Place) -> Value:
        names = {
            "parameters": self.parameters,
            "variables": self.variables.known,
            **self.loops,
        }
        try:
            return evaluate(text, Context(values=names))
        except ExpressionError as error:
            raise place.error(str(error)) from error

    def _scalar(self, node: Scalar) -> Node:
        whole = _EXPRESSION.fullmatch(node.text.strip())
        if whole is not None:
            return node_of(self._evaluate(whole[1], node.place), node.place)
        if "${{" in _EXPRESSION.sub("", node.text):
            raise node.place.error("'${{' has no matching '}}'")
        try:
            text = _EXPRESSION.sub(
                lambda match: to_string(self._evaluate(match[1], node.place)), node.text
            )
        except ExpressionError as error:
            raise node.place.error(str(error)) from error
        return replace(node, text=text)

    def items(self, node: Sequence, *, level: int | None, kind: str | None) -> Iterable[Node]:
        """Yield a list's items one by one; what each declares is known to the next."""
        chain = _Chain()
        for item in node.items:
            directive = _list_directive(item)
            if directive is None:
                chain.close()
                yield from self._item(item, level=level, kind=kind)
                continue
            for inner in self._taken(directive, chain):
                yield from inner._spliced(directive, level=level, kind=kind)

    def _spliced(
        self, directive: _Directive, *, level: int | None, kind: str | None
    ) -> Iterable[Node]:
        body = directive.body
        if isinstance(body, Mapping):
            yield from self._item(body, level=level, kind=kind)
            return
        items = body if isinstance(body, Sequence) else self.node(body)
        if not isinstance(items, Sequence):
            raise directive.place.error("there must be a list below this expression")
        yield from self.items(items, level=level, kind=kind)

    def _item(self, item: Node, *, level: int | None, kind: str | None) -> Iterable[Node]:
        if kind is not None and _is_reference(item):
            yield from self.include(item, kind, self)
            return
        expanded = self.node(item, level=level)
        items: tuple[Node, ...] = (expanded,)
        if isinstance(item, Scalar) and isinstance(expanded, Sequence):
            # A list-valued expression as an item is spliced in, as the service does.
            items = expanded.items
        for one in items:
            if kind is not None and _is_reference(one):
                yield from self.include(one, kind, self)
            else:
                yield one

    def entries(
        self, node: Mapping, *, level: int | None, kinds: Dict[str, str] | None = None
    ) -> Iterable[tuple[Scalar, Node]]:
        """Yield a mapping's entries one by one.

        Args:
            node: the mapping.
            level: as for :meth:`node`.
            kinds: of the lists in it, by key; those of a pipeline by default.
        """
        chain = _Chain()
        for key, body in node.entries:
            directive = _directive(key, body)
            if directive is not None:
                for inner in self._taken(directive, chain):
                    yield from inner._inserted(directive, level=level, kinds=kinds)
                continue
            chain.close()
            name = self._scalar(key)
            if not isinstance(name, Scalar):
                raise key.place.error("a key must be text")
            known = {one: one for one in LISTS} if kinds is None else kinds
            inner_level = 1 if level is not None and name.text in _LEVELS else None
            yield name, self.node(body, level=inner_level, kind=known.get(name.text))

    def _inserted(
        self, directive: _Directive, *, level: int | None, kinds: Dict[str, str] | None
    ) -> Iterable[tuple[Scalar, Node]]:
        body = directive.body
        if isinstance(body, Scalar):
            body = self.node(body)
        if not isinstance(body, Mapping):
            raise directive.place.error("there must be a mapping below this expression")
        yield from self.entries(body, level=level, kinds=kinds)

    def _taken(self, directive: _Directive, chain: _Chain) -> Iterable[Expander]:
        """Yield an expander for each time that the directive's body is used."""
        if directive.name == "each":
            chain.close()
            yield from self._rounds(directive)
        elif directive.name == "insert":
            chain.close()
            yield self
        elif chain.asks(directive):
            holds = directive.name == "else"
            chain.taken = holds or to_boolean(self._evaluate(directive.text, directive.place))
            if chain.taken:
                yield self

    def _rounds(self, directive: _Directive) -> Iterable[Expander]:
        match = _EACH.fullmatch(directive.text)
        if match is None:
            raise directive.place.error("write '${{ each NAME in EXPRESSION }}'")
        collection = self._evaluate(match[2], directive.place)
        items: Iterable[Value]
        if isinstance(collection, Dict):
            items = [{"key": name, "value": value} for name, value in collection.items()]
        elif isinstance(collection, (list, tuple)):
            items = collection
        else:
            raise directive.place.error(f"'{match[2]}' is neither a list nor a mapping")
        for item in items:
            yield replace(self, loops={**self.loops, match[1]: item})

    def _declaring(self, node: Mapping, level: int) -> Mapping:
        """Expand a mapping with variables: these first, then what reads them."""
        inner = replace(self, variables=self.variables.inner(top=level == 0))
        block = inner.block(node.get("variables") or node)
        rest = [(key, body) for key, body in node.entries if key.text != "variables"]
        expanded = inner.entries(replace(node, entries=tuple(rest)), level=level)
        key = Scalar(text="variables", place=block.place)
        return replace(node, entries=((key, block), *expanded))

    def block(self, node: Node) -> Node:
        """Expand a block of variables; each sees those before it, and stays in `variables`."""
        found: list[Node] = []
        entries: list[tuple[Scalar, Node]] = []
        if isinstance(node, Scalar):
            node = self.node(node)
        if isinstance(node, Mapping):
            for name, value in self.entries(node, level=None, kinds={}):
                entries.append((name, value))
                if isinstance(value, Scalar):
                    self.variables.declare(name.text, value.text)
            block: Node = replace(node, entries=tuple(entries))
        elif isinstance(node, Sequence):
            for item in self.items(node, level=None, kind="variables"):
                found.append(item)
                self._declare(item)
            block = replace(node, items=tuple(found))
        else:
            block = node
        for fixed_name, text in self.variables.fixed.items():
            self.variables.declare(fixed_name, text)
        return block

    def _declare(self, item: Node) -> None:
        name = item.get("name") if isinstance(item, Mapping) else None
        value = item.get("value") if isinstance(item, Mapping) else None
        if isinstance(name, Scalar) and isinstance(value, Scalar):
            self.variables.declare(name.text, value.text)


@dataclass(frozen=True, kw_only=True)
class _Directive:
    """A key such as ``${{ if ... }}``: its name, the rest of it, and what is below it."""

    name: str
    text: str
    body: Node
    place: Place


def _directive(key: Scalar, body: Node) -> _Directive | None:
    whole = _EXPRESSION.fullmatch(key.text.strip())
    match = _DIRECTIVE.fullmatch(whole[1].strip()) if whole is not None else None
    if match is None:
        return None
    return _Directive(name=match[1], text=match[2].strip(), body=body, place=key.place)


def _list_directive(item: Node) -> _Directive | None:
    """Return the directive that an item of a list is.

    ``each`` and ``insert`` over a mapping build one item from its entries instead.
    """
    if not isinstance(item, Mapping) or len(item.entries) != 1:
        return None
    key, body = item.entries[0]
    directive = _directive(key, body)
    if directive is None or (isinstance(body, Mapping) and directive.name in ("each", "insert")):
        return None
    return directive


def _is_reference(node: Node) -> TypeGuard[Mapping]:
    return isinstance(node, Mapping) and "template" in node


class _Chain:
    """An if, elseif, else chain: None outside one, else whether a branch was taken."""

    def __init__(self) -> None:
        self.taken: bool | None = None

    def close(self) -> None:
        self.taken = None

    def asks(self, directive: _Directive) -> bool:
        """Say whether a branch must be looked at; raises PipelineFileError outside a chain."""
        if directive.name == "if":
            return True
        if self.taken is None:
            raise directive.place.error(f"'${{{{ {directive.name} }}}}' does not follow an if")
        return not self.taken
