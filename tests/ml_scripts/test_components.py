import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import components
import pytest
from hypothesis import given
from hypothesis import strategies as st
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


@pytest.mark.parametrize("variant", components.VARIANTS)
def test_a_variant_is_repeatable(variant: str) -> None:
    first, second = (list(components.generate(50, 7, variant)) for _ in range(2))
    assert first == second


def test_rows_are_made_one_by_one() -> None:
    endless = components.generate(10**12)
    assert next(endless)


def test_the_noisy_variant_has_wrong_labels_and_typos() -> None:
    rows = list(components.generate(20_000, variant="noisy"))
    words = {*" ".join(text for text, _ in components.generate(5_000)).split()}
    typos = [text for text, _ in rows if not words.issuperset(text.split())]
    # Some typos change nothing: the same letter twice.
    assert 0.12 < len(typos) / len(rows) < 0.15
    years = {str(year) for year in components.YEARS}
    assert all(years & set(text.split()) for text, _ in rows)
    wrong = [
        label for text, label in rows if words.issuperset(text.split()) and label != label_of(text)
    ]
    assert 0.015 < len(wrong) / (len(rows) - len(typos)) < 0.025


def label_of(text: str) -> int:
    named = components.properties(text)
    (year,) = (int(word) for word in text.split() if word.isdecimal())
    return int(not components.compliant(year, named["material"], named["condition"]))


def test_the_hard_variant_says_what_no_training_text_says() -> None:
    rows = list(components.generate(5_000, variant="hard"))
    known = {text for text, _ in components.generate(components.DEFAULT_ROWS)}
    assert not known & {text for text, _ in rows}
    years = {
        int(word) for text, _ in rows for word in text.replace(":", "").split() if word.isdecimal()
    }
    assert {*components.NEW_YEARS, *components.YEARS} == years
    assert components.compliant(2025, "steel", "new")
    assert not components.compliant(1965, "steel", "new")


@given(st.text("abc 19", min_size=1).filter(lambda text: any(map(str.isalpha, text.split(" ")))))
def test_a_typo_is_in_one_word_of_letters(text: str) -> None:
    import random

    words = text.split(" ")
    changed = components.misspelled(text, random.Random(1)).split(" ")  # noqa: S311
    assert len(changed) == len(words)
    differing = [old for old, new in zip(words, changed, strict=True) if old != new]
    assert len(differing) <= 1
    assert all(old.isalpha() for old in differing)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "good condition steel component manufactured in 2003",
            ("steel", "good", "2000s", "condition first", "steel, good"),
        ),
        (
            "manufactured in 1999 made of carbon fiber in new condition",
            ("carbon fiber", "new", "1990s", "year first", "carbon fiber, new"),
        ),
        (
            "iron component manufactured in 1970 in poor condition",
            ("iron", "poor", "1970s", "material first", "iron, poor"),
        ),
        ("something else", ("other", "other", "other", "other", "other, other")),
    ],
)
def test_slices_are_what_the_text_names(text: str, expected: tuple[str, ...]) -> None:
    assert tuple(components.properties(text).values()) == expected


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
