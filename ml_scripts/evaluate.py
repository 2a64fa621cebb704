"""Measure a trained model on the rows that were kept back, which are the same for every model."""

import argparse
import json
import logging
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import components
import dataset
import numpy as np
from forward import Scorer
from metrics import classification_metrics, predictions
from sources import SourceError, given
from tracking import current_run, log_to_stdout

# Azure ML keeps what a run leaves in outputs/.
OUTPUT_FOLDER = Path("outputs")

log = logging.getLogger("compliance.evaluate")


def evaluate(model_folder: Path, data: str, rows: int, folder: Path) -> dict[str, float]:
    """Score the evaluation rows and return the metrics.

    Writes metrics.json and predictions.csv into ``folder``. The predictions have the columns id
    (the row's number in the data, from 0), text, label, score, prediction, in_training (whether the
    model was trained on that text), and what the text names: material, condition. Beside the
    classification metrics there are model_size_mb, scoring_ms (95th percentile for one row) and
    training_positive_share, which the gate's rules may name.
    Raises SourceError when the data or the model cannot be used.
    """
    try:
        scorer = Scorer.load(model_folder)
        metadata = json.loads((model_folder / "metadata.json").read_text(encoding="utf-8"))
        trained_on = np.load(model_folder / dataset.TRAINED_ON_FILE)
        trained_share = float(metadata["training_positive_share"])
    except (OSError, KeyError, ValueError) as error:
        raise SourceError(
            f"There is no usable model in {model_folder}: {error}. "
            "Next: give the folder that train.py wrote."
        ) from error
    rows_to_score = dataset.divide(dataset.load(data, rows)).evaluation
    texts = rows_to_score["text"]
    scores = scorer.scores(scorer.vocabulary.encode(texts))
    if not np.isfinite(scores).all():
        raise SourceError(
            "The model's scores are not numbers: its training diverged. "
            "Next: train with a smaller learning rate."
        )
    size = sum(file.stat().st_size for file in model_folder.rglob("*") if file.is_file())
    metrics = {
        **classification_metrics(rows_to_score["label"].to_numpy(), scores),
        "model_size_mb": size / 1e6,
        "scoring_ms": milliseconds(scorer, list(texts.head(50))),
        "training_positive_share": trained_share,
    }

    folder.mkdir(parents=True, exist_ok=True)
    named = texts.map(components.properties)
    rows_to_score.assign(
        score=scores,
        prediction=predictions(scores),
        in_training=np.isin(dataset.fingerprints(texts), trained_on).astype(int),
        material=[each["material"] for each in named],
        condition=[each["condition"] for each in named],
    ).to_csv(folder / "predictions.csv", index_label="id", lineterminator="\n")
    # The digest tells whether two models were measured on the same rows.
    document = {**metrics, "evaluation_sha256": dataset.digest(rows_to_score)}
    (folder / "metrics.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return metrics


def milliseconds(scorer: Scorer, texts: Sequence[str]) -> float:
    """Return how long one text takes to score, 95th percentile of ``texts``, in milliseconds."""
    took = []
    for text in texts:
        started = time.perf_counter()
        scorer.scores(scorer.vocabulary.encode([text]))
        took.append((time.perf_counter() - started) * 1000)
    return float(np.percentile(took, 95))


def main(arguments: list[str] | None = None) -> None:
    """Evaluate by the command line; what cannot be used ends the program with one sentence."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--model", type=Path, required=True, help="folder that train.py wrote")
    parser.add_argument(
        "--data", type=given, default="", help="CSV with text,label: path, URL, or generated"
    )
    parser.add_argument(
        "--rows", type=int, default=components.DEFAULT_ROWS, help="rows to generate without --data"
    )
    options = parser.parse_args(arguments)
    log_to_stdout()
    try:
        metrics = evaluate(options.model, options.data, options.rows, OUTPUT_FOLDER)
    except SourceError as error:
        sys.exit(f"evaluate: {error}")
    log.info("%s", ", ".join(f"{name} {value:g}" for name, value in metrics.items()))

    run = current_run()
    if run is not None:
        run.log(metrics)
        run.log_to_pipeline(metrics)


if __name__ == "__main__":
    main()
