"""A model card: what a model is for, how it was measured, and where it comes from.

The headings are those of Mitchell et al., "Model Cards for Model Reporting" (2019), as far as a
gate knows what stands below them.
"""

from __future__ import annotations

from collections.abc import Mapping

from amltasks.gate.verdict import Check, Verdict
from amltasks.report.markdown import bounds, cell, table


def gate(verdict: Verdict, *, title: str, facts: Mapping[str, str], description: str) -> str:
    """The card, in markdown.

    Args:
        verdict: what the gate decided.
        title: the model's name.
        facts: lineage, name -> text.
        description: what the model is for, in the words of whoever registers it.
    """
    rows = verdict.candidate_rows
    parts = [
        f"# Model card: {cell(title)}\n",
        "## Model details\n",
        table(["fact", "value"], facts.items()),
        "## Intended use\n",
        f"{cell(description)}\n" if description else "Nobody has said what the model is for.\n",
        "## Evaluation data\n",
        _data(verdict),
        "## Quantitative analyses\n",
        f"Bounds hold at {verdict.confidence:.0%} each; the gain is over "
        f"{cell(verdict.baseline.label)}.\n",
        table(
            ["metric", "rows", "value", "gain", "bounds of the gain", "result"],
            [_row(check) for check in verdict.checks],
        ),
        "## Caveats and recommendations\n",
        _caveats(verdict),
    ]
    if rows is not None and rows.slices:
        parts.insert(-2, f"Slices by {cell(', '.join(rows.slices))} are judged one by one.\n")
    return "\n".join(parts)


def _data(verdict: Verdict) -> str:
    rows = verdict.candidate_rows
    if rows is None:
        return "The run left no predictions of single rows; its logged metrics are all there is.\n"
    positive = float(rows.labels.mean())
    inputs = int(rows.inputs.max()) + 1
    return (
        f"{len(rows)} rows with {inputs} distinct inputs, {positive:.1%} of them with label 1. "
        + (
            f"{float(rows.seen.mean()):.1%} of the rows have an input that was trained on.\n"
            if rows.seen is not None
            else "Whether any of them was trained on is not known.\n"
        )
    )


def _row(check: Check) -> list[object]:
    result = "holds" if check.passed else check.reason.value
    return [check.metric, check.scope, check.candidate, check.gain, bounds(check), result]


def _caveats(verdict: Verdict) -> str:
    found = [f"- {cell(check.detail)}\n" for check in verdict.checks if not check.passed]
    if not verdict.passed:
        found.insert(0, f"- Rejected: {cell(verdict.detail)}\n")
    return "".join(found) or "The gate has found none; it looks only at what its rules name.\n"
