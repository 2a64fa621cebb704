"""Train the compliance classifier and save it, with its vocabulary, in outputs/model."""

import argparse
import dataclasses
import json
import logging
import platform
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import dataset
import distributed
import glove
import network
import numpy as np
import numpy.typing as npt
import pandas as pd
import settings
import validation
from forward import Scorer
from metrics import classification_metrics
from plan import Plan, Rows
from sources import SourceError, cache_folder, fetch, shown
from tracking import current_run, log_to_stdout
from vocabulary import Vocabulary

# Azure ML keeps what a run leaves in outputs/.
OUTPUT_FOLDER = Path("outputs")
MODEL_FOLDER = OUTPUT_FOLDER / "model"
# The most by which a score of the service may differ from Keras' own.
PARITY = 1e-6

log = logging.getLogger("compliance.train")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read and check the command line; wrong settings end the program with one sentence."""
    return settings.parse(arguments, (__doc__ or "").partition("\n")[0])


class Training:
    """The data of a run, encoded once, and the models that are trained on it.

    Raises SourceError when the data or the GloVe file cannot be used.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        """Read and divide the data that ``options`` name."""
        self.options = options
        self.frame = dataset.load(options.data, options.rows)
        self.parts = dataset.divide(self.frame)
        self.report = validation.validate(self.frame, self.parts)
        for warning in self.report.warnings:
            log.warning("Data: %s", warning)
        self.evaluation = dataset.evaluation_rows(options.data)
        # Over all rows, so that ids depend on the data alone: clients may send ids.
        self.vocabulary = Vocabulary.of(self.frame["text"])
        log.info(
            "%d rows with %d words: %d to train, %d to validate, %d kept back to evaluate",
            *(len(self.frame), len(self.vocabulary.words)),
            *(len(self.parts.training), len(self.parts.validation), len(self.parts.evaluation)),
        )
        self.vectors = None
        if options.glove:
            self.vectors = glove.read(fetch(options.glove, cache_folder()), self.vocabulary)
        self.training = self._encoded(self.parts.training)
        self.validation = self._encoded(self.parts.validation)

    def _encoded(self, part: pd.DataFrame) -> Rows:
        return self.vocabulary.encode(part["text"]), part["label"].to_numpy(np.float32)

    def model(self, seed: int, checkpoints: Path | None) -> tuple[Any, dict[str, float]]:
        """Train one model; return it and the metrics of its last epoch."""
        options = self.options
        network.make_repeatable(seed)
        model = network.build(
            options.network,
            self.vocabulary,
            options.learning_rate,
            self.vectors,
            tuned=options.glove_vectors == "tuned",
        )
        run = current_run()
        metrics: dict[str, float] = {}

        def on_epoch(epoch: int, results: dict[str, float]) -> None:
            metrics.update(results)
            shown_results = ", ".join(f"{name} {value:.4f}" for name, value in results.items())
            log.info("Epoch %d of at most %d: %s", epoch, options.epochs, shown_results)
            # Of several seeds only the first makes the run's curves, and of several workers one.
            if run is not None and seed == options.seed and distributed.is_chief():
                run.log(results, step=epoch)

        plan = Plan(
            epochs=options.epochs,
            batch_size=options.batch_size,
            patience=options.patience,
            class_weights=class_weights(self.training[1], options.class_weights),
            checkpoints=checkpoints,
        )
        network.fit(model, self.training, self.validation, plan, on_epoch)
        return model, metrics

    def measured(self, model: Any) -> dict[str, float]:
        """Return the metrics of a model on the evaluation rows."""
        part = self.evaluation
        rows = self.vocabulary.encode(part["text"])
        scorer = Scorer(vocabulary=self.vocabulary, weights=network.weights_of(model))
        return classification_metrics(part["label"].to_numpy(), scorer.scores(rows))


def class_weights(labels: npt.NDArray[np.float32], how: str) -> dict[int, float] | None:
    """Return weights by which both labels weigh the same in the loss, or None for none."""
    if how == "none":
        return None
    share = float(labels.mean())
    return {0: 0.5 / (1 - share), 1: 0.5 / share}


def train(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Train by the options of `parse`, save the model into ``folder`` and return its metadata.

    Raises SourceError when the data or the GloVe file cannot be used.
    """
    training = Training(options)
    started = time.perf_counter()
    model, metrics = training.model(options.seed, options.checkpoints)
    seconds = time.perf_counter() - started
    log.info("Trained in %.1f s", seconds)
    save(model, training, folder)
    metadata = {
        "model_name": options.model_name,
        "network": options.network,
        "seed": options.seed,
        "epochs": options.epochs,
        "patience": options.patience,
        "learning_rate": options.learning_rate,
        "batch_size": options.batch_size,
        "class_weights": options.class_weights,
        "glove": shown(options.glove),
        "glove_vectors": options.glove_vectors if options.glove else "",
        "data": shown(options.data) or "generated",
        "data_rows": len(training.frame),
        "data_sha256": dataset.digest(training.frame),
        "data_report": dataclasses.asdict(training.report),
        "evaluation_sha256": dataset.digest(training.evaluation),
        "training_positive_share": float(training.parts.training["label"].mean()),
        "training_seconds": round(seconds, 2),
        "metrics": metrics,
        "versions": {
            "python": platform.python_version(),
            **network.versions(),
            "pandas": pd.__version__,
        },
    }
    write_json(folder / "metadata.json", metadata)
    log.info("Saved the model in %s", folder)
    if options.seeds > 1:
        write_json(folder.parent / "seeds.json", noise(training, model))
    return metadata


def save(model: Any, training: Training, folder: Path) -> None:
    """Write the model twice, for Keras and for the service, with what belongs to it.

    Raises RuntimeError when the service would not answer as Keras does.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / network.MODEL_FILE)
    training.vocabulary.save(folder)
    network.weights_of(model).save(folder)
    rows = np.unique(training.validation[0], axis=0)
    served, wanted = Scorer.load(folder).scores(rows), network.scores(model, rows)
    if not np.allclose(served, wanted, rtol=0, atol=PARITY, equal_nan=True):
        raise RuntimeError(
            f"The saved weights score by up to {np.abs(served - wanted).max():.2g} otherwise than "
            f"Keras, and {PARITY:g} is allowed. Next: report it with the versions of numpy, "
            "TensorFlow and Keras."
        )
    # With these evaluate.py can tell which of its rows the model has seen.
    trained_on = training.parts.training["text"].drop_duplicates()
    np.save(folder / dataset.TRAINED_ON_FILE, np.sort(dataset.fingerprints(trained_on)))


def noise(training: Training, first: Any) -> dict[str, list[float]]:
    """Train again with the seeds that follow; return each metric's values, one for each seed.

    The gate's rules take them as ``seeds``: what an unchanged retrain may gain or lose.
    """
    options = training.options
    found = [training.measured(first)]
    for seed in range(options.seed + 1, options.seed + options.seeds):
        log.info("Seed %d, up to %d", seed, options.seed + options.seeds - 1)
        found.append(training.measured(training.model(seed, None)[0]))
    values = {name: [each[name] for each in found] for name in found[0] if name != "test_rows"}
    for name in ("accuracy", "recall"):
        log.info("For the gate's rule of %s: seeds: %s", name, [round(v, 6) for v in values[name]])
    return values


def write_json(file: Path, document: Any) -> None:
    """Write ``document`` to ``file`` as JSON that a person can read."""
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Train by the command line; what cannot be used ends the program with one sentence."""
    options = parse(arguments)
    log_to_stdout()
    folder = MODEL_FOLDER
    if distributed.workers() > 1:
        distributed.join()
        log.info("Training with %d workers", distributed.workers())
    if not distributed.is_chief():
        # Every worker has the same model: only the chief's is the run's.
        folder = Path(tempfile.mkdtemp()) / "model"
    try:
        train(options, folder)
    except SourceError as error:
        sys.exit(f"train: {error}")
    if not distributed.is_chief():
        shutil.rmtree(folder.parent)
        return
    if options.model_output is not None:
        options.model_output.mkdir(parents=True, exist_ok=True)
        for file in MODEL_FOLDER.iterdir():
            # Contents only: a mounted datastore refuses times and permissions.
            shutil.copyfile(file, options.model_output / file.name)


if __name__ == "__main__":
    main()
