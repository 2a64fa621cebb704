"""The trained network without what trained it: its weights, and its forward pass in numpy.

The service needs neither Keras nor TensorFlow, so it is ready as soon as its server is. `train.py`
compares this forward pass with Keras' own before it saves a model.
"""

import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt
from vocabulary import Ids, Vocabulary, trimmed

FILE_NAME = "weights.npz"
# How the vectors of a text's words become one: the largest of each component, whatever the order
# and the number of the words, or all of them side by side.
MAXIMUM = "maximum"
CONCATENATION = "concatenation"
# What follows each layer but the last.
ACTIVATIONS = ("tanh", "relu")

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The arrays of a network, all float32.

    ``vectors`` has one row for each id; of ``layers``, each a kernel (inputs by units) and a bias,
    all but the last are followed by ``activation``, and the last by the logistic function.
    """

    pooling: str
    activation: str
    vectors: Floats
    layers: tuple[tuple[Floats, Floats], ...]

    def save(self, folder: Path) -> None:
        """Write the weights as `FILE_NAME` into ``folder``."""
        arrays = {"pooling": np.array(self.pooling), "activation": np.array(self.activation)}
        arrays["vectors"] = self.vectors
        for number, (kernel, bias) in enumerate(self.layers):
            arrays |= {f"kernel_{number}": kernel, f"bias_{number}": bias}
        np.savez(folder / FILE_NAME, **arrays)  # type: ignore[arg-type]  # numpy's own stub

    @classmethod
    def load(cls, folder: Path) -> "Weights":
        """Read the weights that `save` wrote into ``folder``.

        Raises OSError, KeyError or ValueError when they are not there or not usable.
        """
        try:
            with (
                (folder / FILE_NAME).open("rb") as file,
                np.load(file, allow_pickle=False) as arrays,
            ):
                count = sum(name.startswith("kernel_") for name in arrays.files)
                found = cls(
                    pooling=str(arrays["pooling"]),
                    activation=str(arrays["activation"]),
                    vectors=arrays["vectors"],
                    layers=tuple(
                        (arrays[f"kernel_{n}"], arrays[f"bias_{n}"]) for n in range(count)
                    ),
                )
        except zipfile.BadZipFile as error:
            raise ValueError(f"{folder / FILE_NAME} is damaged: {error}") from error
        known = found.pooling in (MAXIMUM, CONCATENATION) and found.activation in ACTIVATIONS
        if not known or not found.layers:
            raise ValueError(f"{folder / FILE_NAME} holds no network that this version knows")
        return found


@dataclass(frozen=True, kw_only=True)
class Scorer:
    """A vocabulary and the weights that belong to it."""

    vocabulary: Vocabulary
    weights: Weights

    @classmethod
    def load(cls, folder: Path) -> "Scorer":
        """Read what `train.py` saved in ``folder``.

        Raises OSError, KeyError or ValueError when something is missing or does not fit together.
        """
        scorer = cls(vocabulary=Vocabulary.load(folder), weights=Weights.load(folder))
        if len(scorer.weights.vectors) != scorer.vocabulary.size:
            raise ValueError(
                f"{folder} holds a vocabulary of {scorer.vocabulary.size} ids and weights for "
                f"{len(scorer.weights.vectors)}"
            )
        return scorer

    @cached_property
    def _rectified(self) -> Floats:
        # The largest of some values and 0 is the largest of what each of them and 0 is.
        return np.maximum(self.weights.vectors, 0)

    def scores(self, rows: Ids) -> Floats:
        """Return for each row of ids the probability of label 1.

        Rows that are narrower than the vocabulary's ``sequence_length`` are padded on the left.
        """
        weights = self.weights
        if weights.pooling == MAXIMUM:
            # Padding has the vector zero, so a row never falls below it, however long its text.
            if rows.shape[1] == self.vocabulary.sequence_length:
                rows = trimmed(rows)
            # Position by position: numpy compares whole rows at a time then.
            values = self._rectified.take(rows.T, axis=0).max(axis=0)
        else:
            missing = self.vocabulary.sequence_length - rows.shape[1]
            whole = np.pad(rows, ((0, 0), (missing, 0)))
            values = weights.vectors[whole].reshape(len(rows), -1)
        *hidden, (kernel, bias) = weights.layers
        for inner, offset in hidden:
            values = values @ inner + offset
            values = np.tanh(values) if weights.activation == "tanh" else np.maximum(values, 0)
        return _logistic((values @ kernel + bias)[:, 0])


def _logistic(values: Floats) -> Floats:
    # 1 / (1 + exp(-values)), but nothing overflows.
    result: Floats = np.exp(-np.logaddexp(np.float32(0), -values))
    return result
