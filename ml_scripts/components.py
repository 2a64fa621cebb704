"""Descriptions of connected-car components, made from the published rule.

The CSV this sample was first written for is no longer on the web. What is known of it: 100,000
rows, columns ``text,label``, 65 different words, three shapes of sentence, the rule in `compliant`,
and the ranks of some words (in 1, condition 2, manufactured 3, component 4, carbon 5, fiber 6, good
8), which the default seed reproduces. Inferred from these ranks: the model years 1970-2019, and
that half of the rows are drawn from the compliant components, the other half from all.
"""

import argparse
import csv
import random
from collections.abc import Iterator
from pathlib import Path

COLUMNS = ("text", "label")
DEFAULT_ROWS = 100_000
# The data set is one fixed thing: a run's seed changes the training, never the data.
DEFAULT_SEED = 2019

MATERIALS = ("carbon fiber", "steel", "plastic", "iron")
COMPLIANT_MATERIALS = MATERIALS[:2]
CONDITIONS = ("good", "new", "fair", "poor")
COMPLIANT_CONDITIONS = CONDITIONS[:2]
YEARS = range(1970, 2020)
COMPLIANT_YEARS = range(1995, 2020)
SHAPES = (
    "{condition} condition {material} component manufactured in {year}",
    "manufactured in {year} made of {material} in {condition} condition",
    "{material} component manufactured in {year} in {condition} condition",
)


def compliant(year: int, material: str, condition: str) -> bool:
    """Tell whether it is built since 1995, of carbon fiber or steel, and good or new."""
    return (
        year in COMPLIANT_YEARS
        and material in COMPLIANT_MATERIALS
        and condition in COMPLIANT_CONDITIONS
    )


def generate(rows: int, seed: int = DEFAULT_SEED) -> Iterator[tuple[str, int]]:
    """Yield ``rows`` pairs of text and label (0 compliant, 1 not); one seed, one sequence."""
    # Not a secret: this generator must be repeatable, so Python's own will do.
    random_source = random.Random(seed)  # noqa: S311
    for _ in range(rows):
        if random_source.random() < 0.5:
            year = random_source.choice(COMPLIANT_YEARS)
            material = random_source.choice(COMPLIANT_MATERIALS)
            condition = random_source.choice(COMPLIANT_CONDITIONS)
        else:
            year = random_source.choice(YEARS)
            material = random_source.choice(MATERIALS)
            condition = random_source.choice(CONDITIONS)
        text = random_source.choice(SHAPES).format(
            year=year, material=material, condition=condition
        )
        yield text, int(not compliant(year, material, condition))


def properties(text: str) -> dict[str, str]:
    """Tell the material and the condition that a text names; ``other`` where it names none."""
    words = f" {text} "
    return {
        name: next((value for value in values if f" {value} " in words), "other")
        for name, values in (("material", MATERIALS), ("condition", CONDITIONS))
    }


def write_csv(path: Path, rows: int, seed: int = DEFAULT_SEED) -> None:
    """Write ``rows`` generated rows with a header to ``path``, whose folder must exist."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(generate(rows, seed))


def main(arguments: list[str] | None = None) -> None:
    """Write the data set to the CSV file named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path, metavar="OUTPUT.csv")
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    options = parser.parse_args(arguments)
    if options.rows < 1:
        parser.error(f"--rows is {options.rows}, but a data set needs at least one row.")
    if not options.output.absolute().parent.is_dir():
        parser.error(f"There is no folder {options.output.absolute().parent}: create it first.")
    write_csv(options.output, options.rows, options.seed)


if __name__ == "__main__":
    main()
