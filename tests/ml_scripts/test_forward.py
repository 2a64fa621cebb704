from pathlib import Path

import components
import numpy as np
import pytest
from forward import CONCATENATION, FILE_NAME, Scorer, Weights
from vocabulary import Vocabulary, padded, trimmed


def random_weights(vocabulary: Vocabulary, pooling: str) -> Weights:
    random = np.random.default_rng(1)

    def array(*shape: int) -> np.ndarray:
        return random.normal(size=shape).astype(np.float32)

    vectors = array(vocabulary.size, 4)
    width = 4
    if pooling == CONCATENATION:
        width *= vocabulary.sequence_length
    else:
        vectors[0] = 0
    return Weights(
        pooling=pooling,
        activation="tanh" if pooling == "maximum" else "relu",
        vectors=vectors,
        layers=((array(width, 5), array(5)), (array(5, 1), array(1))),
    )


def test_the_rule_is_computed(rule_model: Path) -> None:
    scorer = Scorer.load(rule_model)
    texts, labels = zip(*components.generate(500), strict=True)
    found = scorer.scores(scorer.vocabulary.encode(texts))
    assert found.dtype == np.float32
    assert ((found >= 0.5) == np.array(labels)).all()


@pytest.mark.parametrize("pooling", ["maximum", "concatenation"])
def test_each_row_is_scored_as_if_it_were_alone(pooling: str) -> None:
    vocabulary = Vocabulary(words=tuple("abcdefgh"))
    scorer = Scorer(vocabulary=vocabulary, weights=random_weights(vocabulary, pooling))
    texts = ["a", "b c", "", "h g f e d c b a", "a " * 120]
    rows = vocabulary.encode(texts)
    alone = [scorer.scores(rows[at : at + 1])[0] for at in range(len(rows))]
    assert scorer.scores(rows) == pytest.approx(alone, abs=1e-6)
    narrow = [scorer.scores(padded([vocabulary.ids_of(text)]))[0] for text in texts]
    assert narrow == pytest.approx(alone, abs=1e-6)


def test_what_overflows_stays_a_probability() -> None:
    vocabulary = Vocabulary(words=("a", "b"))
    large = np.array([[0], [1e30], [-1e30]], np.float32)
    one = (np.array([[1]], np.float32), np.zeros(1, np.float32))
    weights = Weights(pooling=CONCATENATION, activation="relu", vectors=large, layers=(one,))
    scorer = Scorer(vocabulary=Vocabulary(words=("a", "b"), sequence_length=1), weights=weights)
    assert scorer.scores(np.array([[0], [1], [2]], np.int32)).tolist() == [0.5, 1, 0]
    assert vocabulary.size == len(large)


@pytest.mark.parametrize("pooling", ["maximum", "concatenation"])
def test_saved_and_loaded_is_the_same(pooling: str, tmp_path: Path) -> None:
    vocabulary = Vocabulary(words=("a", "b"))
    weights = random_weights(vocabulary, pooling)
    weights.save(tmp_path)
    vocabulary.save(tmp_path)
    rows = vocabulary.encode(["a b", "b"])
    scorer = Scorer(vocabulary=vocabulary, weights=weights)
    assert Scorer.load(tmp_path).scores(rows).tolist() == scorer.scores(rows).tolist()


def test_what_does_not_fit_together_is_refused(tmp_path: Path) -> None:
    random_weights(Vocabulary(words=("a",)), "maximum").save(tmp_path)
    Vocabulary(words=("a", "b")).save(tmp_path)
    with pytest.raises(ValueError, match="a vocabulary of 3 ids and weights for 2"):
        Scorer.load(tmp_path)
    random_weights(Vocabulary(words=("a",)), "another").save(tmp_path)
    with pytest.raises(ValueError, match="no network that this version knows"):
        Weights.load(tmp_path)
    whole = (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r"damaged|file"):
        Weights.load(tmp_path)


def test_padding_is_trimmed_only_where_every_row_has_it() -> None:
    rows = np.array([[0, 0, 1], [0, 2, 3]], np.int32)
    assert trimmed(rows).tolist() == [[0, 1], [2, 3]]
    assert trimmed(np.zeros((2, 3), np.int32)).tolist() == [[0], [0]]
