"""Faults that `--fault` asks for: errors, delays, lost connections, expired tokens, short quota.

They strike before a handler runs, so what is refused has not happened. Which requests, and how
many of them, is part of each fault.
"""

from __future__ import annotations

import fnmatch
import logging
import math
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from local.azure.kernel.http import Request, ServiceError

logger = logging.getLogger(__name__)

_KINDS = ("status", "latency", "drop", "expired", "quota", "creating")
_CODES = {
    403: "AuthorizationFailed",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}
# Neither a delay nor a count needs more; time.sleep and the clock refuse far larger ones.
_MOST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong, and for which requests.

    Exactly one of the first six is set. status: answered instead of the handler's answer.
    latency: seconds before the answer. drop: no answer, the connection is closed. expired: the
    token that was sent counts as expired from now on. quota: cores that
    a cluster may have.
    creating: seconds that a compute target is being created. The rest says which requests: patterns
    as in a shell, of which `*` spans slashes; the first `after` are spared, then `times` are struck
    (None: all).
    """

    status: int | None = None
    latency: float | None = None
    drop: bool = False
    expired: bool = False
    quota: int | None = None
    creating: float | None = None
    retry_after: int | None = None
    method: str = "*"
    host: str = "*"
    path: str = "*"
    times: int | None = None
    after: int = 0

    def __str__(self) -> str:
        """What goes wrong, as it was asked for."""
        kinds = ((name, getattr(self, name)) for name in _KINDS)
        told = (name if value is True else f"{name}={value}" for name, value in kinds if value)
        return " ".join(told)

    def matches(self, request: Request) -> bool:
        """Whether it is meant for this request. Case counts nowhere, as in Azure's own paths."""
        path = re.sub("//+", "/", request.path)
        pairs = ((request.method, self.method), (request.host, self.host), (path, self.path))
        return all(fnmatch.fnmatchcase(is_.lower(), asked.lower()) for is_, asked in pairs)


@dataclass(frozen=True, kw_only=True)
class Strike:
    """What becomes of a request: a delay in seconds, then an answer, a drop, or its handler."""

    latency: float = 0.0
    drop: bool = False
    answer: ServiceError | None = None


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
        if bool(equals) == (name in ("drop", "expired")):
            raise ValueError(f"'{name}' takes {'no' if equals else 'a'} value.")
        given[key] = _READERS[name](name, text)
    kinds = [kind for kind in _KINDS if kind in given]
    if len(kinds) != 1:
        raise ValueError(f"A fault has exactly one of {', '.join(_KINDS)}.")
    if "retry_after" in given and kinds != ["status"]:
        raise ValueError("'retry-after' goes with 'status' only.")
    filters = {"method", "host", "path", "times", "after"} & set(given)
    if filters and kinds[0] in ("quota", "creating"):
        raise ValueError(f"'{kinds[0]}' holds for all compute targets: it takes nothing else.")
    return Fault(**given)  # type: ignore[arg-type]  # each reader gives its field's type


def _whole(least: int, most: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(
                f"'{name}' must be a whole number from {least} to {most}, not '{text}'."
            )
        return int(text)

    return read


def _seconds(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= _MOST:
        raise ValueError(f"'{name}' must be seconds from 0 to {_MOST}, not '{text}'.")
    return value


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
    "retry-after": _whole(0, _MOST),
    "method": _pattern,
    "host": _pattern,
    "path": _pattern,
    "times": _whole(1, _MOST),
    "after": _whole(0, _MOST),
}


class Faults:
    """The faults of a server, and how often each has met a request it is meant for."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        """In the order in which they are tried."""
        self._faults = tuple(faults)
        self._met = [0] * len(self._faults)
        self._expired: set[str] = set()
        self._lock = threading.Lock()
        self.quota = next((f.quota for f in self._faults if f.quota is not None), None)
        self.creating = next((f.creating for f in self._faults if f.creating is not None), None)

    def strike(self, request: Request) -> Strike:
        """What becomes of a request. Delays add up; of the rest the first that is due counts."""
        latency, drop = 0.0, False
        answer: ServiceError | None = None
        token = _token(request)
        with self._lock:
            if token in self._expired:
                return Strike(answer=_expired())
            for index, fault in enumerate(self._faults):
                if not self._due(index, fault, request, token, ended=drop or answer is not None):
                    continue
                logger.warning("fault: %s for %s %s", fault, request.method, request.path)
                if fault.latency is not None:
                    latency += fault.latency
                elif fault.drop:
                    drop = True
                elif fault.expired:
                    self._expired.add(token)
                    answer = _expired()
                else:
                    answer = _refusal(fault)
        return Strike(latency=latency, drop=drop, answer=answer)

    def _due(self, index: int, fault: Fault, request: Request, token: str, *, ended: bool) -> bool:
        """Whether a fault strikes now; counts the request if the fault is meant for it."""
        if fault.quota is not None or fault.creating is not None or not fault.matches(request):
            return False
        if (fault.expired and not token) or (ended and fault.latency is None):
            return False
        self._met[index] += 1
        since = self._met[index] - fault.after
        return since > 0 and (fault.times is None or since <= fault.times)


def _token(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def _expired() -> ServiceError:
    return ServiceError(401, "ExpiredAuthenticationToken", "The access token has expired.")


def _refusal(fault: Fault) -> ServiceError:
    status = fault.status or 500
    known = next((each for each in HTTPStatus if each == status), None)
    phrase = known.phrase if known else "Error"
    code = _CODES.get(status, phrase.replace(" ", "").replace("-", ""))
    wait = {} if fault.retry_after is None else {"retry-after": str(fault.retry_after)}
    return ServiceError(
        status, code, f"{phrase}, as the local Azure was asked by --fault.", headers=wait
    )
