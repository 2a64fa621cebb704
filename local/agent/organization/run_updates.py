"""Sends the progress of a run to its organisation, as a build or a release."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.agent.definition.model import Job, Stage
from local.agent.host.console import Console
from local.agent.organization.junit import read_results
from local.agent.organization.organization import JobRequest, Stages
from local.agent.organization.timeline import Timeline
from local.agent.session.observer import RunObserver
from local.agent.session.outcomes import JobOutcome, StageOutcome, StepOutcome
from local.agent.session.task_result import Result

# A stage of a release that ended without a job: refused, or canceled before it began.
_ENDED = {Result.Failed: "rejected", Result.Canceled: "canceled"}


class _PlanUpdates(RunObserver):
    """Sends the progress of jobs and steps, of a build or of a stage of a release."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self._jobs: dict[tuple[str, str], str] = {}

    def _above(self, stage: str) -> str | None:
        """Return the record above a stage's jobs."""
        raise NotImplementedError

    def job_started(self, stage: Stage, job: Job, identity: str) -> None:
        """Add a record of type Job below one of type Phase, as in the service."""
        self._jobs[stage.name, job.name] = identity
        phase, title = _phase(identity), job.display_name
        self.timeline.begin(phase, "Phase", job.name, title, self._above(stage.name))
        self.timeline.begin(identity, "Job", f"{job.name}.__default", title, phase)

    def job_ended(self, stage: Stage, outcome: JobOutcome) -> None:
        """Complete both records; a skipped job has only a Phase, as in the service."""
        identity = self._jobs.get((stage.name, outcome.name))
        if identity is None:
            phase, above = str(uuid.uuid4()), self._above(stage.name)
            self.timeline.begin(phase, "Phase", outcome.name, outcome.display_name, above)
        else:
            phase = _phase(identity)
            self.timeline.end(identity, outcome.result)
        self.timeline.end(phase, outcome.result)

    def step_started(self, job: str, identity: str, name: str, title: str) -> None:
        """Add a record of type Task."""
        self.timeline.begin(identity, "Task", name, title, job)

    def step_ended(self, identity: str, outcome: StepOutcome, log: Path) -> None:
        """Complete the record with its issues and log."""
        kinds = [issue.type for issue in outcome.issues]
        more: dict[str, Any] = {
            "issues": [
                {"type": issue.type, "message": issue.message, "data": {"code": issue.code}}
                for issue in outcome.issues
            ],
            "errorCount": kinds.count("error"),
            "warningCount": kinds.count("warning"),
            **self.timeline.log(identity, log),
        }
        self.timeline.end(identity, outcome.result, **more)

    def told_result(self, identity: str) -> Result | None:
        """Return the result of a record that the event ``TaskCompleted`` completed."""
        return self.timeline.result(identity)

    def attached(self, identity: str, kind: str, name: str, file: Path) -> None:
        """Attach the file to the step's record."""
        self.timeline.attach(identity, kind, name, file)

    def job_variables(self, identity: str) -> dict[str, str]:
        """Return the job's plan, and where it asks for ID tokens."""
        return {
            "System.PlanId": self.timeline.plan,
            "System.TimelineId": self.timeline.plan,
            "System.OidcRequestUri": self.timeline.oidc_request_uri(identity),
        }


class BuildUpdates(_PlanUpdates):
    """Sends the progress of a build, whose stages are records of one timeline."""

    def __init__(self, timeline: Timeline, request: JobRequest) -> None:
        """Send updates for the build that was given to this agent."""
        super().__init__(timeline)
        self._number = request.variables["build.buildNumber"]
        self._identity = {"id": str(request.number)}
        self._path = f"build/builds/{request.number}"
        self._stages: dict[str, str] = {}

    def _above(self, stage: str) -> str | None:
        return self._stages[stage]

    def started(self, number: str) -> None:
        """Start the build, and give it the number that the pipeline makes."""
        self.timeline.event("JobStarted")
        if number != self._number:
            self.numbered(number)

    def stage_started(self, stage: Stage) -> None:
        """Add a record of type Stage."""
        identity = self._stages[stage.name] = str(uuid.uuid4())
        self.timeline.begin(identity, "Stage", stage.name, stage.display_name, None)

    def stage_ended(self, outcome: StageOutcome) -> None:
        """Complete the record."""
        self.timeline.end(self._stages[outcome.name], outcome.result)

    def tested(self, title: str, file: Path) -> None:
        """Add a test run with a result for each case."""
        results = self.timeline.attempt(lambda: read_results(file))
        if results is None:
            return
        body = {"name": title, "build": self._identity, "automated": True, "state": "InProgress"}
        run = self.timeline.tell("POST", "test/runs", body=body)
        if run is not None:
            path = f"test/runs/{run['id']}"
            self.timeline.tell("POST", f"{path}/results", body=results)
            self.timeline.tell("PATCH", path, body={"state": "Completed"})

    def tagged(self, tag: str) -> None:
        """Tag the build."""
        self.timeline.tell("PUT", f"{self._path}/tags/{quote(tag, safe='')}")

    def numbered(self, number: str) -> None:
        """Change the build's number."""
        self.timeline.tell("PATCH", self._path, body={"buildNumber": number})

    def published(self, name: str, folder: Path) -> None:
        """Add the artifact, which is a folder on this machine."""
        resource = {"type": "FilePath", "data": str(folder)}
        body = {"name": name, "resource": resource}
        self.timeline.tell("POST", f"{self._path}/artifacts", body=body)

    def ended(self, result: Result) -> None:
        """Complete the build; the job's token ends with it."""
        self.timeline.event("JobCompleted", result=result.json_name)


class ReleaseUpdates(_PlanUpdates):
    """Sends the progress of a release: a stage starts with its first job, with its own timeline."""

    def __init__(self, timeline: Timeline, stages: Stages) -> None:
        """Send updates for the release that was given to this agent."""
        super().__init__(timeline)
        self._stages = stages

    def _above(self, stage: str) -> str | None:
        del stage
        return None

    def stage_started(self, stage: Stage) -> None:
        """Do nothing yet: the stage may have nothing to do."""
        del stage
        self.timeline.plan = ""

    def job_started(self, stage: Stage, job: Job, identity: str) -> None:
        """Start the stage with its first job; then add the job."""
        if not self.timeline.plan:
            begin = self.timeline.attempt(lambda: self._stages.set(stage.name, "inProgress"))
            self.timeline.plan = begin or ""
            self.timeline.event("JobStarted")
        super().job_started(stage, job, identity)

    def job_ended(self, stage: Stage, outcome: JobOutcome) -> None:
        """Complete the job; jobs that are skipped before the stage starts have no record."""
        if self.timeline.plan:
            super().job_ended(stage, outcome)

    def stage_ended(self, outcome: StageOutcome) -> None:
        """Complete the stage; the job's token ends with it."""
        if self.timeline.plan:
            self.timeline.event("JobCompleted", result=outcome.result.json_name)
        elif outcome.result in _ENDED:
            status = _ENDED[outcome.result]
            self.timeline.attempt(lambda: self._stages.set(outcome.name, status))


def observer_of(request: JobRequest | None, console: Console) -> RunObserver:
    """Return who sends a run's progress; a run without an organisation has a silent observer."""
    if request is None:
        return RunObserver()

    def warn(text: str) -> None:
        console.line("", text)

    hub = "build" if request.stages is None else "release"
    timeline = Timeline(request, hub, warn=warn, mask=console.masker.mask)
    if request.stages is None:
        return BuildUpdates(timeline, request)
    return ReleaseUpdates(timeline, request.stages)


def _phase(job: str) -> str:
    return str(uuid.uuid5(uuid.UUID(job), "phase"))
