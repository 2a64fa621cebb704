"""What a client of the service may send: ``{"data": [row, ...]}``, a row being a text or ids."""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
from vocabulary import Vocabulary


class BadRequestError(Exception):
    """A request that cannot be answered; the message tells the client what to correct."""


def read_rows(body: str, vocabulary: Vocabulary) -> npt.NDArray[np.int32]:
    """Turn the JSON ``body`` of a request into rows of ids.

    Raises BadRequestError when the body is anything else than an object whose ``data`` is a list of
    at least one row, each a text or a list of exactly ``vocabulary.sequence_length`` known ids.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"The body is not JSON: {error}.") from error
    if not isinstance(document, dict) or "data" not in document:
        raise BadRequestError('The body is not a JSON object with "data", a list of rows.')
    rows = document["data"]
    if not isinstance(rows, list) or not rows:
        raise BadRequestError('"data" is not a list of at least one row.')
    encoded = np.empty((len(rows), vocabulary.sequence_length), dtype=np.int32)
    for number, row in enumerate(rows):
        if isinstance(row, str) and row.strip():
            encoded[number] = vocabulary.encode([row])[0]
        elif _are_ids(row, vocabulary):
            encoded[number] = row
        else:
            raise BadRequestError(
                f"Row {number} is neither a text nor a list of {vocabulary.sequence_length} "
                f"whole numbers from 0 to {vocabulary.size - 1}."
            )
    return encoded


def _are_ids(row: Any, vocabulary: Vocabulary) -> bool:
    return (
        isinstance(row, list)
        and len(row) == vocabulary.sequence_length
        # Not isinstance: True is an int.
        and all(type(number) is int and 0 <= number < vocabulary.size for number in row)
    )
