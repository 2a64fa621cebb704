"""The grammar of logging commands: ``##vso[area.event name=value;...]data``.

The agent: src/Microsoft.VisualStudio.Services.Agent/Command.cs and
src/Agent.Sdk/CommandStringConvertor.cs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PREFIX = "##vso["
_ESCAPES = ((";", "%3B"), ("\r", "%0D"), ("\n", "%0A"), ("]", "%5D"))
_PERCENT = "%AZP25"


@dataclass(frozen=True, kw_only=True)
class Command:
    """A parsed command; area, event and property names are lower-case."""

    area: str
    event: str
    properties: Mapping[str, str]
    data: str


def unescape(text: str, *, decode_percents: bool = True) -> str:
    """Undo the escaping of a property or of the data."""
    for token, escaped in _ESCAPES:
        text = text.replace(escaped, token)
    return text.replace(_PERCENT, "%") if decode_percents else text


def escape(text: str, *, decode_percents: bool = True) -> str:
    """Escape as :func:`unescape` undoes it."""
    if decode_percents:
        text = text.replace("%", _PERCENT)
    for token, escaped in _ESCAPES:
        text = text.replace(token, escaped)
    return text


def parse(line: str, *, decode_percents: bool = True) -> Command | None:
    """Return the command in ``line``, None when there is no well-formed one."""
    prefix = line.find(PREFIX)
    bracket = line.find("]", prefix) if prefix >= 0 else -1
    if bracket < 0:
        return None
    info = line[prefix + len(PREFIX) : bracket]
    name, _, property_text = info.partition(" ")
    parts = [part for part in name.split(".") if part]
    if len(parts) != 2:
        return None
    properties: dict[str, str] = {}
    for pair in property_text.split(";"):
        key, separator, value = pair.partition("=")
        if not key:
            # .NET drops the empty first part, so ``=x=y`` reads as ``x=y``.
            key, separator, value = value.partition("=")
        if separator and key and value:
            properties[key.lower()] = unescape(value, decode_percents=decode_percents)
    return Command(
        area=parts[0].lower(),
        event=parts[1].lower(),
        properties=properties,
        data=unescape(line[bracket + 1 :], decode_percents=decode_percents),
    )
