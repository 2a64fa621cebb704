"""The verdict as JSON, for the report tab and for other programs; schema 1."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from amltasks.gate.verdict import Check, Verdict
from amltasks.report.text import plain

SCHEMA = 1


def gate(
    verdict: Verdict,
    *,
    title: str,
    facts: Mapping[str, str],
    build: Mapping[str, str],
    links: Mapping[str, str],
) -> str:
    """The document, as text.

    Args:
        verdict: what was decided.
        title: the model's name.
        facts: lineage, name -> text.
        build: ``id`` and ``number`` of the build.
        links: addresses of pages, by what they show.
    """
    document = {
        "schema": SCHEMA,
        "model": title,
        "verdict": "passed" if verdict.passed else "rejected",
        "reason": verdict.reason.value,
        "detail": verdict.detail,
        "notes": list(verdict.notes),
        "build": dict(build),
        "confidence": verdict.confidence,
        "baseline": {
            "label": verdict.baseline.label,
            "model": verdict.baseline.model,
            "version": verdict.baseline.version,
        },
        "anchor": None if verdict.anchor is None else verdict.anchor.label,
        "earlier_looks": verdict.looks,
        "earlier": [
            {"version": each.version, "build": each.build, "metrics": _finite(each.metrics)}
            for each in verdict.past
        ],
        "checks": [_check(check) for check in verdict.checks],
        "facts": dict(facts),
        "links": dict(links),
    }
    return plain(json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)) + "\n"


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _check(check: Check) -> dict[str, Any]:
    found = {field.name: getattr(check, field.name) for field in fields(check)}
    # JSON knows neither NaN nor infinity.
    plain = {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in found.items()
    }
    return {**plain, "reason": check.reason.value, "passed": check.passed}
