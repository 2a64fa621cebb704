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
from pathlib import Path

import numpy as np
import numpy.typing as npt

SEQUENCE_LENGTH = 100
MAX_WORDS = 10_000
FILE_NAME = "vocabulary.json"

_PUNCTUATION = str.maketrans(dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n\r', " "))


def words_of(text: str) -> list[str]:
    """Split ``text`` into its words, in lower case and without punctuation."""
    return text.lower().translate(_PUNCTUATION).split()


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

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.int32]:
        """Turn each text into a row of ``sequence_length`` ids, padded with zeros on the left.

        Of a longer text the last words count.
        """
        rows = np.zeros((len(texts), self.sequence_length), dtype=np.int32)
        for row, text in zip(rows, texts, strict=True):
            ids = [self._ids[word] for word in words_of(text) if word in self._ids]
            ids = ids[-self.sequence_length :]
            if ids:
                row[-len(ids) :] = ids
        return rows

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
