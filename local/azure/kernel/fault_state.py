"""The faults of a server: which are in force, what each has met, and what becomes of a request."""

from __future__ import annotations

import fnmatch
import itertools
import logging
import math
import threading
from collections.abc import Iterable
from dataclasses import dataclass, replace
from http import HTTPStatus

from local.azure.kernel.faults import Fault
from local.azure.kernel.http import Request, ServiceError

logger = logging.getLogger(__name__)

_CODES = {
    403: "AuthorizationFailed",
    429: "TooManyRequests",
    500: "InternalServerError",
    503: "ServiceUnavailable",
}


@dataclass(frozen=True, kw_only=True)
class Strike:
    """What becomes of a request: a delay in seconds, then an answer, a drop, or its handler.

    truncate: bytes of the handler's answer that arrive.
    """

    latency: float = 0.0
    drop: bool = False
    truncate: int | None = None
    answer: ServiceError | None = None


@dataclass(kw_only=True)
class Counted:
    """A fault in force: the name it is cleared by, and how often it was met and struck."""

    name: str
    fault: Fault
    met: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        """Count what the fault is meant for; whether it strikes now."""
        self.met += 1
        since = self.met - self.fault.after
        due = since > 0 and (self.fault.times is None or since <= self.fault.times)
        self.struck += due
        return due


class Faults:
    """The faults of a server. They may be added and cleared while it runs."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        """In the order in which they are tried."""
        self._numbers = itertools.count(1)
        self._faults: list[Counted] = []
        self._expired: set[str] = set()
        self._lock = threading.Lock()
        for fault in faults:
            self.add(fault)

    def add(self, fault: Fault) -> str:
        """Put a fault into force, after those there are; returns the name to clear it by."""
        with self._lock:
            name = str(next(self._numbers))
            self._faults.append(Counted(name=name, fault=fault))
        return name

    def clear(self, name: str | None = None) -> bool:
        """Lift a fault, or all of them; whether there was one. Expired tokens stay expired."""
        with self._lock:
            kept = [each for each in self._faults if name is not None and each.name != name]
            found = len(kept) < len(self._faults)
            self._faults = kept
        return found

    def every(self) -> list[Counted]:
        """The faults in force, in the order in which they are tried."""
        with self._lock:
            return [replace(each) for each in self._faults]

    def quota(self, family: str, *, low_priority: bool = False) -> int | None:
        """The cores that clusters of a family may have; None when no fault says."""
        for each in self.every():
            fault = each.fault
            wanted = "lowpriority" if low_priority else "dedicated"
            if fault.quota is None or fault.priority != wanted:
                continue
            if fnmatch.fnmatchcase(family.lower(), fault.family.lower()):
                return fault.quota
        return None

    @property
    def creating(self) -> float | None:
        """Seconds that a compute target is being created; None when no fault says."""
        found = (each.fault.creating for each in self.every())
        return next((seconds for seconds in found if seconds is not None), None)

    def allocating(self, compute: str) -> float:
        """Seconds until a cluster gets nodes: 0 without a fault, infinite when it gets none."""
        for each in self.every():
            fault = each.fault
            if fault.on(compute) and fault.unallocated:
                return math.inf
            if fault.on(compute) and fault.allocating is not None:
                return fault.allocating
        return 0.0

    def loses(self, compute: str, minutes: float, *, low_priority: bool, spared: set[str]) -> str:
        """How a node is taken away now: ``evict``, ``lost``, or empty when it is not.

        compute: its cluster. minutes: that its job has been running. low_priority: only such a node
        is evicted. spared: the faults that this job has outlived; changed.
        """
        with self._lock:
            for each in self._faults:
                fault = each.fault
                at = fault.evict if low_priority else None
                at = fault.lost if at is None else at
                if at is None or each.name in spared or not fault.on(compute) or minutes < at:
                    continue
                spared.add(each.name)
                if each.strikes():
                    logger.warning("fault: %s of a node of %s", fault, compute)
                    return "evict" if fault.evict is not None else "lost"
        return ""

    def strike(self, request: Request) -> Strike:
        """What becomes of a request. Delays add up; of the rest the first that is due counts."""
        latency, drop, truncate = 0.0, False, None
        answer: ServiceError | None = None
        token = _token(request)
        with self._lock:
            if token in self._expired:
                return Strike(answer=_expired())
            for each in self._faults:
                fault = each.fault
                ended = drop or answer is not None or truncate is not None
                if not _meets(fault, request, token, ended=ended) or not each.strikes():
                    continue
                logger.warning("fault: %s for %s %s", fault, request.method, request.path)
                if fault.latency is not None:
                    latency += fault.latency
                elif fault.truncate is not None:
                    truncate = fault.truncate
                elif fault.drop:
                    drop = True
                elif fault.expired:
                    self._expired.add(token)
                    answer = _expired()
                else:
                    answer = _refusal(fault)
        return Strike(latency=latency, drop=drop, truncate=truncate, answer=answer)


def _meets(fault: Fault, request: Request, token: str, *, ended: bool) -> bool:
    """Whether a fault is meant for a request. ended: another has decided the answer."""
    if fault.of_compute or not fault.matches(request):
        return False
    return not (fault.expired and not token) and not (ended and fault.latency is None)


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
    return ServiceError(status, code, f"{phrase}, as the local Azure was asked to.", headers=wait)
