"""The measures that the gate takes from predictions, for each kind of model.

The definitions are scikit-learn's. What a measure is not defined for, it is not 0 but NaN: recall
without a positive label, precision without a positive prediction, a rank of one class, the
coefficient of determination of constant labels. Formulas: Fawcett, "An introduction to ROC
analysis", Pattern Recognition Letters 27 (2006); Guo et al., "On calibration of modern neural
networks" (2017) for the calibration error; Koenker & Bassett, Econometrica 46 (1978) for the
pinball loss; Järvelin & Kekäläinen, ACM TOIS 20 (2002) for NDCG.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from amltasks.gate import ranks
from amltasks.gate.model_types import (
    ALL,
    BINARY,
    CLASSIFIERS,
    MANY_CLASSES,
    MULTICLASS,
    MULTILABEL,
    RANKING,
    REGRESSION,
)
from amltasks.gate.rows import Side, Truth
from amltasks.gate.sums import families


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure.

    ``base`` is its name without ``parameter``, which follows ``@`` (a number) or ``:`` (the name of
    a class or a column); ``model_types`` are those it is taken of. ``direction`` is ``higher`` or
    ``lower``: which way is better; empty where only the user knows. ``needs`` is what the model
    must say: ``predictions``, ``scores`` or ``values``. ``kind`` is how it is made: ``proportion``
    (a share of rows that do not depend on the model), ``confusion`` (of counts of labels and
    predictions), ``mean`` (of a number per row or query), ``absolute`` (the absolute value of
    one), ``calibration`` or ``rank`` (of the order of scores).
    """

    name: str
    base: str
    parameter: str = ""
    model_types: tuple[str, ...]
    direction: str
    needs: str
    kind: str

    @property
    def needs_scores(self) -> bool:
        """Whether it needs the scores of each row."""
        return self.needs == "scores"


def _measure(
    name: str, types: tuple[str, ...], kind: str, *, needs: str = "", direction: str = "higher"
) -> Measure:
    by_kind = "scores" if kind in ("calibration", "rank") else "predictions"
    return Measure(
        name=name,
        base=name,
        model_types=types,
        kind=kind,
        needs=needs or by_kind,
        direction=direction,
    )


_BINARY, _REGRESSION, _RANKING = (BINARY,), (REGRESSION,), (RANKING,)
_PLAIN = (
    _measure("accuracy", CLASSIFIERS, "proportion"),
    _measure("recall", _BINARY, "proportion"),
    _measure("specificity", _BINARY, "proportion"),
    _measure("balanced_accuracy", (BINARY, MULTICLASS), "confusion"),
    _measure("precision", _BINARY, "confusion"),
    _measure("f1", _BINARY, "confusion"),
    _measure("auc", _BINARY, "rank"),
    _measure("average_precision", _BINARY, "rank"),
    _measure("log_loss", (BINARY, MULTICLASS), "mean", needs="scores", direction="lower"),
    _measure("brier", _BINARY, "mean", needs="scores", direction="lower"),
    _measure("calibration_error", _BINARY, "calibration", direction="lower"),
    _measure("macro_f1", MANY_CLASSES, "confusion"),
    _measure("micro_f1", MANY_CLASSES, "confusion"),
    _measure("weighted_f1", MANY_CLASSES, "confusion"),
    _measure("hamming_loss", (MULTILABEL,), "mean", direction="lower"),
    _measure("mae", _REGRESSION, "mean", direction="lower"),
    _measure("mse", _REGRESSION, "mean", direction="lower"),
    _measure("rmse", _REGRESSION, "mean", direction="lower"),
    _measure("mape", _REGRESSION, "mean", direction="lower"),
    _measure("r2", _REGRESSION, "mean"),
    _measure("bias", _REGRESSION, "absolute", direction="lower"),
    _measure("ndcg", _RANKING, "mean", needs="scores"),
    _measure("map", _RANKING, "mean", needs="scores"),
    _measure("mrr", _RANKING, "mean", needs="scores"),
)
_WITH_PARAMETER = (
    _measure("recall:", MANY_CLASSES, "proportion"),
    _measure("precision:", MANY_CLASSES, "confusion"),
    _measure("f1:", MANY_CLASSES, "confusion"),
    _measure("top_k_accuracy@", (MULTICLASS,), "proportion", needs="scores"),
    _measure("pinball@", _REGRESSION, "mean", needs="values", direction="lower"),
    _measure("ndcg@", _RANKING, "mean", needs="scores"),
    _measure("mean:", ALL, "mean", needs="values", direction=""),
)
WITH_PARAMETER: Mapping[str, Measure] = {measure.name: measure for measure in _WITH_PARAMETER}
"""Measures that a parameter follows, by what their name begins with."""
FORMS: Mapping[str, str] = {
    "recall:": "recall:CLASS",
    "precision:": "precision:CLASS",
    "f1:": "f1:CLASS",
    "top_k_accuracy@": "top_k_accuracy@K",
    "pinball@": "pinball@QUANTILE",
    "ndcg@": "ndcg@K",
    "mean:": "mean:COLUMN",
}
"""How a measure with a parameter is written, by what its name begins with."""

ALIASES: Mapping[str, str] = {
    "acc": "accuracy",
    "sensitivity": "recall",
    "roc_auc": "auc",
    "ece": "calibration_error",
}
_BY_NAME = {measure.name: measure for measure in _PLAIN}
# By every name without a parameter that a rule may use.
MEASURES: Mapping[str, Measure] = {
    **_BY_NAME,
    **{alias: _BY_NAME[name] for alias, name in ALIASES.items()},
}
_SPLIT = re.compile(r"^([a-z0-9_]+[@:])(.*)$", re.DOTALL)


def find(name: str) -> Measure | None:
    """The measure of a name as rules write it, None for any other metric.

    ``ndcg@10`` is the measure ``ndcg@`` with the parameter 10. A number is written the usual way in
    the name of what is found: ``pinball@.90`` is ``pinball@0.9``.
    """
    if name in MEASURES:
        return MEASURES[name]
    found = _SPLIT.match(name)
    form = WITH_PARAMETER.get(found[1]) if found else None
    if found is None or form is None or problem(name):
        return None
    parameter = found[2].strip()
    if form.name.endswith("@"):
        parameter = f"{float(parameter):g}"
    return replace(form, name=form.name + parameter, parameter=parameter)


def get(name: str) -> Measure:
    """As `find`.

    Raises:
        KeyError: it is no measure.
    """
    found = find(name)
    if found is None:
        raise KeyError(name)
    return found


def problem(name: str) -> str:
    """In words what is wrong with the parameter of a measure, empty when nothing is."""
    found = _SPLIT.match(name)
    if found is None or found[1] not in WITH_PARAMETER:
        return ""
    form, parameter = found[1], found[2].strip()
    if form == "pinball@":
        if not re.fullmatch(r"0?\.[0-9]+", parameter) or float(parameter) == 0:
            return "needs a quantile between 0 and 1, such as pinball@0.9"
    elif form.endswith("@"):
        if not re.fullmatch(r"[1-9][0-9]{0,5}", parameter):
            return f"needs a whole number, such as {form}10"
    elif not parameter:
        return f"names nothing after the colon; write {FORMS[form]}"
    return ""


def point(name: str, truth: Truth, side: Side) -> float:
    """Return the measure of one model on n rows; NaN where it is not defined, see `undefined`.

    ``name`` is one that `find` knows. Conventions beyond scikit-learn's:

    - balanced_accuracy is the mean recall of the classes that there are;
    - macro_f1 is the mean over the classes that stand among the labels or the predictions,
      weighted_f1 weights them by their labels, micro_f1 counts all of them together;
    - log_loss takes a probability as at least 1e-7 (and, of two classes, at most 1 - 1e-7);
    - calibration_error has 15 bins of equal width, each without its lower edge except the first;
    - top_k_accuracy counts a label only if it is among the k highest scores however ties fall;
    - mape is not defined where a label is 0; bias is the absolute value of the mean error;
    - ndcg, map and mrr are means over the queries with a relevant row; what is tied is taken in
      mean over its orders.
    """
    measure = get(name)
    if undefined(measure, truth, side):
        return float("nan")
    if measure.kind == "rank":
        ranking = ranks.ranked(truth, side)
        return float(ranking.values(measure.base, np.ones((1, len(truth))))[0])
    family = families.of(measure.base, truth.model_type)
    whole = np.zeros(len(truth), dtype=np.int64)
    sums = family.per_unit(measure.parameter, truth, side, whole, 1)
    return float(family.value(measure.base, measure.parameter, truth.classes, sums)[0])


def undefined(measure: Measure, truth: Truth, side: Side) -> str:
    """Why a measure cannot be taken of these rows at all, in words; empty when it can be.

    It may still be NaN, where the rows lack what it is a share of.
    """
    if truth.model_type not in measure.model_types:
        return f"it is not taken of a {truth.model_type} model"
    if len(truth) == 0:
        return "there are no rows"
    if measure.base in ("recall:", "precision:", "f1:") and measure.parameter not in truth.classes:
        return f"no label or prediction is '{measure.parameter}'"
    if measure.needs == "values":
        column = column_of(measure)
        if column not in side.values:
            return f"the predictions have no column '{column}'"
        wrong = not np.isfinite(side.values[column]).all()
        return f"a value of '{column}' is missing or not finite" if wrong else ""
    if measure.needs_scores:
        if side.scores is None:
            return "the predictions have no scores"
        if not np.isfinite(side.scores).all():
            return "a score is missing or not finite"
    return ""


def column_of(measure: Measure) -> str:
    """The column of numbers that a measure is taken of, empty when it is taken of none."""
    if measure.base == "pinball@":
        return f"quantile_{measure.parameter}"
    return measure.parameter if measure.base == "mean:" else ""


def columns_of(names: Iterable[str]) -> tuple[str, ...]:
    """The columns of numbers that metrics are taken of; other metrics may be among them."""
    known = (find(name) for name in names)
    return tuple(dict.fromkeys(column_of(each) for each in known if each and column_of(each)))


def model_types_of(names: Iterable[str]) -> tuple[str, ...]:
    """The kinds of model that all of these measures are taken of; other metrics do not matter."""
    found: tuple[str, ...] = ALL
    for measure in map(find, names):
        if measure is not None:
            found = tuple(each for each in found if each in measure.model_types)
    return found


def is_exact(measure: Measure, truth: Truth) -> bool:
    """Whether two models are compared in it exactly, by McNemar's test, not by resampling."""
    return measure.kind == "proportion" and truth.weights is None
