"""What a run tells the organisation it belongs to; without one it tells nobody.

Records, attachments and events have the forms that the real agent sends
(src/Microsoft.VisualStudio.Services.Agent/JobServerQueue.cs, TimelineRecord).
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.agent.console import Console
from local.agent.errors import AgentError
from local.agent.model import Job, Stage
from local.agent.organization import (
    Caller,
    JobRequest,
    UnreachableError,
    as_job,
    oidc_request_uri,
)
from local.agent.outcomes import JobOutcome, StageOutcome, StepOutcome
from local.agent.results import Result

SUMMARY = "Distributedtask.Core.Summary"


class Report:
    """The events of a run. This one is for runs that belong to no organisation."""

    def started(self, number: str) -> None:
        """The run begins."""

    def stage_started(self, stage: Stage) -> None:
        """A stage begins."""

    def stage_ended(self, outcome: StageOutcome) -> None:
        """A stage has ended, or was skipped."""

    def job_started(self, stage: Stage, job: Job, identity: str) -> None:
        """A job begins; ``identity`` is its ``System.JobId``."""

    def job_ended(self, stage: Stage, outcome: JobOutcome) -> None:
        """A job has ended, or was skipped."""

    def step_started(self, job: str, identity: str, name: str, title: str) -> None:
        """A step of the job of that id begins; ``identity`` is its ``System.TaskInstanceId``."""

    def step_ended(self, identity: str, outcome: StepOutcome, log: Path) -> None:
        """A step has ended, or was skipped."""

    def attached(self, identity: str, kind: str, name: str, file: Path) -> None:
        """A step attached a file."""

    def tagged(self, tag: str) -> None:
        """A step tagged the build."""

    def numbered(self, number: str) -> None:
        """The run has another number."""

    def published(self, name: str, folder: Path) -> None:
        """A step published an artifact."""

    def ended(self, result: Result) -> None:
        """The run has ended."""

    def job_variables(self, identity: str) -> dict[str, str]:
        """The variables that the organisation adds to the job of that ``System.JobId``."""
        del identity
        return {}


@dataclass(kw_only=True)
class BuildReport(Report):
    """The events of a run that is a build.

    Nothing of the run depends on being told: a failure is shown once and the run goes on.

    Attributes:
        warn: shows a line on the console.
        mask: hides secrets; what leaves here passes it.
    """

    request: JobRequest
    warn: Callable[[str], None]
    mask: Callable[[str], str]
    caller: Caller = field(init=False)
    _stages: dict[str, str] = field(default_factory=dict)
    _jobs: dict[tuple[str, str], str] = field(default_factory=dict)
    _count: int = 0
    _silent: bool = False

    def __post_init__(self) -> None:
        """Sign in as the job."""
        self.caller = as_job(self.request)

    def started(self, number: str) -> None:
        """The build is in progress, under the number that the pipeline gives it."""
        self._event("JobStarted")
        if number != self.request.variables["build.buildNumber"]:
            self.numbered(number)

    def stage_started(self, stage: Stage) -> None:
        """A record of type Stage."""
        identity = self._stages[stage.name] = str(uuid.uuid4())
        self._begin(identity, "Stage", stage.name, stage.display_name, None)

    def stage_ended(self, outcome: StageOutcome) -> None:
        """Its result."""
        self._end(self._stages[outcome.name], outcome.result)

    def job_started(self, stage: Stage, job: Job, identity: str) -> None:
        """A record of type Job; the service has a Phase between stage and job, and so have we."""
        self._jobs[stage.name, job.name] = identity
        phase = _phase(identity)
        self._begin(phase, "Phase", job.name, job.display_name, self._stages[stage.name])
        self._begin(identity, "Job", f"{job.name}.__default", job.display_name, phase)

    def job_ended(self, stage: Stage, outcome: JobOutcome) -> None:
        """Their result; a job that was skipped has a phase only, as in the service."""
        identity = self._jobs.get((stage.name, outcome.name))
        if identity is None:
            phase, above = str(uuid.uuid4()), self._stages[stage.name]
            self._begin(phase, "Phase", outcome.name, outcome.display_name, above)
        else:
            phase = _phase(identity)
            self._end(identity, outcome.result)
        self._end(phase, outcome.result)

    def step_started(self, job: str, identity: str, name: str, title: str) -> None:
        """A record of type Task."""
        self._begin(identity, "Task", name, title, job)

    def step_ended(self, identity: str, outcome: StepOutcome, log: Path) -> None:
        """Its result, issues and log."""
        issues = [
            {"type": issue.type, "message": issue.message, "data": {"code": issue.code}}
            for issue in outcome.issues
        ]
        kinds = [issue.type for issue in outcome.issues]
        more: dict[str, Any] = {
            "issues": issues,
            "errorCount": kinds.count("error"),
            "warningCount": kinds.count("warning"),
        }
        made = self._tell("POST", self._plan("logs"), body={"path": f"logs\\{identity}"})
        if made is not None:
            self._tell("POST", self._plan(f"logs/{made['id']}"), data=log.read_bytes())
            more["log"] = {"id": made["id"], "type": "Container", "location": made["location"]}
        self._end(identity, outcome.result, **more)

    def attached(self, identity: str, kind: str, name: str, file: Path) -> None:
        """The file, beside the step's record."""
        place = f"{quote(kind, safe='')}/{quote(name, safe='')}"
        path = self._timeline(f"records/{identity}/attachments/{place}")
        self._tell("PUT", path, data=file.read_bytes())

    def tagged(self, tag: str) -> None:
        """The tag."""
        self._tell("PUT", self._build(f"/tags/{quote(tag, safe='')}"))

    def numbered(self, number: str) -> None:
        """The number."""
        self._tell("PATCH", self._build(""), body={"buildNumber": number})

    def published(self, name: str, folder: Path) -> None:
        """The artifact's name, and the folder that it is in on this machine."""
        resource = {"type": "FilePath", "data": str(folder)}
        self._tell("POST", self._build("/artifacts"), body={"name": name, "resource": resource})

    def ended(self, result: Result) -> None:
        """The build is completed; the job's token ends with it."""
        self._event("JobCompleted", result=result.json_name)

    def job_variables(self, identity: str) -> dict[str, str]:
        """Where the job asks for ID tokens."""
        return {"System.OidcRequestUri": oidc_request_uri(self.request, identity)}

    # --- forms ---------------------------------------------------------------------------------

    def _event(self, name: str, **more: str) -> None:
        body = {"name": name, "jobId": self.request.job, "requestId": self.request.build, **more}
        self._tell("POST", self._plan("events"), body=body)

    def _begin(self, identity: str, kind: str, name: str, title: str, parent: str | None) -> None:
        self._count += 1
        self._record(
            id=identity,
            parentId=parent,
            type=kind,
            name=self.mask(title or name),
            refName=name,
            identifier=name,
            order=self._count,
            state="inProgress",
            startTime=_now(),
        )

    def _end(self, identity: str, result: Result, **more: Any) -> None:
        self._record(
            id=identity,
            state="completed",
            result=result.json_name,
            finishTime=_now(),
            percentComplete=100,
            **more,
        )

    def _record(self, **record: Any) -> None:
        body = {"count": 1, "value": [record]}
        self._tell("PATCH", self._timeline("records"), body=body)

    def _plan(self, below: str) -> str:
        return f"distributedtask/hubs/build/plans/{self.request.plan}/{below}"

    def _timeline(self, below: str) -> str:
        return self._plan(f"timelines/{self.request.plan}/{below}")

    def _build(self, below: str) -> str:
        return f"build/builds/{self.request.build}{below}"

    def _tell(self, method: str, path: str, **options: Any) -> Any:
        if self._silent:
            return None
        try:
            return self.caller.in_project(method, path, **options)
        except AgentError as error:
            # Only where nobody answers is there no use in telling the rest.
            self._silent = isinstance(error, UnreachableError)
            self.warn(f"##[warning]{self.mask(str(error))}")
            return None


def report_of(request: JobRequest | None, console: Console) -> Report:
    """The report of a build; of a run that is none, one that tells nobody."""
    if request is None:
        return Report()
    return BuildReport(
        request=request, warn=lambda text: console.line("", text), mask=console.masker.mask
    )


def _phase(job: str) -> str:
    return str(uuid.uuid5(uuid.UUID(job), "phase"))


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
