"""Where a verdict is written to: its files, the output variables, Azure DevOps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from amltasks import errors
from amltasks.azure_pipelines import builds, pages
from amltasks.azure_pipelines.agent import Job
from amltasks.evaluate_and_gate import verdict_files, verdict_notes
from amltasks.evaluate_and_gate.candidates import Judged
from amltasks.evaluate_and_gate.given import GateInputs
from amltasks.gate.verdict import Baseline, Verdict
from amltasks.workspace.port import Model


@dataclass(frozen=True, kw_only=True)
class Results:
    """Where a verdict is written to, and whom it is told."""

    job: Job
    given: GateInputs
    candidate: Judged
    baseline: Baseline | None
    folder: Path

    def facts(self, model: Model | None, copy: str = "") -> verdict_files.Facts:
        """Where the verdict comes from; ``model`` is the version that passed, if any.

        ``copy`` is the id of its copy elsewhere, empty for none.
        """
        given, candidate = self.given, self.candidate
        return verdict_files.Facts(
            model=given.model_name,
            version=str(model.version) if model else "",
            path=given.model_path,
            description=given.model_description or (model.description if model else ""),
            run_id=candidate.run_id,
            holder_id=candidate.holder_id or candidate.run_id,
            evaluation=candidate.rows.digest if candidate.rows else "",
            promoted=model is not None and given.mode == "promote",
            build=builds.build_tags(self.job.handover),
            links=self.links(model),
            copy=copy,
        )

    def links(self, model: Model | None) -> dict[str, str]:
        """The pages of what was judged and of the build, as far as they are known."""
        given, handover = self.given, self.job.handover
        studio = pages.studio(
            handover, resource_group=given.resource_group, workspace=given.workspace
        )
        baseline = self.baseline
        served = given.baseline == "service" and baseline and baseline.metrics is not None
        found = {
            "run": self.candidate.url or studio.run(self.candidate.run_id),
            "model": studio.model(model.name, model.version) if model else "",
            "baseline": studio.model(baseline.model, baseline.version) if baseline else "",
            "endpoint": studio.endpoint(given.service_name) if served else "",
            "build": pages.build(handover),
        }
        return {what: page for what, page in found.items() if page}

    def write(
        self, verdict: Verdict, model: Model | None, registered: str = "", copy: str = ""
    ) -> verdict_files.Written:
        """Write every file, and set the output variables.

        ``registered`` is the version that was registered before, ``copy`` the id of its copy.

        Raises:
            TaskError: ``RESULTS_NOT_WRITTEN``
        """
        facts = self.facts(model, copy)
        try:
            files = verdict_files.write(verdict, facts, self.folder, self.candidate.metrics)
        except OSError as cause:
            kept = f"{registered} is registered" if registered else "nothing was registered"
            raise _not_written(self.folder, cause, kept) from None
        verdict_files.set_outputs(self.job, verdict, facts, files)
        return verdict_files.Written(facts=facts, files=files)

    def publish(self, verdict: Verdict, written: verdict_files.Written) -> None:
        """Show the files on the run's page, and write the verdict into Azure DevOps."""
        verdict_files.show(self.job, written)
        verdict_notes.post(self.job, verdict, written.facts)


def clear(folder: Path) -> None:
    """Remove an earlier build's files. Raises ``RESULTS_NOT_WRITTEN``."""
    try:
        verdict_files.clear(folder)
    except OSError as cause:
        raise _not_written(folder, cause, "nothing was registered") from None


def _not_written(folder: Path, cause: OSError, kept: str) -> errors.TaskError:
    detail = cause.strerror or type(cause).__name__
    return errors.RESULTS_NOT_WRITTEN.error(folder=folder, detail=detail, kept=kept)
