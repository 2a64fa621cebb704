"""The pipeline service: pipeline runs, made of graphs that are kept with them.

Protocol: azureml.pipeline.core._restclients.aeva, "AML pipelines API 1.0"; names are in PascalCase.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from local.azure.history import runs
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response, required
from local.azure.kernel.web import Router
from local.azure.running import executor
from local.azure.storage import datastores
from local.azure.v1 import graph, pipeline_runs
from local.azure.v1.graph import DataPath, GraphError, Step
from local.azure.v1.modules import entity_fields
from local.azure.v1.records import (
    DATA_SOURCES,
    GRAPHS,
    MODULES,
    PIPELINE_RUNS,
    DataSource,
    Graph,
    PipelineRun,
    found,
)

router = Router()
_API = "/pipelines/v1.0{workspace}"
_RUN = _API + "/PipelineRuns/{run}"


@router.at_start
def recover(cloud: Cloud) -> None:
    """Fail what was under way when a server was killed."""
    pipeline_runs.fail_interrupted(cloud)


@router.at_stop
def stop(cloud: Cloud) -> None:
    """End what runs."""
    cloud.background.stop_all(executor.STOPPED)


@router.route(
    "POST", _API + "/PipelineRuns/Unsubmitted/CreationInfoWithGraph", query=("experimentName",)
)
def create_run(cloud: Cloud, request: Request) -> Response:
    """Keep a graph and the run to be made of it, checked now, before anything runs."""
    asked = request.json_object()
    graph_id = store_graph(cloud, required(asked, "Graph"), asked.get("GraphInterface") or {})
    record = new_run(
        cloud,
        graph_id,
        request.query.get("experimentName", ""),
        asked.get("CreationInfo") or {},
    )
    return json_response(entity(cloud, record))


@router.route("POST", _API + "/PipelineRuns/Submit/{run}", query=("parentRunId",))
def submit_run(cloud: Cloud, request: Request) -> Response:
    """Start a run that was created before."""
    record = found(cloud, PIPELINE_RUNS, request.params["run"])
    start_run(cloud, record, parent=request.query.get("parentRunId"))
    return Response(status=200)


def store_graph(cloud: Cloud, entity: Mapping[str, Any], interface: Mapping[str, Any]) -> str:
    """Keep a graph; returns its id."""
    graph_id = str(uuid.uuid4())
    kept: Graph = {
        "graph": {**entity, **entity_fields(cloud), "Id": graph_id},
        "interface": interface,
    }
    GRAPHS.insert(cloud, graph_id, kept)
    return graph_id


def new_run(
    cloud: Cloud,
    graph_id: str,
    experiment: str,
    info: Mapping[str, Any],
    *,
    pipeline_id: str | None = None,
) -> PipelineRun:
    """A pipeline run that has not been started. Raises ServiceError for a graph that cannot run."""
    if not experiment:
        raise ServiceError(400, "ValidationError", "The experiment's name is required.")
    continues = info.get("ContinueRunOnStepFailure")
    if continues is None:
        continues = info.get("ContinueExperimentOnNodeFailure")
    run_id = str(uuid.uuid4())
    record: PipelineRun = {
        "id": run_id,
        "graph_id": graph_id,
        "experiment": experiment,
        "description": info.get("Description"),
        "parameters": info.get("ParameterAssignments") or {},
        "data_paths": info.get("DataPathAssignments") or {},
        "continue_on_failure": bool(continues),
        "pipeline_id": pipeline_id,
        "source": info.get("RunSource") or "SDK",
        "type": info.get("RunType") or "SDK",
        "tags": info.get("tags") or {},
        "properties": info.get("Properties") or {},
        "submitted": False,
        "status": "NotStarted",
        "detail": "",
        "created": cloud.timestamp(),
        "ended": None,
        "nodes": {},
    }
    plan(cloud, record)
    PIPELINE_RUNS.insert(cloud, run_id, record)
    return record


def start_run(cloud: Cloud, record: PipelineRun, *, parent: str | None = None) -> None:
    """Put a run into run history and start it. Raises ServiceError."""
    steps = plan(cloud, record)
    for step in steps:
        problem = executor.check_target(cloud, step.target)
        if problem:
            raise ServiceError(400, "ComputeTargetNotFound", f"Step '{step.name}': {problem}")

    def submit(value: PipelineRun) -> None:
        if value["submitted"]:
            raise ServiceError(409, "Conflict", f"Run {record['id']} was submitted before.")
        value["submitted"] = True

    PIPELINE_RUNS.update(cloud, record["id"], submit)
    properties: dict[str, str | None] = {
        "azureml.runsource": "azureml.PipelineRun",
        "runSource": record["source"],
        "runType": record["type"],
        **record["properties"],
    }
    if record["parameters"]:
        properties["azureml.parameters"] = json.dumps(record["parameters"])
    if record["pipeline_id"]:
        properties["azureml.pipelineid"] = record["pipeline_id"]
    run = runs.create_run(
        cloud,
        experiment=record["experiment"],
        run_id=record["id"],
        status="Preparing",
        runType="azureml.PipelineRun",
        displayName=record["description"] or record["id"],
        description=record["description"],
        tags=record["tags"],
        properties=properties,
        parentRunId=parent,
    )
    PIPELINE_RUNS.update(
        cloud,
        record["id"],
        lambda value: value.update({"experiment_id": run["experimentId"]}),
    )
    pipeline_runs.start_pipeline(cloud, record["id"], steps)


def plan(cloud: Cloud, record: PipelineRun) -> list[Step]:
    """The steps of a run. Raises ServiceError for a graph that cannot run."""
    kept = found(cloud, GRAPHS, record["graph_id"])
    wanted = {node["ModuleId"] for node in kept["graph"].get("ModuleNodes") or []}
    sources = {node.get("DatasetId") for node in kept["graph"].get("DatasetNodes") or []}
    try:
        return graph.plan(
            kept["graph"],
            kept["interface"],
            modules={id: module for id in wanted if (module := MODULES.get(cloud, id))},
            data_sources={id: _source_path(found(cloud, DATA_SOURCES, id)) for id in sources if id},
            assignments=record["parameters"],
            data_paths={
                name: DataPath(
                    datastore=value.get("DataStoreName") or datastores.DEFAULT,
                    path=(value.get("RelativePath") or "").strip("/"),
                )
                for name, value in record["data_paths"].items()
            },
        )
    except GraphError as error:
        status = 501 if error.code == "NotImplemented" else 400
        raise ServiceError(status, error.code, str(error)) from None


def _source_path(source: DataSource) -> DataPath:
    reference = source["DataLocation"]["DataReference"]["AzureBlobReference"]
    return DataPath(datastore=reference["AmlDataStoreName"], path=reference["RelativePath"])


@router.route("GET", _RUN)
def get_run(cloud: Cloud, request: Request) -> Response:
    """A pipeline run with its status."""
    return json_response(entity(cloud, found(cloud, PIPELINE_RUNS, request.params["run"])))


def entity(cloud: Cloud, record: PipelineRun) -> Mapping[str, object]:
    """A pipeline run as the service shows it."""
    return {
        **entity_fields(cloud),
        "Id": record["id"],
        "Description": record["description"],
        "Status": {
            "StatusCode": pipeline_runs.RUN_CODES[record["status"]],
            "StatusDetail": record["detail"],
            "CreationTime": record["created"],
            "EndTime": record["ended"],
        },
        "GraphId": record["graph_id"],
        "IsSubmitted": record["submitted"],
        "HasErrors": record["status"] == "Failed",
        "HasWarnings": False,
        "UploadState": "1",
        "ParameterAssignments": record["parameters"],
        "DataSetDefinitionValueAssignments": {},
        "RunHistoryExperimentName": record["experiment"],
        "PipelineId": record["pipeline_id"],
        "RunSource": record["source"],
        "RunType": record["type"],
        "TotalRunSteps": len(found(cloud, GRAPHS, record["graph_id"])["graph"]["ModuleNodes"]),
        "tags": record["tags"],
        "Properties": record["properties"],
        "CreatedDate": record["created"],
    }


@router.route("DELETE", _RUN + "/Execution")
def cancel_run(cloud: Cloud, request: Request) -> Response:
    """Ask a run to end. One that has ended stays as it is."""
    found(cloud, PIPELINE_RUNS, request.params["run"])
    cloud.background.cancel(request.params["run"])
    return Response(status=200)


@router.route("GET", _API + "/PipelineRuns/Pipeline/{pipeline}")
def list_runs(cloud: Cloud, request: Request) -> Response:
    """The runs of a published pipeline."""
    return json_response(
        [
            entity(cloud, record)
            for record in PIPELINE_RUNS.list(cloud)
            if record["pipeline_id"] == request.params["pipeline"]
        ]
    )


@router.route("GET", _API + "/Graphs/{id}")
def get_graph(cloud: Cloud, request: Request) -> Response:
    """A graph as it was submitted."""
    return json_response(found(cloud, GRAPHS, request.params["id"])["graph"])


@router.route("GET", _API + "/Graphs/{id}/Interface")
def get_graph_interface(cloud: Cloud, request: Request) -> Response:
    """The parameters of a graph."""
    return json_response(found(cloud, GRAPHS, request.params["id"])["interface"])
