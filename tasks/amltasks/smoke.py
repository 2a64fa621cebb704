"""The smoke test: real rows with the labels a healthy service must answer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amltasks import errors
from amltasks.inputs import shortened

# What score scripts call the list of their answers; the first that is there counts.
_ANSWER_KEYS = ("predictions", "result", "results", "labels")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row as the service takes it, and the label it must answer."""

    input: Any
    expected: Any


@dataclass(frozen=True, kw_only=True)
class Mismatch:
    """A row that was answered wrongly; ``number`` counts from 1."""

    number: int
    row: Row
    got: Any

    def __str__(self) -> str:
        """The row in one line."""
        return f"row {self.number} ({shortened(_json(self.row.input), 60)}): expected " + (
            f"{_json(self.row.expected)}, got {shortened(_json(self.got), 60)}"
        )


def read(path: Path) -> tuple[Row, ...]:
    """Read a smoke file: a JSON list of ``{"input": <row>, "expected": <label>}``.

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
    return tuple(Row(input=row["input"], expected=row["expected"]) for row in found)


def request(rows: tuple[Row, ...]) -> str:
    """The body of the scoring request."""
    return json.dumps({"data": [row.input for row in rows]}, ensure_ascii=False)


def compare(rows: tuple[Row, ...], body: str) -> list[Mismatch]:
    """The rows that were answered wrongly.

    Args:
        rows: what was asked.
        body: the service's answer: a JSON list, or an object with such a list under
            ``predictions`` (``result``, ``results``, ``labels``), or either as a JSON text.

    Raises:
        ValueError: the answer is nothing of the kind, or has another number of labels.
    """
    found = json.loads(body)
    if isinstance(found, str):  # azureml scripts often return json.dumps(...), encoded once more
        found = json.loads(found)
    if isinstance(found, dict):
        key = next((key for key in _ANSWER_KEYS if key in found), None)
        found = found[key] if key else None
    if not isinstance(found, list):
        raise ValueError(f"the answer holds no list of predictions: {shortened(body, 200)}")
    if len(found) != len(rows):
        raise ValueError(f"{len(rows)} rows were asked, {len(found)} answered")
    return [
        Mismatch(number=number, row=row, got=got)
        for number, (row, got) in enumerate(zip(rows, found, strict=True), start=1)
        if got != row.expected
    ]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _invalid(path: Path, detail: str) -> errors.TaskError:
    return errors.SMOKE_FILE_INVALID.error(path=path.name, detail=detail)
