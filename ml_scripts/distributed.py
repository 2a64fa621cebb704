"""Training by several workers at once, each on its share of every batch (data parallelism).

Azure ML starts `train.py` on each node of a step that has ``distribution: {type: tensorflow,
worker_count: N}``, and tells each worker of the others in the variable TF_CONFIG
(https://www.tensorflow.org/guide/distributed_training#TF_CONFIG). The workers add up their
gradients after each batch, so all of them hold the same network, and it is the one that a single
worker would get from the same batches. The loop is TensorFlow's own for this case
(https://www.tensorflow.org/tutorials/distribute/multi_worker_with_ctl), because `fit` of Keras 3
cannot train under `MultiWorkerMirroredStrategy`.
"""

import functools
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow_settings  # noqa: F401  (first: TensorFlow reads it when it is imported)

# isort: split
import keras
import numpy as np
import tensorflow as tf
from plan import ENOUGH, OnEpoch, Plan, Rows

_STATE = "latest.weights.h5"
_PROGRESS = "latest.json"
# Validation rows that are computed at a time.
_CHUNK = 8192


def _config() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(os.environ.get("TF_CONFIG", "") or "{}")
    return found


def workers() -> int:
    """Return how many workers train together; 1 without TF_CONFIG."""
    cluster = _config().get("cluster", {})
    return max(1, len(cluster.get("chief", [])) + len(cluster.get("worker", [])))


def is_chief() -> bool:
    """Tell whether this worker is the one that saves the model and logs."""
    config = _config()
    task = config.get("task", {})
    if "chief" in config.get("cluster", {}):
        return bool(task.get("type") == "chief")
    return int(task.get("index", 0)) == 0


@functools.cache
def join() -> Any:
    """Connect to the other workers; returns the strategy. TensorFlow wants this before all else."""
    return tf.distribute.MultiWorkerMirroredStrategy()


def fit(model: Any, training: Rows, validation: Rows, plan: Plan, on_epoch: OnEpoch) -> None:
    """Train ``model`` with the other workers, and leave it at its smallest validation loss.

    Every worker calls this with the same arguments. Each measures the whole validation part, so
    that all of them stop after the same epoch. Raises RuntimeError when a worker has several GPUs.
    """
    strategy = join()
    if strategy.num_replicas_in_sync != workers():
        # Each GPU would take a batch of its own, and the sums below would count too few rows.
        raise RuntimeError(
            f"{workers()} workers have {strategy.num_replicas_in_sync} GPUs, and each may use one. "
            "Next: set CUDA_VISIBLE_DEVICES=0 for each worker, or start one worker for each GPU."
        )
    with strategy.scope():
        copy = keras.models.clone_model(model)
        copy.set_weights(model.get_weights())
        optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
        copy.compile(optimizer=optimizer, loss="binary_crossentropy")
        optimizer.build(copy.trainable_variables)
    progress = _Progress.read(copy, plan.checkpoints)
    batches = strategy.distribute_datasets_from_function(
        functools.partial(_batches, training, plan.batch_size)
    )
    run_batch = _training_step(copy, strategy, plan)
    for epoch in range(progress.epoch, plan.epochs):
        sums = np.zeros(3)
        for batch in batches:
            sums += run_batch(*batch).numpy()
        loss, accuracy = _measured(copy, validation)
        results = {"train_loss": sums[0] / sums[2], "train_accuracy": sums[1] / sums[2]}
        on_epoch(epoch + 1, {**results, "val_loss": loss, "val_accuracy": accuracy})
        progress = progress.after(epoch + 1, loss, copy.get_weights())
        progress.keep(copy, plan.checkpoints)
        if loss <= ENOUGH or progress.bad_epochs >= plan.patience:
            break
    if progress.best is not None:
        model.set_weights(progress.best)
    _forget(plan.checkpoints)


def _batches(training: Rows, size: int, context: Any) -> Any:
    """The batches that a single worker would have, of each only this worker's rows.

    The third element is the number of rows of the whole batch.
    """
    rows, labels = training
    every, mine = context.num_input_pipelines, context.input_pipeline_id
    whole = tf.data.Dataset.from_tensor_slices((rows, labels))
    # One seed in all workers: they must cut the same batches.
    whole = whole.shuffle(len(rows), seed=1, reshuffle_each_iteration=True).batch(size)
    return whole.map(lambda ids, label: (ids[mine::every], label[mine::every], tf.shape(ids)[0]))


def _training_step(model: Any, strategy: Any, plan: Plan) -> Any:
    """Return a function of a batch that trains on it: sums of loss, right answers and rows."""
    weights = plan.class_weights or {0: 1.0, 1: 1.0}

    def step(ids: Any, labels: Any, rows: Any) -> Any:
        labels = labels[:, None]
        weight = tf.where(labels > 0.5, float(weights[1]), float(weights[0]))[:, 0]
        with tf.GradientTape() as tape:
            scores = model(ids, training=True)
            losses = keras.losses.binary_crossentropy(labels, scores) * weight
            loss = tf.reduce_sum(losses) / tf.cast(rows, losses.dtype)
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply(gradients, model.trainable_variables)
        right = tf.reduce_sum(tf.cast((scores > 0.5) == (labels > 0.5), losses.dtype))
        return tf.stack([tf.reduce_sum(losses), right, tf.cast(tf.shape(ids)[0], losses.dtype)])

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def run(*batch: Any) -> Any:
        return strategy.reduce("SUM", strategy.run(step, args=batch), axis=None)

    return run


def _measured(model: Any, part: Rows) -> tuple[float, float]:
    """Return the loss and the accuracy on rows, computed by this worker alone."""
    scores = np.concatenate([model(ids, training=False).numpy()[:, 0] for ids in _chunks(part[0])])
    clipped = np.clip(scores.astype(np.float64), keras.config.epsilon(), 1 - keras.config.epsilon())
    losses = -np.where(part[1] > 0.5, np.log(clipped), np.log(1 - clipped))
    return float(losses.mean()), float(((scores > 0.5) == (part[1] > 0.5)).mean())


def _chunks(rows: Any) -> Iterator[Any]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]


@dataclass(frozen=True)
class _Progress:
    """How far a training is: epochs done, the smallest loss and its weights, epochs since then."""

    epoch: int = 0
    loss: float = float("inf")
    best: list[Any] | None = None
    bad_epochs: int = 0

    def after(self, epoch: int, loss: float, weights: list[Any]) -> "_Progress":
        """Return the progress after one more epoch."""
        if loss < self.loss:
            return _Progress(epoch, loss, weights)
        return _Progress(epoch, self.loss, self.best, self.bad_epochs + 1)

    def keep(self, model: Any, folder: Path | None) -> None:
        """Write the state that a training goes on from. The chief does it for all."""
        if folder is None or not is_chief():
            return
        folder.mkdir(parents=True, exist_ok=True)
        model.save_weights(folder / _STATE)
        found = {"epoch": self.epoch, "loss": self.loss, "bad_epochs": self.bad_epochs}
        np.savez(folder / "best.npz", *(self.best or []))
        # Last: a state without it is not whole.
        (folder / _PROGRESS).write_text(json.dumps(found), encoding="utf-8")

    @classmethod
    def read(cls, model: Any, folder: Path | None) -> "_Progress":
        """Load what an interrupted training left into ``model``; the beginning without it."""
        if folder is None or not (folder / _PROGRESS).exists():
            return cls()
        found = json.loads((folder / _PROGRESS).read_text(encoding="utf-8"))
        model.load_weights(folder / _STATE)
        with np.load(folder / "best.npz") as arrays:
            best = [arrays[f"arr_{number}"] for number in range(len(arrays.files))]
        return cls(found["epoch"], found["loss"], best, found["bad_epochs"])


def _forget(folder: Path | None) -> None:
    if folder is not None and is_chief():
        for name in (_PROGRESS, _STATE, "best.npz"):
            (folder / name).unlink(missing_ok=True)
