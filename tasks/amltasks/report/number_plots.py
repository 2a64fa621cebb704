"""Pictures of regressions, rankings and plain numbers per row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from amltasks.gate.rows import Array, Pair, Rows, Truth
from amltasks.gate.sums import ranking
from amltasks.report import curves, drawing
from amltasks.report.drawing import BAD, CANDIDATE, MUTED
from amltasks.report.plot import Model, Plot, escaped, made, models
from amltasks.report.text import shortened

_MOST_DOTS = 500
_MOST_COLUMNS = 4
_CHARACTERS = 30
_ENDS = (0.05, 0.5, 0.95)


def of_regression(rows: Rows, pair: Pair | None) -> list[Plot]:
    """Residuals, how far they go, and where the candidate is nearer than the baseline."""
    shown = models(rows, pair)
    drawn = [
        _residuals(rows.labels, shown, rows.weights),
        _distributions(
            "Absolute errors",
            "absolute error",
            [(model, np.abs(model.side.predictions - rows.labels)) for model in shown],
            rows.weights,
        ),
    ]
    if pair is not None:
        nearer = np.abs(pair.baseline.predictions - pair.labels) - np.abs(
            pair.candidate.predictions - pair.labels
        )
        drawn.append(_by_decile(pair.labels, nearer, pair.weights))
    return drawn


def of_ranking(rows: Rows, pair: Pair | None) -> list[Plot]:
    """NDCG query by query, and where the candidate's is higher than the baseline's."""
    truth = rows.truth if pair is None else pair.truth
    shown = models(rows, pair)
    values = [ranking.ndcg_by_query(truth, model.side) for model in shown]
    known = np.isfinite(values[0])
    if not known.any():
        return []
    drawn = [
        _distributions(
            "NDCG of the queries",
            "NDCG of a query",
            [(model, each[known]) for model, each in zip(shown, values, strict=True)],
            _of(_of_queries(truth), known),
        )
    ]
    if pair is not None:
        drawn.append(_changes("NDCG", (values[0] - values[1])[known], "queries"))
    return drawn


def _of_queries(truth: Truth) -> Array | None:
    """The weight of each query: its rows all have the same."""
    if truth.weights is None or truth.queries is None:
        return None
    found = np.zeros(int(truth.queries.max()) + 1)
    found[truth.queries] = truth.weights
    return found


def of_values(rows: Rows, pair: Pair | None) -> list[Plot]:
    """Each column of numbers that the rules name."""
    shown = models(rows, pair)
    drawn = []
    for name in list(rows.values)[:_MOST_COLUMNS]:
        if not all(np.isfinite(m.side.values.get(name, np.array([np.nan]))).all() for m in shown):
            continue
        values = [(model, model.side.values[name]) for model in shown]
        drawn.append(_distributions(f"Values of {name}", name, values, rows.weights))
        if pair is not None:
            drawn.append(_changes(name, values[0][1] - values[1][1], "rows"))
    return drawn


def _residuals(labels: Array, shown: Sequence[Model], weights: Array | None) -> Plot:
    """The candidate's residuals as dots; of both models the middle nine tenths by decile."""
    figure, axes = drawing.figure()
    axes.axhline(0, color=MUTED, linewidth=0.8, linestyle=":")
    told = []
    for number, model in enumerate(shown):
        said = model.side.predictions
        residual = labels - said
        if number == 0:
            kept = np.argsort(said, kind="stable")
            if len(kept) > _MOST_DOTS:
                kept = kept[np.linspace(0, len(kept) - 1, _MOST_DOTS).astype(np.int64)]
            axes.plot(said[kept], residual[kept], ".", color=MUTED, markersize=2)
        tenth = curves.decile(said, weights)
        at = [each for each in range(10) if _counted(weights, tenth == each)]
        middle = [float(np.median(said[tenth == each])) for each in at]
        ends = [
            curves.quantiles(residual[tenth == each], _ENDS, _of(weights, tenth == each))
            for each in at
        ]
        for number_of, quantile in enumerate(_ENDS):
            axes.plot(
                middle,
                [float(each[number_of]) for each in ends],
                color=model.colour,
                linestyle=model.dashes,
                linewidth=1.6 if quantile == 0.5 else 0.9,
                label=model.name if quantile == 0.5 else None,
            )
        low, mid, high = curves.quantiles(residual, _ENDS, weights)
        told.append(f"{model.name} {mid:+.4g} [{low:+.4g}, {high:+.4g}]")
    axes.set(xlabel="prediction", ylabel="label less prediction")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(drawing.few())
    figure.legend(loc="outside upper right", ncols=2)
    return made(
        figure,
        "Residuals",
        f"Median and the middle nine tenths: {', '.join(told)}. Lines: the same for each tenth of "
        "the predictions; dots: rows of the candidate.",
    )


def _counted(weights: Array | None, chosen: Array) -> bool:
    """Whether any of the rows counts."""
    return bool(chosen.any() if weights is None else weights[chosen].any())


def _of(weights: Array | None, chosen: Array) -> Array | None:
    return None if weights is None else weights[chosen]


def _distributions(
    title: str,
    axis: str,
    values: Sequence[tuple[Model, Array]],
    weights: Array | None = None,
) -> Plot:
    figure, axes = drawing.figure()
    for model, each in values:
        x, share = curves.distribution(each, weights)
        axes.step(
            x,
            100 * share,
            where="post",
            color=model.colour,
            linestyle=model.dashes,
            label=model.name,
        )
    axes.set(
        xlabel=f"{escaped(shortened(axis, _CHARACTERS))}, at most", ylabel="per cent", ylim=(0, 103)
    )
    axes.xaxis.set_major_locator(drawing.few())
    axes.legend(loc="lower right")
    parts = []
    for model, each in values:
        half, nine = curves.quantiles(each, (0.5, 0.9), weights)
        parts.append(f"{model.name} {half:.4g} and {nine:.4g}")
    told = ", ".join(parts)
    return made(figure, title, f"Half, and nine in ten, are at most: {told}.")


def _by_decile(labels: Array, gains: Array, weights: Array | None) -> Plot:
    """The mean gain in each tenth of the rows by their label."""
    tenth = curves.decile(labels, weights)
    every = np.ones(len(labels)) if weights is None else weights
    at = np.array([each for each in range(10) if every[tenth == each].any()])
    means = np.array(
        [float(np.average(gains[tenth == each], weights=every[tenth == each])) for each in at]
    )
    figure, axes = drawing.figure()
    axes.bar(at + 1, means, color=np.where(means >= 0, CANDIDATE, BAD), width=0.7)
    axes.axhline(0, color=MUTED, linewidth=0.8)
    axes.set(
        xlabel="tenth of the rows by label, the lowest first",
        ylabel="fall of the mean absolute error",
    )
    axes.set_xticks(range(1, 11))
    axes.yaxis.set_major_locator(drawing.few())
    worst, best = int(means.argmin()), int(means.argmax())
    return made(
        figure,
        "Gain by decile",
        f"From {means[worst]:+.4g} in tenth {at[worst] + 1} to {means[best]:+.4g} in tenth "
        f"{at[best] + 1}; above 0 the candidate is nearer.",
    )


def _changes(name: str, difference: Array, unit: str) -> Plot:
    figure, axes = drawing.figure()
    reach = float(np.abs(difference).max()) or 1.0
    axes.hist(difference, bins=41, range=(-reach, reach), color=CANDIDATE)
    axes.axvline(0, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_yscale("symlog", linthresh=1)
    axes.yaxis.set_major_formatter(drawing.COUNTS)
    axes.minorticks_off()
    axes.xaxis.set_major_locator(drawing.few())
    axes.set(
        xlabel=f"candidate's {escaped(shortened(name, _CHARACTERS))} minus baseline's",
        ylabel=f"{unit}, logarithmic",
    )
    higher, lower = int((difference > 0).sum()), int((difference < 0).sum())
    return made(
        figure,
        f"Differences in {name}",
        f"Higher in {higher:,} {unit}, lower in {lower:,}, the same in "
        f"{len(difference) - higher - lower:,}.",
    )
