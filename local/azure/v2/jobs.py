"""Jobs of v2: submitted, shown, listed, cancelled, deleted. A job's run in history is its state.

Runs that v1 started are jobs too, shown with what v2 can say of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.azure import executor, history, job
from local.azure.azure import Azure
from local.azure.job import Outcome
from local.azure.processes import Stop
from local.azure.store import AlreadyExists
from local.azure.v2 import (
    bodies,
    commands,
    job_io,
    job_views,
    pipeline_graph,
    pipeline_jobs,
    resources,
)
from local.azure.v2.commands import Command
from local.azure.v2.job_bodies import check_job
from local.azure.v2.job_views import JOBS
from local.azure.v2.pipeline_jobs import Pipeline
from local.azure.v2.resources import arm_route
from local.azure.web import (
    ARM_HOST,
    Request,
    Response,
    Router,
    ServiceError,
    json_response,
)

router = Router(host=ARM_HOST)

_RUNNING = "v2-running"
_CHANGEABLE = ("tags", "properties", "displayName", "description", "isArchived")


@router.at_start
def recover(azure: Azure) -> None:
    """Fail what was under way when a server was killed."""
    for record in azure.store.list(_RUNNING):
        if history.get_run(azure, record["name"]) is None:  # it was killed while this came in
            azure.store.delete(JOBS, record["name"])
        for run in azure.store.list("run"):
            if run["rootRunId"] == record["name"] and run["status"] not in history.TERMINAL:
                job.finish(azure, run["runId"], job.interrupted())
        azure.store.delete(_RUNNING, record["name"])


@arm_route(router, "GET", "jobs")
def list_jobs(azure: Azure, request: Request) -> Response:
    """Jobs that no other job started, newest first."""
    view = request.query.get("listViewType", "ActiveOnly").lower()
    hidden = {"activeonly": (False,), "archivedonly": (True,)}.get(view, (True, False))
    kind, tag = request.query.get("jobType"), request.query.get("tag")
    runs = [
        run
        for run in reversed(azure.store.list("run"))
        if run["parentRunId"] is None
        and bool(run["hidden"]) in hidden
        and job_views.kind_of(run)
        and (not kind or job_views.kind_of(run) == kind)
        and (not tag or tag in run["tags"])
    ]
    return resources.page(request, [job_views.show(azure, run) for run in runs])


@arm_route(router, "GET", "jobs/{name}")
def show_job(azure: Azure, request: Request) -> Response:
    """A job. Of the children of pipelines only run history knows more than that they are there."""
    return json_response(job_views.show(azure, _existing(azure, request.params["name"])))


@arm_route(router, "PUT", "jobs/{name}")
def put_job(azure: Azure, request: Request) -> Response:
    """Submit a job, or change the tags and the like of one."""
    name = request.params["name"]
    body = request.json()
    run = history.get_run(azure, name)
    if run is not None:
        return _change(azure, run, body)
    properties = check_job(body)
    start = {"Command": _command, "Pipeline": _pipeline}[properties["jobType"]]
    work = start(azure, name, properties)
    try:
        azure.store.insert(JOBS, name, {"name": name, "properties": properties})
    except AlreadyExists:
        raise ServiceError(409, "Conflict", f"A job with the name '{name}' exists.") from None
    azure.store.put(_RUNNING, name, {"name": name})
    run = _create_run(azure, name, properties)

    def finished(outcome: Outcome) -> None:
        job.finish(azure, name, outcome)
        azure.store.delete(_RUNNING, name)

    def run_it(stop: Stop) -> None:
        try:
            work(run, stop)
        except ServiceError as error:
            job.finish(
                azure, name, Outcome(status="Failed", code=error.code, message=error.message)
            )
        azure.store.delete(_RUNNING, name)

    executor.start(name, run_it, broken=lambda: finished(executor.BROKEN))
    return json_response(job_views.show(azure, run), 201)


def _create_run(azure: Azure, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    is_pipeline = properties["jobType"] == "Pipeline"
    return history.create_run(
        azure,
        experiment=properties.get("experimentName") or "Default",
        run_id=name,
        status="Preparing" if is_pipeline else "Queued",
        runType="azureml.PipelineRun" if is_pipeline else "azureml.scriptrun",
        displayName=properties.get("displayName") or name,
        description=properties.get("description"),
        hidden=bool(properties.get("isArchived")),
        target=commands.target_of(_compute(properties)),
        cancelUri=executor.cancel_uri(azure, properties.get("experimentName") or "Default", name),
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


def _check_target(azure: Azure, target: str) -> None:
    problem = target != executor.SERVERLESS and executor.check_target(azure, target)
    if problem:
        raise ServiceError(400, "UserError", problem)


def _command(azure: Azure, name: str, properties: Mapping[str, Any]) -> Any:
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
    _check_target(azure, command.target)

    def work(run: Mapping[str, Any], stop: Stop) -> None:
        job_io.keep_outputs(azure, name, outputs)
        executor.run_on(azure, commands.make_job(azure, command, run), command.target, stop)

    return work


def _pipeline(azure: Azure, name: str, properties: Mapping[str, Any]) -> Any:
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
    pipeline_graph.read_graph(azure, jobs, inputs, outputs, target)

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
        pipeline_jobs.run_pipeline(azure, pipeline, stop)

    return work


def _change(azure: Azure, run: dict[str, Any], body: Any) -> Response:
    """What is not to be changed may be sent again, as clients do that change what they got."""
    given = (body or {}).get("properties") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise ServiceError(400, "UserError", "The request body has no properties.")
    fields = {key: given[key] for key in _CHANGEABLE if given.get(key) is not None}
    if "isArchived" in fields:
        fields["hidden"] = bool(fields.pop("isArchived"))
    bodies.map_of(bodies.text)(fields.get("tags"), "properties.tags")
    changed = history.update_run(azure, run["runId"], **fields)
    return json_response(job_views.show(azure, changed))


@arm_route(router, "POST", "jobs/{name}/cancel")
def cancel_job(azure: Azure, request: Request) -> Response:
    """Ask a job to end. One that has ended stays as it is."""
    run = _existing(azure, request.params["name"])
    if executor.cancel(run["runId"]):

        def change(found: dict[str, Any]) -> None:
            if found["status"] not in history.TERMINAL:
                found["status"] = "CancelRequested"

        azure.store.update("run", run["runId"], change)
    return _done(azure)


@arm_route(router, "DELETE", "jobs/{name}")
def delete_job(azure: Azure, request: Request) -> Response:
    """Forget a job that has ended, and its children."""
    name = _existing(azure, request.params["name"])["runId"]
    family = [run for run in azure.store.list("run") if name in (run["runId"], run["rootRunId"])]
    if any(run["status"] not in history.TERMINAL for run in family):
        raise ServiceError(409, "Conflict", f"The job '{name}' has not ended; cancel it first.")
    for run in family:
        azure.store.delete("run", run["runId"])
        azure.store.delete(JOBS, run["runId"])
    return _done(azure)


def _done(azure: Azure) -> Response:
    operation = resources.start_operation(azure)
    resources.finish_operation(azure, operation)
    return Response(status=202, headers=resources.deletion_headers(azure, operation))


def _existing(azure: Azure, name: str) -> dict[str, Any]:
    run = history.get_run(azure, name)
    if run is None:
        raise ServiceError(404, "UserError", f"Run {name} was not found.")
    return run
