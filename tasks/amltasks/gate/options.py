"""Options as dataclass fields that say what they are: the source of the schema and of the docs."""

from __future__ import annotations

import dataclasses
from typing import Any

_NO_DEFAULT = object()


def described(
    text: str,
    *,
    options: tuple[str, ...] = (),
    default: Any = _NO_DEFAULT,
    required: bool = False,
) -> Any:
    """A field with its description.

    Args:
        text: what it means, in markdown.
        options: the words it may be; the first is the default.
        default: its value when left out, else the first option, or None.
        required: whether it must be given.
    """
    metadata = {"text": text, "options": options, "required": required}
    if required:
        return dataclasses.field(metadata=metadata)
    if isinstance(default, dict):
        return dataclasses.field(default_factory=dict, metadata=metadata)
    if default is _NO_DEFAULT:
        default = options[0] if options else None
    return dataclasses.field(default=default, metadata=metadata)


def options_of(kind: type[Any], name: str) -> tuple[str, ...]:
    """The words that a field may be, empty when it is no choice."""
    field = next(each for each in dataclasses.fields(kind) if each.name == name)
    found: tuple[str, ...] = field.metadata["options"]
    return found
