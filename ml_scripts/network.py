"""The classifier: embedding, dense layers, one sigmoid; made, saved, loaded and called."""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

# TensorFlow reads these when it is imported, so import it only here. Its own log lines are about
# GPUs that are not there and attributes that it ignores (its errors still are exceptions); oneDNN
# picks the order of additions by the machine, so without it two machines agree better.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
from sources import SourceError
from vocabulary import Vocabulary

MODEL_FILE = "model.keras"
# For a learned embedding; that of a GloVe file is what the file says.
EMBEDDING_DIMENSION = 32
HIDDEN_UNITS = (64, 32)

log = logging.getLogger("compliance.network")

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int32]
# Rows of ids, and the label of each.
Rows = tuple[Ids, Floats]


def make_repeatable(seed: int) -> None:
    """Seed Python, numpy and TensorFlow, and have TensorFlow add numbers in a fixed order."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def build(vocabulary: Vocabulary, learning_rate: float, word_vectors: Floats | None = None) -> Any:
    """Return a compiled Keras model from rows of ids to the probability of label 1.

    ``word_vectors`` has one row for each id and is not trained; without it an embedding is learned.
    """
    if word_vectors is None:
        embedding = keras.layers.Embedding(vocabulary.size, EMBEDDING_DIMENSION)
    else:
        embedding = keras.layers.Embedding(
            *word_vectors.shape,
            embeddings_initializer=keras.initializers.Constant(word_vectors),
            trainable=False,
        )
    model = keras.Sequential(
        [
            keras.Input((vocabulary.sequence_length,), dtype="int32"),
            embedding,
            keras.layers.Flatten(),
            *(keras.layers.Dense(units, activation="relu") for units in HIDDEN_UNITS),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        # Twenty batches for each call from Python: a third less time, the same result.
        steps_per_execution=20,
    )
    return model


def fit(
    model: Any,
    training: Rows,
    validation: Rows,
    *,
    epochs: int,
    batch_size: int,
    on_epoch: Callable[[int, dict[str, float]], None],
) -> None:
    """Train ``model`` on rows of ids and labels.

    ``on_epoch`` gets each epoch's number, from 1, and its loss and accuracy on both parts.
    """

    def on_epoch_end(epoch: int, logs: dict[str, float]) -> None:
        names = {"train_loss": "loss", "train_accuracy": "accuracy"}
        names |= {"val_loss": "val_loss", "val_accuracy": "val_accuracy"}
        on_epoch(epoch + 1, {ours: float(logs[theirs]) for ours, theirs in names.items()})

    model.fit(
        *training,
        validation_data=validation,
        epochs=epochs,
        batch_size=batch_size,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)],
        verbose=0,
    )


def versions() -> dict[str, str]:
    """Return the versions of the libraries that make the network."""
    return {"tensorflow": tf.__version__, "keras": keras.__version__}


def read_glove(path: Path, vocabulary: Vocabulary) -> Floats:
    """Return the vectors that the GloVe text file at ``path`` has for each id; zeros for unknown.

    A line is a word and its numbers, separated by blanks
    (https://nlp.stanford.edu/projects/glove/). Raises SourceError when the file is not like that
    or knows no word of the vocabulary.
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


def load(folder: Path) -> tuple[Vocabulary, Callable[[Ids], Floats]]:
    """Load what train.py saved in ``folder``: the vocabulary, and the function from ids to scores.

    The function is compiled once for any number of rows, which makes a single row forty times
    faster than ``model.predict``. Raises OSError, KeyError or ValueError when something is missing.
    """
    vocabulary = Vocabulary.load(folder)
    model = keras.models.load_model(folder / MODEL_FILE, compile=False)
    signature = [tf.TensorSpec([None, vocabulary.sequence_length], tf.int32)]

    def score(rows: Any) -> Any:
        return model(rows, training=False)[:, 0]

    compiled = tf.function(score, input_signature=signature)

    def scores(rows: Ids) -> Floats:
        result: Floats = compiled(tf.constant(rows, tf.int32)).numpy()
        return result

    # The first call traces and compiles: not at the expense of the first client.
    scores(np.zeros((1, vocabulary.sequence_length), dtype=np.int32))
    return vocabulary, scores
