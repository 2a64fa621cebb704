"""DeployToAks: a model as a service on AKS, beside the running one until it has proved itself."""

from __future__ import annotations

import itertools
import logging
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amltasks import clusters, errors
from amltasks.azure_pipelines import builds, connection, inputs, pages
from amltasks.azure_pipelines.agent import Job
from amltasks.deploy_to_aks import revisions, smoke
from amltasks.deploy_to_aks.revisions import Attempt
from amltasks.report import deployment, eval_info
from amltasks.workspace.port import AksSpec, Model, Revision, Service, ServiceSpec, Workspace

log = logging.getLogger("amltasks")

_NAME = re.compile(r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$")
_VERSION = re.compile(r"[1-9][0-9]{0,9}")
_OF_BUILD = "build:"
_IN_CLUSTER = frozenset({"AKS", "Kubernetes"})


@dataclass(frozen=True, kw_only=True)
class DeployInputs:
    """The task's inputs; ``task.json`` describes them."""

    resource_group: str = inputs.text(required=True, alias="resourceGroupName")
    workspace: str = inputs.text(required=True, alias="workspaceName")
    service_name: str = inputs.text(required=True)
    model_source: str = inputs.choice("version", "evalInfo")
    model_name: str = inputs.text(
        required=True, shown=inputs.Shown(input="modelSource", value="version")
    )
    model_version: str = inputs.text(
        required=True, shown=inputs.Shown(input="modelSource", value="version")
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
    smoke_max_seconds: float = inputs.number(default="0", least=0, most=60)
    smoke_malformed: bool = inputs.boolean(default=False)
    ramp: str = inputs.text()
    bake_seconds: float = inputs.number(default="30", least=0, most=86_400)
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
    test = _smoke_of(job, given)
    ramp = _ramp(given)
    model_name, model_version = _chosen_model(job, given)
    workspace = connection.open_workspace(
        job, resource_group=given.resource_group, workspace=given.workspace, sdk=given.sdk
    )

    model = _model(workspace, model_name, model_version)
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
    attempt = Attempt(
        job=job,
        workspace=workspace,
        spec=spec,
        test=test,
        minutes=given.timeout_minutes,
        ramp=ramp,
        bake_seconds=given.bake_seconds,
    )
    if live is not None:
        revisions.finish_interrupted(attempt)
        live = workspace.services.find(given.service_name)
    revision = workspace.services.plan(spec, live, job.handover.variable("build.buildid"))
    _say_before(job, live)
    try:
        if given.target == "kubernetes":
            with attempt.phase(f"Making ready {given.aks_name}"):
                _cluster(job, given, workspace)
        (revisions.create if revision.fresh else revisions.replace)(attempt, revision)
        service = workspace.services.find(spec.name)
        assert service is not None  # noqa: S101 - it has just answered
    except errors.TaskError as error:
        job.channel.output("rolledBack", str(attempt.rolled_back).lower())
        _report(attempt, given, revision, problem=str(error))
        raise
    _report(attempt, given, revision, service)
    job.channel.output("revision", revision.name)
    job.channel.output("rolledBack", "false")
    _hand_on(job, given, service, workspace)
    return f"Service {service.name} is {service.state} with model {model.name}:{model.version}"


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


def _chosen_model(job: Job, given: DeployInputs) -> tuple[str, int | str]:
    """Name of the model, and its version or the number of the build that registered it.

    A gate's file must say that the model may be deployed.
    """
    if given.model_source == "evalInfo":
        path = inputs.existing_file("evalInfoFile", given.eval_info_file, job.sources)
        return eval_info.passed_model(path)
    asked = given.model_version
    build = asked.removeprefix(_OF_BUILD).strip()
    if asked.startswith(_OF_BUILD) and build:
        return given.model_name, build
    if not _VERSION.fullmatch(asked):
        raise errors.INPUT_INVALID.error(
            name="modelVersion", value=asked, expected="a whole number from 1, or build:<number>"
        )
    return given.model_name, int(asked)


def _model(workspace: Workspace, name: str, version: int | str) -> Model:
    """The model of that version, or the newest that the build of that number registered."""
    if isinstance(version, int):
        return workspace.models.get(name, version)
    for model in workspace.models.versions(name):
        if model.tags.get("build_number") == version:
            log.info("Build %s registered version %d of model %s", version, model.version, name)
            return model
    raise errors.MODEL_OF_BUILD_NOT_FOUND.error(model=name, build=version, workspace=workspace.name)


def _smoke_of(job: Job, given: DeployInputs) -> smoke.Test:
    if given.smoke_max_seconds and not given.smoke_file:
        raise errors.INPUT_MISSING.error(name="smokeFile", why=", though smokeMaxSeconds is set")
    rows: tuple[smoke.Row, ...] = ()
    if given.smoke_file:
        rows = smoke.read(inputs.existing_file("smokeFile", given.smoke_file, job.sources))
    else:
        log.info("No smokeFile is given: the service's answers are not checked")
    return smoke.Test(
        rows=rows, max_seconds=given.smoke_max_seconds, malformed=given.smoke_malformed
    )


def _ramp(given: DeployInputs) -> tuple[int, ...]:
    """The stages of the ramp in percent: rising, the last one 100."""
    written = given.ramp.strip() or ("10,50,100" if given.sdk == "v2" else "100")
    parts = [part.strip() for part in written.split(",")]
    stages = tuple(int(part) for part in parts if part.isdecimal())
    rising = len(stages) == len(parts) and all(a < b for a, b in itertools.pairwise((0, *stages)))
    if not rising or stages[-1] != 100:
        raise errors.INPUT_INVALID.error(
            name="ramp", value=given.ramp, expected="rising percentages that end with 100"
        )
    if given.sdk == "v1" and stages != (100,):
        raise errors.INPUT_INVALID.error(
            name="ramp",
            value=given.ramp,
            expected="100 with sdk v1, whose services take all requests or none",
        )
    return stages


def _say_before(job: Job, live: Service | None) -> None:
    """Hand on what was in service before this release."""
    job.channel.output("previousRevision", ",".join(live.serving) if live else "")


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


def _hand_on(job: Job, given: DeployInputs, service: Service, workspace: Workspace) -> None:
    job.channel.output("serviceName", service.name)
    job.channel.output("serviceState", service.state)
    job.channel.output("scoringUri", service.scoring_uri)
    if given.export_key:
        key = workspace.services.key(service.name)
        job.channel.mask(key)  # before it is anywhere else
        job.channel.output("primaryKey", key, secret=True)


def _report(
    attempt: Attempt,
    given: DeployInputs,
    revision: Revision,
    service: Service | None = None,
    problem: str = "",
) -> None:
    """Attach the report to the step, also to one that failed: it shows how far it came."""
    job, model = attempt.job, attempt.spec.model
    made = deployment.Deployment(
        service=attempt.spec.name,
        state=service.state if service else "Failed",
        model=model.name,
        version=model.version,
        revision=revision.label,
        scoring_uri=service.scoring_uri if service else "",
        problem=problem,
        smoke=attempt.scored,
        phases=attempt.phases,
        lineage=_lineage(attempt, given),
        links=_links(attempt, given),
    )
    # The agent reads the files after we ended, and empties its folder before the next job.
    folder = job.handover.variable("agent.tempdirectory") or None
    try:
        place = Path(tempfile.mkdtemp(prefix="aml-deploy-", dir=folder))
        result, report = deployment.write(made, place)
    except OSError as cause:
        job.warn("REPORT_NOT_WRITTEN", f"the deployment's report could not be written: {cause}")
        return
    job.channel.attachment(deployment.RESULT, made.service, result)
    job.channel.attachment(deployment.REPORT, made.service, report)


def _lineage(attempt: Attempt, given: DeployInputs) -> dict[str, str]:
    """Where the model and the deployment come from; what is not known is left out."""
    model, build = attempt.spec.model, builds.build_tags(attempt.job.handover)
    found = {
        "Workspace": f"{given.resource_group}/{given.workspace}",
        "Target": given.aks_name if given.target == "kubernetes" else given.instance_type,
        "Entry script": given.entry_script,
        "Environment file": given.environment_file,
        "Model trained by run": model.run_id,
        **{f"Model's {tag.replace('_', ' ')}": text for tag, text in sorted(model.tags.items())},
        **{f"Deployment's {tag.replace('_', ' ')}": text for tag, text in build.items()},
    }
    return {name: text for name, text in found.items() if text}


def _links(attempt: Attempt, given: DeployInputs) -> dict[str, str]:
    """The pages of the model, of the run that made it, of the endpoint and of the build."""
    model, handover = attempt.spec.model, attempt.job.handover
    studio = pages.studio(handover, resource_group=given.resource_group, workspace=given.workspace)
    found = {
        "run": studio.run(model.run_id),
        "model": studio.model(model.name, model.version),
        "endpoint": studio.endpoint(attempt.spec.name),
        "build": pages.build(handover),
    }
    return {what: page for what, page in found.items() if page}
