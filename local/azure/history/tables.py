"""The names of run history's tables in the store, each declared once."""

from __future__ import annotations

RUNS = "run"
EXPERIMENTS = "experiment"
EXPERIMENT_IDS = "experiment-id"
ARTIFACTS = "artifact"
