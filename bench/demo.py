"""The demo, packaging included, against the sample's scripts alone: CPU time of all processes."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.measure import Comparison, Spent, compared

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = ROOT / "ml_scripts"
ROUNDS = 3
# What the service does in the demo: it starts, and answers one request.
SERVED = "import score; score.init(); score.run('[\"new condition steel component\"]')"
MODEL = "outputs/model"


def run(*, rounds: int = ROUNDS, rows: int = 100_000) -> dict[str, Comparison]:
    """Run the packaging, the demo and the bare scripts in turn; fewer rows are for a smoke test."""
    found: dict[str, list[Spent]] = {"packaging": [], "demo": [], "scripts": []}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            found["packaging"].append(
                spent([["-m", "extension.package", "--out", str(folder)]], ROOT)
            )
            (vsix,) = folder.glob("*.vsix")
            variables = ["--variable", f"rows={rows}"]
            found["demo"].append(
                spent([["-m", "local.demo", "--vsix", str(vsix), *variables]], ROOT)
            )
            found["scripts"].append(spent(scripts(rows), folder))
    whole = [
        Spent(wall_s=one.wall_s + two.wall_s, cpu_s=one.cpu_s + two.cpu_s)
        for one, two in zip(found["packaging"], found["demo"], strict=True)
    ]
    ways = {"packaging included": whole, "without packaging": found["demo"]}
    return {
        f"demo, {way} ({clock})": compared(
            f"the demo, {way}, takes less than 1.2 times what its scripts take (0.83 or more)",
            ours=(f"the demo, {way}", [getattr(each, key) for each in mine]),
            other=(
                "train.py, evaluate.py and score.py",
                [getattr(o, key) for o in found["scripts"]],
            ),
            clock=clock,
        )
        for way, mine in ways.items()
        for clock, key in (("CPU", "cpu_s"), ("wall", "wall_s"))
    }


def scripts(rows: int) -> list[list[str]]:
    """Return the arguments for Python of each script, in the order in which the demo runs them."""
    return [
        [str(SCRIPTS / "train.py"), "--rows", str(rows)],
        [str(SCRIPTS / "evaluate.py"), "--model", MODEL],
        ["-c", SERVED],
    ]


def spent(commands: list[list[str]], folder: Path) -> Spent:
    """Run Python with each command; returns what it and all that it started took.

    Raises:
        RuntimeError: one of them failed.
    """
    environment = {**os.environ, "AZUREML_MODEL_DIR": str(folder / MODEL)}
    if folder != ROOT:
        environment["PYTHONPATH"] = str(SCRIPTS)
    cpu, wall = children_s(), time.perf_counter()
    for command in commands:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{command} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return Spent(wall_s=time.perf_counter() - wall, cpu_s=children_s() - cpu)


def children_s() -> float:
    """Return the CPU seconds of all processes that this one started and that have ended."""
    times = os.times()
    return times.children_user + times.children_system
