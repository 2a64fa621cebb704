"""Jobs of v2: submitted, shown, listed, cancelled, deleted. A job's run in history is its state.

Runs that v1 started are jobs too, shown with what v2 can say of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.azure.history import runs as history
from local.azure.kernel import bodies
from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.web import ARM_HOST, Router
from local.azure.running import executor, job
from local.azure.running.job import Outcome
from local.azure.v2 import resources
from local.azure.v2.jobs import (
    commands,
    job_io,
    job_views,
    pipeline_graph,
    pipeline_jobs,
)
from local.azure.v2.jobs.commands import Command
from local.azure.v2.jobs.job_bodies import check_job
from local.azure.v2.jobs.job_views import JOBS
from local.azure.v2.jobs.pipeline_jobs import Pipeline
from local.azure.v2.resources import arm_route

router = Router(host=ARM_HOST)

_RUNNING = "v2-running"
_CHANGEABLE = ("tags", "properties", "displayName", "description", "isArchived")


@router.at_start
def recover(cloud: Cloud) -> None:
    """Fail what was under way when a server was killed."""
    for record in cloud.store.list(_RUNNING):
        if history.get_run(cloud, record["name"]) is None:  # it was killed while this came in
            cloud.store.delete(JOBS, record["name"])
        for run in cloud.store.list("run"):
            if run["rootRunId"] == record["name"] and run["status"] not in history.TERMINAL:
                job.finish(cloud, run["runId"], job.interrupted())
        cloud.store.delete(_RUNNING, record["name"])


@arm_route(router, "GET", "jobs")
def list_jobs(cloud: Cloud, request: Request) -> Response:
    """Jobs that no other job started, newest first."""
    view = request.query.get("listViewType", "ActiveOnly").lower()
    hidden = {"activeonly": (False,), "archivedonly": (True,)}.get(view, (True, False))
    kind, tag = request.query.get("jobType"), request.query.get("tag")
    runs = [
        run
        for run in reversed(cloud.store.list("run"))
        if run["parentRunId"] is None
        and bool(run["hidden"]) in hidden
        and job_views.kind_of(run)
        and (not kind or job_views.kind_of(run) == kind)
        and (not tag or tag in run["tags"])
    ]
    return resources.page(request, [job_views.show(cloud, run) for run in runs])


@arm_route(router, "GET", "jobs/{name}")
def show_job(cloud: Cloud, request: Request) -> Response:
    """A job. Of the children of pipelines only run history knows more than that they are there."""
    return json_response(job_views.show(cloud, _existing(cloud, request.params["name"])))


@arm_route(router, "PUT", "jobs/{name}")
def put_job(cloud: Cloud, request: Request) -> Response:
    """Submit a job, or change the tags and the like of one."""
    name = request.params["name"]
    body = request.json()
    run = history.get_run(cloud, name)
    if run is not None:
        return _change(cloud, run, body)
    properties = check_job(body)
    start = {"Command": _command, "Pipeline": _pipeline}[properties["jobType"]]
    work = start(cloud, name, properties)
    try:
        cloud.store.insert(JOBS, name, {"name": name, "properties": properties})
    except AlreadyExists:
        raise ServiceError(409, "Conflict", f"A job with the name '{name}' exists.") from None
    cloud.store.put(_RUNNING, name, {"name": name})
    run = _create_run(cloud, name, properties)

    def finished(outcome: Outcome) -> None:
        job.finish(cloud, name, outcome)
        cloud.store.delete(_RUNNING, name)

    def run_it(stop: Stop) -> None:
        try:
            work(run, stop)
        except ServiceError as error:
            job.finish(
                cloud, name, Outcome(status="Failed", code=error.code, message=error.message)
            )
        cloud.store.delete(_RUNNING, name)

    cloud.background.start(name, run_it, broken=lambda: finished(executor.BROKEN))
    return json_response(job_views.show(cloud, run), 201)


def _create_run(cloud: Cloud, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    is_pipeline = properties["jobType"] == "Pipeline"
    return history.create_run(
        cloud,
        experiment=properties.get("experimentName") or "Default",
        run_id=name,
        status="Preparing" if is_pipeline else "Queued",
        runType="azureml.PipelineRun" if is_pipeline else "azureml.scriptrun",
        displayName=properties.get("displayName") or name,
        description=properties.get("description"),
        hidden=bool(properties.get("isArchived")),
        target=commands.target_of(_compute(properties)),
        cancelUri=executor.cancel_uri(cloud, properties.get("experimentName") or "Default", name),
        runDefinition=None if is_pipeline else {"command": properties["command"]},
        tags=properties.get("tags") or {},
        properties={
            **(
                {"azureml.runsource": "azureml.PipelineRun", "runSource": "MFE"}
                if is_pipeline
                else {"_azureml.ComputeTargetType": "amlctrain"}
            ),
            **(properties.get("properties") or {}),
        },
    )


def _compute(properties: Mapping[str, Any]) -> Any:
    settings = properties.get("settings") or {}
    return settings.get("default_compute") or properties.get("computeId")


def _check_target(cloud: Cloud, target: str) -> None:
    problem = target != executor.SERVERLESS and executor.check_target(cloud, target)
    if problem:
        raise ServiceError(400, "UserError", problem)


def _command(cloud: Cloud, name: str, properties: Mapping[str, Any]) -> Any:
    """What runs a command job, which is checked now."""
    limits = properties.get("limits") or {}
    given = properties.get("outputs") or {}
    outputs = job_io.place_outputs(
        {key: job_io.read_output(one) for key, one in given.items() if key != "default"},
        job_name=name,
        run_id=name,
        store=None,
    )
    command = Command(
        command=properties["command"],
        code=properties.get("codeId"),
        environment=properties["environmentId"],
        target=commands.target_of(properties.get("computeId")),
        inputs={
            key: job_io.read_input(one) for key, one in (properties.get("inputs") or {}).items()
        },
        outputs=outputs,
        variables=properties.get("environmentVariables") or {},
        timeout_s=job_io.read_timeout(limits.get("timeout")),
    )
    _check_target(cloud, command.target)

    def work(run: Mapping[str, Any], stop: Stop) -> None:
        job_io.keep_outputs(cloud, name, outputs)
        executor.run_on(cloud, commands.make_job(cloud, command, run), command.target, stop)

    return work


def _pipeline(cloud: Cloud, name: str, properties: Mapping[str, Any]) -> Any:
    """What runs a pipeline job, whose graph is checked now."""
    settings = properties.get("settings") or {}
    inputs = {key: job_io.read_input(one) for key, one in (properties.get("inputs") or {}).items()}
    outputs = {
        key: job_io.read_output(one)
        for key, one in (properties.get("outputs") or {}).items()
        if key != "default"
    }
    target = commands.target_of(_compute(properties))
    jobs = properties.get("jobs") or {}
    if not jobs:
        raise ServiceError(400, "UserError", f"The pipeline '{name}' has no nodes.")
    pipeline_graph.read_graph(cloud, jobs, inputs, outputs, target)

    def work(run: Mapping[str, Any], stop: Stop) -> None:
        pipeline = Pipeline(
            run=run,
            jobs=jobs,
            inputs=inputs,
            outputs=outputs,
            target=target,
            store=settings.get("default_datastore"),
            continue_on_failure=str(settings.get("continue_on_step_failure")).lower() == "true",
            force_rerun=str(settings.get("force_rerun")).lower() == "true",
        )
        pipeline_jobs.run_pipeline(cloud, pipeline, stop)

    return work


def _change(cloud: Cloud, run: dict[str, Any], body: Any) -> Response:
    """What is not to be changed may be sent again, as clients do that change what they got."""
    given = (body or {}).get("properties") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise ServiceError(400, "UserError", "The request body has no properties.")
    fields = {key: given[key] for key in _CHANGEABLE if given.get(key) is not None}
    if "isArchived" in fields:
        fields["hidden"] = bool(fields.pop("isArchived"))
    bodies.map_of(bodies.text)(fields.get("tags"), "properties.tags")
    changed = history.update_run(cloud, run["runId"], **fields)
    return json_response(job_views.show(cloud, changed))


@arm_route(router, "POST", "jobs/{name}/cancel")
def cancel_job(cloud: Cloud, request: Request) -> Response:
    """Ask a job to end. One that has ended stays as it is."""
    run = _existing(cloud, request.params["name"])
    if cloud.background.cancel(run["runId"]):

        def change(found: dict[str, Any]) -> None:
            if found["status"] not in history.TERMINAL:
                found["status"] = "CancelRequested"

        cloud.store.update("run", run["runId"], change)
    return _done(cloud)


@arm_route(router, "DELETE", "jobs/{name}")
def delete_job(cloud: Cloud, request: Request) -> Response:
    """Forget a job that has ended, and its children."""
    name = _existing(cloud, request.params["name"])["runId"]
    family = [run for run in cloud.store.list("run") if name in (run["runId"], run["rootRunId"])]
    if any(run["status"] not in history.TERMINAL for run in family):
        raise ServiceError(409, "Conflict", f"The job '{name}' has not ended; cancel it first.")
    for run in family:
        cloud.store.delete("run", run["runId"])
        cloud.store.delete(JOBS, run["runId"])
    return _done(cloud)


def _done(cloud: Cloud) -> Response:
    operation = resources.start_operation(cloud)
    resources.finish_operation(cloud, operation)
    return Response(status=202, headers=resources.deletion_headers(cloud, operation))


def _existing(cloud: Cloud, name: str) -> dict[str, Any]:
    run = history.get_run(cloud, name)
    if run is None:
        raise ServiceError(404, "UserError", f"Run {name} was not found.")
    return run
