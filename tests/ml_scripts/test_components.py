import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import components
import pytest
from vocabulary import Vocabulary, words_of

GENERATE = Path(__file__).parents[2] / "samples" / "compliance-classifier" / "data" / "generate.py"


@pytest.fixture(scope="module")
def rows() -> list[tuple[str, int]]:
    return list(components.generate(components.DEFAULT_ROWS))


@pytest.mark.parametrize(
    ("year", "material", "condition", "expected"),
    [
        (1995, "steel", "new", True),
        (2019, "carbon fiber", "good", True),
        (1994, "steel", "new", False),
        (2010, "plastic", "good", False),
        (2010, "iron", "new", False),
        (2010, "steel", "fair", False),
        (2010, "carbon fiber", "poor", False),
    ],
)
def test_rule(year: int, material: str, condition: str, expected: bool) -> None:
    assert components.compliant(year, material, condition) is expected


def test_published_facts(rows: list[tuple[str, int]]) -> None:
    words = Counter(word for text, _ in rows for word in words_of(text))
    assert len(rows) == 100_000
    assert len(words) == 65
    assert {len(words_of(text)) for text, _ in rows} <= {7, 8, 9, 10}
    assert 0.4 < sum(label for _, label in rows) / len(rows) < 0.5


def test_published_ranks(rows: list[tuple[str, int]]) -> None:
    ids = Vocabulary.of(text for text, _ in rows).words
    expected = {1: "in", 2: "condition", 3: "manufactured", 4: "component", 5: "carbon"}
    expected |= {6: "fiber", 8: "good"}
    assert {number: ids[number - 1] for number in expected} == expected
    # The row the workshop's smoke test sends is compliant, so this is a year since 1995.
    assert int(ids[33]) in components.COMPLIANT_YEARS


def test_one_text_has_one_label(rows: list[tuple[str, int]]) -> None:
    assert len(set(rows)) == len({text for text, _ in rows}) == 2400


def test_same_seed_same_rows() -> None:
    assert list(components.generate(50, 7)) == list(components.generate(50, 7))
    assert list(components.generate(50, 7)) != list(components.generate(50, 8))


def test_command_line_writes_csv(tmp_path: Path) -> None:
    output = tmp_path / "components.csv"
    subprocess.run([sys.executable, str(GENERATE), str(output), "--rows", "30"], check=True)
    with output.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert header == ["text", "label"]
    assert rows == [[text, str(label)] for text, label in components.generate(30)]


@pytest.mark.parametrize("arguments", [["x.csv", "--rows", "0"], ["missing/x.csv"]])
def test_command_line_refuses(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        components.main(arguments)
    assert ended.value.code == 2
    assert not list(tmp_path.iterdir())
