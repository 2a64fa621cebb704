"""A model card: what a model is for, how it was measured, and where it comes from.

The headings are those of Mitchell et al., "Model Cards for Model Reporting" (2019), as far as a
gate knows what stands below them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from amltasks.gate.model_types import BINARY, MANY_CLASSES, RANKING, REGRESSION
from amltasks.gate.rows import Rows
from amltasks.gate.verdict import Check, Verdict
from amltasks.report.markdown import bounds, cell, table, test_of
from amltasks.report.text import plain


def gate(verdict: Verdict, *, title: str, facts: Mapping[str, str], description: str) -> str:
    """The card, in markdown.

    Args:
        verdict: what the gate decided.
        title: the model's name.
        facts: lineage, name -> text.
        description: what the model is for, in the words of whoever registers it.
    """
    parts = [
        f"# Model card: {cell(title)}\n",
        "## Model details\n",
        table(["fact", "value"], facts.items()),
        "## Intended use\n",
        f"{cell(description)}\n" if description else "Nobody has said what the model is for.\n",
        "## Evaluation data\n",
        _data(verdict.candidate_rows),
        "## Quantitative analyses\n",
        f"A gain is over {cell(verdict.baseline.label)}, whichever way is better; each of its "
        f"bounds holds at a confidence of {verdict.confidence * 100:g}%.\n",
        table(
            ["metric", "measured on", "value", "gain", "bounds of the gain", "p", "result"],
            [_row(check) for check in verdict.checks],
        ),
        "## Caveats and recommendations\n",
        _caveats(verdict),
    ]
    return plain("\n".join(parts))


def _data(rows: Rows | None) -> str:
    if rows is None:
        return "The run left no predictions of single rows; its logged metrics are all there is.\n"
    if not len(rows):
        return "There are no rows.\n"
    inputs = int(rows.inputs.max()) + 1
    found = [
        f"{len(rows):,} rows with {inputs:,} distinct inputs, for a {rows.model_type} model."
        f"{_labels(rows)}"
    ]
    if rows.seen is None:
        found.append("Whether any of them was trained on is not known.")
    else:
        found.append(
            f"{float(rows.seen.mean()):.1%} of the rows have an input that was trained on."
        )
    if rows.slices:
        found.append(f"Slices are known by {cell(', '.join(rows.slices))}.")
    return " ".join(found) + "\n"


def _labels(rows: Rows) -> str:
    if rows.model_type == BINARY:
        return f" {float(rows.labels.mean()):.1%} of the rows have label {cell(rows.classes[1])}."
    if rows.model_type in MANY_CLASSES:
        return f" There are {len(rows.classes):,} classes."
    if rows.model_type in (REGRESSION, RANKING):
        low, middle, high = np.quantile(rows.labels, [0, 0.5, 1])
        return f" Labels go from {low:.6g} to {high:.6g}; half are at most {middle:.6g}."
    return ""


def _row(check: Check) -> list[object]:
    result = "holds" if check.passed else check.reason.value
    return [
        check.metric,
        check.scope,
        check.candidate,
        check.gain,
        bounds(check),
        test_of(check),
        result,
    ]


def _caveats(verdict: Verdict) -> str:
    found = [
        f"- {check.severity}: {cell(check.detail)}\n"
        for check in verdict.checks
        if not check.passed
    ]
    found = [f"- {cell(note)}.\n" for note in verdict.notes] + found
    if not verdict.passed:
        found.insert(0, f"- The gate rejected it ({cell(verdict.reason.value)}).\n")
    return "".join(found) or "The gate has found none; it looks only at what its rules name.\n"
