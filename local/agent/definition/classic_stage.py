"""The jobs and tasks of a release's stage, as the portal exports them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from local.agent.definition import classic
from local.agent.definition.document import Node
from local.agent.definition.fields import Fields
from local.agent.definition.graph import checked_graph
from local.agent.definition.model import Job, Step
from local.agent.definition.step_syntax import download_artifacts_step, named, read_condition
from local.agent.expressions.contexts import JOB_CONDITION

_PHASE = (
    "name",
    "refName",
    "rank",
    "phaseType",
    "deploymentInput",
    "workflowTasks",
    "phaseInputs",
)
_INPUT = (
    "parallelExecution",
    "agentSpecification",
    "skipArtifactsDownload",
    "imageId",
    "queueId",
    "artifactsDownloadInput",
    "demands",
    "enableAccessToken",
    "timeoutInMinutes",
    "condition",
    "jobCancelTimeoutInMinutes",
    "overrideInputs",
    "dependencies",
    "shareOutputVariables",
)
_TASK = (*classic.STEP_KEYS, "taskId", "version", "name", "definitionType", "checkLatest")
_PHASES = {"1": "agentBasedDeployment", "2": "runOnServer", "4": "machineGroupBasedDeployment"}
_PARALLEL = (
    "parallelExecutionType",
    "continueOnError",
    "maxNumberOfAgents",
    "multipliers",
    "partialStatus",
)
_PARALLELS = {"0": "none", "1": "multiConfiguration", "2": "multiMachine"}
_OPTIONS = (
    "emailNotificationType",
    "emailRecipients",
    "skipArtifactsDownload",
    "timeoutInMinutes",
    "enableAccessToken",
    "publishDeploymentStatus",
    "badgeEnabled",
    "autoLinkWorkItems",
    "pullRequestDeploymentEnabled",
)


def read_jobs(stage: Fields, aliases: Sequence[str]) -> tuple[Job, ...]:
    """Read the jobs of a stage, which run one after the other in their rank.

    Args:
        stage: the stage.
        aliases: of the release's artifacts, which a job downloads unless it says otherwise.

    Raises:
        PipelineFileError: a mistake in a job, or something in it that only the service can do.
    """
    options = stage.child("environmentOptions", f"the options of {stage.what}", _OPTIONS)
    jobs: list[Job] = []
    nodes = stage.items("deployPhases")
    phases = [Fields(node, f"a job of {stage.what}", _PHASE) for node in nodes]
    for position, phase in enumerate(sorted(phases, key=lambda one: one.number("rank", 0)), 1):
        title = phase.text("name") or f"Job {position}"
        phase.what = f"the job '{title}' of {stage.what}"
        kind = phase.choice("phaseType", _PHASES, "agentBasedDeployment")
        if kind == "machineGroupBasedDeployment":
            message = f"{phase.what} is for a deployment group, which the local agent does not have"
            raise phase.error(message)
        server = kind == "runOnServer"
        given = phase.child("deploymentInput", f"deploymentInput of {phase.what}", _INPUT)
        skipped = given.boolean("skipArtifactsDownload") or options.boolean("skipArtifactsDownload")
        downloaded = () if skipped else _downloads(given, aliases)
        tasks = [_step(node, phase, at) for at, node in enumerate(phase.items("workflowTasks"), 1)]
        steps = named(tasks, phase.place)
        if not server:
            steps = (download_artifacts_step(downloaded), *steps)
        jobs.append(
            Job(
                name=phase.text("refName") or f"Job_{position}",
                display_name=title,
                steps=steps,
                server=server,
                # One after the other, as the jobs of a stage run in the service.
                depends_on=(jobs[-1].name,) if jobs else (),
                condition=read_condition(given, JOB_CONDITION),
                timeout_minutes=given.number("timeoutInMinutes", 0),
                cancel_timeout_minutes=given.number("jobCancelTimeoutInMinutes", 1),
                place=phase.place,
            )
        )
    return checked_graph(jobs, "job")


def _downloads(given: Fields, aliases: Sequence[str]) -> tuple[str, ...]:
    """Return the aliases that a job downloads: all, but for those that it skips."""
    classic.refuse_used(given, "overrideInputs")
    parallel = given.child("parallelExecution", f"parallelExecution of {given.what}", _PARALLEL)
    if parallel.choice("parallelExecutionType", _PARALLELS, "none") != "none":
        message = f"{given.what} runs several times; set its parallelism to none"
        raise given.node.place.error(message)
    skipped = []
    wanted = given.child(
        "artifactsDownloadInput", f"artifactsDownloadInput of {given.what}", ("downloadInputs",)
    )
    for node in wanted.items("downloadInputs"):
        known = ("alias", "artifactType", "artifactDownloadMode", "artifactItems")
        one = Fields(node, f"a download of {given.what}", known)
        mode = one.text("artifactDownloadMode") or "All"
        if mode.lower() == "skip":
            skipped.append(one.text("alias").lower())
        elif mode.lower() != "all":
            message = f"{given.what} downloads a part of '{one.text('alias')}'; choose all or none"
            raise node.place.error(message)
    return tuple(alias for alias in aliases if alias.lower() not in skipped)


def _step(node: Node, phase: Fields, position: int) -> Step:
    fields = Fields(node, f"task {position} of {phase.what}", _TASK)
    title = fields.text("name") or f"task {position}"
    fields.what = f"the task '{title}' of {phase.what}"
    identity, version = fields.text("taskId"), fields.text("version")
    step = classic.read_step(fields, fields, identity=identity, version=version)
    return replace(step, display_name=title)
