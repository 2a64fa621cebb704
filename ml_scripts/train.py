"""Train the compliance classifier and save it, with its vocabulary, in outputs/model."""

import argparse
import json
import logging
import math
import platform
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import components
import dataset
import network
import numpy as np
import pandas as pd
from sources import SourceError, cache_folder, fetch, given, shown
from tracking import current_run, log_to_stdout
from vocabulary import Vocabulary

# Azure ML keeps what a run leaves in outputs/.
MODEL_FOLDER = Path("outputs", "model")

log = logging.getLogger("compliance.train")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read and check the command line; wrong settings end the program with one sentence."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--data", type=given, default="", help="CSV with text,label: path, URL, or generated"
    )
    parser.add_argument(
        "--rows", type=int, default=components.DEFAULT_ROWS, help="rows to generate without --data"
    )
    parser.add_argument(
        "--glove", type=given, default="", help="GloVe text file: path, URL, or none"
    )
    parser.add_argument("--epochs", type=int, default=3, help="0 leaves the network untrained")
    parser.add_argument("--learning-rate", type=float, default=0.001)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--seed", type=int, default=1, help="of the training, not of the data")
    parser.add_argument("--model-name", default="", help="written into metadata.json")
    parser.add_argument("--model-output", type=Path, help="second folder to save the model in")
    options = parser.parse_args(arguments)
    if options.epochs < 0:
        parser.error(f"--epochs is {options.epochs}: give 0 or more.")
    if options.batch_size < 1:
        parser.error(f"--batch-size is {options.batch_size}: give 1 or more.")
    if not (math.isfinite(options.learning_rate) and options.learning_rate > 0):
        parser.error(f"--learning-rate is {options.learning_rate}: give a number above 0.")
    if not 0 <= options.seed < 2**32:
        parser.error(f"--seed is {options.seed}: give a number from 0 to 4294967295.")
    return options


def train(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Train by the options of `parse`, save the model into ``folder`` and return its metadata.

    Raises SourceError when the data or the GloVe file cannot be used.
    """
    network.make_repeatable(options.seed)
    frame = dataset.load(options.data, options.rows)
    parts = dataset.divide(frame)
    # Over all rows, so that ids depend on the data alone: clients may send ids.
    vocabulary = Vocabulary.of(frame["text"])
    log.info(
        "%d rows with %d words: %d to train, %d to validate, %d kept back to evaluate",
        *(len(frame), len(vocabulary.words)),
        *(len(parts.training), len(parts.validation), len(parts.evaluation)),
    )
    vectors = None
    if options.glove:
        vectors = network.read_glove(fetch(options.glove, cache_folder()), vocabulary)
    model = network.build(vocabulary, options.learning_rate, vectors)

    run = current_run()
    metrics: dict[str, float] = {}

    def on_epoch(epoch: int, results: dict[str, float]) -> None:
        metrics.update(results)
        shown_results = ", ".join(f"{name} {value:.4f}" for name, value in results.items())
        log.info("Epoch %d of %d: %s", epoch, options.epochs, shown_results)
        if run is not None:
            run.log(results, step=epoch)

    def encoded(part: pd.DataFrame) -> network.Rows:
        return vocabulary.encode(list(part["text"])), part["label"].to_numpy(np.float32)

    started = time.perf_counter()
    network.fit(
        model,
        encoded(parts.training),
        encoded(parts.validation),
        epochs=options.epochs,
        batch_size=options.batch_size,
        on_epoch=on_epoch,
    )
    seconds = time.perf_counter() - started
    log.info("Trained in %.1f s", seconds)

    folder.mkdir(parents=True, exist_ok=True)
    model.save(folder / network.MODEL_FILE)
    vocabulary.save(folder)
    # With these evaluate.py can tell which of its rows the model has seen.
    trained_on = parts.training["text"].drop_duplicates()
    np.save(folder / dataset.TRAINED_ON_FILE, np.sort(dataset.fingerprints(trained_on)))
    metadata = {
        "model_name": options.model_name,
        "seed": options.seed,
        "epochs": options.epochs,
        "learning_rate": options.learning_rate,
        "batch_size": options.batch_size,
        "glove": shown(options.glove),
        "data": shown(options.data) or "generated",
        "data_rows": len(frame),
        "data_sha256": dataset.digest(frame),
        "evaluation_sha256": dataset.digest(parts.evaluation),
        "training_positive_share": float(parts.training["label"].mean()),
        "training_seconds": round(seconds, 2),
        "metrics": metrics,
        "versions": {
            "python": platform.python_version(),
            **network.versions(),
            "numpy": np.__version__,
            "pandas": pd.__version__,
        },
    }
    (folder / "metadata.json").write_text(json.dumps(metadata, indent=1) + "\n", encoding="utf-8")
    log.info("Saved the model in %s", folder)
    return metadata


def main(arguments: list[str] | None = None) -> None:
    """Train by the command line; what cannot be used ends the program with one sentence."""
    options = parse(arguments)
    log_to_stdout()
    try:
        train(options, MODEL_FOLDER)
    except SourceError as error:
        sys.exit(f"train: {error}")
    if options.model_output is not None:
        options.model_output.mkdir(parents=True, exist_ok=True)
        for file in MODEL_FOLDER.iterdir():
            # Contents only: a mounted datastore refuses times and permissions.
            shutil.copyfile(file, options.model_output / file.name)


if __name__ == "__main__":
    main()
