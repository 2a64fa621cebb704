"""How often the gate's default rule passes an equal model: a table, for the docs to quote.

    PYTHONPATH=tasks .envs/dev/bin/python -m bench.gate_power

The default rule passes when accuracy is, at a confidence of 95 %, not worse by `MARGIN` or more.
The figures are exact: every outcome is enumerated, with its probability.
"""

from __future__ import annotations

import click
import numpy as np
from scipy import stats

from amltasks.gate.mcnemar import score_bounds

MARGIN = 0.01
CONFIDENCE = 0.95
ROWS = (500, 1_000, 2_500, 5_000, 10_000)
DISCORDANCE = (0.01, 0.02, 0.05)
# Outcomes further from the mean than this many standard deviations, and ten, are left out.
_REACH = 8


def passes(
    rows: int, discordance: float, *, loss: float, least: float, confidence: float = CONFIDENCE
) -> float:
    """Return the probability that the lower bound of the gain in accuracy is above ``least``.

    On ``rows`` distinct rows the models differ in a share ``discordance`` of them, and the
    candidate's accuracy is truly worse by ``loss``, at most ``discordance``. The bound holds at
    ``confidence``.
    """
    better, worse = (discordance - loss) / 2, (discordance + loss) / 2
    won, lost = np.meshgrid(_near(rows, better), _near(rows, worse))
    chance = stats.binom.pmf(won, rows, better) * stats.binom.pmf(
        lost, np.maximum(rows - won, 0), worse / (1 - better)
    )
    likely = chance > 0
    low = score_bounds(won[likely], lost[likely], rows, confidence)[0]
    return float(chance[likely][low > least].sum())


def _near(rows: int, share: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    reach = _REACH * np.sqrt(rows * share) + 10
    return np.arange(max(0, int(rows * share - reach)), min(rows, int(rows * share + reach)) + 1)


@click.command()
def main() -> None:
    """Print the power of the default rule as a Markdown table."""
    shares = " | ".join(f"{share:.0%} differ" for share in DISCORDANCE)
    click.echo(f"| Distinct rows | {shares} |")
    click.echo("| ---: " * (1 + len(DISCORDANCE)) + "|")
    for rows in ROWS:
        found = (passes(rows, share, loss=0.0, least=-MARGIN) for share in DISCORDANCE)
        click.echo(f"| {rows:,} | " + " | ".join(f"{each:.1%}" for each in found) + " |")


if __name__ == "__main__":
    main()
