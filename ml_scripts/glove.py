"""Word vectors from a GloVe text file: https://nlp.stanford.edu/projects/glove/."""

import logging
from pathlib import Path

import numpy as np
from forward import Floats
from sources import SourceError
from vocabulary import Vocabulary

log = logging.getLogger("compliance.glove")


def read(path: Path, vocabulary: Vocabulary) -> Floats:
    """Return the vectors that the GloVe text file at ``path`` has for each id; zeros for unknown.

    A line is a word and its numbers, separated by blanks. Raises SourceError when the file is not
    like that or knows no word of the vocabulary.
    """
    ids = {word: number for number, word in enumerate(vocabulary.words, start=1)}
    vectors: dict[int, list[float]] = {}
    dimension = 0
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                dimension = dimension or line.count(" ")
                # The words of some GloVe files hold blanks themselves.
                word, *numbers = line.rstrip().rsplit(" ", dimension)
                if word in ids:
                    vectors[ids[word]] = [float(number) for number in numbers]
                    if len(numbers) != dimension:
                        raise ValueError(f"{word} has {len(numbers)} numbers, not {dimension}")
    except (OSError, ValueError) as error:
        raise SourceError(
            f"{path} is no GloVe text file: {error}. Next: give an unpacked one, whose lines are "
            "a word and its numbers, for example glove.6B.100d.txt."
        ) from error
    if not vectors:
        raise SourceError(
            f"{path} has a vector for none of the {len(vocabulary.words)} words of the data. "
            "Next: give an unpacked GloVe text file in the language of the data."
        )
    log.info("GloVe: %d of %d words, %d dimensions", len(vectors), len(ids), dimension)
    matrix = np.zeros((vocabulary.size, dimension), dtype=np.float32)
    for number, vector in vectors.items():
        matrix[number] = vector
    return matrix
