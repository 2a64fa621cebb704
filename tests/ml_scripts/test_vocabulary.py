from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vocabulary import MAX_WORDS, SEQUENCE_LENGTH, Vocabulary, words_of

texts = st.lists(st.text(max_size=60), max_size=20)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Good condition", ["good", "condition"]),
        ("made-of: (steel)!", ["made", "of", "steel"]),
        ("it's\tnew\r\n", ["it's", "new"]),
        ("été 2016", ["été", "2016"]),
        (" .,; ", []),
    ],
)
def test_words_are_those_of_the_keras_tokenizer(text: str, expected: list[str]) -> None:
    assert words_of(text) == expected


def test_ids_by_frequency_then_alphabet() -> None:
    assert Vocabulary.of(["b a", "c a", "c b a"]).words == ("a", "b", "c")


def test_only_the_most_frequent_words_are_kept() -> None:
    vocabulary = Vocabulary.of([f"w{number} often" for number in range(MAX_WORDS + 5)])
    assert len(vocabulary.words) == MAX_WORDS
    assert vocabulary.words[0] == "often"


def test_rows_are_padded_on_the_left_and_cut_on_the_left() -> None:
    vocabulary = Vocabulary(words=("a", "b"))
    short, long, unknown = vocabulary.encode(["a b", "b " * SEQUENCE_LENGTH + "a", "zebra"])
    assert short.tolist() == [0] * 98 + [1, 2]
    assert long.tolist() == [2] * 99 + [1]
    assert unknown.tolist() == [0] * 100


@given(texts)
def test_vocabulary_does_not_depend_on_the_order_of_texts(texts: list[str]) -> None:
    assert Vocabulary.of(texts) == Vocabulary.of(reversed(texts))


@given(texts)
def test_encoding_holds_exactly_the_texts_words(texts: list[str]) -> None:
    vocabulary = Vocabulary.of(texts)
    rows = vocabulary.encode(texts)
    assert rows.shape == (len(texts), SEQUENCE_LENGTH)
    assert rows.dtype == np.int32
    for text, row in zip(texts, rows, strict=True):
        decoded = [vocabulary.words[number - 1] for number in row if number]
        assert decoded == words_of(text)[-SEQUENCE_LENGTH:]


def test_saved_and_loaded_is_the_same(tmp_path: Path) -> None:
    vocabulary = Vocabulary.of(["Été à Paris", "in Paris"])
    vocabulary.save(tmp_path)
    assert Vocabulary.load(tmp_path) == vocabulary


@given(st.lists(st.text(max_size=60), min_size=1, max_size=20))
def test_many_texts_are_read_as_each_is_alone(texts: list[str]) -> None:
    vocabulary = Vocabulary.of(texts[::2])
    many = [*texts, "a \0 b", "long " * 150, "", *vocabulary.words] * 3
    for some in (texts * 20, many):
        rows = vocabulary.read(some)
        width = rows.shape[1]
        assert rows.dtype == np.int32
        assert rows.tolist() == vocabulary.encode(some)[:, -width:].tolist()
        assert width == max(1, *(len(vocabulary.ids_of(text)) for text in some))
