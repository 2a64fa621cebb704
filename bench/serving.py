"""The sample's service against the workshop's score.py and an empty run() under the same server.

The workshop's script is built anew from its description: it loads a Keras model and calls
``predict`` on rows of 100 ids. Without its data collector, with which it answers only errors today.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from pathlib import Path

from bench.measure import Comparison, Spent, compared
from bench.servers import Server, serving, spent

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3
TEXT = "good condition carbon fiber component manufactured in 2010"
SCRIPTS = {
    "empty": "def init():\n    pass\n\n\ndef run(raw):\n    return {}\n",
    "workshop": """
import json, os
from pathlib import Path
import keras
import numpy as np

def init():
    global model
    model = keras.models.load_model(Path(os.environ["AZUREML_MODEL_DIR"]) / "model.keras")

def run(raw):
    rows = np.array(json.loads(raw)).reshape(-1, 100)
    return json.dumps(model.predict(rows, verbose=0).reshape(-1).tolist())
""",
}
# What is asked: the body for ours and for the workshop's, clients, requests to each of the three:
# many, because the system counts CPU time in hundredths of a second.
CASES = {
    "1 row, 1 client": ("text", "id", 1, {"ours": 1000, "empty": 1000, "workshop": 20}),
    "1 row, 8 clients": ("text", "id", 8, {"ours": 1000, "empty": 1000, "workshop": 16}),
    "100 texts": ("texts", "ids", 1, {"ours": 500, "empty": 500, "workshop": 10}),
    "100 rows of ids": ("ids", "ids", 1, {"ours": 500, "empty": 500, "workshop": 10}),
}


def run(*, rounds: int = ROUNDS) -> dict[str, Comparison]:
    """Ask all three servers alternately; and start each anew for each round."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bodies = prepare(folder)
        ready: dict[str, list[Spent]] = {way: [] for way in ("ours", "empty", "workshop")}
        found: dict[str, dict[str, list[Spent]]] = {
            case: {way: [] for way in ready} for case in CASES
        }
        for _ in range(rounds):
            with contextlib.ExitStack() as stack:
                servers: dict[str, Server] = {}
                for way, took in ready.items():
                    place = scripts() if way == "ours" else folder / way
                    entry = serving(place / "score.py", folder / "model", folder / "log")
                    servers[way] = stack.enter_context(entry)
                    took.append(servers[way].ready)
                for case, (ours, other, clients, requests) in CASES.items():
                    for way, server in servers.items():
                        body = bodies[other if way == "workshop" else ours]
                        spent(server, body, clients * 2, clients)  # warms up
                        taken = spent(server, body, requests[way], clients)
                        found[case][way].append(taken)
    results = comparisons("ready", "is ready", ready)
    for case, by_way in found.items():
        results |= comparisons(case, "answers a request", by_way)
    return results


def scripts() -> Path:
    """Return the folder of the sample's scripts."""
    return ROOT / "ml_scripts"


def prepare(folder: Path) -> dict[str, str]:
    """Write the scripts and untrained models, whose speed is the same; returns the bodies."""
    sys.path.insert(0, str(scripts()))
    import components
    import network
    from vocabulary import Vocabulary

    for way, text in SCRIPTS.items():
        (folder / way).mkdir()
        (folder / way / "score.py").write_text(text, encoding="utf-8")
    model_folder = folder / "model"
    model_folder.mkdir()
    vocabulary = Vocabulary.of(text for text, _ in components.generate(20_000))
    vocabulary.save(model_folder)
    network.weights_of(network.build("small", vocabulary, 0.01)).save(model_folder)
    network.build("seed", vocabulary, 0.01).save(model_folder / "model.keras")
    texts = [text for text, _ in components.generate(100)]
    ids = vocabulary.encode(texts).tolist()
    found = {"text": {"data": [TEXT]}, "texts": {"data": texts}, "id": ids[:1], "ids": ids}
    return {name: json.dumps(body) for name, body in found.items()}


def comparisons(case: str, what: str, by_way: dict[str, list[Spent]]) -> dict[str, Comparison]:
    """Compare ours with the workshop's and with an empty run(), in wall and in CPU time."""
    names = {"workshop": "the workshop's score.py", "empty": "an empty run()"}
    return {
        f"{case}, against {way} ({clock})": compared(
            f"the service {what} in less time than {name}",
            ours=("the sample's service", [getattr(each, key) for each in by_way["ours"]]),
            other=(name, [getattr(each, key) for each in by_way[way]]),
            clock=clock,
        )
        for way, name in names.items()
        for clock, key in (("wall", "wall_s"), ("CPU", "cpu_s"))
    }
