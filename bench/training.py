"""The sample's fit against the workshop's, on the same 100,000 rows, each in a process of its own.

The workshop's network is built anew from its description: vectors of 100 components that are not
trained, the 100 positions side by side, layers of 64 and 32 units, RMSprop, batches of 32, and one
pass. Its learning rate of 0.1 is compared, and one that works, 0.001. The vectors are random,
because the file of word vectors is 300 MB; that changes what it learns, not how long it takes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.measure import Comparison, compared

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 3


def run(*, rounds: int = ROUNDS) -> dict[str, Comparison]:
    """Fit in each way alternately; the time is that of the fit alone."""
    found: dict[str, list[dict[str, Any]]] = {"ours": [], "0.1": [], "0.001": []}
    for _ in range(rounds):
        for way, results in found.items():
            results.append(fitted(way))
    ours = found["ours"]
    return {
        f"training against {rate} ({clock})": compared(
            "the sample's whole fit is shorter than the workshop's one pass",
            ours=(named("the sample", ours), [each[key] for each in ours]),
            other=(
                named(f"the workshop's network, learning rate {rate}", found[rate]),
                [each[key] for each in found[rate]],
            ),
            clock=clock,
        )
        for rate in ("0.1", "0.001")
        for clock, key in (("CPU", "cpu_s"), ("wall", "wall_s"))
    }


def named(name: str, results: list[dict[str, Any]]) -> str:
    """Name a way, with the least accuracy on held-out texts that it reached, and its passes."""
    least = min(each["accuracy"] for each in results)
    passes = max(each["epochs"] for each in results)
    return f"{name}; accuracy at least {least:.4f} after {passes} passes at most"


def fitted(way: str) -> dict[str, Any]:
    """Fit once; returns CPU and wall seconds of the fit, the passes, and the accuracy."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "ml_scripts")])
    done = subprocess.run(
        [sys.executable, "-m", "bench.training_ways", way],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
