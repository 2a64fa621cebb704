"""The execution service: single scripts (ScriptRunConfig), and the end of single runs.

Protocol: azureml._execution._commands (snapshotrun).
"""

from __future__ import annotations

import uuid

from local.azure.history import runs
from local.azure.history.experiments import ensure_experiment
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response, required
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.web import Router
from local.azure.running import executor, job
from local.azure.running.job import Job

router = Router()
_API = "/execution/v1.0{workspace}/experiments/{experiment}"


@router.route("POST", _API + "/snapshotrun", query=("runId",))
def start(cloud: Cloud, request: Request) -> Response:
    """Start a script, or command, of a snapshot on a compute target."""
    asked = request.json_object()
    configuration = required(asked, "Configuration")
    target = str(configuration.get("target") or "")
    problem = executor.check_target(cloud, target)
    if problem:
        raise ServiceError(400, "ComputeTargetNotFound", problem)
    if (configuration.get("nodeCount") or 1) > 1:
        raise ServiceError(501, "NotImplemented", "The local Azure runs a script on one node.")
    run_id = request.query.get("runId") or str(uuid.uuid4())
    name = request.params["experiment"]
    experiment = ensure_experiment(cloud, name)
    parent = asked.get("ParentRunId")
    snapshot = str(asked.get("SnapshotId") or "")
    try:
        run = runs.create_run(
            cloud,
            experiment=name,
            run_id=run_id,
            status="Queued",
            runType="azureml.scriptrun",
            scriptName=configuration.get("script"),
            target=target,
            runDefinition=configuration,
            cancelUri=executor.cancel_uri(cloud, name, run_id),
            properties={
                "_azureml.ComputeTargetType": "amlcompute",
                "ContentSnapshotId": snapshot,
                "ProcessInfoFile": "azureml-logs/process_info.json",
                "ProcessStatusFile": "azureml-logs/process_status.json",
            },
            parentRunId=parent,
        )
    except AlreadyExists:
        raise ServiceError(409, "Conflict", f"Run {run_id} already exists.") from None
    work = Job(
        run_id=run_id,
        root_run_id=run["rootRunId"],
        experiment=name,
        experiment_id=experiment["experimentId"],
        snapshot=snapshot,
        script=configuration.get("script"),
        command=configuration.get("command"),
        arguments=tuple(str(argument) for argument in configuration.get("arguments") or []),
        **job.describe(configuration),
    )
    executor.start_job(cloud, work, target)
    return json_response({"runId": run_id})


@router.route("POST", _API + "/runs/{run}/cancel")
def cancel(cloud: Cloud, request: Request) -> Response:
    """Ask a step or a script to end. One that has ended stays as it is."""
    if runs.get_run(cloud, request.params["run"]) is None:
        raise ServiceError(404, "UserError", f"Run {request.params['run']} was not found.")
    cloud.background.cancel(request.params["run"])
    return Response(status=200)
