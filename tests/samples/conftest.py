"""Where the sample lies."""

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def sample_folder() -> Path:
    return ROOT / "samples" / "compliance-classifier"
