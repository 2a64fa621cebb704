"""What a client of the service may send: ``{"data": [row, ...]}``, or the list alone.

A row is a text, or the ids of a text's words as the workshop's clients send them. `swagger.json`
and `swagger3.json` describe the same for tools.
"""

import json
from typing import Any

import numpy as np
from vocabulary import Ids, Vocabulary, padded

MAX_ROWS = 10_000
MAX_CHARACTERS = 8_000_000


class RequestError(Exception):
    """A request that is not answered: the HTTP status, and what the client has to correct."""

    def __init__(self, status: int, message: str) -> None:
        """Keep the status beside the message."""
        super().__init__(message)
        self.status = status


def read_rows(body: str, vocabulary: Vocabulary) -> tuple[list[Any], Ids]:
    """Return the rows of the JSON ``body`` of a request as they were sent, and as ids.

    The rows of ids are as wide as the longest row needs, with zeros on the left.
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
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestError(400, f"The body is not JSON: {error}.") from error
    rows = _rows_of(document)
    if len(rows) > MAX_ROWS:
        raise RequestError(
            413, f"There are {len(rows)} rows, and {MAX_ROWS} are the most. Send fewer at a time."
        )
    # Python takes true for the number 1, and numpy follows it. Where the body has the word, each
    # row is looked at on its own.
    if type(rows[0]) is list and "true" not in body and "false" not in body:
        encoded = _all_ids(rows, vocabulary)
        if encoded is not None:
            return rows, encoded
    return rows, _each_row(rows, vocabulary)


def _rows_of(document: Any) -> list[Any]:
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
    return document


def _all_ids(rows: list[Any], vocabulary: Vocabulary) -> Ids | None:
    """Return rows of ids read at once, or None where one of them is something else."""
    try:
        found = np.array(rows)
    except ValueError:  # rows of different lengths
        return None
    if found.dtype != np.int64 or found.shape != (len(rows), vocabulary.sequence_length):
        return None
    if found.min() < 0 or found.max() >= vocabulary.size:
        return None
    return found.astype(np.int32)


def _each_row(rows: list[Any], vocabulary: Vocabulary) -> Ids:
    encoded = []
    for number, row in enumerate(rows):
        if type(row) is str and row and not row.isspace():
            encoded.append(vocabulary.ids_of(row))
        elif _are_ids(row, vocabulary):
            encoded.append(row)
        else:
            raise RequestError(
                400,
                f"Row {number} is neither a text nor a list of {vocabulary.sequence_length} whole "
                f"numbers from 0 to {vocabulary.size - 1}.",
            )
    return padded(encoded)


def _are_ids(row: Any, vocabulary: Vocabulary) -> bool:
    return (
        isinstance(row, list)
        and len(row) == vocabulary.sequence_length
        # Not isinstance: True is an int.
        and all(type(number) is int and 0 <= number < vocabulary.size for number in row)
    )
