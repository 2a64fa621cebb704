"""The gate's comparison of two models on a million rows, against the loop that one would write.

The loop draws distinct inputs, gathers their rows and calls scikit-learn for each slice, measure
and model. All its resamples would take days: it is timed on a few, and that time is multiplied.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench.measure import Comparison

ROOT = Path(__file__).resolve().parents[1]
ROWS = 1_000_000
INPUTS = 200_000
SLICES = 20
RESAMPLES = 10_000
# Resamples on which the loop is timed.
TIMED = 1
ROUNDS = 3


def run(
    *,
    rows: int = ROWS,
    inputs: int = INPUTS,
    slices: int = SLICES,
    resamples: int = RESAMPLES,
    rounds: int = ROUNDS,
) -> dict[str, Comparison]:
    """Compare with repeated inputs and without, and other kinds of model on a fifth of the rows.

    Smaller numbers are for a smoke test.
    """
    found = {
        f"gate {name}": compared(name, rows, count, slices, resamples, rounds)
        for name, count in (("repeated", inputs), ("distinct", rows))
    }
    fewer, of = max(rows // 5, 1), max(inputs // 5, 1)
    for kind in ("multiclass", "regression"):
        found[f"gate {kind}"] = compared("repeated", fewer, of, slices, resamples, rounds, kind)
    return found


def compared(
    name: str,
    rows: int,
    inputs: int,
    slices: int,
    resamples: int,
    rounds: int,
    kind: str = "binary",
) -> Comparison:
    """Time both ways alternately, each in a process of its own for the sake of its memory."""
    mine, others = [], []
    for _ in range(rounds):
        mine.append(child("ours", rows, inputs, slices, resamples, kind))
        others.append(child("loop", rows, inputs, slices, TIMED, kind))
    whole = [other["seconds"] * resamples / TIMED for other in others]
    ours = [each["seconds"] for each in mine]
    ratios = [other / own for other, own in zip(whole, ours, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4) if rounds > 1 else ratios * 3
    return Comparison(
        claim=(
            f"a {kind} model, {rows:,} rows, inputs {name}, {slices} slices, {resamples:,} "
            "resamples and all measures are compared faster than by a loop"
        ),
        ours=f"compare_many, at its peak {memory(mine)}",
        other=f"scikit-learn, {TIMED} resample times {resamples:,}, at its peak {memory(others)}",
        ours_s=statistics.median(ours),
        other_s=statistics.median(whole),
        ratio_low=low,
        ratio=middle,
        ratio_high=high,
        rounds=rounds,
    )


def child(
    way: str, rows: int, inputs: int, slices: int, resamples: int, kind: str
) -> dict[str, Any]:
    """Run one way; returns its seconds, and the memory at its peak and before it began."""
    command = [sys.executable, "-m", "bench.gate_ways", way, "--kind", kind]
    for option, number in (
        ("--rows", rows),
        ("--inputs", inputs),
        ("--slices", slices),
        ("--resamples", resamples),
    ):
        command += [option, str(number)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tasks")])}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def memory(found: list[dict[str, Any]]) -> str:
    """The most of all rounds, and what the rows alone took."""
    peak = max(each["peak_mb"] for each in found)
    rows = max(each["rows_mb"] for each in found)
    return f"{peak:,.0f} MB ({rows:,.0f} MB before it began)"
