"""Measure a trained model on the rows that were kept back, which are the same for every model."""

import argparse
import json
import logging
import random
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import card
import components
import dataset
import numpy as np
import pandas as pd
from forward import Scorer
from metrics import classification_metrics, predictions
from sources import SourceError, given
from tracking import current_run, log_to_stdout

# Azure ML keeps what a run leaves in outputs/.
OUTPUT_FOLDER = Path("outputs")
# Columns of the predictions that are slices, for the gate's rules and the model card.
SLICES = ("material", "condition", "era", "wording", "material_condition")
# Rows of each test that goes beyond the evaluation rows.
HARD_ROWS = 2_000

log = logging.getLogger("compliance.evaluate")


def evaluate(model_folder: Path, data: str, folder: Path) -> dict[str, float]:
    """Score the evaluation rows and return the metrics.

    Writes metrics.json, predictions.csv and model_card.md into ``folder``. The predictions have the
    columns id (the row's number in the data, from 0), text, label, score, prediction, in_training
    (whether the model was trained on that text), and what the text names: `SLICES`. Beside the
    classification metrics there are model_size_mb, scoring_ms (95th percentile for one row),
    training_positive_share, accuracy_typos, and, on generated data, accuracy_new_wordings and
    accuracy_new_years, all of which the gate's rules may name.
    Raises SourceError when the data or the model cannot be used.
    """
    scorer, metadata, trained_on = load(model_folder)
    rows_to_score = dataset.evaluation_rows(data)
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
        "training_positive_share": float(metadata["training_positive_share"]),
        **robustness(scorer, rows_to_score, generated=not data),
    }

    folder.mkdir(parents=True, exist_ok=True)
    named = pd.DataFrame(list(texts.map(components.properties)), index=texts.index)
    found = rows_to_score.assign(
        score=scores,
        prediction=predictions(scores),
        in_training=np.isin(dataset.fingerprints(texts), trained_on).astype(int),
    ).join(named[list(SLICES)])
    found.to_csv(folder / "predictions.csv", index_label="id", lineterminator="\n")
    # The digest tells whether two models were measured on the same rows.
    document = {**metrics, "evaluation_sha256": dataset.digest(rows_to_score)}
    (folder / "metrics.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    text = card.written(metadata, document, found, SLICES)
    (folder / "model_card.md").write_text(text, encoding="utf-8")
    return metrics


def load(folder: Path) -> tuple[Scorer, dict[str, Any], Any]:
    """Return the model in ``folder``, its metadata and the fingerprints of what it was trained on.

    Raises SourceError when one of them is missing or unusable.
    """
    try:
        metadata = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
        metadata["training_positive_share"] = float(metadata["training_positive_share"])
        return Scorer.load(folder), metadata, np.load(folder / dataset.TRAINED_ON_FILE)
    except (OSError, KeyError, ValueError) as error:
        raise SourceError(
            f"There is no usable model in {folder}: {error}. "
            "Next: give the folder that train.py wrote."
        ) from error


def robustness(scorer: Scorer, rows: pd.DataFrame, *, generated: bool) -> dict[str, float]:
    """Return the accuracy on texts with one typo each and, on generated data, on what is new.

    The typos are always the same, so that models can be compared. New wordings and new years are
    the hard variant of the generated data: a model of words cannot know a year that it never read.
    """
    # Not a secret: this generator must be repeatable.
    source = random.Random(1)  # noqa: S311
    distinct = rows.drop_duplicates("text")
    distinct = distinct[distinct["text"].map(lambda text: any(map(str.isalpha, text.split(" "))))]
    misspelled = [components.misspelled(text, source) for text in distinct["text"]]
    found = {"accuracy_typos": accuracy(scorer, misspelled, list(distinct["label"]))}
    if generated:
        hard = list(components.generate(HARD_ROWS, variant="hard"))
        new_years = {str(year) for year in components.NEW_YEARS}
        for name, wanted in (("accuracy_new_wordings", False), ("accuracy_new_years", True)):
            chosen = [
                row
                for row in hard
                if bool(new_years & set(row[0].replace(":", "").split())) is wanted
            ]
            found[name] = accuracy(scorer, *map(list, zip(*chosen, strict=True)))
    return found


def accuracy(scorer: Scorer, texts: Sequence[str], labels: Sequence[int]) -> float:
    """Return the share of the texts whose label the model tells; 0 of no text."""
    if not texts:
        return 0.0
    found = predictions(scorer.scores(scorer.vocabulary.encode(texts)))
    return float(np.mean(found == np.array(labels)))


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
    options = parser.parse_args(arguments)
    log_to_stdout()
    try:
        metrics = evaluate(options.model, options.data, OUTPUT_FOLDER)
    except SourceError as error:
        sys.exit(f"evaluate: {error}")
    log.info("%s", ", ".join(f"{name} {value:g}" for name, value in metrics.items()))

    run = current_run()
    if run is not None:
        run.log(metrics)
        run.log_to_pipeline(metrics)


if __name__ == "__main__":
    main()
