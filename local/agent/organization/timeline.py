"""Reports the progress of one plan: its records, attachments, logs and events.

The forms are those that the real agent sends (microsoft/azure-pipelines-agent,
src/Microsoft.VisualStudio.Services.Agent/JobServer.cs and JobServerQueue.cs).
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.agent.errors import AgentError
from local.agent.organization.caller import Caller, UnreachableError
from local.agent.organization.organization import JobRequest, as_job
from local.agent.session.task_result import Result


class Timeline:
    """Reports what the job of a plan does.

    The run does not depend on these reports: when one fails, it says so and continues.

    Attributes:
        plan: its id, empty while there is none; each stage of a release has its own.
        caller: sends requests with the job's token.
    """

    def __init__(
        self,
        request: JobRequest,
        hub: str,
        *,
        warn: Callable[[str], None],
        mask: Callable[[str], str],
    ) -> None:
        """Report for a request.

        Args:
            request: the build or release.
            hub: ``build`` or ``release``.
            warn: shows a line.
            mask: hides secrets in what is sent.
        """
        self.plan = request.plan
        self.caller: Caller = as_job(request)
        self._request = request
        self._hub = hub
        self._warn = warn
        self._mask = mask
        self._count = 0
        self._silent = False

    def event(self, name: str, **more: str) -> None:
        """Report that the job started or completed."""
        about = {"jobId": self._request.job, "requestId": self._request.number}
        self.tell("POST", self._path("events"), body={"name": name, **about, **more})

    def begin(self, identity: str, kind: str, name: str, title: str, parent: str | None) -> None:
        """Add a record that is in progress."""
        self._count += 1
        self._record(
            id=identity,
            parentId=parent,
            type=kind,
            name=self._mask(title or name),
            refName=name,
            identifier=name,
            order=self._count,
            state="inProgress",
            startTime=_now(),
        )

    def end(self, identity: str, result: Result, **more: Any) -> None:
        """Complete a record."""
        self._record(
            id=identity,
            state="completed",
            result=result.json_name,
            finishTime=_now(),
            percentComplete=100,
            **more,
        )

    def result(self, identity: str) -> Result | None:
        """Return the result of a record, None while it is in progress.

        Raises:
            AgentError: the organisation does not answer any more.
        """
        found = self.tell("GET", self._path(f"timelines/{self.plan}/records")) or {"value": []}
        if self._silent:
            raise AgentError(f"the organisation {self.caller.url} does not answer any more")
        record = next((one for one in found["value"] if one["id"] == identity.lower()), None)
        if record is None or record.get("state") != "completed":
            return None
        return next(one for one in Result if one.json_name == record.get("result"))

    def attach(self, identity: str, kind: str, name: str, file: Path) -> None:
        """Attach a file to a record."""
        place = f"{quote(kind, safe='')}/{quote(name, safe='')}"
        path = self._path(f"timelines/{self.plan}/records/{identity}/attachments/{place}")
        self.tell("PUT", path, data=file.read_bytes())

    def log(self, identity: str, file: Path) -> dict[str, Any]:
        """Upload a record's log; return what the record must say of it."""
        made = self.tell("POST", self._path("logs"), body={"path": f"logs\\{identity}"})
        if made is None:
            return {}
        self.tell("POST", self._path(f"logs/{made['id']}"), data=file.read_bytes())
        return {"log": {"id": made["id"], "type": "Container", "location": made["location"]}}

    def oidc_request_uri(self, job: str) -> str:
        """Return where a job of the plan asks for the ID token of a service connection."""
        place = f"{self._request.url}{self._request.project}/_apis"
        return f"{place}/{self._path(f'jobs/{job}/oidctoken')}"

    def tell(self, method: str, path: str, **options: Any) -> Any:
        """Send a request of the job; None without a plan, and with a warning when it fails."""
        if not self.plan:
            return None
        return self.attempt(lambda: self.caller.in_project(method, path, **options))

    def attempt(self, request: Callable[[], Any]) -> Any:
        """Return the answer of a request; None when it fails, with a warning."""
        if self._silent:
            return None
        try:
            return request()
        except AgentError as error:
            # When the organisation does not answer, further requests are useless.
            self._silent = isinstance(error, UnreachableError)
            self._warn(f"##[warning]{self._mask(str(error))}")
            return None

    def _record(self, **record: Any) -> None:
        body = {"count": 1, "value": [record]}
        self.tell("PATCH", self._path(f"timelines/{self.plan}/records"), body=body)

    def _path(self, below: str) -> str:
        return f"distributedtask/hubs/{self._hub}/plans/{self.plan}/{below}"


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat().replace("+00:00", "Z")
