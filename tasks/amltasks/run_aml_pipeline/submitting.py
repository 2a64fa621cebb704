"""Submits a pipeline: one run for each step of a build, however often the step is started."""

from __future__ import annotations

import logging
from pathlib import Path

from amltasks import waiting
from amltasks.azure_pipelines import attempts
from amltasks.azure_pipelines.agent import Job
from amltasks.report.markdown import cell
from amltasks.run_aml_pipeline.cancelling import UnderWay
from amltasks.workspace.port import PreparedRun, Run, Submission, Workspace

log = logging.getLogger("amltasks")

# How long a submission outlives an outage. Trying again later is safe: the claim stands.
PATIENCE_MINUTES = 0.5


def submit(job: Job, workspace: Workspace, submission: Submission, under_way: UnderWay) -> Run:
    """Submit a pipeline, or go on with the run that has this step's claim.

    Args:
        job: for pauses and outputs.
        workspace: where it runs.
        submission: what to run.
        under_way: is told of the run, for a cancel.
    """
    pause = job.cancellation.pause
    claimed, run = waiting.patiently(
        lambda: attempts.claim(job.handover, workspace.runs, submission), pause, PATIENCE_MINUTES
    )
    if run is not None:
        log.info("Going on with run %s, which this step submitted before", run.id)
        under_way.id, under_way.url = run.id, run.url
    else:
        log.info("Submitting %s to experiment %s", submission.file.name, submission.experiment)
        # 0 minutes: only a refused token makes it try again.
        prepared = waiting.patiently(lambda: workspace.runs.prepare(claimed), pause, 0)
        run = _start(job, prepared, under_way)
    job.channel.output("runId", run.id)
    if not run.url:
        run_id = run.id
        run = waiting.patiently(lambda: workspace.runs.get(run_id), pause)
    under_way.url = run.url
    job.channel.output("portalUrl", run.url)
    _link(job, run, submission)
    log.info("Run %s is %s: %s", run.id, run.status, run.url)
    return run


def _link(job: Job, run: Run, submission: Submission) -> None:
    """Show a link to the run on the summary of the build or release."""
    folder = job.handover.variable("agent.tempdirectory")
    if not folder or not run.url:
        return
    path = Path(folder, f"Azure ML run {run.id}.md")
    name = cell(submission.display_name or submission.experiment)
    path.write_text(f"[Run {run.id}]({run.url}) of {name}\n", encoding="utf-8")
    job.channel.summary(path)


def _start(job: Job, prepared: PreparedRun, under_way: UnderWay) -> Run:
    def sending(run_id: str) -> None:
        job.cancellation.check()
        under_way.id = run_id

    run = waiting.patiently(
        lambda: prepared.start(sending), job.cancellation.pause, PATIENCE_MINUTES
    )
    under_way.id = run.id
    return run
