"""What a verdict leaves behind: the files of its report, and the step's output variables."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amltasks.azure_pipelines.agent import Job, number_text
from amltasks.gate.rows import ALL_ROWS
from amltasks.gate.verdict import Verdict
from amltasks.report import eval_info, junit, markdown, model_card, verdict_json

_ACCURACY = ("accuracy", "acc")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Where a verdict comes from.

    ``version`` is that of the model that passed; empty when it was rejected or is not registered.
    ``promoted`` says whether that version may be deployed, ``build`` has the build's tags, and
    ``evaluation`` is the digest of the rows that the candidate was measured on, ``links`` are
    addresses of pages by what they show: ``run``, ``model``, ``baseline``, ``endpoint``, ``build``.
    ``copy`` is the id of the version's copy elsewhere.
    """

    model: str
    version: str
    path: str
    description: str
    run_id: str
    holder_id: str
    evaluation: str
    promoted: bool
    build: Mapping[str, str]
    links: Mapping[str, str] = field(default_factory=dict)
    copy: str = ""

    @property
    def lineage(self) -> dict[str, str]:
        """Name -> text, for people."""
        version = f"{self.model}:{self.version}" if self.version else ""
        return {
            "model": version or f"{self.model} (not registered)",
            **({"copy": self.copy} if self.copy else {}),
            "run": self.run_id,
            **({"evaluation rows": f"sha256 {self.evaluation}"} if self.evaluation else {}),
            **{name.replace("_", " "): value for name, value in self.build.items()},
            **{f"{what}'s page": page for what, page in self.links.items()},
        }


@dataclass(frozen=True, kw_only=True)
class Files:
    """Paths of the files."""

    report: Path
    summary: Path
    verdict: Path
    tests: Path
    model_card: Path
    eval_info: Path


NAMES = (
    *("gate.html", "gate.md", "verdict.json", "gate-tests.xml", "model-card.md"),
    "eval_info.json",
)
"""The files that `write` makes."""


def clear(folder: Path) -> None:
    """Remove the files of an earlier build, whose verdict nobody may take for this one's.

    Raises:
        OSError: a file cannot be removed.
    """
    for path in (folder / name for name in NAMES):
        if path.is_file():
            path.unlink()


def write(verdict: Verdict, facts: Facts, folder: Path, metrics: Mapping[str, float]) -> Files:
    """Write every file into ``folder``.

    Args:
        verdict: what was decided.
        facts: where it comes from.
        folder: where to.
        metrics: what the candidate's run logged, for what no rule names.
    """
    from amltasks.report import html  # with the plots' library, which takes half a second to import

    title, lineage = facts.model, facts.lineage
    build = {
        "id": facts.build.get("build_id", ""),
        "number": facts.build.get("build_number", ""),
    }
    texts = {
        "gate.html": html.gate(verdict, title=title, facts=lineage),
        "gate.md": markdown.gate(verdict, title=title, facts=lineage),
        "verdict.json": verdict_json.gate(
            verdict, build=build, title=title, facts=lineage, links=facts.links
        ),
        "gate-tests.xml": junit.gate(verdict, title=title, facts=lineage),
        "model-card.md": model_card.gate(
            verdict, description=facts.description, title=title, facts=lineage
        ),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    candidate, baseline = _accuracies(verdict, metrics)
    info = eval_info.write(
        eval_info.EvalInfo(
            model_name=facts.model,
            model_version=facts.version,
            model_path=facts.path,
            model_acc=eval_info.accuracy(candidate),
            deployed_model_acc=eval_info.accuracy(baseline),
            deploy_model=verdict.passed and facts.promoted,
            train_run_id=facts.holder_id,
            eval_run_id=facts.run_id,
            model_description=facts.description,
        ),
        folder,
    )
    return Files(
        report=folder / "gate.html",
        summary=folder / "gate.md",
        verdict=folder / "verdict.json",
        tests=folder / "gate-tests.xml",
        model_card=folder / "model-card.md",
        eval_info=info,
    )


@dataclass(frozen=True, kw_only=True)
class Written:
    """The files of a verdict, and where it comes from."""

    facts: Facts
    files: Files


def show(job: Job, written: Written) -> None:
    """Show the files on the run's page."""
    facts, files = written.facts, written.files
    job.channel.summary(files.summary)
    job.channel.attachment("aml.gate.report", facts.model, files.report)
    job.channel.attachment("aml.gate.verdict", facts.model, files.verdict)
    job.channel.test_results(files.tests, f"Gate of {facts.model}")


def set_outputs(job: Job, verdict: Verdict, facts: Facts, files: Files) -> None:
    """Set the output variables."""
    measured = measurements(verdict)
    for name, value in {
        "passed": str(verdict.passed).lower(),
        "reason": verdict.reason.value,
        "modelName": facts.model,
        "modelVersion": facts.version,
        "copyId": facts.copy,
        "baselineVersion": verdict.baseline.version,
        "metrics": json.dumps(measured),
        "evalInfoPath": str(files.eval_info),
        "reportPath": str(files.report),
        **{f"metric.{name}": number_text(value) for name, value in measured.items()},
    }.items():
        job.channel.output(name, value)


def measurements(verdict: Verdict) -> dict[str, float]:
    """What the rules measured on all rows: ``<metric>`` and ``<metric>Gain``."""
    found: dict[str, float] = {}
    for check in verdict.checks:
        if check.scope == ALL_ROWS and not check.of_anchor:
            values = {check.metric: check.candidate, f"{check.metric}Gain": check.gain}
            found |= {
                name: value
                for name, value in values.items()
                if value is not None and math.isfinite(value)  # JSON has no others
            }
    return found


def _accuracies(
    verdict: Verdict, metrics: Mapping[str, float]
) -> tuple[float | None, float | None]:
    """The seed's file has one accuracy: that of the rules, else the logged one."""
    ruled = [
        c
        for c in verdict.checks
        if c.metric in _ACCURACY and c.scope == ALL_ROWS and not c.of_anchor
    ]
    compared = [c for c in ruled if math.isfinite(c.baseline)]
    logged = verdict.baseline.metrics or {}
    candidate = (compared or ruled)[0].candidate if ruled else _first(metrics)
    return candidate, compared[0].baseline if compared else _first(logged)


def _first(metrics: Mapping[str, float]) -> float | None:
    return next((metrics[name] for name in _ACCURACY if name in metrics), None)
