"""Template files: what ``template:`` and ``extends:`` bring into a pipeline.

Source: MicrosoftDocs/azure-devops-docs docs/pipelines/process/templates.md. Only files of the
pipeline's own repository can be included.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Mapping as Dict
from dataclasses import dataclass, field, replace
from pathlib import Path

from local.agent.definition import document
from local.agent.definition.document import Mapping, Node, Scalar, Sequence
from local.agent.definition.expansion import LISTS, Expander, Variables
from local.agent.definition.parameters import (
    LIST_KINDS,
    Parameter,
    read_parameters,
    template_parameters,
)
from local.agent.errors import PipelineFileError, Place, nearest
from local.agent.expressions.values import Value

# The service's limit of files, and one of nesting that only a cycle reaches.
MAX_FILES = 100
MAX_NESTING = 30
_REFERENCE = ("template", "parameters")


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What the expressions of a pipeline file can read.

    Attributes:
        parameters: the pipeline's parameters, typed.
        variables: variables known before the run; those written in the file are added.
        overrides: variables of the command line, which win over the file's top level.
    """

    parameters: Dict[str, Value]
    variables: Dict[str, str]
    overrides: Dict[str, str]


def expand(root: Mapping, scope: Scope, repository: Path) -> Mapping:
    """Return a pipeline without ``${{ }}``, ``template:`` and ``extends:``.

    Args:
        root: the pipeline.
        scope: what its expressions can read.
        repository: the folder that holds every file which may be included.

    Raises:
        PipelineFileError: an expression or a reference is wrong.
    """
    files = _Files(repository=repository.resolve())
    variables = Variables(scope.overrides, {**scope.variables, **scope.overrides})
    includer = _Includer(files=files, path=root.place.path)
    expander = Expander(
        parameters=scope.parameters, variables=variables, include=includer, loops={}
    )
    return includer.root(root, expander)


@dataclass(kw_only=True)
class _Files:
    """The files that were read so far."""

    repository: Path
    roots: dict[Path, Mapping] = field(default_factory=dict)

    def read(self, path: Path, reference: Place) -> Mapping:
        if path not in self.roots:
            if len(self.roots) == MAX_FILES:
                raise reference.error(f"a pipeline can include {MAX_FILES} files at most")
            try:
                root = document.load(path)
            except PipelineFileError as error:
                if path.is_file():
                    raise
                message = f"the template '{path}' does not exist; paths are relative to this file"
                raise reference.error(f"{message}, or begin with / at the repository") from error
            if not isinstance(root, Mapping):
                raise root.place.error("a template must be a mapping with steps, jobs or the like")
            self.roots[path] = root
        return self.roots[path]


@dataclass(frozen=True, kw_only=True)
class _Includer:
    """Includes files into the file at ``path``, which was included ``nesting`` levels deep."""

    files: _Files
    path: Path
    nesting: int = 0

    def root(self, root: Mapping, expander: Expander) -> Mapping:
        """Expand the root of a pipeline, or of a template that a pipeline extends."""
        entries = [(key, node) for key, node in root.entries if key.text != "parameters"]
        expanded = expander.node(replace(root, entries=tuple(entries)), level=0)
        if not isinstance(expanded, Mapping) or "extends" not in expanded:
            return expanded if isinstance(expanded, Mapping) else root
        return self._extended(expanded, root, expander)

    def _extended(self, expanded: Mapping, root: Mapping, expander: Expander) -> Mapping:
        """Merge a pipeline with the template that it extends."""
        extends = root.get("extends")
        reference = extends if isinstance(extends, Mapping) else expanded.get("extends")
        if not isinstance(reference, Mapping) or "template" not in reference:
            raise root.place.error("'extends' needs a mapping with a 'template'")
        # What the pipeline itself declares is known to the template.
        inner = replace(expander, variables=_after(expanded, expander))
        template, typed, includer = self._opened(reference, inner)
        merged = includer.root(
            template,
            Expander(parameters=typed, variables=inner.variables, include=includer, loops={}),
        )
        own = [(key, node) for key, node in expanded.entries if key.text != "extends"]
        variables = _joined(expanded.get("variables"), merged.get("variables"))
        taken = {key.text for key, _ in own}
        entries = [
            *own,
            *((key, node) for key, node in merged.entries if key.text not in taken),
        ]
        if variables is not None:
            key = Scalar(text="variables", place=variables.place)
            entries = [(k, n) for k, n in entries if k.text != "variables"]
            entries.append((key, variables))
        return replace(expanded, entries=tuple(entries))

    def __call__(self, reference: Mapping, kind: str, expander: Expander) -> Iterable[Node]:
        """Yield the items of the file that ``reference`` names for a list of the kind."""
        root, typed, includer = self._opened(reference, expander)
        known = {"parameters", kind}
        for key, _ in root.entries:
            if key.text not in known:
                hint = nearest(key.text, known)
                message = f"a template for {kind} has no key '{key.text}'; {hint}"
                raise key.place.error(message)
        body = root.get(kind)
        if body is None:
            raise root.place.error(f"this file is included as {kind}, and has no '{kind}'")
        inner = Expander(parameters=typed, variables=expander.variables, include=includer, loops={})
        if kind == "variables":
            yield from _as_items(inner.block(body))
            return
        items = inner.node(body) if isinstance(body, Scalar) else body
        if not isinstance(items, Sequence):
            raise body.place.error(f"'{kind}' of a template must be a list")
        yield from inner.items(items, level=1, kind=kind)

    def _opened(
        self, reference: Mapping, expander: Expander
    ) -> tuple[Mapping, dict[str, Value], _Includer]:
        """Return a template's root, its parameters, and who includes files into it."""
        for key, _ in reference.entries:
            if key.text not in _REFERENCE:
                hint = nearest(key.text, _REFERENCE)
                raise key.place.error(f"a reference to a template has no key '{key.text}'; {hint}")
        if self.nesting == MAX_NESTING:
            raise reference.place.error(
                "templates are nested too deeply; do they include each other?"
            )
        name = expander.node(reference.get("template") or reference)
        if not isinstance(name, Scalar) or not name.text.strip():
            raise reference.place.error("'template' must be the path of a file")
        path = self._path(name)
        root = self.files.read(path, name.place)
        declared = read_parameters(root, template=True)
        given = _given(reference.get("parameters"), declared, expander)
        typed = template_parameters(declared, given, reference.place)
        return root, typed, _Includer(files=self.files, path=path, nesting=self.nesting + 1)

    def _path(self, name: Scalar) -> Path:
        text, _, repository = name.text.strip().partition("@")
        if repository not in ("", "self"):
            message = f"the template '{name.text}' is in another repository, which the local agent"
            raise name.place.error(f"{message} does not fetch; copy the file into this one")
        folder = self.files.repository if text.startswith("/") else self.path.resolve().parent
        path = (folder / text.lstrip("/")).resolve()
        if not path.is_relative_to(self.files.repository):
            message = f"the template '{name.text}' is outside of the repository"
            raise name.place.error(f"{message} {self.files.repository}")
        return path


def _given(
    node: Node | None, declared: Dict[str, Parameter], expander: Expander
) -> dict[str, Node]:
    """Return the arguments of a reference; lists of steps and the like may hold templates."""
    if node is None or (isinstance(node, Scalar) and not node.text):
        return {}
    if isinstance(node, Scalar):
        node = expander.node(node)
    if not isinstance(node, Mapping):
        raise node.place.error("'parameters' must be a mapping of names to values")
    lists = {
        name: LIST_KINDS[parameter.type]
        for name, parameter in declared.items()
        if parameter.type in LIST_KINDS
    }
    kinds = {**{name: name for name in LISTS if name != "variables"}, **lists}
    return {name.text: value for name, value in expander.entries(node, level=None, kinds=kinds)}


def _after(expanded: Mapping, expander: Expander) -> Variables:
    """Return the variables that are known once a root's own are declared."""
    inner = replace(expander, variables=expander.variables.inner(top=True))
    block = expanded.get("variables")
    if block is not None:
        inner.block(block)
    return inner.variables


def _as_items(block: Node) -> Iterable[Node]:
    """Yield the variables of a block in the form that a list has."""
    if isinstance(block, Sequence):
        yield from block.items
    elif isinstance(block, Mapping):
        for name, value in block.entries:
            keys = (Scalar(text=one, place=name.place) for one in ("name", "value"))
            yield Mapping(entries=tuple(zip(keys, (name, value), strict=True)), place=name.place)


def _joined(first: Node | None, second: Node | None) -> Node | None:
    """Return two blocks of variables as one list."""
    if first is None or second is None:
        return first or second
    return Sequence(items=(*_as_items(first), *_as_items(second)), place=first.place)
