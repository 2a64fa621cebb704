"""What a client of the service may send: ``{"data": [row, ...]}``, or the list alone.

A row is a text, or the ids of a text's words as the workshop's clients send them. `swagger.json`
and `swagger3.json` describe the same for tools.
"""

import json
import re
from itertools import chain
from typing import Any

import numpy as np
from vocabulary import SEQUENCE_LENGTH, Ids, Vocabulary, padded, padded_flat

MAX_ROWS = 10_000
MAX_CHARACTERS = 8_000_000

# The zeros that pad a row of ids on the left. Most of such a body is these, and to read each as a
# number would take longer than all the rest.
_PADDING = re.compile(r"\[([0, ]*)")
_ZEROS = {zero * count: count for zero in ("0, ", "0,") for count in range(SEQUENCE_LENGTH)}


class RequestError(Exception):
    """A request that is not answered: the HTTP status, and what the client has to correct."""

    def __init__(self, status: int, message: str) -> None:
        """Keep the status beside the message."""
        super().__init__(message)
        self.status = status


def read_rows(body: str, vocabulary: Vocabulary) -> Ids:
    """Return the rows of the JSON ``body`` of a request as ids.

    The rows are as wide as the longest needs, with zeros on the left.
    Raises RequestError: 413 for a body of more than `MAX_CHARACTERS` or `MAX_ROWS`, and 400 for
    anything else than a list of at least one row, each a text or a list of exactly
    ``vocabulary.sequence_length`` known ids.
    """
    if len(body) > MAX_CHARACTERS:
        raise RequestError(
            413,
            f"The body has {len(body)} characters, and {MAX_CHARACTERS} are the most. "
            "Send fewer rows at a time.",
        )
    # Of ids, only "data" is quoted. Python takes true for the number 1, and numpy follows it.
    quotes = 2 if body.startswith("{") else 0
    if body.count('"') == quotes and "true" not in body and "false" not in body:
        encoded = _all_ids(body, vocabulary)
        if encoded is not None:
            return encoded
    rows = sent_rows(body)
    if {*map(type, rows)} == {str} and all(map(str.strip, rows)):
        return vocabulary.read(rows)
    return padded([_ids_of(row, number, vocabulary) for number, row in enumerate(rows)])


def sent_rows(body: str) -> list[Any]:
    """Return the rows of the JSON ``body`` as they were sent.

    Raises RequestError: 413 for more than `MAX_ROWS`, and 400 where there is no row.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"The body is not JSON: {error}.") from error
    if isinstance(document, dict):
        if unknown := sorted(document.keys() - {"data"}):
            raise RequestError(400, f'The body has {unknown[0]!r}; only "data" is known.')
        if "data" not in document:
            raise RequestError(400, 'The body has no "data", a list of rows.')
        document = document["data"]
    if not isinstance(document, list) or not document:
        raise RequestError(
            400, 'The body is not {"data": [row, ...]} or [row, ...] with at least one row.'
        )
    if len(document) > MAX_ROWS:
        raise RequestError(
            413,
            f"There are {len(document)} rows, and {MAX_ROWS} are the most. Send fewer at a time.",
        )
    return document


def _all_ids(body: str, vocabulary: Vocabulary) -> Ids | None:
    """Read a body whose rows are all ids, padding first; None where it is anything else."""
    # What is before the first bracket, and then by turns the padding and what follows it.
    head, *parts = _PADDING.split(body)
    zeros = [_ZEROS.get(padding) for padding in parts[::2]]
    # The first bracket is that of the list of rows.
    if None in zeros or zeros[:1] != [0]:
        return None
    try:
        rows = sent_rows("[".join([head, *parts[1::2]]))
    except RequestError:
        return None
    if len(rows) != len(zeros) - 1 or {*map(type, rows)} != {list}:
        return None
    lengths = np.array([*map(len, rows)])
    if lengths.min() < 1 or (lengths + zeros[1:] != vocabulary.sequence_length).any():
        return None
    numbers = np.array(list(chain.from_iterable(rows)))
    if numbers.dtype != np.int64 or numbers.min() < 0 or numbers.max() >= vocabulary.size:
        return None
    return padded_flat(numbers.astype(np.int32), lengths)


def _ids_of(row: Any, number: int, vocabulary: Vocabulary) -> list[int]:
    if type(row) is str and row.strip():
        return vocabulary.ids_of(row)
    if _are_ids(row, vocabulary):
        ids: list[int] = row
        return ids
    raise RequestError(
        400,
        f"Row {number} is neither a text nor a list of {vocabulary.sequence_length} whole "
        f"numbers from 0 to {vocabulary.size - 1}.",
    )


def _are_ids(row: Any, vocabulary: Vocabulary) -> bool:
    return (
        isinstance(row, list)
        and len(row) == vocabulary.sequence_length
        # Not isinstance: True is an int.
        and all(type(number) is int and 0 <= number < vocabulary.size for number in row)
    )
