"""Going back: the requests to a revision that was in service before, in one step."""

from __future__ import annotations

import logging

from amltasks import errors
from amltasks.azure_pipelines import attempts
from amltasks.deploy_to_aks import revisions
from amltasks.deploy_to_aks.revisions import Attempt
from amltasks.workspace.port import Kept, Service, Workspace

log = logging.getLogger("amltasks")


def go_back(attempt: Attempt, live: Service, wanted: str) -> str:
    """Give all requests to an earlier revision, after it has proved itself again.

    A release that was cut off half-way is taken back instead; that is the way back then. A step
    that is tried again does not go back twice.

    Args:
        attempt: what is noted of it; its ``service`` is the one to change.
        live: the service as it is.
        wanted: the revision's name, or the number of the build that deployed it; empty for the one
            that was in service before.

    Returns:
        The revision that has the requests now.

    Raises:
        TaskError: ``REVISION_NOT_KEPT``; ``SMOKE_FAILED`` when it does not stand the proof.
    """
    workspace = attempt.workspace
    interrupted = revisions.finish_interrupted(attempt)
    if interrupted is not None and attempt.rolled_back:
        revisions.clean_up(attempt, interrupted)
        live = _again(workspace, live.name)
        if not wanted:
            return ",".join(live.serving)
    if wanted and wanted in live.serving:
        log.info("%s is in service already", wanted)
        return wanted
    mark = attempts.tags(attempt.job.handover, {"rollback": live.name}).get(attempts.STEP, "")
    if mark and not wanted and workspace.services.went_back(live.name) == mark:
        log.info("An earlier attempt of this step went back already")
        return ",".join(live.serving)
    kept = _chosen(workspace, live, wanted)
    of = f" with model {kept.model.name}:{kept.model.version}" if kept.model else ""
    log.info("Going back to %s of build %s%s", kept.revision.label, kept.build or "unknown", of)
    revisions.smoke_test(attempt, kept.revision, "the live service was not touched")
    with attempt.phase(f"Giving all requests to {kept.revision.label}"):
        back = workspace.services.go_back(kept.revision, mark)
        revisions.healthy(attempt, back, "look at the service in the workspace")
    attempt.rolled_back = True
    return kept.revision.name


def _again(workspace: Workspace, name: str) -> Service:
    found = workspace.services.find(name)
    if found is None:
        raise errors.SERVICE_NOT_FOUND.error(service=name, workspace=workspace.name)
    return found


def _chosen(workspace: Workspace, live: Service, wanted: str) -> Kept:
    there = workspace.services.kept(live.name)
    named = (one for one in there if wanted in (one.revision.name, one.build))
    chosen = next(named if wanted else (one for one in there if one.served), None)
    if chosen is None:
        known = ", ".join(f"{one.revision.name} (build {one.build or 'unknown'})" for one in there)
        raise errors.REVISION_NOT_KEPT.error(
            service=live.name,
            wanted=f"revision or build '{wanted}'" if wanted else "earlier revision",
            known=f"it keeps {known}" if known else "it keeps none",
        )
    return chosen
