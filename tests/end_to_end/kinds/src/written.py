"""Predictions of every kind of model, each in a file of another format."""

import gzip
import random
from pathlib import Path

ROWS = 300
CLASSES = ("iron", "steel", "wood")


def write(folder: Path, every: int, noise: float) -> None:
    """Write them; each ``every``-th row is wrong, and numbers are off by ``noise``."""
    chance = random.Random(7)  # noqa: S311 - not for secrets

    def table(name, header, row, separator=","):
        lines = [separator.join(header)]
        lines += [separator.join(map(str, (f"r{n}", *row(n)))) for n in range(ROWS)]
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def binary(n):
        label = n % 2
        said = label ^ (n % every == 0)
        return ("bad", "good")[label], ("bad", "good")[said], 0.2 if said else 0.8

    def many(n):
        label = n % 3
        said = (label + (n % every == 0)) % 3
        scores = [0.8 if at == said else 0.1 for at in range(3)]
        return CLASSES[label], CLASSES[said], *scores, "old" if n % 2 else "new"

    def labels(n):
        red, big = n % 2, int(n % 3 == 0)
        return red, big, red ^ (n % every == 0), big

    def number(n):
        label = 20 + n % 50
        return label, round(label + chance.gauss(0, noise), 3), 1 + n % 3

    def place(n):
        return n // 6, n % 4, round(n % 4 + chance.gauss(0, noise), 3)

    table("binary.csv", ("id", "label", "prediction", "score"), binary)
    header = ("id", "Truth", "prediction", *(f"score_{name}" for name in CLASSES), "era")
    plain = table("plain.txt", header, many)
    (folder / "multiclass.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    header = ("id", "label_red", "label_big", "prediction_red", "prediction_big")
    table("multilabel.csv", header, labels)
    # As a spreadsheet in Europe writes it.
    numbers = table("regression.csv", ("id", "label", "prediction", "horizon"), number, ";")
    numbers.write_bytes(numbers.read_text().replace(".", ",").encode("utf-16"))
    table("ranking/part-0.csv", ("id", "query", "label", "score"), place)
    (folder / "ranking" / "_SUCCESS").touch()
    table("scores.tsv", ("id", "judged"), lambda n: (5 - (n % every == 0),), "\t")
    table("predictions.csv", ("name", "caption"), lambda n: ("a cat",))
