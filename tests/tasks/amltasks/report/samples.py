"""Verdicts to show: one as a real run has it, judged from seeded predictions, and made-up ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from amltasks.gate.judge import Candidate, judge
from amltasks.gate.rows import Array, Rows
from amltasks.gate.rules import read
from amltasks.gate.verdict import Baseline, Check, Past, Reason, Verdict

TITLE = "compliance-classifier"
LABEL = "service compliance, compliance-classifier:6"
FACTS = {
    "model": "compliance-classifier:7",
    "run": "bright_sail_4k2wq9",
    "build id": "1042",
    "build number": "20261125.3",
    "branch": "refs/heads/main",
    "commit": "7f3c0de1b1d54d0a9f4b8a52c6e2f9e6f3d0a1c4",
    "run's page": "https://ml.azure.com/runs/bright_sail_4k2wq9?wsid=/subscriptions/0",
    "evaluation data": "sha256 3b1f8c…e42a, 4,000 rows",
}
HOSTILE = "\"><img src=x onerror='parent.owned=1'><script>owned=1</script>|`*_$x$\u202e\x07&amp;"
_RULES = """
rules:
  - {metric: accuracy, floor: 0.85, max_loss: 0.01}
  - {metric: auc, max_loss: 0.005}
  - {metric: recall, min_gain: 0}
  - {metric: accuracy, slices: [material], max_loss: 0.04}
  - {metric: calibration_error, ceiling: 0.02, severity: warn}
  - {metric: seen_in_training, ceiling: 0}
  - {metric: accuracy, slices: [material], max_gap: 0.1, severity: warn}
  - {metric: scoring_ms, ceiling: 500, severity: warn}
resamples: 500
"""
_MATERIALS = ("aluminium", "carbon fiber", "copper", "iron", "plastic", "steel")


def predictions(scores: Array, labels: Array, **more: object) -> Rows:
    """One model's predictions, at a threshold of one half; every row is an input of its own."""
    ids = np.array([f"{number:07}" for number in range(len(labels))])
    return Rows(
        ids=ids,
        labels=labels,
        predictions=(scores > 0.5).astype(np.int8),
        scores=scores,
        inputs=np.arange(len(labels)),
        texts=np.array([f"part {number}, made in 2010" for number in range(len(labels))], object),
        **more,  # type: ignore[arg-type]
    )


def pair_of_rows(
    count: int, seed: int = 4, worse_on: str = "", by: float = 0.72
) -> tuple[Rows, Rows]:
    """Candidate and baseline on the same rows; the first is worse on a material by a share."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count).astype(np.int8)
    material = np.array(_MATERIALS)[rng.integers(0, len(_MATERIALS), count)]
    shared = rng.normal(size=count)
    signal = 3.4 * (labels - 0.5)
    new = signal * 1.06 + shared + rng.normal(scale=0.35, size=count)
    new[material == worse_on] -= by * signal[material == worse_on]
    old = signal + shared + rng.normal(scale=0.35, size=count)
    slices = {"material": material}
    seen = np.zeros(count, dtype=bool)
    return (
        predictions(1 / (1 + np.exp(-2.2 * new)), labels, slices=slices, seen=seen),
        predictions(1 / (1 + np.exp(-1.2 * old)), labels, slices=slices),
    )


def judged(
    count: int = 4000, *, worse_on: str = "", by: float = 0.72, rules: str = _RULES
) -> Verdict:
    """A verdict on ``count`` rows; as `pair_of_rows`."""
    candidate, baseline = pair_of_rows(count, worse_on=worse_on, by=by)
    verdict = judge(
        Candidate(metrics={"scoring_ms": 41.5}, rows=candidate),
        Baseline(
            label=LABEL,
            metrics={"scoring_ms": 40.0},
            model="compliance-classifier",
            version="6",
            rows=baseline,
        ),
        read(rules, source="sample"),
        looks=11,
    )
    past = tuple(
        Past(version=str(n), build=f"20261{n}12.1", metrics={"accuracy": 0.88 + n / 200})
        for n in range(1, 7)
    )
    return replace(verdict, past=past)


def made(reason: Reason, *, severity: str = "fail", text: str = "x") -> Verdict:
    """A verdict for a reason with one check, all its texts the same."""
    check = Check(
        metric=text,
        scope=f"{text}={text}",
        direction="higher",
        severity=severity,
        asked=text,
        candidate=0.9,
        baseline=float("nan"),
        gain=0.01,
        low=-0.01,
        high=0.03,
        p_value=0.2,
        tested=text,
        detectable=0.04,
        rows=10,
        inputs=9,
        method=text,
        reason=reason,
        detail=text,
    )
    blocks = check.blocks
    return Verdict(
        reason=reason if blocks else Reason.PASSED,
        detail=text,
        checks=(check,),
        baseline=Baseline(label=text, metrics={}, model=text, version="1"),
    )
