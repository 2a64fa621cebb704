"""The family of each measure, by the kind of model."""

from __future__ import annotations

from collections.abc import Mapping

from amltasks.gate.model_types import BINARY, MULTICLASS, MULTILABEL, RANKING, REGRESSION
from amltasks.gate.sums import binary, classes, ranking, regression
from amltasks.gate.sums.family import Family

_BINARY = {
    **dict.fromkeys(
        ("accuracy", "recall", "specificity", "balanced_accuracy", "precision", "f1"),
        binary.CONFUSION,
    ),
    "log_loss": binary.LOG_LOSS,
    "brier": binary.BRIER,
    "calibration_error": binary.CALIBRATION,
    "auc": binary.AUC,
    "average_precision": binary.AVERAGE_PRECISION,
}
_COUNTED = dict.fromkeys(
    ("macro_f1", "micro_f1", "weighted_f1", "recall:", "precision:", "f1:"), classes.COUNTS
)
_OF_TYPE: Mapping[str, Mapping[str, Family]] = {
    BINARY: _BINARY,
    MULTICLASS: {
        **_COUNTED,
        "accuracy": classes.COUNTS,
        "balanced_accuracy": classes.COUNTS,
        "top_k_accuracy@": classes.TOP_K,
        "log_loss": classes.LOG_LOSS,
    },
    MULTILABEL: {
        **_COUNTED,
        "accuracy": classes.ACCURACY,
        "hamming_loss": classes.HAMMING,
    },
    REGRESSION: {
        **dict.fromkeys(("mae", "mse", "rmse", "r2", "bias"), regression.ERRORS),
        "mape": regression.SHARES,
        "pinball@": regression.PINBALL,
    },
    RANKING: {
        **dict.fromkeys(("ndcg", "ndcg@"), ranking.NDCG),
        "map": ranking.MAP,
        "mrr": ranking.MRR,
    },
}


def of(base: str, model_type: str) -> Family:
    """The family of a measure, by its name without a parameter.

    Raises:
        KeyError: the measure is not taken of such a model.
    """
    return regression.COLUMN if base == "mean:" else _OF_TYPE[model_type][base]
