"""What is in the data, and what is wrong with it: duplicates, contradictions, leakage, balance.

    python validation.py DATA.csv [--report FILE.json]

`dataset.load` refuses what cannot be used (columns, types, empty texts); this tells the rest.
"""

import argparse
import dataclasses
import json
import logging
import sys
from dataclasses import dataclass
from pathlib import Path

import components
import dataset
import pandas as pd
from sources import SourceError, given
from tracking import log_to_stdout
from vocabulary import MAX_WORDS, SEQUENCE_LENGTH, words_of

# A share of label 1 in one part that differs by more than this from that in training.
SHIFT = 0.1

log = logging.getLogger("compliance.validation")


@dataclass(frozen=True, kw_only=True)
class Report:
    """Counts of the data, and what deserves a look, one sentence each.

    ``texts`` counts different texts, ``contradictions`` those that stand there with both labels,
    ``leaked`` the texts of the evaluation that are also in another part. Shares are of label 1.
    """

    rows: int
    texts: int
    words: int
    contradictions: int
    longer_than_read: int
    leaked: int
    positive_share: dict[str, float]
    part_rows: dict[str, int]
    warnings: tuple[str, ...]


def validate(frame: pd.DataFrame, parts: dataset.Parts) -> Report:
    """Look at the rows of `dataset.load` and their division by `dataset.divide`."""
    by_part = {"training": parts.training, "validation": parts.validation}
    by_part["evaluation"] = parts.evaluation
    texts = frame.groupby("text", sort=False)["label"].nunique()
    words = pd.Series(texts.index).map(words_of)
    elsewhere = {*dataset.fingerprints(parts.training["text"].unique())}
    elsewhere |= {*dataset.fingerprints(parts.validation["text"].unique())}
    evaluated = dataset.fingerprints(parts.evaluation["text"].unique())
    report = Report(
        rows=len(frame),
        texts=len(texts),
        words=len({word for each in words for word in each}),
        contradictions=int((texts > 1).sum()),
        longer_than_read=int((words.map(len) > SEQUENCE_LENGTH).sum()),
        leaked=sum(each in elsewhere for each in evaluated),
        positive_share={name: float(part["label"].mean()) for name, part in by_part.items()},
        part_rows={name: len(part) for name, part in by_part.items()},
        warnings=(),
    )
    return dataclasses.replace(report, warnings=tuple(warnings_of(report)))


def warnings_of(report: Report) -> list[str]:
    """Return a sentence for each thing that a person should look at."""
    found = []
    if report.leaked:
        found.append(f"{report.leaked} evaluation texts are also trained on.")
    if report.contradictions:
        found.append(
            f"{report.contradictions} of {report.texts} texts stand there with both labels: no "
            "model can be right about all of their rows."
        )
    if report.longer_than_read:
        found.append(
            f"{report.longer_than_read} texts have more than {SEQUENCE_LENGTH} words, of which the "
            "last are read."
        )
    if report.words > MAX_WORDS:
        found.append(f"Of {report.words} words, the {MAX_WORDS} most frequent are read.")
    shares = report.positive_share
    for part in ("validation", "evaluation"):
        if abs(shares[part] - shares["training"]) > SHIFT:
            found.append(
                f"The share of label 1 is {shares[part]:.3f} in the part for {part} and "
                f"{shares['training']:.3f} in training."
            )
    return found


def main(arguments: list[str] | None = None) -> None:
    """Validate a CSV file; data that cannot be used ends the program with one sentence."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=given, help="CSV with text,label: path, URL, or generated")
    parser.add_argument("--rows", type=int, default=components.DEFAULT_ROWS)
    parser.add_argument("--report", type=Path, help="write the report as JSON to this file")
    options = parser.parse_args(arguments)
    log_to_stdout()
    try:
        frame = dataset.load(options.data, options.rows)
        report = validate(frame, dataset.divide(frame))
    except SourceError as error:
        sys.exit(f"validation: {error}")
    document = dataclasses.asdict(report)
    for name, value in document.items():
        log.info("%-18s %s", name, value)
    if options.report is not None:
        options.report.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
