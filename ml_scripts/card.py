"""The model card: what a model is, what it was trained on, and how good it is where.

The headings follow Mitchell et al., "Model cards for model reporting", FAT* 2019.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
from metrics import calibration

SETTINGS = ("network", "learning_rate", "batch_size", "epochs", "seed", "class_weights", "glove")
HEADLINE = ("accuracy", "precision", "recall", "f1", "auc", "log_loss", "brier")
BEYOND = {
    "accuracy_typos": "each text with one typo",
    "accuracy_new_wordings": "sentences of known words that no training text has",
    "accuracy_new_years": "years that no training text names, which a model of words cannot know",
}


def written(
    metadata: Mapping[str, Any],
    metrics: Mapping[str, Any],
    rows: pd.DataFrame,
    slices: Sequence[str],
) -> str:
    """Return the card as Markdown.

    ``metadata`` is what train.py wrote, ``metrics`` what evaluate.py measured; ``rows`` are its
    predictions, with the columns label, score, prediction and ``slices``.
    """
    report = metadata.get("data_report", {})
    parts = [
        f"# {metadata.get('model_name') or 'Compliance classifier'}",
        "Tells by its description whether a car component is compliant (0) or not (1). It reads "
        "English words that it was trained on, and leaves out others. Not for anything else than "
        "descriptions of components.",
        "## Training",
        _table(
            ("Setting", "Value"),
            ((name, metadata[name]) for name in SETTINGS if metadata.get(name) not in ("", None)),
        ),
        f"Data: {metadata['data']}, {metadata['data_rows']} rows (sha256 "
        f"`{metadata['data_sha256']}`). {_data(report)}",
        "## Evaluation",
        f"{len(rows)} rows with {rows['text'].nunique()} different texts, none of which was "
        f"trained on (sha256 `{metrics['evaluation_sha256']}`).",
        _table(("Metric", "Value"), ((name, _number(metrics[name])) for name in HEADLINE)),
        "### By slice",
        _table(("Slice", "Rows", "Accuracy", "Label 1"), _slices(rows, slices)),
        f"### Calibration (expected error {_number(metrics['calibration_error'])})",
        _table(
            ("Rows", "Mean score", "Share of label 1"),
            (
                (each.rows, _number(each.mean_score), _number(each.share))
                for each in calibration(rows["label"].to_numpy(), rows["score"].to_numpy())
            ),
        ),
        "### Beyond the evaluation rows",
        _table(
            ("Accuracy on", "Value"),
            ((text, _number(metrics[name])) for name, text in BEYOND.items() if name in metrics),
        ),
        "## Cost",
        f"{_number(metrics['model_size_mb'])} MB; {_number(metrics['scoring_ms'])} ms for one text "
        "(95th percentile, on the machine of the evaluation).",
    ]
    return "\n\n".join(parts) + "\n"


def _data(report: Mapping[str, Any]) -> str:
    if not report:
        return ""
    warnings = report["warnings"]
    return f"{report['texts']} different texts. " + (
        " ".join(warnings) if warnings else "Nothing in it deserves a look."
    )


def _slices(rows: pd.DataFrame, slices: Sequence[str]) -> Iterable[tuple[object, ...]]:
    right = rows.assign(right=rows["label"] == rows["prediction"])
    for name in slices:
        for value, part in right.groupby(name):
            yield (
                f"{name} = {value}",
                len(part),
                _number(part["right"].mean()),
                _number(part["label"].mean()),
            )


def _number(value: float) -> str:
    return f"{value:.4g}"


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)
