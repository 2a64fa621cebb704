"""What request bodies may hold: declared once as shapes, checked as strictly as the service does.

A shape is a function that yields what is wrong with a value. Words and error code are those of the
live service, which deserialises with Newtonsoft.Json and refuses unknown members: it tells all
faults of a body at once, each with its place. Values are converted as leniently as there: a number
where text is expected is text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local.azure.kernel.http import Detail, ServiceError

_GENERAL = "Request is invalid and/or missing fields."


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong. place: its path; member: the name by which its place is found."""

    message: str
    place: str
    member: str = ""


Shape = Callable[[Any, str], Iterator[Fault]]


def anything(_value: Any, _path: str) -> Iterator[Fault]:
    """Any JSON."""
    return iter(())


def text(value: Any, path: str) -> Iterator[Fault]:
    """Text, or what .NET turns into text."""
    if value is not None and not isinstance(value, (str, int, float, bool)):
        yield _fault(f"Error reading string. Unexpected token: {_token(value)}.", path)


def number(value: Any, path: str) -> Iterator[Fault]:
    """A number, also one written as text."""
    if value is None:
        return
    try:
        float(value)
    except (TypeError, ValueError):
        yield _fault(f"Could not convert '{value}' to a number.", path)


def boolean(value: Any, path: str) -> Iterator[Fault]:
    """A truth value, also one written as text."""
    if value not in (None, True, False) and str(value).lower() not in ("true", "false"):
        yield _fault(f"Could not convert string to boolean: {value}.", path)


def one_of(*names: str) -> Shape:
    """One of several words, in any case."""
    known = {name.lower() for name in names}

    def check(value: Any, path: str) -> Iterator[Fault]:
        if value is not None and str(value).lower() not in known:
            yield _fault(
                f"Error converting value '{value}'; it must be one of {', '.join(names)}.", path
            )

    return check


def list_of(shape: Shape) -> Shape:
    """A list whose members all have one shape."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        if value is None:
            return
        if not isinstance(value, list):
            yield _fault(f"Cannot deserialize {_token(value)} into a list.", path)
            return
        for index, member in enumerate(value):
            yield from shape(member, f"{path}[{index}]")

    return check


def map_of(shape: Shape) -> Shape:
    """A JSON object with free names whose values all have one shape."""

    def check(value: Any, path: str) -> Iterator[Fault]:
        if value is None:
            return
        if not isinstance(value, dict):
            yield _fault(f"Cannot deserialize {_token(value)} into a map.", path)
            return
        for name, member in value.items():
            yield from shape(member, _below(path, name))

    return check


@dataclass(frozen=True, kw_only=True)
class Object:
    """A JSON object with fixed members. `name` is the .NET type that the service's words name."""

    name: str
    members: Mapping[str, Shape]
    required: tuple[str, ...] = ()

    def __call__(self, value: Any, path: str) -> Iterator[Fault]:
        """Check a value."""
        if value is None:
            return
        if not isinstance(value, dict):
            yield _fault(f"Cannot deserialize {_token(value)} into '{self.name}'.", path)
            return
        for member, content in value.items():
            where = _below(path, member)
            if member in self.members:
                yield from self.members[member](content, where)
            else:
                words = f"Could not find member '{member}' on object of type '{self.name}'."
                yield Fault(message=words, place=where, member=member)
        for member in self.required:
            if value.get(member) is None:
                yield _fault(
                    f"Required property '{member}' not found in JSON or null on object of type "
                    f"'{self.name}'.",
                    path,
                )


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A JSON object whose member `by` says which of several shapes it has.

    The service reads such an object by itself: places in it are told from there.
    """

    by: str
    choices: Mapping[str, Object]

    def __call__(self, value: Any, path: str) -> Iterator[Fault]:
        """Check a value."""
        if value is None:
            return
        if not isinstance(value, dict):
            yield _fault(f"Cannot deserialize {_token(value)} into an object.", path)
            return
        kind = str(value.get(self.by))
        known = {name.lower(): shape for name, shape in self.choices.items()}
        if kind.lower() in known:
            yield from known[kind.lower()](value, "")
        else:
            words = f"'{kind}' is no {self.by}: {', '.join(self.choices)}."
            yield Fault(message=words, place=_below(path, self.by))


def check(shape: Shape, body: Any) -> dict[str, Any]:
    """The body, when it has the shape. Raises ServiceError 400 with everything that is wrong."""
    if not isinstance(body, dict):
        raise ServiceError(400, "UserError", "The request body must be a JSON object.")
    require(shape, body)
    return body


def require(shape: Shape, value: Any, path: str = "") -> None:
    """Raises ServiceError 400 unless a part of a body, at `path`, has the shape."""
    faults = list(shape(value, path))
    if not faults:
        return
    written = json.dumps(value, separators=(",", ":"))
    details, start = [], 0
    for fault in faults:
        found = written.find(f'"{fault.member}":', start) if fault.member else -1
        start = max(found + 1, start)
        place = f"Path '{fault.place}', line 1, position {found + len(fault.member) + 3}."
        where = place if fault.member else f"Path '{fault.place}'."
        details.append(Detail(code="RequestInvalid", message=f"{fault.message} {where}"))
    raise ServiceError(
        400,
        "UserError",
        _GENERAL,
        inner=("RequestInvalid",),
        details=details,
        message_format=_GENERAL,
    )


def _fault(message: str, path: str) -> Fault:
    return Fault(message=message, place=path)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def resource(properties: Shape, **more: Shape) -> Object:
    """The envelope of an ARM resource; what only the service sets is read and left."""
    members = dict.fromkeys(("id", "name", "type", "systemData"), anything)
    return Object(
        name="Resource",
        members={**members, "properties": properties, **more},
        required=("properties",),
    )


TAGS = map_of(text)
# What every asset and job has.
DESCRIBED: Mapping[str, Shape] = {"description": text, "properties": TAGS, "tags": TAGS}


def _token(value: Any) -> str:
    if isinstance(value, dict):
        return "StartObject"
    return "StartArray" if isinstance(value, list) else repr(value)
