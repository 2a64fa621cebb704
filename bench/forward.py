"""One text through the service's forward pass in numpy, against Keras' own ``predict``."""

from __future__ import annotations

import sys
from pathlib import Path

from bench.measure import Comparison, compare

ROOT = Path(__file__).resolve().parents[1]
TEXTS = ["good condition carbon fiber component manufactured in 2010"]


def run() -> Comparison:
    """Score with an untrained model (its speed is the same) in both ways."""
    # What runs on Azure ML has its own folder as its root, not a package.
    sys.path.insert(0, str(ROOT / "ml_scripts"))
    import components
    import network
    from forward import Scorer
    from vocabulary import Vocabulary

    vocabulary = Vocabulary.of(text for text, _ in components.generate(2_000))
    model = network.build("small", vocabulary, 0.001)
    scorer = Scorer(vocabulary=vocabulary, weights=network.weights_of(model))
    return compare(
        "one text is scored faster than by Keras' predict",
        ours=("forward pass in numpy", lambda: scorer.scores(vocabulary.encode(TEXTS))),
        other=("model.predict", lambda: network.scores(model, vocabulary.encode(TEXTS))),
        rounds=50,
    )
