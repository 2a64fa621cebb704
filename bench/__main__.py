"""``python -m bench [NAME...] [--json FILE]``: run the benchmarks and print their ratios."""

from __future__ import annotations

import dataclasses
import importlib
import json
import os
import platform
from pathlib import Path

import click

from bench import deploy, faults
from bench.measure import Comparison, Count

NAMES = (
    *("gate", "training", "serving", "forward", "startup", "wrong_input", "azure", "cache"),
    "demo",
)
# These count, and take long: only when they are named.
FAULTS = "faults"
DEPLOY = "deploy"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1, type=click.Choice((*NAMES, FAULTS, DEPLOY)))
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Also write the figures as JSON to this file.",
)
@click.option(
    "--kills",
    type=click.IntRange(0, 10_000),
    default=100,
    show_default=True,
    help="For faults: how often each task is killed, for each SDK.",
)
def main(names: tuple[str, ...], json_file: Path | None, kills: int) -> None:
    """Run the named benchmarks, or all that measure speed."""
    results: dict[str, Comparison | Count] = {}
    click.echo(machine())
    for name in names or NAMES:
        click.echo(f"{name} …", err=True)
        if name == FAULTS:
            for line in faults.table(faults.run(kills)):
                click.echo(line)
            continue
        if name == DEPLOY:
            for line in deploy.table(deploy.run()):
                click.echo(line)
            continue
        found = importlib.import_module(f"bench.{name}").run()
        for label, result in (found if isinstance(found, dict) else {name: found}).items():
            results[label] = result
            show(label, result)
    if json_file is not None:
        figures: dict[str, object] = {
            name: dataclasses.asdict(result) for name, result in results.items()
        }
        figures["machine"] = machine()
        json_file.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def machine() -> str:
    """Name the machine, and how busy it is: the processes that were ready in the last minute."""
    busy = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores{busy}, "
        f"Python {platform.python_version()}"
    )


def show(name: str, result: Comparison | Count) -> None:
    """Print one benchmark's figures."""
    if isinstance(result, Count):
        click.echo(f"{name}: {result.claim}: {result.good} of {result.of}")
        return
    spread = f"quartiles {result.ratio_low:.2f} to {result.ratio_high:.2f}"
    rounds = f"{result.rounds} rounds, {result.clock} time"
    click.echo(f"{name}: {result.claim}: {result.ratio:.2f} times ({spread}; {rounds})")
    click.echo(f"  {result.ours_s * 1000:10.3f} ms  {result.ours}")
    click.echo(f"  {result.other_s * 1000:10.3f} ms  {result.other}")


if __name__ == "__main__":
    main()
