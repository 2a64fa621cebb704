"""Minimatch patterns, as ``settableVariables`` and artifact patterns use them."""

from __future__ import annotations

import functools
import re


def matches(pattern: str, name: str) -> bool:
    """Say whether ``name`` matches ``pattern``, ignoring case.

    ``*`` and ``?`` stay within one path segment and do not match a leading dot, ``**`` crosses
    segments, ``{a,b}`` and ``[ab]`` choose, a leading ``!`` negates, a leading ``#`` matches
    nothing.
    """
    if pattern.startswith("#"):
        return False
    negated = (len(pattern) - len(pattern.lstrip("!"))) % 2 == 1
    body = pattern.lstrip("!")
    found = any(_compiled(one).fullmatch(name) for one in _braces(body))
    return found != negated


def _braces(pattern: str) -> list[str]:
    match = re.search(r"\{([^{}]*,[^{}]*)\}", pattern)
    if match is None:
        return [pattern]
    head, tail = pattern[: match.start()], pattern[match.end() :]
    return [whole for part in match[1].split(",") for whole in _braces(head + part + tail)]


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    pieces: list[str] = []
    index = 0
    while index < len(pattern):
        rest = pattern[index:]
        start_of_segment = index == 0 or pattern[index - 1] == "/"
        visible = r"(?!\.)" if start_of_segment else ""
        if start_of_segment and rest.startswith("**/"):
            pieces.append(r"(?:(?!\.)[^/]+/)*")
            index += 3
        elif start_of_segment and rest == "**":
            pieces.append(r"(?:(?!\.)[^/]+(?:/(?!\.)[^/]+)*)?")
            index += 2
        elif rest[0] == "*":
            pieces.append(visible + "[^/]*")
            index += len(rest) - len(rest.lstrip("*"))
        elif rest[0] == "?":
            pieces.append(visible + "[^/]")
            index += 1
        elif (chosen := re.match(r"\[([!^]?)([^\]]+)\]", rest)) is not None:
            negation = "^" if chosen[1] else ""
            pieces.append(f"[{negation}{re.escape(chosen[2]).replace(chr(92) + '-', '-')}]")
            index += chosen.end()
        else:
            pieces.append(re.escape(rest[0]))
            index += 1
    return re.compile("".join(pieces), re.IGNORECASE | re.DOTALL)
