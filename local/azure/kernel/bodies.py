"""What request bodies may hold: declared once as shapes, checked as strictly as the service does.

A shape is a function that raises ServiceError for a value that does not fit. Words and error code
are those of the live service, which deserialises with Newtonsoft.Json and refuses unknown members.
Values are converted as leniently as there: a number where text is expected is text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.azure.kernel.http import ServiceError

Shape = Callable[[Any, str], None]


def _refuse(message: str) -> ServiceError:
    return ServiceError(400, "UserError", message)


def anything(_value: Any, _path: str) -> None:
    """Any JSON."""


def text(value: Any, path: str) -> None:
    """Text, or what .NET turns into text."""
    if value is not None and not isinstance(value, (str, int, float, bool)):
        raise _refuse(f"Error reading string. Unexpected token: {_token(value)}. Path '{path}'.")


def number(value: Any, path: str) -> None:
    """A number, also one written as text."""
    if value is None:
        return
    try:
        float(value)
    except (TypeError, ValueError):
        raise _refuse(f"Could not convert '{value}' to a number. Path '{path}'.") from None


def boolean(value: Any, path: str) -> None:
    """A truth value, also one written as text."""
    if value not in (None, True, False) and str(value).lower() not in ("true", "false"):
        raise _refuse(f"Could not convert string to boolean: {value}. Path '{path}'.")


def one_of(*names: str) -> Shape:
    """One of several words, in any case."""
    known = {name.lower() for name in names}

    def check(value: Any, path: str) -> None:
        if value is not None and str(value).lower() not in known:
            raise _refuse(
                f"Error converting value '{value}'; it must be one of {', '.join(names)}. "
                f"Path '{path}'."
            )

    return check


def list_of(shape: Shape) -> Shape:
    """A list whose members all have one shape."""

    def check(value: Any, path: str) -> None:
        if value is None:
            return
        if not isinstance(value, list):
            raise _refuse(f"Cannot deserialize {_token(value)} into a list. Path '{path}'.")
        for index, member in enumerate(value):
            shape(member, f"{path}[{index}]")

    return check


def map_of(shape: Shape) -> Shape:
    """A JSON object with free names whose values all have one shape."""

    def check(value: Any, path: str) -> None:
        if value is None:
            return
        if not isinstance(value, dict):
            raise _refuse(f"Cannot deserialize {_token(value)} into a map. Path '{path}'.")
        for name, member in value.items():
            shape(member, f"{path}.{name}")

    return check


@dataclass(frozen=True, kw_only=True)
class Object:
    """A JSON object with fixed members. `name` is the .NET type that the service's words name."""

    name: str
    members: Mapping[str, Shape]
    required: tuple[str, ...] = ()

    def __call__(self, value: Any, path: str) -> None:
        """Check a value."""
        if value is None:
            return
        if not isinstance(value, dict):
            raise _refuse(f"Cannot deserialize {_token(value)} into '{self.name}'. Path '{path}'.")
        for member, content in value.items():
            where = f"{path}.{member}" if path else member
            if member not in self.members:
                raise _refuse(
                    f"Could not find member '{member}' on object of type '{self.name}'. "
                    f"Path '{where}'."
                )
            self.members[member](content, where)
        for member in self.required:
            if value.get(member) is None:
                raise _refuse(
                    f"Required property '{member}' not found in JSON or null on object of type "
                    f"'{self.name}'. Path '{path}'."
                )


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A JSON object whose member `by` says which of several shapes it has."""

    by: str
    choices: Mapping[str, Object]
    also: tuple[str, ...] = field(default=())

    def __call__(self, value: Any, path: str) -> None:
        """Check a value."""
        if value is None:
            return
        if not isinstance(value, dict):
            raise _refuse(f"Cannot deserialize {_token(value)} into an object. Path '{path}'.")
        kind = str(value.get(self.by))
        known = {name.lower(): shape for name, shape in self.choices.items()}
        if kind.lower() not in known:
            raise _refuse(
                f"'{kind}' is no {self.by}: {', '.join(self.choices)}. Path '{path}.{self.by}'."
            )
        known[kind.lower()](value, path)


def check(shape: Shape, body: Any) -> dict[str, Any]:
    """The body, when it has the shape. Raises ServiceError 400, naming what does not fit."""
    if not isinstance(body, dict):
        raise _refuse("The request body must be a JSON object.")
    shape(body, "")
    return body


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
