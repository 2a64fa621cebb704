"""The classifier in Keras: built, trained, and turned into the weights that `forward` takes.

Two networks are known. ``small`` takes the largest value of each component over the words of a text
(max pooling over time: Collobert et al., JMLR 12, 2011), so neither order nor length of a text
matter. ``seed`` is the network of the workshop behind this sample: the vectors of all 100 positions
side by side, and two dense layers.
"""

import logging
from typing import Any

import tensorflow_settings  # noqa: F401  (first: TensorFlow reads it when it is imported)

# isort: split
import distributed
import forward
import keras
import numpy as np
import tensorflow as tf
from forward import Floats, Weights
from plan import ENOUGH, OnEpoch, Plan, Rows
from vocabulary import Ids, Vocabulary, trimmed

MODEL_FILE = "model.keras"
# For a learned embedding; that of a GloVe file is what the file says.
EMBEDDING_DIMENSION = {"small": 32, "seed": 32}
HIDDEN_UNITS = {"small": (32,), "seed": (64, 32)}
ACTIVATION = {"small": "tanh", "seed": "relu"}
log = logging.getLogger("compliance.network")


def make_repeatable(seed: int) -> None:
    """Seed Python, numpy and TensorFlow, and have TensorFlow add numbers in a fixed order."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def build(
    network: str,
    vocabulary: Vocabulary,
    learning_rate: float,
    word_vectors: Floats | None = None,
    *,
    tuned: bool = False,
) -> Any:
    """Return a compiled Keras model from rows of ids to the probability of label 1.

    ``word_vectors`` has one row for each id; they are trained only when ``tuned``. Without them an
    embedding is learned.
    """
    length = vocabulary.sequence_length if network == "seed" else None
    ids = keras.Input((length,), dtype="int32")
    units = EMBEDDING_DIMENSION[network]
    if word_vectors is None:
        values = keras.layers.Embedding(vocabulary.size, units, name="embedding")(ids)
    else:
        values = keras.layers.Embedding(
            *word_vectors.shape,
            embeddings_initializer=keras.initializers.Constant(word_vectors),
            trainable=tuned,
            name="embedding",
        )(ids)
    if network == "seed":
        values = keras.layers.Flatten()(values)
    else:
        if word_vectors is not None:
            # Vectors that stand still need a layer that learns which of their directions matter.
            values = keras.layers.Dense(units, use_bias=False, name="projection")(values)
        word = keras.ops.expand_dims(keras.ops.cast(keras.ops.not_equal(ids, 0), "float32"), -1)
        values = keras.ops.relu(keras.ops.max(values * word, axis=1))
    for number, size in enumerate(HIDDEN_UNITS[network]):
        dense = keras.layers.Dense(size, ACTIVATION[network], name=f"hidden_{number}")
        values = dense(values)
    score = keras.layers.Dense(1, activation="sigmoid", name="score")(values)
    model = keras.Model(ids, score)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="binary_crossentropy",
        metrics=["accuracy"],
        # Twenty batches for each call from Python: a third less time, the same result.
        steps_per_execution=20,
    )
    return model


def input_of(model: Any, rows: Ids) -> Ids:
    """Return ``rows`` as narrow as the model takes them."""
    return trimmed(rows) if model.input_shape[1] is None else rows


def fit(model: Any, training: Rows, validation: Rows, plan: Plan, on_epoch: OnEpoch) -> None:
    """Train ``model`` on rows of ids and labels, and leave it at its smallest validation loss.

    Where TF_CONFIG names other workers, they train it together.
    """
    if distributed.workers() > 1:
        distributed.fit(
            model,
            (input_of(model, training[0]), training[1]),
            (input_of(model, validation[0]), validation[1]),
            plan,
            on_epoch,
        )
        return

    def on_epoch_end(epoch: int, logs: dict[str, float]) -> None:
        names = {"train_loss": "loss", "train_accuracy": "accuracy"}
        names |= {"val_loss": "val_loss", "val_accuracy": "val_accuracy"}
        on_epoch(epoch + 1, {ours: float(logs[theirs]) for ours, theirs in names.items()})
        if logs["val_loss"] <= ENOUGH:
            model.stop_training = True

    callbacks = [
        keras.callbacks.EarlyStopping(
            monitor="val_loss", patience=plan.patience, restore_best_weights=True
        ),
        keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end),
    ]
    if plan.checkpoints is not None and plan.epochs:
        plan.checkpoints.mkdir(parents=True, exist_ok=True)
        callbacks.append(keras.callbacks.BackupAndRestore(str(plan.checkpoints)))
    model.fit(
        input_of(model, training[0]),
        training[1],
        validation_data=(input_of(model, validation[0]), validation[1]),
        epochs=plan.epochs,
        batch_size=plan.batch_size,
        class_weight=plan.class_weights,
        callbacks=callbacks,
        verbose=0,
    )


def weights_of(model: Any) -> Weights:
    """Return the weights of a model that `build` made.

    Padding gets the vector zero where the network passes over it, and a projection is multiplied
    into the vectors.
    """
    names = [layer.name for layer in model.layers]
    (vectors,) = model.get_layer("embedding").get_weights()
    if "projection" in names:
        vectors = vectors @ model.get_layer("projection").get_weights()[0]
    pooling = forward.CONCATENATION
    if model.input_shape[1] is None:
        pooling = forward.MAXIMUM
        vectors[0] = 0
    dense = [name for name in names if name.startswith("hidden_")] + ["score"]
    layers = [model.get_layer(name).get_weights() for name in dense]
    return Weights(
        pooling=pooling,
        activation=model.get_layer(dense[0]).activation.__name__,
        vectors=vectors,
        layers=tuple((kernel, bias) for kernel, bias in layers),
    )


def scores(model: Any, rows: Ids) -> Floats:
    """Return Keras' own scores of rows of ids."""
    found: Floats = model.predict(input_of(model, rows), batch_size=1024, verbose=0)[:, 0]
    return found


def versions() -> dict[str, str]:
    """Return the versions of the libraries that make the network."""
    return {"tensorflow": tf.__version__, "keras": keras.__version__, "numpy": np.__version__}
