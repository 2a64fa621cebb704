"""``python -m bench.training_ways WAY``: fit once on the sample's data, and print what it took.

``ours`` is the sample's default; a number is the workshop's network with that learning rate.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

import dataset
import network
import numpy as np
import settings
from plan import Plan, Rows
from vocabulary import Vocabulary

ROWS = 100_000
SEED = 1


def main(way: str) -> None:
    """Fit, and print as JSON: cpu_s and wall_s of the fit, epochs, accuracy on held-out texts."""
    frame = dataset.load("", ROWS)
    parts = dataset.divide(frame)
    vocabulary = Vocabulary.of(frame["text"])
    training, validation, evaluation = (
        (vocabulary.encode(part["text"]), part["label"].to_numpy(np.float32))
        for part in (parts.training, parts.validation, parts.evaluation)
    )
    network.make_repeatable(SEED)
    passes: list[int] = []
    fit = ours if way == "ours" else workshop
    cpu, wall = time.process_time(), time.perf_counter()
    model = fit(way, vocabulary, training, validation, passes)
    found = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall}
    scores = network.scores(model, evaluation[0])
    found["accuracy"] = float(np.mean((scores >= 0.5) == evaluation[1]))
    found["epochs"] = len(passes)
    sys.stdout.write(json.dumps(found) + "\n")


def ours(
    _way: str,
    vocabulary: Vocabulary,
    training: Rows,
    validation: Rows,
    passes: list[int],
) -> Any:
    """Build and fit as train.py does by default."""
    chosen = settings.parse([], "")
    model = network.build(chosen.network, vocabulary, chosen.learning_rate)
    plan = Plan(epochs=chosen.epochs, batch_size=chosen.batch_size, patience=chosen.patience)
    network.fit(model, training, validation, plan, lambda epoch, _: passes.append(epoch))
    return model


def workshop(
    way: str,
    _vocabulary: Vocabulary,
    training: Rows,
    validation: Rows,
    passes: list[int],
) -> Any:
    """Build and fit as the workshop describes."""
    import keras

    layers = keras.layers
    vectors = layers.Embedding(10_000, 100, embeddings_initializer="normal", trainable=False)
    model = keras.Sequential(
        [
            keras.Input((100,), dtype="int32"),
            vectors,
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(32, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    optimizer = keras.optimizers.RMSprop(float(way))
    model.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(*training, validation_data=validation, epochs=1, batch_size=32, verbose=0)
    passes.append(1)
    return model


if __name__ == "__main__":
    main(sys.argv[1])
