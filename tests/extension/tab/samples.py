"""What the tasks attach to their steps, as the tab's contract has it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Attached:
    """One attachment of a step."""

    kind: str
    name: str
    content: str
    record: str = field(default_factory=lambda: str(uuid.uuid4()))


def check(metric: str, candidate: float | None, baseline: float | None, **fields: Any) -> Any:
    """A check of the gate that passed, unless `fields` say otherwise."""
    gain = None if candidate is None or baseline is None else round(candidate - baseline, 6)
    return {
        "metric": metric,
        "scope": "overall",
        "direction": "higher",
        "candidate": candidate,
        "baseline": baseline,
        "gain": gain,
        "low": None,
        "high": None,
        "reason": "PASSED",
        "severity": "fail",
        "passed": True,
        **fields,
    }


def verdict(model: str, *checks: Any, **fields: Any) -> Attached:
    """What the gate decided: passed, unless a check did not."""
    failed = [one for one in checks if not one["passed"]]
    document = {
        "schema": 1,
        "model": model,
        "verdict": "rejected" if failed else "passed",
        "reason": failed[0]["reason"] if failed else "PASSED",
        "detail": (
            f"{failed[0]['metric']} is {failed[0]['candidate']}, which is not better than "
            f"{failed[0]['baseline']}"
            if failed
            else "Every rule holds"
        ),
        "checks": checks,
        "baseline": {"label": "the model in service (version 3)", "model": model, "version": 3},
        "unheardOf": {"of": ["a", "later", "version"]},
        **fields,
    }
    return Attached("aml.gate.verdict", model, json.dumps(document))


def deployment(service: str, **fields: Any) -> Attached:
    """What a deployment came to."""
    document = {
        "schema": 1,
        "service": service,
        "state": "Healthy",
        "model": "compliance-classifier",
        "version": 4,
        "scoringUri": f"https://{service}.eastus.inference.ml.azure.com/score",
        "revision": f"{service}-126",
        **fields,
    }
    return Attached("aml.deploy.result", service, json.dumps(document))


def report(task: str, name: str, body: str = "<p>What the report says.</p>") -> Attached:
    """A report of the gate or the deployment: HTML that stands alone."""
    style = "body{font-family:sans-serif}@media(prefers-color-scheme:dark){body{color:#fff}}"
    page = (
        f'<!doctype html><html lang="en"><title>{task}</title><style>{style}</style>{body}</html>'
    )
    return Attached(f"aml.{task}.report", name, page)
