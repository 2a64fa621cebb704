"""Cancels a run in Azure within the time that the agent gives a cancelled task."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from amltasks import errors
from amltasks.azure_pipelines.agent import Job
from amltasks.workspace.port import ENDED, Runs

log = logging.getLogger("amltasks")

# The launcher ends the task's Python 9.3 s after the cancel; the result must be sent before.
WAIT_SECONDS = 3.0
APPEAR_SECONDS = 6.0
_LOOK_SECONDS = 0.4
_HEARD = frozenset({"Canceled", "CancelRequested"})
# A run that was submitted a moment ago is not everywhere yet.
_NOT_YET = errors.TRANSIENT | {errors.RUN_NOT_FOUND, errors.NOT_FOUND, errors.REFUSED}


@dataclass(kw_only=True)
class UnderWay:
    """The run that a task may have started: its id is set before the request that starts it."""

    id: str = ""
    url: str = ""

    def cancel(self, job: Job, runs: Runs) -> None:
        """Cancel the run, if there is one, because the task was cancelled.

        A task whose launcher died was not cancelled: its run goes on, and the next attempt of the
        job takes it.
        """
        if not self.id:
            return
        if job.cancellation.orphaned:
            log.info("The launcher died; run %s goes on, for the job's next attempt", self.id)
            return
        job.channel.output("runId", self.id)
        stop(runs, self.id, self.url)


def stop(runs: Runs, run_id: str, url: str) -> None:
    """Cancel a run and see whether Azure heard it.

    The cancel is repeated until it is heard, because Azure may still be starting the run.
    """
    log.info("Canceling run %s in Azure ML", run_id)
    begun, status, last = time.monotonic(), "", ""
    while status not in ENDED:
        try:
            if status not in _HEARD:
                runs.cancel(run_id)
            status = runs.get(run_id).status
        except errors.TaskError as error:
            last = str(error)
            if error.cause not in _NOT_YET:
                break
        waited = time.monotonic() - begun
        if waited >= (WAIT_SECONDS if status in _HEARD else APPEAR_SECONDS):
            break
        time.sleep(_LOOK_SECONDS)
    if status in _HEARD or status in ENDED:
        log.info("Run %s is %s", run_id, status)
        return
    where = url or "the studio"
    why = last or f"it is {status}"
    log.info("Run %s may run or may still start; look for it at %s: %s", run_id, where, why)
