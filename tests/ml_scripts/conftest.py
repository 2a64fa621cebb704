"""The scripts import each other as Azure ML runs them: by name, from their own folder."""

import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

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
        train.train(train.parse(["--rows", "4000", "--epochs", "5", *arguments]), folder)
        return folder

    return run


@pytest.fixture(scope="session")
def small_model(train_small: Callable[..., Path]) -> Path:
    """A good model of 4,000 rows."""
    return train_small()
