"""One row through the service's compiled call, against Keras' own ``predict``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.measure import Comparison, compare

ROOT = Path(__file__).resolve().parents[1]
TEXTS = ["good condition carbon fiber component manufactured in 2010"]


def run() -> Comparison:
    """Save an untrained model as train.py does (its speed is the same), load and call it."""
    # What runs on Azure ML has its own folder as its root, not a package.
    sys.path.insert(0, str(ROOT / "ml_scripts"))
    import components
    import network
    from vocabulary import Vocabulary

    vocabulary = Vocabulary.of(text for text, _ in components.generate(2_000))
    model = network.build(vocabulary, 0.001)
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / network.MODEL_FILE)
        vocabulary.save(Path(folder))
        _, scores = network.load(Path(folder))
    row = vocabulary.encode(TEXTS)
    return compare(
        "one row is scored faster than by Keras' predict",
        ours=("compiled call with a fixed signature", lambda: scores(row)),
        other=("model.predict", lambda: model.predict(row, verbose=0)),
        rounds=200,
    )
