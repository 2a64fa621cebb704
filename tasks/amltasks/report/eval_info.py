"""``eval_info.json``: the verdict in the words the seed's release stage already reads."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from amltasks import errors

NONE = -1
"""The seed's value for an accuracy that is not there."""


@dataclass(frozen=True, kw_only=True)
class EvalInfo:
    """The keys of the seed's file (mcw-mlops-starter, aml_service/evaluate.py) and of its v3.

    Accuracies are :data:`NONE` when there is none; ``image_*`` stay empty since the image is built
    at deployment. ``model_version`` is empty when nothing was registered.
    """

    model_name: str
    model_version: str
    model_path: str
    model_acc: float
    deployed_model_acc: float
    deploy_model: bool
    train_run_id: str
    eval_run_id: str
    model_description: str
    image_name: str = ""
    image_id: str = ""


def accuracy(value: float | None) -> float:
    """The value as the file has it: :data:`NONE` for missing or not finite (JSON knows neither)."""
    return value if value is not None and math.isfinite(value) else NONE


def write(info: EvalInfo, folder: Path) -> Path:
    """Write ``eval_info.json`` into ``folder``, which is made when absent; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "eval_info.json"
    path.write_text(json.dumps(asdict(info), indent=2) + "\n", encoding="utf-8")
    return path


def passed_model(path: Path) -> tuple[str, int]:
    """Name and version of the model that a gate's file lets through.

    Raises:
        TaskError: ``EVAL_INFO_INVALID`` when it is no such file, ``GATE_REJECTED`` when its gate
            said no.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
        verdict, name, version = (
            found["deploy_model"],
            found["model_name"],
            str(found["model_version"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as cause:
        # A KeyError's own text is but the key.
        detail = f"it has no {cause}" if isinstance(cause, KeyError) else "it is no such JSON"
        raise errors.EVAL_INFO_INVALID.error(path=path.name, detail=detail) from None
    if verdict is False:
        raise errors.GATE_REJECTED.error(model=name)
    if verdict is not True:
        raise errors.EVAL_INFO_INVALID.error(
            path=path.name, detail="its deploy_model is neither true nor false"
        )
    if not (isinstance(name, str) and name and version.isdecimal() and int(version) > 0):
        raise errors.EVAL_INFO_INVALID.error(path=path.name, detail="it names no model version")
    return name, int(version)
