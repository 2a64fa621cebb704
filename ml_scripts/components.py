"""Descriptions of connected-car components, made from the published rule.

The CSV this sample was first written for is no longer on the web. What is known of it: 100,000
rows, columns ``text,label``, 65 different words, three shapes of sentence, the rule in `compliant`,
and the ranks of some words (in 1, condition 2, manufactured 3, component 4, carbon 5, fiber 6, good
8), which the default seed reproduces. Inferred from these ranks: the model years 1970-2019, and
that half of the rows are drawn from the compliant components, the other half from all.

Three variants: ``clean`` follows the rule without exception; ``noisy`` has wrong labels and typos,
as data that people typed has; ``hard`` has wordings and years that are in neither, for a test only.
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
VARIANTS = ("clean", "noisy", "hard")
# Of the noisy variant: the share of rows with the wrong label, and of texts with a typo.
LABEL_NOISE = 0.02
TYPOS = 0.15

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
# Of the hard variant: known words in an order that no text was trained on, and one new word each.
NEW_SHAPES = (
    "built in {year}: {condition} part of {material}",
    "{year} {material} {condition}",
    "a {material} component from {year} whose condition is {condition}",
)
NEW_YEARS = (*range(1960, 1970), *range(2020, 2030))


def compliant(year: int, material: str, condition: str) -> bool:
    """Tell whether it is built since 1995, of carbon fiber or steel, and good or new."""
    return (
        year >= COMPLIANT_YEARS.start
        and material in COMPLIANT_MATERIALS
        and condition in COMPLIANT_CONDITIONS
    )


def generate(
    rows: int, seed: int = DEFAULT_SEED, variant: str = VARIANTS[0]
) -> Iterator[tuple[str, int]]:
    """Yield ``rows`` pairs of text and label (0 compliant, 1 not); one seed, one sequence.

    Row by row, so any number of them takes no memory. ``variant`` is one of `VARIANTS`.
    """
    # Not a secret: this generator must be repeatable, so Python's own will do.
    random_source = random.Random(seed)  # noqa: S311
    shapes, years = (SHAPES, YEARS) if variant != "hard" else (NEW_SHAPES, (*YEARS, *NEW_YEARS))
    for _ in range(rows):
        if random_source.random() < 0.5:
            year = random_source.choice(COMPLIANT_YEARS)
            material = random_source.choice(COMPLIANT_MATERIALS)
            condition = random_source.choice(COMPLIANT_CONDITIONS)
        else:
            year = random_source.choice(years)
            material = random_source.choice(MATERIALS)
            condition = random_source.choice(CONDITIONS)
        text = random_source.choice(shapes).format(
            year=year, material=material, condition=condition
        )
        label = int(not compliant(year, material, condition))
        if variant == "noisy":
            if random_source.random() < LABEL_NOISE:
                label = 1 - label
            if random_source.random() < TYPOS:
                text = misspelled(text, random_source)
        yield text, label


def misspelled(text: str, random_source: random.Random) -> str:
    """Return ``text`` with one letter left out, doubled, or changed with the next, in one word.

    Only words of letters get a typo: another digit would make another year.
    """
    words = text.split(" ")
    number = random_source.choice([at for at, word in enumerate(words) if word.isalpha()])
    word = words[number]
    at = random_source.randrange(len(word))
    kind = random_source.choice(("left out", "doubled", "changed"))
    if kind == "left out" and len(word) > 1:
        word = word[:at] + word[at + 1 :]
    elif kind == "changed" and at + 1 < len(word):
        word = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    else:
        word = word[:at] + word[at] + word[at:]
    return " ".join([*words[:number], word, *words[number + 1 :]])


def properties(text: str) -> dict[str, str]:
    """Tell what a text names, for slices of the evaluation; ``other`` where it names nothing.

    ``material``, ``condition``, ``era`` (the decade, such as ``1990s``), ``wording`` (the shape of
    the sentence), and ``material_condition``, both of them crossed.
    """
    words = f" {text} "
    found = {
        name: next((value for value in values if f" {value} " in words), "other")
        for name, values in (("material", MATERIALS), ("condition", CONDITIONS))
    }
    year = next((word for word in text.split() if len(word) == 4 and word.isdecimal()), "")
    found["era"] = f"{year[:3]}0s" if year else "other"
    found["wording"] = _wording(text)
    found["material_condition"] = f"{found['material']}, {found['condition']}"
    return found


def _wording(text: str) -> str:
    words = text.split()
    if words[:1] == ["manufactured"]:
        return "year first"
    if words[1:2] == ["condition"]:
        return "condition first"
    if any(text.startswith(f"{material} component") for material in MATERIALS):
        return "material first"
    return "other"


def write_csv(path: Path, rows: int, seed: int = DEFAULT_SEED, variant: str = VARIANTS[0]) -> None:
    """Write ``rows`` generated rows with a header to ``path``, whose folder must exist."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(generate(rows, seed, variant))


def main(arguments: list[str] | None = None) -> None:
    """Write the data set to the CSV file named on the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("output", type=Path, metavar="OUTPUT.csv")
    parser.add_argument("--rows", type=int, default=DEFAULT_ROWS)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED)
    parser.add_argument("--variant", choices=VARIANTS, default=VARIANTS[0])
    options = parser.parse_args(arguments)
    if options.rows < 1:
        parser.error(f"--rows is {options.rows}, but a data set needs at least one row.")
    if not options.output.absolute().parent.is_dir():
        parser.error(f"There is no folder {options.output.absolute().parent}: create it first.")
    write_csv(options.output, options.rows, options.seed, options.variant)


if __name__ == "__main__":
    main()
