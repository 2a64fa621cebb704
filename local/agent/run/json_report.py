"""The run's result as a JSON document, without secrets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local.agent.session.artifacts import FACTS
from local.agent.session.outcomes import StageOutcome, StepOutcome
from local.agent.session.session import Session
from local.agent.session.task_result import Result, roll_up

EXIT_CODES = {
    Result.Succeeded: 0,
    Result.SucceededWithIssues: 0,
    Result.Skipped: 0,
    Result.Failed: 1,
    Result.Canceled: 130,
}


def run_result(stages: Sequence[StageOutcome], session: Session) -> Result:
    """Return the run's result; a canceled run is canceled whatever its steps say."""
    if session.cancellation.requested.is_set():
        return Result.Canceled
    result = roll_up(stage.result for stage in stages)
    # Stages that all had nothing to do are no failure.
    return Result.Succeeded if result is Result.Skipped else result


def document(
    stages: Sequence[StageOutcome], session: Session, *, pipeline: Path, seconds: float
) -> dict[str, Any]:
    """Return the JSON result; every text in it is masked."""
    found = {
        "result": run_result(stages, session).json_name,
        "seconds": round(seconds, 3),
        "pipeline": str(pipeline),
        "buildNumber": session.build_number,
        **(
            {"build": _build(session)}
            if session.release is None
            else {"release": _release(session)}
        ),
        "stages": [
            {
                "name": stage.name,
                "displayName": stage.display_name,
                "result": stage.result.json_name,
                "seconds": round(stage.seconds, 3),
                "jobs": [
                    {
                        "name": job.name,
                        "displayName": job.display_name,
                        "result": job.result.json_name,
                        "seconds": round(job.seconds, 3),
                    }
                    for job in stage.jobs
                ],
            }
            for stage in stages
        ],
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
    masked = session.masker.mask_all(found)
    assert isinstance(masked, dict)  # noqa: S101 - it keeps the shape
    return masked


def _build(session: Session) -> dict[str, str]:
    """Return what a release wants to know of the build that it deploys."""
    found = {key: session.predefined.get(variable, "") for key, _, variable in FACTS}
    return {**found, "defaultBranch": session.default_branch}


def _release(session: Session) -> dict[str, Any]:
    return {
        "name": session.predefined["Release.ReleaseName"],
        "id": session.predefined["Release.ReleaseId"],
        "reason": session.predefined["Release.Reason"],
        "approvals": [asdict(decision) for decision in session.approvals.decisions],
    }


def _step(stage: str, job: str, step: StepOutcome) -> dict[str, Any]:
    return {
        "stage": stage,
        "job": job,
        "name": step.name,
        "displayName": step.display_name,
        "task": step.task,
        "result": step.result.json_name,
        "seconds": round(step.seconds, 3),
        "outputs": dict(step.outputs),
        "issues": [
            {
                "type": issue.type,
                "message": issue.message,
                **({"code": issue.code} if issue.code else {}),
            }
            for issue in step.issues
        ],
    }


def write(found: dict[str, Any], path: Path) -> None:
    """Write the document so that a reader sees all of it or nothing; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    temporary.replace(path)
