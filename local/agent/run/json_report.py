"""The run's result as a JSON document, without secrets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TypedDict, cast

from local.agent.session.artifacts import FACTS
from local.agent.session.issue import Issue
from local.agent.session.outcomes import JobOutcome, StageOutcome, StepOutcome
from local.agent.session.session import Session
from local.agent.session.task_result import Result, roll_up

EXIT_CODES = {
    Result.Succeeded: 0,
    Result.SucceededWithIssues: 0,
    Result.Skipped: 0,
    Result.Failed: 1,
    Result.Canceled: 130,
}


class JobReport(TypedDict):
    """A job in the document; ``result`` is spelled as in ``succeededWithIssues``."""

    name: str
    displayName: str
    result: str
    seconds: float


class StageReport(JobReport):
    """A stage in the document."""

    jobs: list[JobReport]


class _IssueReport(TypedDict):
    type: str
    message: str


class IssueReport(_IssueReport, total=False):
    """An error or a warning; ``code`` is absent where the step gave none."""

    code: str


class StepReport(JobReport):
    """A step in the document; ``outputs`` has no secrets."""

    stage: str
    job: str
    task: str
    outputs: dict[str, str]
    issues: list[IssueReport]


class ApprovalReport(TypedDict):
    """A decision about a stage; ``when`` is before or after its jobs, ``by`` who decided."""

    stage: str
    when: str
    approved: bool
    by: str


class ReleaseReport(TypedDict):
    """A release in the document."""

    name: str
    id: str
    reason: str
    approvals: list[ApprovalReport]


class _RunReport(TypedDict):
    result: str
    seconds: float
    pipeline: str
    buildNumber: str
    stages: list[StageReport]
    steps: list[StepReport]
    artifacts: dict[str, str]
    summaries: list[str]
    attachments: list[dict[str, str]]
    testResults: list[str]
    tags: list[str]
    folder: str


class _Subject(TypedDict, total=False):
    build: dict[str, str]
    release: ReleaseReport


class RunReport(_RunReport, _Subject):
    """The document. It has ``build``, what a release takes from a build, or ``release``."""


def run_result(stages: Sequence[StageOutcome], session: Session) -> Result:
    """Return the run's result; a canceled run is canceled whatever its steps say."""
    if session.cancellation.requested.is_set():
        return Result.Canceled
    result = roll_up(stage.result for stage in stages)
    # A run whose stages were all skipped did not fail.
    return Result.Succeeded if result is Result.Skipped else result


def document(
    stages: Sequence[StageOutcome], session: Session, *, pipeline: Path, seconds: float
) -> RunReport:
    """Return the JSON result; every text in it is masked."""
    found: RunReport = {
        "result": run_result(stages, session).json_name,
        "seconds": round(seconds, 3),
        "pipeline": str(pipeline),
        "buildNumber": session.build_number,
        **_subject(session),
        "stages": [_stage(stage) for stage in stages],
        "steps": [
            _step(stage.name, job.name, step)
            for stage in stages
            for job in stage.jobs
            for step in job.steps
        ],
        "artifacts": {name: str(path) for name, path in session.artifacts.items()},
        "summaries": [str(path) for path in session.summaries],
        "attachments": session.attachments,
        "testResults": [str(path) for path in session.test_results],
        "tags": session.tags,
        "folder": str(session.folders.root),
    }
    # Masking replaces texts and keeps the shape.
    return cast(RunReport, session.masker.mask_all(found))


def _subject(session: Session) -> _Subject:
    if session.release is None:
        return {"build": _build(session)}
    return {"release": _release(session)}


def _build(session: Session) -> dict[str, str]:
    """Return what a release takes from the build that it deploys."""
    found = {key: session.predefined.get(variable, "") for key, _, variable in FACTS}
    return {**found, "defaultBranch": session.default_branch}


def _release(session: Session) -> ReleaseReport:
    return {
        "name": session.predefined["Release.ReleaseName"],
        "id": session.predefined["Release.ReleaseId"],
        "reason": session.predefined["Release.Reason"],
        "approvals": [
            {"stage": one.stage, "when": one.when, "approved": one.approved, "by": one.by}
            for one in session.approvals.decisions
        ],
    }


def _stage(stage: StageOutcome) -> StageReport:
    return {
        "name": stage.name,
        "displayName": stage.display_name,
        "result": stage.result.json_name,
        "seconds": round(stage.seconds, 3),
        "jobs": [_job(job) for job in stage.jobs],
    }


def _job(job: JobOutcome) -> JobReport:
    return {
        "name": job.name,
        "displayName": job.display_name,
        "result": job.result.json_name,
        "seconds": round(job.seconds, 3),
    }


def _step(stage: str, job: str, step: StepOutcome) -> StepReport:
    return {
        "stage": stage,
        "job": job,
        "name": step.name,
        "displayName": step.display_name,
        "task": step.task,
        "result": step.result.json_name,
        "seconds": round(step.seconds, 3),
        "outputs": dict(step.outputs),
        "issues": [_issue(issue) for issue in step.issues],
    }


def _issue(issue: Issue) -> IssueReport:
    found: IssueReport = {"type": issue.type, "message": issue.message}
    if issue.code:
        found["code"] = issue.code
    return found


def write(found: RunReport, path: Path) -> None:
    """Write the document so that a reader sees all of it or nothing; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
