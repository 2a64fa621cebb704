"""DeployToAks: a model as a service on AKS, beside the running one until it has proved itself."""

from __future__ import annotations

import dataclasses

from amltasks import errors
from amltasks.azure_pipelines import builds, connection, inputs
from amltasks.azure_pipelines.agent import Job
from amltasks.deploy_to_aks import (
    asked,
    going_back,
    models,
    removing,
    reports,
    revisions,
    targets,
    wanted,
)
from amltasks.deploy_to_aks.asked import DeployInputs
from amltasks.deploy_to_aks.revisions import Attempt, Release
from amltasks.deploy_to_aks.wanted import Wanted
from amltasks.report import gate_tags
from amltasks.workspace.port import Model, Service, ServiceSpec, Workspace

__all__ = ["DeployInputs", "run"]


def run(job: Job) -> str:
    """Perform the task; returns what was done, in a sentence."""
    given = inputs.parse(DeployInputs, job.handover.inputs, job.handover.variables)
    asked.check_names(given)
    if given.mode == "release":
        return _release(job, given)
    if given.mode == "rollback":
        return _go_back(job, given)
    return _delete(job, given)


def _release(job: Job, given: DeployInputs) -> str:
    wished = wanted.read(job, given)
    given = wished.given
    files = asked.files(job, given, wished.image)
    test, ramp = asked.smoke_test(job, given), asked.ramp(given)
    model_name, model_version = models.wanted(job, given)
    workspace = _open(job, given)

    model = models.find(workspace, model_name, model_version)
    if not given.entry_script and not model.mlflow:
        raise errors.MODEL_NEEDS_SCRIPT.error(model=f"{model.name}:{model.version}")
    models.check_gate(job, workspace, model, given.require_gate)
    live = workspace.services.find(given.service_name)
    targets.check(given, live)
    targets.check_endpoint(wished.settings, live)
    attempt = Release(
        job=job,
        workspace=workspace,
        service=given.service_name,
        spec=_spec(job, wished, model, files, targets.auth(given, wished.settings.auth, live)),
        test=test,
        minutes=given.timeout_minutes,
        ramp=ramp,
        bake_seconds=given.bake_seconds,
        keep=given.keep_revisions,
    )
    if live is not None:
        revisions.finish_interrupted(attempt)
        live = workspace.services.find(given.service_name)
    revision = workspace.services.plan(attempt.spec, live, job.handover.variable("build.buildid"))
    _say_before(job, live)
    try:
        if given.target == "kubernetes":
            with attempt.phase(f"Making ready {given.aks_name}"):
                targets.make_ready(job, given, workspace, wished.network)
        bring = revisions.create if revision.fresh else revisions.replace
        bring(attempt, revision)
        service = _found(workspace, given.service_name)
    except errors.TaskError as error:
        job.channel.output("rolledBack", str(attempt.rolled_back).lower())
        reports.attach(attempt, given, revision, problem=str(error))
        raise
    reports.attach(attempt, given, revision, service)
    job.channel.output("rolledBack", "false")
    _hand_on(job, given, service, workspace, revision.name)
    return f"Service {service.name} is {service.state} with model {model.name}:{model.version}"


def _go_back(job: Job, given: DeployInputs) -> str:
    test = asked.smoke_test(job, given)
    workspace = _open(job, given)
    live = _found(workspace, given.service_name)
    attempt = Attempt(
        job=job,
        workspace=workspace,
        service=given.service_name,
        test=test,
        minutes=given.timeout_minutes,
    )
    _say_before(job, live)
    try:
        revision = going_back.go_back(attempt, live, given.rollback_to)
    except errors.TaskError:
        job.channel.output("rolledBack", str(attempt.rolled_back).lower())
        raise
    service = _found(workspace, given.service_name)
    job.channel.output("rolledBack", str(attempt.rolled_back).lower())
    _hand_on(job, given, service, workspace, revision)
    return f"Service {service.name} is {service.state} with revision {revision}"


def _delete(job: Job, given: DeployInputs) -> str:
    workspace = _open(job, given)
    done = removing.remove(job, workspace, given.service_name, given.timeout_minutes)
    job.channel.output("serviceName", given.service_name)
    job.channel.output("serviceState", "Deleted")
    return done


def _open(job: Job, given: DeployInputs) -> Workspace:
    return connection.open_workspace(
        job, resource_group=given.resource_group, workspace=given.workspace, sdk=given.sdk
    )


def _found(workspace: Workspace, name: str) -> Service:
    found = workspace.services.find(name)
    if found is None:
        raise errors.SERVICE_NOT_FOUND.error(service=name, workspace=workspace.name)
    return found


def _spec(job: Job, wished: Wanted, model: Model, files: asked.Files, auth: str) -> ServiceSpec:
    given = wished.given
    return ServiceSpec(
        name=given.service_name,
        target=given.target,
        cluster=given.aks_name if given.target == "kubernetes" else "",
        instance_type=given.instance_type,
        model=model,
        entry_script=files.entry_script,
        source_directory=files.source_directory,
        environment_file=files.environment_file,
        environment=f"scoring-{given.service_name}",
        registered=asked.parse_reference(given.environment, given.sdk, given.target)
        if given.environment
        else None,
        image=wished.image,
        variables=wished.variables,
        limits=wished.limits,
        app_insights=wished.app_insights,
        cpu_cores=wished.size.cpu_cores,
        memory_gb=wished.size.memory_gb,
        replicas=wished.size.replicas,
        settings=dataclasses.replace(wished.settings, auth=auth),
        description=given.description,
        tags={
            **builds.model_tags(job.handover),
            "model": f"{model.name}:{model.version}",
            **_origin(model),
            **wished.tags,
        },
    )


def _origin(model: Model) -> dict[str, str]:
    """The run that trained the model, and what its gate said, where they are known."""
    verdict = model.tags.get(gate_tags.STATE, "")
    found = {"run_id": model.run_id, gate_tags.STATE: verdict}
    return {tag: value for tag, value in found.items() if value}


def _say_before(job: Job, live: Service | None) -> None:
    """Hand on what was in service before this release."""
    job.channel.output("previousRevision", ",".join(live.serving) if live else "")


def _hand_on(
    job: Job, given: DeployInputs, service: Service, workspace: Workspace, revision: str
) -> None:
    job.channel.output("revision", revision)
    job.channel.output("serviceName", service.name)
    job.channel.output("serviceState", service.state)
    job.channel.output("scoringUri", service.scoring_uri)
    if given.export_key:
        key = workspace.services.key(service.name)
        job.channel.mask(key)  # before it is anywhere else
        job.channel.output("primaryKey", key, secret=True)
