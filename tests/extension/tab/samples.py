"""What the tasks attach to their steps, as the tab's contract has it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from amltasks.report.deployment import (
    REPORT,
    RESULT,
    Deployment,
    Phase,
    SmokeRow,
    document,
    page,
)

STUDIO = "https://ml.azure.com"
WORKSPACE = (
    "wsid=/subscriptions/0b/resourceGroups/cars/providers"
    "/Microsoft.MachineLearningServices/workspaces/cars"
)


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
        "scope": "all rows",
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
        "facts": {"run": "quiet_river_1", "model": f"{model}:4"},
        "links": {
            "run": f"{STUDIO}/runs/quiet_river_1?{WORKSPACE}",
            "model": f"{STUDIO}/model/{model}:4/details?{WORKSPACE}",
            "baseline": f"{STUDIO}/model/{model}:3/details?{WORKSPACE}",
            "build": "https://dev.azure.com/contoso/cars/_build/results?buildId=7",
        },
        "unheardOf": {"of": ["a", "later", "version"]},
        **fields,
    }
    return Attached("aml.gate.verdict", model, json.dumps(document))


def deployed(service: str, **fields: Any) -> Deployment:
    """A deployment that went well, unless `fields` say otherwise."""
    rows = [
        SmokeRow(number=1, input='"carbon fiber, 2010"', expected="0", got="0", right=True),
        SmokeRow(number=2, input='"plastic, 1980"', expected="1", got="1", right=True),
    ]
    told: dict[str, Any] = {
        "service": service,
        "state": "Healthy",
        "model": "compliance-classifier",
        "version": 4,
        "revision": f"{service}/build-126",
        "scoring_uri": f"https://{service}.eastus.inference.ml.azure.com/score",
        "problem": "",
        "smoke": rows,
        "phases": [Phase(name=f"Deploying {service}/build-126", seconds=212.4)],
        "lineage": {"Model trained by run": "quiet_river_1"},
        "links": {
            "run": f"{STUDIO}/runs/quiet_river_1?{WORKSPACE}",
            "model": f"{STUDIO}/model/compliance-classifier:4/details?{WORKSPACE}",
            "endpoint": f"{STUDIO}/endpoints/realtime/{service}/detail?{WORKSPACE}",
            "build": "https://dev.azure.com/contoso/cars/_build/results?buildId=7",
        },
    }
    return Deployment(**{**told, **fields})


def result(of: Deployment) -> Attached:
    """What a deployment came to, as DeployToAks attaches it."""
    return Attached(RESULT, of.service, json.dumps(document(of)))


def deploy_report(of: Deployment) -> Attached:
    """The report that DeployToAks attaches."""
    return Attached(REPORT, of.service, page(of))


def gate_report(name: str, body: str = "<h1>Why it passed</h1>") -> Attached:
    """A report of the gate: HTML that stands alone."""
    text = f'<!doctype html><html lang="en"><title>Gate</title>{body}</html>'
    return Attached("aml.gate.report", name, text)
