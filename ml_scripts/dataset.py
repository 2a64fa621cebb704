"""The labelled texts: read or generated, checked, and divided by what the texts say."""

import hashlib
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import components
import numpy as np
import numpy.typing as npt
import pandas as pd
from sources import SourceError, fetch, shown
from vocabulary import words_of

# Per cent of the distinct texts.
EVALUATION_SHARE = 5
VALIDATION_SHARE = 5
# Beside a model: the fingerprints of the distinct texts it was trained on, sorted.
TRAINED_ON_FILE = "trained_on.npy"


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The rows by purpose: frames with the columns ``text`` and ``label`` and the original index.

    ``evaluation`` holds only texts that are in no other part.
    """

    training: pd.DataFrame
    validation: pd.DataFrame
    evaluation: pd.DataFrame


def load(source: str, rows: int) -> pd.DataFrame:
    """Return the labelled texts as a frame of ``text`` (str) and ``label`` (0 or 1).

    An empty ``source`` generates ``rows`` rows by the published rule; otherwise it is the path or
    URL of a CSV file with the columns ``text`` and ``label``, of which all rows are used.
    Raises SourceError when the file cannot be used.
    """
    if not source:
        if rows < 1:
            raise SourceError(f"rows is {rows}, but training needs rows. Next: give at least 1000.")
        return pd.DataFrame(components.generate(rows), columns=list(components.COLUMNS))
    # Data may change behind its URL, so each run reads it anew.
    with tempfile.TemporaryDirectory() as folder:
        return read_csv(fetch(source, Path(folder)), shown(source))


def read_csv(path: Path, name: str) -> pd.DataFrame:
    """Read and check the CSV file at ``path``, which messages call ``name``.

    Raises SourceError when it has no columns ``text`` and ``label``, an empty text, or a label
    that is neither 0 nor 1.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
    except (ValueError, OSError) as error:  # pandas' own errors are ValueErrors
        raise SourceError(
            f"{name} cannot be read as CSV: {str(error).strip()}. Next: give a comma-separated "
            "file in UTF-8 whose first line is text,label."
        ) from error
    if missing := [column for column in components.COLUMNS if column not in frame.columns]:
        found = ", ".join(str(column) for column in frame.columns)
        raise SourceError(
            f"{name} has no column {' and no column '.join(missing)}; its columns are {found}. "
            "Next: give a CSV file whose first line is text,label."
        )
    frame = frame[list(components.COLUMNS)]
    for column, wrong in (
        ("text", frame["text"].str.strip() == ""),
        ("label", ~frame["label"].str.strip().isin(["0", "1"])),
    ):
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            raise SourceError(
                f"{name} has {int(wrong.sum())} rows with an unusable {column}, the first is data "
                f"row {row + 1} ({column}: {frame[column].iloc[row]!r}). Next: give every row a "
                "text, and a label that is 0 (compliant) or 1 (not compliant)."
            )
    return frame.assign(label=frame["label"].str.strip().astype("int64"))


def evaluation_rows(source: str) -> pd.DataFrame:
    """Return the rows to evaluate on: of ``source``, a CSV file as for `load`.

    Of generated data (an empty ``source``) always those of the whole data set, however many rows
    were trained on, so that all models are measured on the same rows. `divide` keeps their texts
    out of any training.
    """
    return divide(load(source, components.DEFAULT_ROWS)).evaluation


def divide(frame: pd.DataFrame) -> Parts:
    """Divide the rows by the digest of their text's words.

    One text always falls into the same part, whatever else is in the data: the evaluation rows are
    frozen, and none of their texts is ever trained on, nor the same words in other capitals.
    Raises SourceError when a part lacks a label.
    """
    texts = frame["text"].drop_duplicates()
    bucket = frame["text"].map(dict(zip(texts, texts.map(_percentile), strict=True)))
    parts = {
        "evaluation": frame[bucket < EVALUATION_SHARE],
        "validation": frame[
            (bucket >= EVALUATION_SHARE) & (bucket < EVALUATION_SHARE + VALIDATION_SHARE)
        ],
        "training": frame[bucket >= EVALUATION_SHARE + VALIDATION_SHARE],
    }
    for purpose, part in parts.items():
        if set(part["label"]) != {0, 1}:
            raise SourceError(
                f"The data has {len(frame)} rows with {len(texts)} different texts, too few: the "
                f"part for {purpose} does not hold both labels. "
                "Next: give more rows, with more different texts."
            )
    return Parts(**parts)


def _percentile(text: str) -> int:
    return fingerprint(text) % 100


def fingerprint(text: str) -> int:
    """Return the first 64 bits of the SHA-256 of the text's words, as the model reads them.

    Enough to tell texts apart, but not to read them.
    """
    return int.from_bytes(hashlib.sha256(" ".join(words_of(text)).encode()).digest()[:8], "big")


def fingerprints(texts: Iterable[str]) -> npt.NDArray[np.uint64]:
    """Return the fingerprint of each text."""
    return np.array([fingerprint(text) for text in texts], dtype=np.uint64)


def digest(frame: pd.DataFrame) -> str:
    """Return the SHA-256 of the rows' labels and texts, in order, as hexadecimal digits."""
    hasher = hashlib.sha256()
    for label, text in zip(frame["label"], frame["text"], strict=True):
        hasher.update(f"{label}\t{text}\n".encode())
    return hasher.hexdigest()
