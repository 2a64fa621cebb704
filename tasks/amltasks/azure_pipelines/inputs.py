"""Task inputs as typed, frozen dataclasses.

A field of the dataclass is an input of ``task.json``: ``vm_size`` is ``vmSize``. The agent enforces
neither ``required`` nor ``visibleRule`` nor types nor ranges, and it leaves a variable that it does
not know as it is written, so all are checked here, before anything else happens. A test holds the
dataclasses and the ``task.json`` files together.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from amltasks import errors
from amltasks.core_yaml import BaseLoader, CoreLoader, echo, problem
from amltasks.workspace.port import Scalar

Inputs = TypeVar("Inputs")

_BOOLEANS = {"true": True, "false": False}
_MACRO = re.compile(r"\$\(([\w.-]+)\)")
_RUNTIME_EXPRESSION = re.compile(r"\$\[.*\]", re.DOTALL)
_PREDEFINED = frozenset({"agent", "build", "environment", "pipeline", "release", "system"})
# Where the agent starts the path of a filePath input: in a build, and in a release.
_ROOTS = ("build.sourcesdirectory", "system.artifactsdirectory")


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An input counts only while others have these values (``visibleRule``)."""

    input: str
    value: str
    also: Shown | None = None

    @property
    def rule(self) -> str:
        """As ``visibleRule`` has it."""
        first = f"{self.input} = {self.value}"
        return f"{first} && {self.also.rule}" if self.also else first


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What an input must be.

    ``kind`` is string, file, number, whole, boolean, choice, yaml, texts or lines; ``alias`` is the
    name that a pipeline file uses and the documentation has, where it is another.
    """

    kind: str = "string"
    alias: str = ""
    default: str = ""
    required: bool = False
    least: float | None = None
    most: float | None = None
    options: tuple[str, ...] = ()
    shown: Shown | None = None


def text(
    *, default: str = "", required: bool = False, shown: Shown | None = None, alias: str = ""
) -> Any:
    """A text."""
    return _field(Spec(default=default, required=required, shown=shown, alias=alias))


def file(*, required: bool = False, shown: Shown | None = None) -> Any:
    """The path of a file: a ``filePath`` input, of which the agent makes the root when empty.

    Source: GetRootedPath of the agent's src/Agent.Worker/Build/BuildJobExtension.cs.
    """
    return _field(Spec(kind="file", required=required, shown=shown))


def whole(*, default: int | None = None, least: int, most: int, shown: Shown | None = None) -> Any:
    """A whole number from ``least`` to ``most``; None if it is empty and has no default."""
    written = "" if default is None else str(default)
    return _field(Spec(kind="whole", default=written, least=least, most=most, shown=shown))


def required_whole(*, least: int, most: int, shown: Shown | None = None) -> Any:
    """A whole number from ``least`` to ``most`` that must be given; 0 while it does not count."""
    return _field(Spec(kind="whole", required=True, least=least, most=most, shown=shown))


def number(*, default: str = "", least: float, most: float) -> Any:
    """A number from ``least`` to ``most``; None if it is empty and has no default."""
    return _field(Spec(kind="number", default=default, least=least, most=most))


def boolean(*, default: bool) -> Any:
    """``true`` or ``false``."""
    return _field(Spec(kind="boolean", default=str(default).lower()))


def choice(*options: str, shown: Shown | None = None) -> Any:
    """One of ``options``; the first is the default."""
    return _field(Spec(kind="choice", default=options[0], options=options, shown=shown))


def values() -> Any:
    """A YAML mapping of names to texts, numbers or booleans: name -> :class:`Scalar`."""
    return _field(Spec(kind="yaml"))


def texts() -> Any:
    """A YAML mapping of names to texts, kept as they are written (``1.10`` stays ``1.10``)."""
    return _field(Spec(kind="texts"))


def lines() -> Any:
    """Lines of text; empty ones and those that begin with ``#`` are left out."""
    return _field(Spec(kind="lines"))


def _field(spec: Spec) -> Any:
    return dataclasses.field(metadata={"spec": spec})


def spec_of(field: dataclasses.Field[Any]) -> Spec:
    """The specification behind a field made by this module."""
    spec = field.metadata["spec"]
    assert isinstance(spec, Spec)  # noqa: S101 - our own dataclasses
    return spec


def camel(name: str) -> str:
    """``vm_size`` -> ``vmSize``: the name of a field as ``task.json`` has it."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def parse(kind: type[Inputs], given: Mapping[str, str], variables: Mapping[str, str]) -> Inputs:
    """Check and convert what the agent gave.

    Args:
        kind: dataclass whose fields were made by this module.
        given: input name (camel case) -> text.
        variables: pipeline variables, lower-case names; defaults may refer to them as ``$(name)``.

    Raises:
        TaskError: ``INPUT_MISSING``, ``INPUT_INVALID``, ``INPUT_VARIABLE_UNSET`` or
            ``INPUT_EXPRESSION``, for the first input that is wrong.
    """
    read: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        spec = spec_of(field)
        name = spec.alias or camel(field.name)
        value = given.get(camel(field.name), "")
        value = value if spec.kind in ("yaml", "texts", "lines") else value.strip()
        if spec.kind == "file" and _is_root(value, variables):
            value = ""
        if not value.strip():
            value = _expanded(spec.default, variables)
        counts = _counts(spec, given, kind)
        if spec.kind == "whole" and spec.required and not counts:
            read[field.name] = 0
            continue
        if counts:
            _check_replaced(name, value)
        if spec.required and not value.strip() and counts:
            why = f", though {spec.shown.input} is '{spec.shown.value}'" if spec.shown else ""
            raise errors.INPUT_MISSING.error(name=name, why=why)
        read[field.name] = _convert(name, value, spec)
    return kind(**read)


def _counts(spec: Spec, given: Mapping[str, str], kind: type[Any]) -> bool:
    shown = spec.shown
    while shown is not None:
        other = next(f for f in dataclasses.fields(kind) if camel(f.name) == shown.input)
        value = given.get(shown.input, "").strip() or spec_of(other).default
        if value != shown.value:
            return False
        shown = shown.also
    return True


def _is_root(value: str, variables: Mapping[str, str]) -> bool:
    roots = {os.path.normpath(variables[name]) for name in _ROOTS if variables.get(name)}
    return bool(value) and os.path.normpath(value) in roots


def _expanded(default: str, variables: Mapping[str, str]) -> str:
    return re.sub(
        r"\$\(([^)]+)\)", lambda found: variables.get(found[1].lower(), found[0]), default
    )


def _check_replaced(name: str, value: str) -> None:
    """See that the agent has replaced every variable in an input."""
    expression = _RUNTIME_EXPRESSION.fullmatch(value.strip())
    if expression:
        raise errors.INPUT_EXPRESSION.error(name=name)
    macro = _MACRO.search(value)
    if not macro:
        return
    step, _, output = macro[1].partition(".")
    if output and step.lower() not in _PREDEFINED:
        raise errors.INPUT_OUTPUT_UNSET.error(
            name=name, variable=macro[1], step=step, output=output
        )
    raise errors.INPUT_VARIABLE_UNSET.error(name=name, variable=macro[1])


def _convert(name: str, value: str, spec: Spec) -> Any:
    if spec.kind in ("whole", "number"):
        return _number(name, value, spec) if value or spec.default else None
    if spec.kind == "boolean":
        if value.lower() in _BOOLEANS:
            return _BOOLEANS[value.lower()]
        return _one_of(name, value, _BOOLEANS)
    if spec.kind == "choice":
        return _one_of(name, value, {option: option for option in spec.options})
    if spec.kind in ("yaml", "texts"):
        written = _mapping(name, value, as_written=True)
        if spec.kind == "texts":
            return written
        read = _mapping(name, value, as_written=False)
        return {key: Scalar(value=read[key], written=written[key]) for key in written}
    if spec.kind == "lines":
        found = (line.strip() for line in value.splitlines())
        return tuple(line for line in found if line and not line.startswith("#"))
    return value


def _one_of(name: str, value: str, options: Mapping[str, Any]) -> Any:
    if value not in options:
        expected = "one of " + ", ".join(f"'{option}'" for option in options)
        raise errors.INPUT_INVALID.error(name=name, value=echo(value), expected=expected)
    return options[value]


def _number(name: str, value: str, spec: Spec) -> float | int:
    what = "a whole number" if spec.kind == "whole" else "a number"
    expected = f"{what} from {spec.least:g} to {spec.most:g}"
    try:
        read: float | int = int(value) if spec.kind == "whole" else float(value)
    except ValueError:
        raise errors.INPUT_INVALID.error(name=name, value=echo(value), expected=expected) from None
    if spec.least is None or spec.most is None or not spec.least <= read <= spec.most:
        raise errors.INPUT_INVALID.error(name=name, value=echo(value), expected=expected)
    return read


def load_yaml(name: str, value: str, *, as_written: bool) -> Any:
    """A YAML document typed into an input.

    Args:
        name: the input, for messages.
        value: the text.
        as_written: every scalar stays the text it is; otherwise numbers, booleans and null are
            read by YAML 1.2's core rules (so ``no`` and ``12:30`` and dates stay texts).

    Raises:
        TaskError: ``INPUT_INVALID``
    """
    try:
        return yaml.load(value, Loader=BaseLoader if as_written else CoreLoader)  # noqa: S506
    except (yaml.YAMLError, ValueError) as cause:  # ValueError: what is tagged !!int may be none
        raise errors.INPUT_INVALID.error(
            name=name,
            value=echo(value),
            expected=f"YAML: {problem(cause)}",
        ) from None


def _mapping(name: str, value: str, *, as_written: bool) -> dict[str, Any]:
    found = load_yaml(name, value, as_written=as_written)
    if found is None or found == "":
        return {}
    if not isinstance(found, dict):
        raise errors.INPUT_INVALID.error(
            name=name,
            value=echo(value),
            expected="a YAML mapping (lines 'name: value')",
        )
    for position, item in enumerate(found.values(), start=1):
        if isinstance(item, (dict, list)) or item is None:
            raise errors.INPUT_INVALID.error(
                name=name,
                value=echo(value),
                expected=f"a YAML mapping of names to one value each (see entry {position})",
            )
    return {str(key): item for key, item in found.items()}


def made_folder(name: str, path: Path) -> Path:
    """The folder that an input names, made when absent.

    Raises:
        TaskError: ``INPUT_INVALID``, when it is a file, say, or may not be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise errors.INPUT_INVALID.error(
            name=name, value=path, expected=f"a folder that can be made ({cause.strerror})"
        ) from None
    return path


def existing_file(name: str, value: str, folder: Path) -> Path:
    """The file an input names.

    Raises:
        TaskError: ``FILE_NOT_FOUND``
    """
    path = Path(value) if Path(value).is_absolute() else folder / value
    try:
        found = path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        found = False
    if not found:
        raise errors.FILE_NOT_FOUND.error(name=name, path=echo(value), what="file", folder=folder)
    return path.resolve()
