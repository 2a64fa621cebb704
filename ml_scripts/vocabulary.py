"""Words to numbers: the vocabulary that is saved with the model and used again by the service.

Same results as the tokenizer of Keras 2 with its default settings, followed by ``pad_sequences``:
lower case, punctuation is white space, ids from 1 by falling frequency, unknown words left out,
zeros on the left. Equally frequent words are ordered alphabetically, so that the ids depend on what
the texts are but not on their order.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from pathlib import Path

import numpy as np
import numpy.typing as npt

SEQUENCE_LENGTH = 100
MAX_WORDS = 10_000
FILE_NAME = "vocabulary.json"

Ids = npt.NDArray[np.int32]

# Stands at the end of each text where many are split at once.
_END = "\0"
# From so many texts on it is faster to split them at once.
_MANY = 8

# Other ASCII stands in the table as it is: a text of which every character does is read six times
# faster.
_PUNCTUATION = str.maketrans(
    {chr(code): chr(code) for code in range(128)}
    | dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r', " ")
)


def words_of(text: str) -> list[str]:
    """Split ``text`` into its words, in lower case and without punctuation."""
    return text.lower().translate(_PUNCTUATION).split()


def padded(rows: Sequence[Sequence[int]]) -> Ids:
    """Return rows of ids as one array, as wide as the longest and at least 1, zeros on the left."""
    width = max([1, *map(len, rows)])
    return np.array([[*[0] * (width - len(row)), *row] for row in rows], dtype=np.int32)


def padded_flat(numbers: Ids, lengths: npt.NDArray[np.intp]) -> Ids:
    """Return rows as `padded` does, of all their ids in one array and the length of each row."""
    width = max(1, int(lengths.max()))
    rows = np.zeros((len(lengths), width), np.int32)
    rows[np.arange(width) >= width - lengths[:, None]] = numbers
    return rows


def trimmed(rows: Ids) -> Ids:
    """Return ``rows`` of ids without the columns on the left that are padding in every row."""
    used = rows.any(axis=0)
    return rows[:, int(used.argmax()) :] if used.any() else rows[:, -1:]


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """The known words; the word at index ``i`` has the id ``i + 1``, and 0 is padding."""

    words: tuple[str, ...]
    sequence_length: int = SEQUENCE_LENGTH

    @classmethod
    def of(cls, texts: Iterable[str]) -> "Vocabulary":
        """Make the vocabulary of ``texts``: their `MAX_WORDS` most frequent words."""
        counts: Counter[str] = Counter()
        # Many rows share one text: splitting each text once makes this fast.
        for text, occurrences in Counter(texts).items():
            for word in words_of(text):
                counts[word] += occurrences
        ranked = sorted(counts, key=lambda word: (-counts[word], word))
        return cls(words=tuple(ranked[:MAX_WORDS]))

    @cached_property
    def _ids(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words, start=1)}

    @property
    def size(self) -> int:
        """The number of ids, padding included: every id is below it."""
        return len(self.words) + 1

    def ids_of(self, text: str) -> list[int]:
        """Return the ids of the known words of ``text``: of a longer text, those of its end."""
        # No word has the id 0.
        ids = [number for number in map(self._ids.get, words_of(text)) if number]
        return ids[-self.sequence_length :]

    @cached_property
    def _ids_and_end(self) -> dict[str, int]:
        return {**self._ids, _END: -1}

    def read(self, texts: Sequence[str]) -> Ids:
        """Turn each text into a row of ids, as wide as the longest needs, zeros on the left."""
        if len(texts) >= _MANY:
            rows = self._read_at_once(texts)
            if rows is not None:
                return rows
        return padded([self.ids_of(text) for text in texts])

    def _read_at_once(self, texts: Sequence[str]) -> Ids | None:
        """Split all texts at once; None where one holds `_END` or is longer than a row may be."""
        words = words_of(f" {_END} ".join([*texts, ""]))
        numbers = np.fromiter(map(self._ids_and_end.get, words, repeat(0)), np.int32, len(words))
        numbers = numbers[numbers != 0]
        ends = np.flatnonzero(numbers < 0)
        lengths = np.diff(ends, prepend=-1) - 1
        if len(ends) != len(texts) or lengths.max() > self.sequence_length:
            return None
        return padded_flat(numbers[numbers > 0], lengths)

    def encode(self, texts: Iterable[str]) -> Ids:
        """Turn each text into a row of ``sequence_length`` ids, padded with zeros on the left."""
        # Many rows share one text: each text is encoded once.
        numbers: dict[str, int] = {}
        positions = [numbers.setdefault(text, len(numbers)) for text in texts]
        rows = np.zeros((len(numbers), self.sequence_length), dtype=np.int32)
        for row, text in zip(rows, numbers, strict=True):
            if ids := self.ids_of(text):
                row[-len(ids) :] = ids
        return rows[positions]

    def save(self, folder: Path) -> None:
        """Write the vocabulary as `FILE_NAME` into ``folder``."""
        document = {"sequence_length": self.sequence_length, "words": self.words}
        (folder / FILE_NAME).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Vocabulary":
        """Read the vocabulary that `save` wrote into ``folder``.

        Raises OSError, KeyError or ValueError when it is not there or not one of ours.
        """
        document = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        return cls(words=tuple(document["words"]), sequence_length=int(document["sequence_length"]))
