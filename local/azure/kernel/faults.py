"""Faults that users ask for: errors, delays, lost connections and nodes, expired tokens, quota.

Those of requests strike before a handler runs, so what is refused has not happened. Which requests,
and how many of them, is part of each fault.
"""

from __future__ import annotations

import fnmatch
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from local.azure.kernel.http import Request

_OF_REQUESTS = ("status", "latency", "drop", "truncate", "expired")
_OF_NODES = ("evict", "lost", "allocating", "unallocated")
_KINDS = (*_OF_REQUESTS, "quota", "creating", *_OF_NODES)
_FLAGS = ("drop", "expired", "unallocated")
# What else goes with a kind of fault.
_TAKES = {
    "quota": {"family", "priority"},
    "creating": set[str](),
    "evict": {"compute", "times", "after"},
    "lost": {"compute", "times", "after"},
    "allocating": {"compute"},
    "unallocated": {"compute"},
    "status": {"method", "host", "path", "times", "after", "retry_after"},
}
_FILTERS = {"method", "host", "path", "times", "after"}
# Neither a delay nor a count needs more; time.sleep and the clock refuse far larger ones.
_MOST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong, and for which requests.

    Exactly one of the first eleven is set. status: answered instead of the handler's answer.
    latency: seconds before the answer. drop: no answer, the connection is closed. truncate: bytes
    of the answer's body that arrive before it is. expired: the token that was sent counts as
    expired from now on. quota: cores that clusters of a `family` and `priority` may have.
    creating: seconds that a compute target is being created. evict, lost: minutes that a job runs
    until its node is taken away, of low priority or of any. allocating: seconds until a cluster
    gets nodes; unallocated: it gets none. The rest says which requests or clusters: patterns as in
    a shell, of which `*` spans slashes; the first `after` are spared, then `times` are struck
    (None: all).
    """

    status: int | None = None
    latency: float | None = None
    drop: bool = False
    truncate: int | None = None
    expired: bool = False
    quota: int | None = None
    creating: float | None = None
    evict: float | None = None
    lost: float | None = None
    allocating: float | None = None
    unallocated: bool = False
    family: str = "*"
    priority: str = "dedicated"
    compute: str = "*"
    retry_after: int | None = None
    method: str = "*"
    host: str = "*"
    path: str = "*"
    times: int | None = None
    after: int = 0

    def __str__(self) -> str:
        """What goes wrong, as it was asked for."""
        told = [each.name for each in fields(self) if getattr(self, each.name) != each.default]
        values = ((name.replace("_", "-"), getattr(self, name)) for name in told)
        return " ".join(name if value is True else f"{name}={value}" for name, value in values)

    @property
    def of_compute(self) -> bool:
        """Whether it is about clusters and their nodes, not about requests."""
        return not any(getattr(self, name) not in (None, False) for name in _OF_REQUESTS)

    def on(self, compute: str) -> bool:
        """Whether it is meant for a cluster of this name."""
        return fnmatch.fnmatchcase(compute.lower(), self.compute.lower())

    def matches(self, request: Request) -> bool:
        """Whether it is meant for this request. Case counts nowhere, as in Azure's own paths."""
        path = re.sub("//+", "/", request.path)
        pairs = ((request.method, self.method), (request.host, self.host), (path, self.path))
        return all(fnmatch.fnmatchcase(is_.lower(), asked.lower()) for is_, asked in pairs)


def parse(spec: str) -> Fault:
    """Read `status=429 retry-after=1 times=3 method=GET path=/history/*`.

    Raises ValueError, which says what is wrong in a sentence.
    """
    given: dict[str, object] = {}
    for word in spec.split():
        name, equals, text = word.partition("=")
        key = name.replace("-", "_")
        if name not in _READERS:
            raise ValueError(f"'{name}' is not known; known are {', '.join(_READERS)}.")
        if key in given:
            raise ValueError(f"'{name}' is given twice.")
        if bool(equals) == (name in _FLAGS):
            raise ValueError(f"'{name}' takes {'no' if equals else 'a'} value.")
        given[key] = _READERS[name](name, text)
    kinds = [kind for kind in _KINDS if kind in given]
    if len(kinds) != 1:
        raise ValueError(f"A fault has exactly one of {', '.join(_KINDS)}.")
    takes = _TAKES.get(kinds[0], _FILTERS)
    for key in given:
        if key not in takes and key != kinds[0]:
            with_it = ", ".join(sorted(takes)).replace("_", "-") or "nothing else"
            raise ValueError(
                f"'{key.replace('_', '-')}' does not go with '{kinds[0]}', which takes {with_it}."
            )
    return Fault(**given)  # type: ignore[arg-type]  # each reader gives its field's type


def _whole(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(
                f"'{name}' must be a whole number from {least} to {most}, not '{text}'."
            )
        return int(text)

    return read


def _number(unit: str) -> Callable[[str, str], float]:
    def read(name: str, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 <= value <= _MOST:
            raise ValueError(f"'{name}' must be {unit} from 0 to {_MOST}, not '{text}'.")
        return value

    return read


_seconds, _minutes = _number("seconds"), _number("minutes")


def _priority(name: str, text: str) -> str:
    if text not in ("dedicated", "lowpriority"):
        raise ValueError(f"'{name}' must be dedicated or lowpriority, not '{text}'.")
    return text


def _pattern(name: str, text: str) -> str:
    if not text:
        raise ValueError(f"'{name}' is empty; '*' means any.")
    return text


_READERS: Mapping[str, Callable[[str, str], object]] = {
    "status": _whole(400, 599),
    "latency": _seconds,
    "drop": lambda _name, _text: True,
    "expired": lambda _name, _text: True,
    "quota": _whole(0, _MOST),
    "creating": _seconds,
    "truncate": _whole(0, _MOST),
    "evict": _minutes,
    "lost": _minutes,
    "allocating": _seconds,
    "unallocated": lambda _name, _text: True,
    "family": _pattern,
    "priority": _priority,
    "compute": _pattern,
    "retry-after": _whole(0, _MOST),
    "method": _pattern,
    "host": _pattern,
    "path": _pattern,
    "times": _whole(1, _MOST),
    "after": _whole(0, _MOST),
}
