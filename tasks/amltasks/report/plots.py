"""The pictures of a verdict, and in words which there cannot be."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from amltasks.gate.measures import point
from amltasks.gate.model_types import BINARY, MULTICLASS, MULTILABEL, RANKING, REGRESSION, SCORES
from amltasks.gate.rows import Array, Pair, Rows, Side, Truth
from amltasks.gate.verdict import Check, Verdict
from amltasks.report import class_plots, curves, drawing, number_plots
from amltasks.report.drawing import BAD, BASELINE, CANDIDATE, INK, MUTED
from amltasks.report.plot import ALONE, Plot, made
from amltasks.report.text import NO_ROWS, NO_SLICES, plain, shortened

_MOST_SLICES = 20
_LABEL_CHARACTERS = 42


@dataclass(frozen=True, kw_only=True)
class Plots:
    """The pictures that the data allows, and a sentence for what it does not."""

    drawn: Sequence[Plot]
    left_out: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class _Model:
    """One model in a picture: it is told apart by dashes and marks, not by colour alone."""

    name: str
    colour: str
    dashes: str
    mark: str
    predictions: Array
    scores: Array


_OF_TYPE: Mapping[str, Callable[[Rows, Pair | None], list[Plot]]] = {
    MULTICLASS: class_plots.of,
    MULTILABEL: class_plots.of,
    REGRESSION: number_plots.of_regression,
    RANKING: number_plots.of_ranking,
    SCORES: number_plots.of_values,
}


def of(verdict: Verdict) -> Plots:
    """Every picture of a verdict."""
    rows, pair = verdict.candidate_rows, verdict.pair
    drawn: list[Plot] = []
    left_out: list[str] = []
    with drawing.style():
        drawn += _forests(verdict.checks)
        if not drawn:
            left_out.append(NO_SLICES)
        if rows is None:
            left_out.append(NO_ROWS)
            return Plots(drawn=drawn, left_out=left_out)
        if rows.weights is not None:
            left_out.append("The pictures weigh the rows; tables and histograms count them.")
        if rows.model_type != BINARY:
            left_out += [] if pair is not None else [ALONE]
            drawn += _OF_TYPE[rows.model_type](rows, pair)
            return Plots(drawn=drawn, left_out=left_out)
        models, why = _models(rows, pair)
        left_out += why
        weighted = np.ones(len(rows)) if rows.weights is None else rows.weights
        positive = float((rows.labels * weighted).sum())
        if models and 0 < positive < weighted.sum():
            drawn += [_roc(rows.truth, models), _precision_recall(rows.truth, models)]
        elif models:
            left_out.append("All rows have the same label: there are no ROC and PR curves.")
        if models:
            drawn.append(_reliability(rows.truth, models))
        if models and positive:
            drawn.append(_gains(rows.truth, models))
        if pair is not None and len(models) > 1:
            drawn.append(_differences(pair, models[0].scores - models[1].scores))
    return Plots(drawn=drawn, left_out=left_out)


def _models(rows: Rows, pair: Pair | None) -> tuple[list[_Model], list[str]]:
    sides = [
        ("candidate", CANDIDATE, "-", "o", Side(predictions=rows.predictions, scores=rows.scores))
    ]
    why = []
    if pair is None:
        why.append(ALONE)
    else:
        sides.append(("baseline", BASELINE, "--", "s", pair.baseline))
    models = []
    for name, colour, dashes, mark, side in sides:
        if side.scores is None:
            why.append(f"The {name}'s predictions have no scores: it has no curves.")
        elif not np.all((side.scores >= 0) & (side.scores <= 1)):
            why.append(f"Some scores of the {name} are no probabilities: it has no curves.")
        else:
            model = _Model(
                name=name,
                colour=colour,
                dashes=dashes,
                mark=mark,
                predictions=side.predictions,
                scores=side.scores,
            )
            models.append(model)
    return models, why


def _told(metric: str, truth: Truth, models: Sequence[_Model]) -> str:
    values = (
        point(metric, truth, Side(predictions=model.predictions, scores=model.scores))
        for model in models
    )
    return ", ".join(f"{model.name} {v:.4f}" for model, v in zip(models, values, strict=True))


def _roc(truth: Truth, models: Sequence[_Model]) -> Plot:
    figure, axes = drawing.figure()
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=":")
    for model in models:
        x, y = curves.roc(truth.labels, model.scores, truth.weights)
        axes.plot(x, y, color=model.colour, linestyle=model.dashes, label=model.name)
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    axes.legend(loc="lower right")
    told = f"Area under the curve: {_told('auc', truth, models)}. 0.5 is chance, the dotted line."
    return made(figure, "ROC curve", told)


def _precision_recall(truth: Truth, models: Sequence[_Model]) -> Plot:
    figure, axes = drawing.figure()
    for model in models:
        x, y = curves.precision_recall(truth.labels, model.scores, truth.weights)
        axes.plot(x, y, color=model.colour, linestyle=model.dashes, label=model.name)
    share = float(np.average(truth.labels, weights=truth.weights))
    axes.axhline(share, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set(xlabel="recall", ylabel="precision", ylim=(-0.03, 1.03))
    axes.legend(loc="lower left")
    told = f"Average precision: {_told('average_precision', truth, models)}."
    return made(figure, "Precision and recall", f"{told} {share:.3f} is chance, the dotted line.")


def _reliability(truth: Truth, models: Sequence[_Model]) -> Plot:
    figure, axes = drawing.figure()
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=":")
    for model in models:
        mean, share, count = curves.reliability(truth.labels, model.scores, weights=truth.weights)
        axes.plot(mean, share, color=model.colour, linestyle=model.dashes, linewidth=1)
        sizes = 12 + 40 * count / count.max()
        axes.scatter(mean, share, sizes, color=model.colour, marker=model.mark, label=model.name)
    axes.set(xlabel="mean score of the bin", ylabel="share of label 1")
    axes.legend(loc="upper left")
    told = f"Calibration error: {_told('calibration_error', truth, models)}."
    return made(
        figure,
        "Calibration",
        f"{told} On the dotted line a score is a true chance; larger marks have more rows.",
    )


def _gains(truth: Truth, models: Sequence[_Model]) -> Plot:
    figure, axes = drawing.figure()
    axes.plot([0, 100], [0, 100], color=MUTED, linewidth=0.8, linestyle=":")
    told = []
    for model in models:
        share = 100 * curves.gains(truth.labels, model.scores, truth.weights)
        axes.plot(
            np.arange(0, 101, 10),
            np.concatenate([[0.0], share]),
            color=model.colour,
            linestyle=model.dashes,
            marker=model.mark,
            markersize=4,
            label=model.name,
        )
        told.append(f"{model.name} {share[0]:.1f} %")
    axes.set(xlabel="per cent of the rows, the highest scores first", ylabel="per cent of label 1")
    axes.legend(loc="lower right")
    return made(
        figure,
        "Gain by decile",
        f"Of all rows with label 1, the tenth with the highest scores holds: {', '.join(told)}. "
        "Chance is the dotted line.",
    )


def _differences(pair: Pair, difference: Array) -> Plot:
    figure, axes = drawing.figure()
    reach = float(np.abs(difference).max()) or 1.0
    axes.hist(difference, bins=41, range=(-reach, reach), color=CANDIDATE)
    axes.axvline(0, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_yscale("symlog", linthresh=1)
    axes.yaxis.set_major_formatter(drawing.COUNTS)
    axes.minorticks_off()
    axes.xaxis.set_major_locator(drawing.few())
    axes.set(xlabel="candidate's score minus baseline's", ylabel="rows, logarithmic")
    low, middle, high = np.quantile(difference, [0.05, 0.5, 0.95])
    changed = int(np.count_nonzero(pair.candidate.predictions != pair.baseline.predictions))
    return made(
        figure,
        "Score differences",
        f"Median {middle:+.4f}; nine in ten rows between {low:+.4f} and {high:+.4f}. "
        f"{changed:,} of {len(pair):,} rows are now predicted otherwise.",
    )


def _forests(checks: Sequence[Check]) -> Iterator[Plot]:
    """One picture for each metric that was compared on slices."""
    bounded = [check for check in checks if check.bounded]
    for metric in dict.fromkeys(check.metric for check in bounded if "=" in check.scope):
        of_metric = [check for check in bounded if check.metric == metric]
        yield _forest(metric, sorted(of_metric, key=lambda check: check.gain))


def _forest(metric: str, checks: Sequence[Check]) -> Plot:
    shown = checks[:_MOST_SLICES]
    figure, axes = drawing.figure(0.7 + 0.38 * len(shown))
    for at, check in enumerate(reversed(shown)):
        colour, mark = (CANDIDATE, "o") if check.passed else (BAD, "X")
        low, gain, high = check.low, check.gain, check.high
        axes.plot([low, high], [at, at], "-", color=colour, linewidth=2)
        axes.plot([gain], [at], mark, color=colour, markersize=6)
        if np.isfinite(check.line):
            axes.plot([check.line] * 2, [at - 0.2, at + 0.2], color=INK, linewidth=1)
        # Names are foreign: a dollar must not begin a formula.
        axes.text(
            *(0.0, at + 0.22, shortened(plain(check.scope), _LABEL_CHARACTERS)),
            transform=axes.get_yaxis_transform(),
            parse_math=False,
            fontsize=8,
        )
    axes.axvline(0, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_ylim(-0.6, len(shown) - 0.2)
    name = shortened(plain(metric), _LABEL_CHARACTERS).replace("$", r"\$")
    axes.set_xlabel(f"gain in {name}")
    axes.xaxis.set_major_locator(drawing.few())
    worst, best = shown[0], checks[-1]
    left = f" {len(checks) - len(shown):,} more stand in the table." if checks[len(shown) :] else ""
    failing = sum(not check.passed for check in checks)
    lines = any(np.isfinite(check.line) for check in shown)
    margin = " An upright stroke is the margin that an interval must be right of." if lines else ""
    crosses = f"{failing} of {len(checks)} do not hold (crosses)" if failing else "all hold"
    return made(
        figure,
        f"Slices by {metric}",
        f"From {_gain(worst)} to {_gain(best)}; right of 0 is better; {crosses}.{left}{margin}",
    )


def _gain(check: Check) -> str:
    return f"{check.gain:+.4f} [{check.low:+.4f}, {check.high:+.4f}] ({check.scope})"
