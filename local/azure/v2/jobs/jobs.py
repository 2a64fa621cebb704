"""Jobs of v2: submitted, shown, listed, cancelled, deleted. A job's run in history is its state.

Runs that v1 started are jobs too, shown with what v2 can say of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from local.azure.history import runs as history
from local.azure.history.records import Run, RunChange
from local.azure.kernel import bodies
from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.store import AlreadyExists
from local.azure.running import executor, job
from local.azure.running.job import Outcome
from local.azure.storage import datastores
from local.azure.v2 import operations, resources
from local.azure.v2.jobs import (
    commands,
    job_io,
    job_views,
    pipeline_graph,
    pipeline_jobs,
)
from local.azure.v2.jobs.commands import Command
from local.azure.v2.jobs.job_bodies import check_job
from local.azure.v2.jobs.job_records import JOBS, RUNNING
from local.azure.v2.jobs.pipeline_jobs import Pipeline
from local.azure.v2.resources import ApiVersion, api_version, archived_states, arm_route

router = resources.front_end_router()

# Seconds that a job is in its first state: long enough that a script which does not wait sees it.
STARTING_S = 0.3
# Seconds that a cancellation takes at most; usually it ends with the job.
CANCELING_S = 15.0
DELETING_S = 0.5

_CHANGEABLE = ("tags", "properties", "displayName", "description")


@router.at_start
def recover(cloud: Cloud) -> None:
    """Fail what was under way when a server was killed."""
    for record in RUNNING.list(cloud):
        if history.get_run(cloud, record["name"]) is None:  # it was killed while this came in
            JOBS.delete(cloud, record["name"])
        for run in history.find_runs(cloud, {"rootRunId": record["name"]}):
            if run["status"] not in history.TERMINAL:
                job.finish(cloud, run["runId"], job.interrupted())
        RUNNING.delete(cloud, record["name"])


@arm_route(
    router,
    "GET",
    "jobs",
    query=("listViewType", "jobType", "tag", "properties", *resources.PAGED),
)
def list_jobs(cloud: Cloud, request: Request) -> Response:
    """Jobs that no other job started, newest first."""
    hidden = archived_states(request)
    kind, tag = request.query.get("jobType"), request.query.get("tag")
    wanted = [term for term in request.query.get("properties", "").split(",") if term]
    api = api_version(request)
    runs = [
        run
        for run in reversed(history.find_runs(cloud, {"parentRunId": None}))
        if bool(run["hidden"]) in hidden
        and job_views.kind_of(run)
        and (not kind or job_views.kind_of(run) == kind)
        and (not tag or tag in run["tags"])
        and all(_has(run["properties"], term) for term in wanted)
    ]
    return resources.page(request, runs, lambda run: job_views.show(cloud, run, api))


def _has(properties: Mapping[str, str | None], term: str) -> bool:
    key, equals, value = term.partition("=")
    return key in properties and (not equals or properties[key] == value)


@arm_route(router, "GET", "jobs/{name}")
def show_job(cloud: Cloud, request: Request) -> Response:
    """A job. Of the children of pipelines only run history knows more than that they are there."""
    run = existing_job(cloud, request.params["name"])
    return json_response(job_views.show(cloud, run, api_version(request)))


@arm_route(router, "PUT", "jobs/{name}")
def put_job(cloud: Cloud, request: Request) -> Response:
    """Submit a job, or change the tags and the like of one."""
    name = request.params["name"]
    body = request.json()
    run = history.get_run(cloud, name)
    if run is not None:
        return _change(cloud, run, body, api_version(request))
    properties = check_job(body)
    start = {"Command": _command, "Pipeline": _pipeline}[properties["jobType"]]
    work = start(cloud, name, properties)
    try:
        JOBS.insert(cloud, name, {"name": name, "properties": properties})
    except AlreadyExists:
        raise ServiceError(409, "Conflict", f"A job with the name '{name}' exists.") from None
    RUNNING.put(cloud, name, {"name": name})
    run = _create_run(cloud, name, properties)

    def over() -> None:
        RUNNING.delete(cloud, name)
        operations.finish_named(cloud, operations.JOB_CANCEL, name)

    def finished(outcome: Outcome) -> None:
        job.finish(cloud, name, outcome)
        over()

    def run_it(stop: Stop) -> None:
        stop.wait(STARTING_S)
        try:
            work(run, stop)
        except ServiceError as error:
            job.finish(
                cloud, name, Outcome(status="Failed", code=error.code, message=error.message)
            )
        over()

    cloud.background.start(name, run_it, broken=lambda: finished(executor.BROKEN))
    shown = job_views.show(cloud, run, api_version(request))
    return resources.put_response(request, shown, new=True)


def _create_run(cloud: Cloud, name: str, properties: Mapping[str, Any]) -> Run:
    is_pipeline = properties["jobType"] == "Pipeline"
    target = commands.target_of(_compute(properties))
    experiment = properties.get("experimentName") or "Default"
    is_serverless = target == executor.SERVERLESS
    place = {
        "_azureml.ComputeTargetType": "amlcdsi" if is_serverless else "amlctrain",
        "_azureml.ClusterName": None if is_serverless else target,
    }
    return history.create_run(
        cloud,
        experiment=experiment,
        run_id=name,
        status="NotStarted" if is_pipeline else "Starting",
        runType="azureml.PipelineRun" if is_pipeline else job.SCRIPT_RUN,
        displayName=properties.get("displayName") or name,
        description=properties.get("description"),
        hidden=bool(properties.get("isArchived")),
        target=target,
        cancelUri=executor.cancel_uri(cloud, experiment, name),
        runDefinition=None if is_pipeline else {"command": properties["command"]},
        tags=properties.get("tags") or {},
        properties={**(properties.get("properties") or {}), **({} if is_pipeline else place)},
    )


def _compute(properties: Mapping[str, Any]) -> Any:
    settings = properties.get("settings") or {}
    return settings.get("default_compute") or properties.get("computeId")


def _check_target(cloud: Cloud, target: str) -> None:
    problem = target != executor.SERVERLESS and executor.check_target(cloud, target)
    if problem:
        code = "UnknownTargetType" if problem.startswith("Unknown") else "TargetTypeNotSupported"
        raise ServiceError(400, "UserError", problem, inner=("BadArgument", code))


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
        history.update_run(
            cloud,
            name,
            status="Preparing",
            properties=_pipeline_properties(inputs, settings, target),
        )
        pipeline = Pipeline(
            run=run,
            jobs=jobs,
            inputs=inputs,
            outputs=outputs,
            target=target,
            store=settings.get("default_datastore"),
            continue_on_failure=_continues(settings),
            force_rerun=str(settings.get("force_rerun")).lower() == "true",
        )
        pipeline_jobs.run_pipeline(cloud, pipeline, stop)

    return work


def _continues(settings: Mapping[str, Any]) -> bool:
    """Steps that do not need the one that failed go on, unless the settings say otherwise."""
    return str(settings.get("continue_on_step_failure", True)).lower() != "false"


def _pipeline_properties(
    inputs: Mapping[str, job_io.Input], settings: Mapping[str, Any], target: str
) -> dict[str, str | None]:
    """What the service writes into the run of a pipeline about how it is run."""
    literals = {key: one.value for key, one in inputs.items() if one.type == job_io.LITERAL}
    store = str(settings.get("default_datastore") or datastores.DEFAULT)
    return {
        "azureml.DevPlatv2": "true",
        "azureml.DatasetAccessMode": "Asset",
        "azureml.runsource": "azureml.PipelineRun",
        "runSource": "MFE",
        "runType": "HTTP",
        "azureml.parameters": json.dumps(literals),
        "azureml.continue_on_step_failure": str(_continues(settings)),
        "azureml.continue_on_failed_optional_input": "True",
        "azureml.enforceRerun": str(str(settings.get("force_rerun")).lower() == "true"),
        "azureml.defaultComputeName": target,
        "azureml.defaultDataStoreName": store.rpartition("/")[2].removeprefix("azureml:"),
        "azureml.pipelineComponent": "pipelinerun",
    }


def _change(cloud: Cloud, run: Run, body: Any, api: ApiVersion) -> Response:
    """What is not to be changed may be sent again, as clients do that change what they got."""
    given = (body or {}).get("properties") if isinstance(body, dict) else None
    if not isinstance(given, dict):
        raise ServiceError(400, "UserError", "The request body has no properties.")
    sent = {key: given[key] for key in _CHANGEABLE if given.get(key) is not None}
    bodies.require(bodies.TAGS, sent.get("tags"), "properties.tags")
    change = cast("RunChange", sent)
    if given.get("isArchived") is not None:
        change["hidden"] = bool(given["isArchived"])
    changed = history.update_run(cloud, run["runId"], **change)
    return json_response(job_views.show(cloud, changed, api))


@arm_route(router, "POST", "jobs/{name}/cancel")
def cancel_job(cloud: Cloud, request: Request) -> Response:
    """Ask a job to end. One that has ended stays as it is, which is told by 200."""
    run = existing_job(cloud, request.params["name"])
    if run["status"] in history.TERMINAL:
        return Response(status=200, headers={"content-length": "0"})
    # The operation comes first: the job may end at once, and its end then ends the operation.
    operation = operations.start(
        cloud,
        operations.JOB_CANCEL,
        running="CancelRequested",
        lasts_s=CANCELING_S,
        name=run["runId"],
    )
    if cloud.background.cancel(run["runId"]):

        def change(found: Run) -> None:
            if found["status"] not in history.TERMINAL:
                found["status"] = "CancelRequested"

        history.change_run(cloud, run["runId"], change)
    return operations.accepted(cloud, request, operation, timeout="PT1H")


@arm_route(router, "DELETE", "jobs/{name}")
def delete_job(cloud: Cloud, request: Request) -> Response:
    """Forget a job that has ended, and its children."""
    name = existing_job(cloud, request.params["name"])["runId"]
    family = {
        run["runId"]: run
        for member in ("runId", "rootRunId")
        for run in history.find_runs(cloud, {member: name})
    }
    if any(run["status"] not in history.TERMINAL for run in family.values()):
        raise ServiceError(409, "Conflict", f"The job '{name}' has not ended; cancel it first.")
    for run_id in family:
        history.delete_run(cloud, run_id)
        JOBS.delete(cloud, run_id)
    operation = operations.start(
        cloud, operations.JOB_DELETE, running="Deleting", lasts_s=DELETING_S
    )
    return Response(status=202, headers=operations.deletion_headers(cloud, request, operation))


def existing_job(cloud: Cloud, name: str) -> Run:
    """The run of a job. Raises ServiceError 404."""
    run = history.get_run(cloud, name)
    if run is None:
        raise ServiceError(
            404,
            "UserError",
            f"Run {name} was not found.",
            inner=("NotFoundError", "RunNotFound"),
        )
    return run
