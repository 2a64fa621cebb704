"""The smoke test: real rows with the labels a healthy service must answer, in time."""

from __future__ import annotations

import json
import logging
import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amltasks import errors, scoring_answers
from amltasks.core_yaml import shortened
from amltasks.workspace.port import Answer

log = logging.getLogger("amltasks")

TIMED_REQUESTS = 5
# A body that was cut off on its way: no score script can make rows of it.
MALFORMED = '{"data": ['


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row as the service takes it, and what it must answer.

    A number may differ from ``expected`` by up to ``tolerance``, in the unit of the prediction.
    """

    input: Any
    expected: Any
    tolerance: float = 0.0

    def accepts(self, got: Any) -> bool:
        """Tell whether an answer is the expected one."""
        if self.tolerance and _is_number(got):
            return bool(abs(got - self.expected) <= self.tolerance)
        return bool(got == self.expected)


@dataclass(frozen=True, kw_only=True)
class Test:
    """What a service must stand.

    ``max_seconds`` 0 sets no limit; ``mlflow`` says that the service is an MLflow model without a
    script, which takes other bodies.
    """

    rows: tuple[Row, ...] = ()
    max_seconds: float = 0.0
    malformed: bool = False
    mlflow: bool = False


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """A row that was answered wrongly; ``number`` counts from 1."""

    number: int
    row: Row
    got: Any

    def __str__(self) -> str:
        """The row in one line."""
        return f"row {self.number} ({shortened(_json(self.row.input), 60)}): expected " + (
            f"{_json(self.row.expected)}"
            + (f" ± {self.row.tolerance:g}" if self.row.tolerance else "")
            + f", got {shortened(_json(self.got), 60)}"
        )


def read(path: Path) -> tuple[Row, ...]:
    """Read a smoke file: a JSON list of ``{"input": <row>, "expected": <label>}``.

    Where a number is expected, a row may have a ``tolerance``.

    Raises:
        TaskError: ``SMOKE_FILE_INVALID``
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError:
        raise _invalid(path, "it is not UTF-8 text") from None
    except ValueError as cause:
        raise _invalid(path, f"it is not JSON ({cause})") from None
    if not isinstance(found, list) or not found:
        raise _invalid(path, "it is no list of at least one row")
    for number, row in enumerate(found, start=1):
        if not isinstance(row, dict) or not {"input", "expected"} <= row.keys():
            raise _invalid(path, f"row {number} has not both 'input' and 'expected'")
        if "tolerance" in row and not _tolerable(row):
            raise _invalid(
                path,
                f"the tolerance of row {number} is {_json(row['tolerance'])}, and it must be a "
                "number of 0 or more, beside a number in 'expected'",
            )
    return tuple(
        Row(input=row["input"], expected=row["expected"], tolerance=row.get("tolerance", 0.0))
        for row in found
    )


def request(test: Test) -> str:
    """The body of the scoring request.

    An MLflow model without a script takes ``input_data``, which names the columns if each row is an
    object. Source: learn.microsoft.com/azure/machine-learning/how-to-deploy-mlflow-models
    """
    rows = [row.input for row in test.rows]
    if not test.mlflow:
        return json.dumps({"data": rows}, ensure_ascii=False)
    given: Any = rows
    if all(isinstance(row, dict) for row in rows):
        columns = list(dict.fromkeys(name for row in rows for name in row))
        values = [[row.get(name) for name in columns] for row in rows]
        given = {"columns": columns, "index": list(range(len(rows))), "data": values}
    return json.dumps({"input_data": given}, ensure_ascii=False)


def strained(test: Test, score: Callable[[str], Answer]) -> str:
    """What a service that answers rightly does not stand, in words; empty when it does.

    Args:
        test: what it must stand.
        score: asks it.
    """
    return (_slow(test, score) if test.max_seconds else "") or (
        _gullible(score) if test.malformed else ""
    )


def _slow(test: Test, score: Callable[[str], Answer]) -> str:
    """Judged by the median: the first request of a process may have to wait for it."""
    taken = statistics.median(score(request(test)).seconds for _ in range(TIMED_REQUESTS))
    log.info("The smoke rows take %.3f s (median of %d requests)", taken, TIMED_REQUESTS)
    if taken <= test.max_seconds:
        return ""
    return f"the rows take {taken:.3g} s, more than the {test.max_seconds:g} s of smokeMaxSeconds"


def _gullible(score: Callable[[str], Answer]) -> str:
    answer = score(MALFORMED)
    log.info("A malformed request is answered with HTTP %d", answer.status)
    if 400 <= answer.status < 500:
        return ""
    body = shortened(answer.body, 200)
    return f"a malformed request got HTTP {answer.status}, and must get a 4xx: {body}"


def compare(rows: tuple[Row, ...], body: str) -> list[Mismatch]:
    """The rows that were answered wrongly.

    Args:
        rows: what was asked.
        body: the service's answer, as :func:`answers` takes it.

    Raises:
        ValueError: as `scoring_answers.answers`; also for another number of labels.
    """
    found = scoring_answers.answers(body).labels
    if len(found) != len(rows):
        raise ValueError(f"{len(rows)} rows were asked, {len(found)} answered")
    return [
        Mismatch(number=number, row=row, got=got)
        for number, (row, got) in enumerate(zip(rows, found, strict=True), start=1)
        if not row.accepts(got)
    ]


def _is_number(value: Any) -> bool:
    # Not True, which Python takes for 1; a JSON text may also say NaN, which is near to nothing.
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _tolerable(row: dict[str, Any]) -> bool:
    given = row["tolerance"]
    return (
        _is_number(given)
        and math.isfinite(given)
        and given >= 0
        and _is_number(row["expected"])
        and math.isfinite(row["expected"])
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _invalid(path: Path, detail: str) -> errors.TaskError:
    return errors.SMOKE_FILE_INVALID.error(path=path.name, detail=detail)
