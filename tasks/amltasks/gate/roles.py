"""What the columns of a file of predictions stand for."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from amltasks.gate.model_types import (
    BINARY,
    MULTICLASS,
    MULTILABEL,
    RANKING,
    REGRESSION,
    SCORES,
)

ROLES: Mapping[str, str] = {
    "id": "names the row; the same in both models' files",
    "label": "the true label, value or relevance",
    "prediction": "what the model says",
    "score": "probability of the positive label; `score_CLASS` of each class; what a ranking is by",
    "text": "what the model was given: equal ones are one input",
    "input": "the same as `text`",
    "group": "rows of one group (a patient, a user) are one sample",
    "weight": "how much the row counts, 0 or more",
    "query": "the query of a ranking that the row belongs to",
    "in_training": "whether that input was trained on",
}
"""Each role, and what it means."""

NEEDED: Mapping[str, str] = {
    BINARY: "`label`; `prediction`, or `score`, which is cut at 0.5. Labels are 0 and 1, or false "
    "and true; or any two, where `positive_label` names one.",
    MULTICLASS: "`label`; `prediction`, or `score_CLASS` for each class, of which the highest "
    "counts",
    MULTILABEL: "`label_CLASS` (0 or 1) and `prediction_CLASS` or `score_CLASS` for each class; or "
    "`label` and `prediction` as lists, in CSV with a bar between the classes",
    REGRESSION: "`label`, `prediction`; `quantile_0.9` for `pinball@0.9`",
    RANKING: "`query`, `label` (the relevance, 0 or more), `score`",
    SCORES: "any column of numbers: a judgement from 1 to 5, BLEU, milliseconds, IoU",
}
"""The columns that each kind of model needs, in the words of the docs."""

INPUT_ROLES = ("text", "input")
BY_CLASS = ("label", "prediction", "score")
"""Roles of which a file may have a column for each class, such as ``score_iron``."""

QUANTILE = r"^quantile_0\.[0-9]*[1-9]$"
"""What the column of a forecast of a quantile is called."""


class WrongValueError(ValueError):
    """What is wrong with a value in the rules, and ``at`` which key of it."""

    def __init__(self, detail: str, *at: str) -> None:
        """Say it; ``at`` is empty where it is the whole value."""
        super().__init__(detail)
        self.at = at


def columns(value: object) -> dict[str, str]:
    """The names of columns by their roles.

    Raises:
        WrongValueError: it is no such mapping
    """
    if not isinstance(value, dict) or not value:
        raise WrongValueError("'columns' is no mapping such as {label: y_true, score: p}")
    for role, name in value.items():
        found = _problem(str(role))
        if found:
            raise WrongValueError(f"there is no column '{role}'; {found}", str(role))
        if not isinstance(name, str) or not name.strip():
            raise WrongValueError(f"'{role}' is '{name}', not the name of a column", str(role))
    found_names = {str(role): name.strip() for role, name in value.items()}
    _refuse_shared(found_names)
    return found_names


def _refuse_shared(names: Mapping[str, str]) -> None:
    """Raise where the label is also what the model says: then any model is right."""
    for role, name in names.items():
        says = role in BY_CLASS or re.search(QUANTILE, role)
        if says and role != "label" and name.lower() == names.get("label", "").lower():
            raise WrongValueError(f"'label' and '{role}' are the same column '{name}'", role)


def label(value: object) -> str:
    """A label as the predictions have it: 1.0 is 1.

    Raises:
        WrongValueError: it is none
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, (str, int, float)) or not str(value).strip():
        raise WrongValueError("'positive_label' is no label")
    return str(value).strip()


def _problem(role: str) -> str:
    """In words what is wrong with the name of a role, empty when nothing is."""
    if role in ROLES or re.search(QUANTILE, role):
        return ""
    near = difflib.get_close_matches(role, ROLES, n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    return f"the columns are {', '.join(ROLES)}, and quantile_0.9 for a quantile"
