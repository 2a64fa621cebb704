"""How a network is trained, whoever does it: Keras on one machine, or several workers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from forward import Floats
from vocabulary import Ids

# A validation loss so small leaves nothing to learn, and training ends.
ENOUGH = 0.001

# Rows of ids, and the label of each.
Rows = tuple[Ids, Floats]
# Gets an epoch's number, from 1, and its loss and accuracy on both parts.
OnEpoch = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How to train: at most ``epochs`` passes, fewer when the validation loss stops falling.

    ``patience`` counts the epochs without a smaller validation loss after which training ends.
    ``class_weights`` are those of labels 0 and 1. In ``checkpoints`` each epoch's state is kept,
    from which an interrupted training goes on; the folder is emptied at the end.
    """

    epochs: int
    batch_size: int
    patience: int
    class_weights: Mapping[int, float] | None = None
    checkpoints: Path | None = None
