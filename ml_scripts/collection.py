"""Data collection: what was asked and answered, for Azure ML's model monitoring.

It is on where Azure ML says so: ``AZUREML_MDC_CONFIG_PATH`` names the settings of a deployment's
``data_collector``, or ``AZUREML_MDC_ENABLED`` is ``true``. Otherwise the collector, and pandas with
it, is not even imported. The names of the two tables are those that monitoring looks for
(https://learn.microsoft.com/azure/machine-learning/how-to-collect-production-data).
"""

import logging
import os
from collections.abc import Callable
from typing import Any

log = logging.getLogger("compliance.collection")

# Gets the rows as they were sent, their predictions and their scores.
Collect = Callable[[list[Any], list[int], list[float]], None]


def wanted() -> bool:
    """Tell whether this deployment collects data."""
    return bool(os.environ.get("AZUREML_MDC_CONFIG_PATH")) or (
        os.environ.get("AZUREML_MDC_ENABLED", "").lower() == "true"
    )


def start() -> Collect | None:
    """Return what collects, or None where it is off or cannot start, which the log then says."""
    if not wanted():
        return None
    try:
        return _collector()
    # Whatever is wrong with the collector, the service must answer.
    except Exception:
        log.exception("Data collection cannot start, so nothing is collected. The service goes on.")
        return None


def _collector() -> Collect:
    import pandas as pd
    from azureml.ai.monitoring import Collector

    def on_error(error: Exception) -> None:
        log.error("Data was not collected: %s", error)

    inputs = Collector(name="model_inputs", on_error=on_error)
    outputs = Collector(name="model_outputs", on_error=on_error)

    def collect(rows: list[Any], predictions: list[int], scores: list[float]) -> None:
        try:
            context = inputs.collect(pd.DataFrame({"input": rows}))
            outputs.collect(pd.DataFrame({"prediction": predictions, "score": scores}), context)
        except Exception:
            log.exception("Data was not collected. The request was answered.")

    return collect
