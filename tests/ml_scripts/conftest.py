"""The scripts import each other as Azure ML runs them: by name, from their own folder."""

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from devtools.steps import locked

SCRIPTS = Path(__file__).resolve().parents[2] / "ml_scripts"
sys.path.insert(0, str(SCRIPTS))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # Keras hands TensorFlow's variables to numpy 2 in the way of numpy 1, which still works.
    known = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
    for item in items:
        if item.get_closest_marker("tensorflow"):
            item.add_marker(pytest.mark.filterwarnings(known))


@pytest.fixture(scope="session")
def scripts_with_tensorflow() -> tuple[Any, Any]:
    """The modules train and evaluate; TensorFlow starts once for all tests."""
    with warnings.catch_warnings():
        # What TensorFlow's own modules deprecate is not ours to repair.
        warnings.simplefilter("ignore")
        import evaluate
        import train
    return train, evaluate


@pytest.fixture(scope="session")
def train_small(
    scripts_with_tensorflow: tuple[Any, Any], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Train on 4,000 rows by the given command line and return the model's folder."""
    train, _ = scripts_with_tensorflow

    def run(*arguments: str) -> Path:
        folder = tmp_path_factory.mktemp("model") / "model"
        train.train(train.parse(["--rows", "4000", *arguments]), folder)
        return folder

    return run


@pytest.fixture(scope="session")
def small_model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A good model of 4,000 rows, trained once for all workers of the test run."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "small_model"
    with locked(shared / "small_model.lock"):
        if not folder.exists():
            train_small: Callable[..., Path] = request.getfixturevalue("train_small")
            # Renamed when it is whole: a training that failed leaves nothing to the others.
            train_small().rename(folder)
    return folder


@pytest.fixture(scope="session")
def rule_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that nobody trained: its only component is 1 for each word that rules a part out."""
    import components
    import numpy as np
    from forward import MAXIMUM, Weights
    from vocabulary import Vocabulary

    vocabulary = Vocabulary.of(text for text, _ in components.generate(components.DEFAULT_ROWS))
    ruled_out = {*components.MATERIALS[2:], *components.CONDITIONS[2:]}
    ruled_out |= {str(year) for year in components.YEARS if year not in components.COMPLIANT_YEARS}
    vectors = [[0.0], *([float(word in ruled_out)] for word in vocabulary.words)]
    folder = tmp_path_factory.mktemp("rule") / "model"
    folder.mkdir()
    vocabulary.save(folder)
    Weights(
        pooling=MAXIMUM,
        activation="tanh",
        vectors=np.array(vectors, np.float32),
        layers=((np.array([[20]], np.float32), np.array([-10], np.float32)),),
    ).save(folder)
    return folder
