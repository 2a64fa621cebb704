"""What becomes of the gate over many builds, many slices and many looks: tables for the docs.

    PYTHONPATH=tasks .envs/dev/bin/python -m bench.gate_simulations

Drift and slices are simulated, with the standard error of each share below 1.2 points; the power of
alpha spending is exact, as in :mod:`bench.gate_power`.
"""

from __future__ import annotations

import click
import numpy as np
import numpy.typing as npt

from amltasks.gate.limits import adjusted, gap_pairs, greatest, share_p
from amltasks.gate.mcnemar import score_bounds
from bench.gate_power import CONFIDENCE, MARGIN, passes

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

START, LOSS, DISCORDANCE = 0.95, 0.005, 0.03
BUDGET = 2 * MARGIN
BUILDS = (20, 100)


def drift(rows: int, builds: int, tries: int, *, anchored: bool, seed: int = 0) -> Floats:
    """Return the true loss of accuracy after so many builds, of each try, shape (tries,).

    Each build's model is truly worse by `LOSS` than the model in service, on one frozen set of
    ``rows`` rows, and replaces it when the default rule passes it: a loss of less than `MARGIN`.
    ``anchored`` also holds it to the best model that passed so far, with a loss of less than
    `BUDGET`.
    """
    generator = np.random.default_rng(seed)
    lost = np.zeros(tries)
    served = generator.random((tries, rows)) < START
    best = served.copy()
    for _ in range(builds):
        accuracy = START - lost
        # Of the rows that the model in service gets right so many are lost, of the others gained.
        worse = (DISCORDANCE + LOSS) / 2 / accuracy
        better = (DISCORDANCE - LOSS) / 2 / (1 - accuracy)
        chance = generator.random((tries, rows))
        new = np.where(served, chance >= worse[:, None], chance < better[:, None])
        passed = _low(new, served) > -MARGIN
        if anchored:
            passed &= _low(new, best) > -BUDGET
        served[passed] = new[passed]
        lost[passed] += LOSS
        higher = passed & (new.sum(axis=1) > best.sum(axis=1))
        best[higher] = new[higher]
    return lost


def _low(new: Bools, old: Bools) -> Floats:
    better, worse = (new & ~old).sum(axis=1), (~new & old).sum(axis=1)
    return score_bounds(better, worse, new.shape[1], CONFIDENCE)[0]


def slices(
    count: int, rows: int, shares: tuple[float, float], tries: int, *, of: int = 1, seed: int = 0
) -> dict[str, float]:
    """Return how often a floor of 0.9 and a gap of 0.1 are broken in some slice of a table.

    All slices have the first share of right rows but ``of``, which have the second. ``measured``
    takes the numbers as they are; ``shown`` asks that it be shown for the slices together, as
    :mod:`amltasks.gate.limits` does.
    """
    generator = np.random.default_rng(seed)
    true = np.full(count, shares[0])
    true[:of] = shares[1]
    hits = generator.binomial(rows, true, (tries, count))
    level = 1 - CONFIDENCE
    every = np.arange(rows + 1)
    p_floor = [share_p(rows - k, rows, 0.1, above=True) for k in range(rows + 1)]
    # The level of each pair, by the standard error of the least certain share that is likely.
    error = float(np.sqrt(2 * true.min() * (1 - true.min()) / rows))
    each_level = level / gap_pairs(count, 0.1, error, level)
    low, high = score_bounds(0.0, rows - every, float(rows), 1 - each_level)
    low, high = 1 + low, np.minimum(1 + high, 1.0)
    value = every / rows
    found = dict.fromkeys(("floor measured", "floor shown", "gap measured", "gap shown"), 0)
    for each in hits:
        found["floor measured"] += bool((each < 0.9 * rows).any())
        p_values = {str(n): p_floor[k] for n, k in enumerate(each)}
        found["floor shown"] += min(adjusted(p_values).values()) <= level
        found["gap measured"] += bool(np.ptp(value[each]) > 0.1 + 1e-9)
        found["gap shown"] += greatest(value[each], low[each], high[each]) > 0.1
    return {name: number / tries for name, number in found.items()}


def spending(rows: int, looks: tuple[int, ...]) -> list[float]:
    """Return how often an equal model passes at each look, 2 % of the rows differing."""
    return [
        passes(
            rows,
            0.02,
            loss=0.0,
            least=-MARGIN,
            confidence=1 - (1 - CONFIDENCE) / (look * (look + 1)),
        )
        for look in looks
    ]


@click.command()
@click.option("--tries", default=400, help="Tries of the drift; slices take ten times as many.")
def main(tries: int) -> None:
    """Print the tables in Markdown."""
    click.echo("| Distinct rows | Builds | Total loss without an anchor | With one |")
    click.echo("| ---: | ---: | ---: | ---: |")
    for rows in (2_500, 10_000):
        for builds in BUILDS:
            ends = [drift(rows, builds, tries, anchored=each) for each in (False, True)]
            told = " | ".join(f"{100 * e.mean():.1f} (at most {100 * e.max():.1f})" for e in ends)
            click.echo(f"| {rows:,} | {builds} | {told} |")
    click.echo("\n| 20 slices | Limit | Measured | Shown |\n| --- | --- | ---: | ---: |")
    for rows in (100, 500):
        for worst in (0.95, 0.85, 0.75):
            found = slices(20, rows, (0.95, worst), 10 * tries)
            which = "all at 0.95" if worst == 0.95 else f"one at {worst:g}"
            for limit, words in (("floor", "`floor: 0.9`"), ("gap", "`max_gap: 0.1`")):
                shares = (found[f"{limit} {how}"] for how in ("measured", "shown"))
                told = " | ".join(f"{share:.1%}" for share in shares)
                click.echo(f"| {rows} rows each, {which} | {words} | {told} |")
        for which, both in (("all at 0.9", (0.9, 0.9)), ("half at 0.85", (0.95, 0.85))):
            found = slices(20, rows, both, 10 * tries, of=10)
            for limit, words in (("floor", "`floor: 0.9`"), ("gap", "`max_gap: 0.1`")):
                if limit == "gap" or which == "all at 0.9":
                    told = f"{found[f'{limit} measured']:.1%} | {found[f'{limit} shown']:.1%}"
                    click.echo(f"| {rows} rows each, {which} | {words} | {told} |")
    looks = (1, 5, 20, 100)
    click.echo(
        "\n| Distinct rows | No correction | " + " | ".join(f"Look {n}" for n in looks) + " |"
    )
    click.echo("| ---: " * (2 + len(looks)) + "|")
    for rows in (2_500, 5_000, 10_000):
        plain = passes(rows, 0.02, loss=0.0, least=-MARGIN)
        told = " | ".join(f"{each:.1%}" for each in (plain, *spending(rows, looks)))
        click.echo(f"| {rows:,} | {told} |")


if __name__ == "__main__":
    main()
