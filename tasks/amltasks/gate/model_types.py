"""The kinds of model that the gate can measure from predictions."""

from __future__ import annotations

BINARY = "binary"
MULTICLASS = "multiclass"
MULTILABEL = "multilabel"
REGRESSION = "regression"
RANKING = "ranking"
SCORES = "scores"

CLASSIFIERS = (BINARY, MULTICLASS, MULTILABEL)
MANY_CLASSES = (MULTICLASS, MULTILABEL)
ALL = (*CLASSIFIERS, REGRESSION, RANKING, SCORES)
