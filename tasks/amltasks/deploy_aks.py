"""DeployToAks: a model as a service on AKS, beside the running one until it has proved itself."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amltasks import builds, clusters, connection, errors, inputs, smoke, waiting
from amltasks.agent import Job
from amltasks.report import eval_info
from amltasks.workspace.port import AksSpec, Answer, Revision, Service, ServiceSpec, Workspace

log = logging.getLogger("amltasks")

LOG_TAIL_LINES = 30
SMOKE_RETRY_MINUTES = 1.0
_NAME = re.compile(r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$")
_EXCEPTION = re.compile(r"^[\w.]*(?:Error|Exception|Exit)\b: ")
_TRANSIENT = frozenset({502, 503, 504})
_IN_CLUSTER = frozenset({"AKS", "Kubernetes"})
_LIVE_UNTOUCHED = "the live service was not touched"


@dataclass(frozen=True, kw_only=True)
class DeployInputs:
    """The task's inputs; ``task.json`` describes them."""

    resource_group: str = inputs.text(required=True)
    workspace: str = inputs.text(required=True)
    service_name: str = inputs.text(required=True)
    model_source: str = inputs.choice("version", "evalInfo")
    model_name: str = inputs.text(
        required=True, shown=inputs.Shown(input="modelSource", value="version")
    )
    model_version: int = inputs.required_whole(
        least=1, most=2_000_000_000, shown=inputs.Shown(input="modelSource", value="version")
    )
    eval_info_file: str = inputs.text(
        required=True, shown=inputs.Shown(input="modelSource", value="evalInfo")
    )
    target: str = inputs.choice("kubernetes", "managed")
    aks_name: str = inputs.text(
        required=True, shown=inputs.Shown(input="target", value="kubernetes")
    )
    instance_type: str = inputs.text(
        default="Standard_DS3_v2", shown=inputs.Shown(input="target", value="managed")
    )
    instance_count: int = inputs.whole(
        default=1, least=1, most=1000, shown=inputs.Shown(input="target", value="managed")
    )
    entry_script: str = inputs.text(required=True)
    environment_file: str = inputs.text(required=True)
    source_directory: str = inputs.text()
    aks_region: str = inputs.text()
    aks_vm_size: str = inputs.text(default="Standard_D3_v2")
    aks_agent_count: int = inputs.whole(default=1, least=1, most=1000)
    cluster_purpose: str = inputs.choice("DevTest", "FastProd")
    cpu_cores: float = inputs.number(default="0.5", least=0.1, most=1000)
    memory_gb: float = inputs.number(default="1", least=0.1, most=10_000)
    num_replicas: int = inputs.whole(default=1, least=1, most=1000)
    smoke_file: str = inputs.text()
    export_key: bool = inputs.boolean(default=False)
    description: str = inputs.text()
    tags: Mapping[str, str] = inputs.texts()
    timeout_minutes: float = inputs.number(default="20", least=0.01, most=1440)
    sdk: str = inputs.choice("v2", "v1")


def run(job: Job) -> str:
    """Perform the task; returns what was done, in a sentence."""
    given = inputs.parse(DeployInputs, job.handover.inputs, job.handover.variables)
    _check_names(given)
    entry_script, source_directory, environment_file = _files(job, given)
    rows = _smoke_rows(job, given)
    model_name, model_version = _chosen_model(job, given)
    workspace = connection.open_workspace(
        job, resource_group=given.resource_group, workspace=given.workspace, sdk=given.sdk
    )

    model = workspace.models.get(model_name, model_version)
    live = workspace.services.find(given.service_name)
    _check_target(given, live)
    spec = ServiceSpec(
        name=given.service_name,
        target=given.target,
        cluster=given.aks_name if given.target == "kubernetes" else "",
        instance_type=given.instance_type if given.target == "managed" else "",
        model=model,
        entry_script=entry_script,
        source_directory=source_directory,
        environment_file=environment_file,
        environment=f"scoring-{given.service_name}",
        cpu_cores=given.cpu_cores,
        memory_gb=given.memory_gb,
        replicas=given.num_replicas if given.target == "kubernetes" else given.instance_count,
        description=given.description,
        tags={
            **builds.model_tags(job.handover),
            "model": f"{model.name}:{model.version}",
            **given.tags,
        },
    )
    revision = workspace.services.plan(spec, live, job.handover.variable("build.buildid"))
    if given.target == "kubernetes":
        _cluster(job, given, workspace)
    if revision.fresh:
        left = "the new service was left for you to look at"
        log.info("Creating service %s with model %s:%d", spec.name, model.name, model.version)
        workspace.services.deploy(spec, revision)
        _healthy(job, given, revision, workspace, left)
        _smoke_test(job, revision, rows, workspace, left)
        _promote(job, given, spec, revision, rows, workspace)
    else:
        _replace(job, given, spec, revision, rows, workspace)

    service = workspace.services.find(spec.name)
    assert service is not None  # noqa: S101 - it has just answered
    _hand_on(job, given, service, workspace)
    return f"Service {service.name} is {service.state} with model {model.name}:{model.version}"


def _replace(
    job: Job,
    given: DeployInputs,
    spec: ServiceSpec,
    revision: Revision,
    rows: tuple[smoke.Row, ...],
    workspace: Workspace,
) -> None:
    """Prove the new revision beside the live one, then roll the live one over to it."""
    log.info(
        "Service %s exists; trying the new revision beside it as %s", spec.name, revision.label
    )
    try:
        workspace.services.deploy(spec, revision)
        _healthy(job, given, revision, workspace, _LIVE_UNTOUCHED)
        _smoke_test(job, revision, rows, workspace, _LIVE_UNTOUCHED)
        log.info("Rolling service %s over to the new revision", spec.name)
        revision = _promote(job, given, spec, revision, rows, workspace)
    finally:
        _clean_up(job, revision, workspace)


def _promote(
    job: Job,
    given: DeployInputs,
    spec: ServiceSpec,
    revision: Revision,
    rows: tuple[smoke.Row, ...],
    workspace: Workspace,
) -> Revision:
    """Put the revision in service and try it there; back to the old one if that goes wrong."""
    left = (
        "the old revision got its requests back"
        if workspace.services.restores
        else f"the live service {spec.name} now has the new revision; deploy the last good model"
    )
    promoted = workspace.services.promote(spec, revision)
    if revision.fresh and not workspace.services.restores:
        return promoted
    try:
        _healthy(job, given, promoted, workspace, left)
        _smoke_test(job, promoted, rows, workspace, left)
    except BaseException:
        if workspace.services.restores and not revision.fresh:
            _restore(job, given, promoted, workspace)
        raise
    return promoted


def _restore(job: Job, given: DeployInputs, promoted: Revision, workspace: Workspace) -> None:
    """Back to the old revision; waits for it, because what still has requests cannot be removed."""
    log.info("Giving the requests of %s back to the old revision", promoted.service)
    try:
        workspace.services.restore(promoted)
        waiting.until(
            lambda: workspace.services.rollout(promoted),
            lambda r: r.done,
            describe=lambda r: f"Going back of {promoted.label} is {r.state}",
            pause=job.cancellation.pause,
            minutes=given.timeout_minutes,
        )
    except errors.TaskError as error:
        job.warn(
            "REVISION_NOT_RESTORED",
            f"the service '{promoted.service}' still answers with the new revision: "
            f"{error.happened}",
        )


def _clean_up(job: Job, revision: Revision, workspace: Workspace) -> None:
    try:
        for removed in workspace.services.clean_up(revision):
            log.info("Removed %s", removed)
    except errors.TaskError as error:
        job.warn(
            "CANDIDATE_LEFT",
            f"what '{revision.label}' leaves behind could not be removed: {error.happened}",
        )


def _check_names(given: DeployInputs) -> None:
    if given.target == "kubernetes":
        clusters.check_name(given.aks_name, "aksName")
    elif given.sdk == "v1":
        raise errors.TARGET_UNSUPPORTED.error(target=given.target)
    if not _NAME.match(given.service_name):
        raise errors.SERVICE_NAME_INVALID.error(name=given.service_name)


def _files(job: Job, given: DeployInputs) -> tuple[Path, Path, Path]:
    """Entry script, source directory and environment file, absolute and there."""
    entry_script = inputs.existing_file("entryScript", given.entry_script, job.sources)
    environment_file = inputs.existing_file("environmentFile", given.environment_file, job.sources)
    if not given.source_directory:
        return entry_script, entry_script.parent, environment_file
    source_directory = job.folder(given.source_directory).resolve()
    if not source_directory.is_dir():
        raise errors.FILE_NOT_FOUND.error(
            name="sourceDirectory",
            path=given.source_directory,
            what="folder",
            folder=job.sources,
        )
    if not entry_script.is_relative_to(source_directory):
        raise errors.INPUT_INVALID.error(
            name="entryScript",
            value=given.entry_script,
            expected=f"a file under sourceDirectory ({given.source_directory})",
        )
    return entry_script, source_directory, environment_file


def _chosen_model(job: Job, given: DeployInputs) -> tuple[str, int]:
    """Name and version of the model; a gate's file must say that the model may be deployed."""
    if given.model_source == "version":
        return given.model_name, given.model_version
    path = inputs.existing_file("evalInfoFile", given.eval_info_file, job.sources)
    return eval_info.passed_model(path)


def _smoke_rows(job: Job, given: DeployInputs) -> tuple[smoke.Row, ...]:
    if not given.smoke_file:
        log.info("No smokeFile is given: the service's answers are not checked")
        return ()
    return smoke.read(inputs.existing_file("smokeFile", given.smoke_file, job.sources))


def _check_target(given: DeployInputs, live: Service | None) -> None:
    """An existing service must be where the user says: nothing lands somewhere else."""
    if live is None:
        return
    in_cluster = live.kind in _IN_CLUSTER
    cluster = given.aks_name if given.target == "kubernetes" else ""
    if in_cluster == bool(cluster) and live.cluster == cluster:
        return
    raise errors.SERVICE_WRONG_TARGET.error(
        service=live.name,
        found=_where(live.kind, live.cluster if in_cluster else ""),
        expected=_where("Managed", cluster),
    )


def _where(kind: str, cluster: str) -> str:
    if cluster:
        return f"the AKS target '{cluster}'"
    return "machines that Azure ML runs (target 'managed')" if kind == "Managed" else kind


def _cluster(job: Job, given: DeployInputs, workspace: Workspace) -> None:
    """Find the AKS target, or create it, and wait until it is ready."""
    name, asked = given.aks_name, given.aks_region or workspace.location
    found = workspace.compute.find_aks(name)
    location = found.location if found else asked
    if not clusters.same_region(location, workspace.location):
        job.warn(
            "AKS_IN_OTHER_REGION",
            f"the AKS cluster '{name}' is in {location}, the workspace is in "
            f"{workspace.location}: each image is copied across regions, which is slower and "
            "billed; prefer a cluster in the workspace's region",
        )
    if found and given.aks_region and not clusters.same_region(location, given.aks_region):
        job.warn(
            "AKS_REGION_DIFFERENT",
            f"the AKS cluster '{name}' is in {location}, asked for was {given.aks_region}",
        )
    if found is None:
        workspace.compute.create_aks(
            AksSpec(
                name=name,
                location=given.aks_region,
                vm_size=given.aks_vm_size,
                agent_count=given.aks_agent_count,
                purpose=given.cluster_purpose,
            )
        )
        log.info("Creating AKS cluster %s in %s", name, asked)
    clusters.ready(
        name,
        lambda: workspace.compute.find_aks(name),
        lambda c: c.state == "Succeeded",
        describe=lambda c: f"AKS cluster {name} is {c.state}",
        pause=job.cancellation.pause,
        minutes=given.timeout_minutes,
    )


def _healthy(
    job: Job, given: DeployInputs, revision: Revision, workspace: Workspace, left: str
) -> None:
    """Wait for a deployment; a failed one shows the end of the container's log."""
    rollout, ended = waiting.until(
        lambda: workspace.services.rollout(revision),
        lambda r: r.done,
        describe=lambda r: f"Deployment of {revision.label} is {r.state}",
        pause=job.cancellation.pause,
        minutes=given.timeout_minutes,
    )
    if ended and rollout.succeeded:
        return
    raised = _show_log(revision, workspace)
    if not ended:
        raise errors.DEPLOYMENT_TIMEOUT.error(
            service=revision.label, state=rollout.state, minutes=given.timeout_minutes, left=left
        )
    problem = inputs.shortened(rollout.problem, 160) or f"it is {rollout.state}"
    detail = f"{problem}; {raised}" if raised else problem
    raise errors.DEPLOYMENT_FAILED.error(service=revision.label, detail=detail, left=left)


def _show_log(revision: Revision, workspace: Workspace) -> str:
    """Log the end of the container's log; returns the exception that stands first in it, if any.

    The first, for the inference server wraps what the script raised in exceptions of its own.
    """
    try:
        tail = workspace.services.logs(revision)[-LOG_TAIL_LINES:]
    except errors.TaskError as error:
        log.info("The log of service %s cannot be read: %s", revision.label, error.happened)
        return ""
    log.info("The last %d lines of the container's log of %s:", len(tail), revision.label)
    for line in tail:
        log.info("[%s] %s", revision.label, line)
    return next((line for line in tail if _EXCEPTION.match(line)), "")


def _smoke_test(
    job: Job,
    revision: Revision,
    rows: tuple[smoke.Row, ...],
    workspace: Workspace,
    left: str,
) -> None:
    if not rows:
        return
    answer, _ = waiting.until(
        lambda: workspace.services.score(revision, smoke.request(rows)),
        lambda a: a.status not in _TRANSIENT,  # a replica being exchanged
        describe=lambda a: (
            f"Service {revision.label} answered {a.status} to {len(rows)} smoke rows"
        ),
        pause=job.cancellation.pause,
        minutes=SMOKE_RETRY_MINUTES,
    )
    detail = _wrong(rows, answer)
    if detail:
        _show_log(revision, workspace)
        raise errors.SMOKE_FAILED.error(service=revision.label, detail=detail, left=left)
    log.info("All %d smoke rows are answered as expected", len(rows))


def _wrong(rows: tuple[smoke.Row, ...], answer: Answer) -> str:
    """What is wrong with the answer, empty when nothing is."""
    if answer.status != 200:
        return f"HTTP {answer.status}: {inputs.shortened(answer.body, 200)}"
    try:
        mismatches = smoke.compare(rows, answer.body)
    except ValueError as cause:
        return str(cause)
    for mismatch in mismatches:
        log.info("Smoke test: %s", mismatch)
    if not mismatches:
        return ""
    return f"{len(mismatches)} of {len(rows)} rows, first {mismatches[0]}"


def _hand_on(job: Job, given: DeployInputs, service: Service, workspace: Workspace) -> None:
    job.channel.output("serviceName", service.name)
    job.channel.output("serviceState", service.state)
    job.channel.output("scoringUri", service.scoring_uri)
    if given.export_key:
        key = workspace.services.key(service.name)
        job.channel.mask(key)  # before it is anywhere else
        job.channel.output("primaryKey", key, secret=True)
