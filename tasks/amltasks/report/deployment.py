"""A deployment's report: HTML that stands alone, and JSON beside it, both for the report tab.

Without a template engine, which only the gate's environment has. The JSON is the contract with
`extension/tab`: members may be added within a schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

RESULT = "aml.deploy.result"
REPORT = "aml.deploy.report"
"""The types of the two attachments; their name is the service's."""

_SCHEMA = 1
_META = (
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'\">"
)
_STYLE = """
:root { color-scheme: light dark; background: light-dark(#fff, #16191d);
  color: light-dark(#1b1f24, #e6e9ee); }
body { font: 14px/1.45 'Segoe UI', system-ui, sans-serif; max-width: 60rem; margin: 1rem auto;
  padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.3rem; margin: 0 0 .5rem; } h2 { font-size: 1.05rem; margin: 1.4rem 0 .3rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .25rem .9rem .25rem 0;
  border-bottom: 1px solid #8886; font-weight: 400; }
thead th { font-weight: 600; }
.good { color: light-dark(#1b6e2c, #7fd18f); font-weight: 600; }
.bad { color: light-dark(#b3261e, #ff9d94); font-weight: 600; }
"""


@dataclass(frozen=True, kw_only=True)
class SmokeRow:
    """One row of the smoke test, as text; `right`: the answer is the one expected."""

    number: int
    input: str
    expected: str
    got: str
    right: bool


@dataclass(frozen=True, kw_only=True)
class Phase:
    """A part of the deployment and what it took, in seconds."""

    name: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What a deployment came to.

    ``state`` is Azure's word, or ``Failed``; ``problem`` is then the error's sentence. ``lineage``
    is where the model and the deployment come from, name -> text; ``links`` are addresses of pages
    by what they show.
    """

    service: str
    state: str
    model: str
    version: int
    revision: str
    scoring_uri: str
    problem: str
    smoke: Sequence[SmokeRow]
    phases: Sequence[Phase]
    lineage: Mapping[str, str]
    links: Mapping[str, str] = field(default_factory=dict)


def write(deployment: Deployment, folder: Path) -> tuple[Path, Path]:
    """Write both into ``folder``; returns the paths of the JSON and of the HTML."""
    result, report = folder / "deployment.json", folder / "deployment.html"
    result.write_text(json.dumps(document(deployment), indent=2) + "\n", encoding="utf-8")
    report.write_text(page(deployment), encoding="utf-8")
    return result, report


def document(deployment: Deployment) -> dict[str, object]:
    """The JSON."""
    return {
        "schema": _SCHEMA,
        "service": deployment.service,
        "state": deployment.state,
        "problem": deployment.problem,
        "model": deployment.model,
        "version": deployment.version,
        "revision": deployment.revision,
        "scoringUri": deployment.scoring_uri,
        "links": dict(deployment.links),
    }


def page(deployment: Deployment) -> str:
    """The HTML."""
    failed = bool(deployment.problem)
    title = f"Deployment of {deployment.service}"
    outcome = f"{deployment.model}:{deployment.version} as {deployment.revision}"
    head = (
        f'<!doctype html>\n<html lang="en"><head>{_META}<title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><main>\n<h1>{escape(title)}</h1>\n"
        f'<p><span class="{"bad" if failed else "good"}">{escape(deployment.state)}</span>: '
        f"{escape(outcome)}</p>\n"
    )
    parts = [head]
    if failed:
        parts.append(f"<p>{escape(deployment.problem)}</p>\n")
    if deployment.scoring_uri:
        parts.append(f"<p>It answers at <code>{escape(deployment.scoring_uri)}</code></p>\n")
    parts += [_smoke(deployment.smoke), _phases(deployment.phases)]
    lineage = [map(escape, fact) for fact in deployment.lineage.items()]
    parts.append(_table("Lineage", ("fact", "value"), lineage))
    return "".join(parts) + "</main></body></html>\n"


def _smoke(rows: Sequence[SmokeRow]) -> str:
    if not rows:
        return "<h2>Smoke test</h2>\n<p>No row was scored.</p>\n"
    right = sum(row.right for row in rows)
    return _table(
        f"Smoke test: {right} of {len(rows)} rows as expected",
        ("row", "input", "expected", "got", "result"),
        [
            (
                str(row.number),
                *map(escape, (row.input, row.expected, row.got)),
                f'<span class="{"good" if row.right else "bad"}">'
                f"{'&#10003; right' if row.right else '&#10005; wrong'}</span>",
            )
            for row in rows
        ],
    )


def _phases(phases: Sequence[Phase]) -> str:
    rows = [(escape(phase.name), f"{phase.seconds:.1f} s") for phase in phases]
    return _table("Timings", ("part", "took"), rows) if rows else ""


def _table(title: str, head: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A section with a table; cells are HTML."""
    heading = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = "".join(
        f'<tr><th scope="row">{first}</th>'
        + "".join(f"<td>{cell}</td>" for cell in rest)
        + "</tr>\n"
        for first, *rest in rows
    )
    return (
        f"<h2>{escape(title)}</h2>\n<table><thead><tr>{heading}</tr></thead><tbody>\n{body}"
        "</tbody></table>\n"
    )
