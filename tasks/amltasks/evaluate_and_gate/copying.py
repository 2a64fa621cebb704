"""Copying a promoted model to a registry or to another workspace, once."""

from __future__ import annotations

import dataclasses
import logging
import time

from amltasks import errors
from amltasks.azure_pipelines.agent import Job
from amltasks.gate.verdict import Reason, Verdict
from amltasks.workspace.port import Elsewhere, Model, Place

log = logging.getLogger("amltasks")

WAIT_SECONDS = 30 * 60
_PAUSE_SECONDS = 2.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a model that passes is copied to, open already."""

    place: Place
    elsewhere: Elsewhere

    def waiting(self, verdict: Verdict, model: Model) -> Verdict:
        """The verdict as it is until the copy is made; the files have it if the step ends now."""
        detail = (
            f"{verdict.detail}; {model.name}:{model.version} is registered, and the gate wrote "
            f"this before it copied it to {self.place}, and did not get beyond that"
        )
        return dataclasses.replace(verdict, reason=Reason.NOT_COPIED, detail=detail)

    def copied(self, job: Job, verdict: Verdict, model: Model) -> tuple[str, Verdict]:
        """Copy the model. Returns the copy's id, and the verdict: a failure has its own reason."""
        try:
            return self._copy(job, model), verdict
        except errors.TaskError as error:
            log.warning("%s: %s", error.cause.code, error.happened)
            detail = (
                f"{model.name}:{model.version} is not in {self.place} ({error.cause.code}: "
                f"{error.happened})"
            )
            return "", dataclasses.replace(verdict, reason=Reason.NOT_COPIED, detail=detail)

    def _copy(self, job: Job, model: Model) -> str:
        found = self.elsewhere.find(model)
        if found:
            log.info("%s:%d has been copied before: %s", model.name, model.version, found)
            return found
        with job.cancellation.held():
            operation = self.elsewhere.start(model)
        end = time.monotonic() + WAIT_SECONDS
        while True:
            if not operation or self.elsewhere.ended(operation):
                found = self.elsewhere.find(model)
                if found:
                    log.info("Copied %s:%d to %s", model.name, model.version, found)
                    return found
            if time.monotonic() > end:
                raise errors.REFUSED.error(
                    doing=f"copying the model '{model.name}:{model.version}'",
                    detail=f"{self.place} does not show it after {WAIT_SECONDS // 60} minutes",
                )
            job.cancellation.pause(_PAUSE_SECONDS)
