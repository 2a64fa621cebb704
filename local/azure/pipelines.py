"""The pipeline service: pipeline runs, made of graphs that are kept with them.

Protocol: azureml.pipeline.core._restclients.aeva, "AML pipelines API 1.0"; names are in PascalCase.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from local.azure import datastore, executor, graph, history
from local.azure.azure import Azure
from local.azure.graph import DataPath, GraphError, Step
from local.azure.modules import entity_fields, found
from local.azure.web import Request, Response, Router, ServiceError, json_response, required

router = Router()
_API = "/pipelines/v1.0{workspace}"
_RUN = _API + "/PipelineRuns/{run}"


@router.at_start
def recover(azure: Azure) -> None:
    """Fail what was under way when a server was killed."""
    executor.fail_interrupted(azure)


@router.at_stop
def stop(_azure: Azure) -> None:
    """End what runs."""
    executor.stop_all()


@router.route("POST", _API + "/PipelineRuns/Unsubmitted/CreationInfoWithGraph")
def create_run(azure: Azure, request: Request) -> Response:
    """Keep a graph and the run to be made of it, checked now, before anything runs."""
    asked = request.json_object()
    graph_id = store_graph(azure, required(asked, "Graph"), asked.get("GraphInterface") or {})
    record = new_run(
        azure,
        graph_id,
        request.query.get("experimentName", ""),
        asked.get("CreationInfo") or {},
    )
    return json_response(entity(azure, record))


@router.route("POST", _API + "/PipelineRuns/Submit/{run}")
def submit_run(azure: Azure, request: Request) -> Response:
    """Start a run that was created before."""
    record = found(azure, executor.KIND, request.params["run"])
    start_run(azure, record, parent=request.query.get("parentRunId"))
    return Response(status=200)


def store_graph(azure: Azure, entity: dict[str, Any], interface: dict[str, Any]) -> str:
    """Keep a graph; returns its id."""
    graph_id = str(uuid.uuid4())
    kept = {"graph": {**entity, **entity_fields(azure), "Id": graph_id}, "interface": interface}
    azure.store.insert("graph", graph_id, kept)
    return graph_id


def new_run(
    azure: Azure,
    graph_id: str,
    experiment: str,
    info: dict[str, Any],
    *,
    pipeline_id: str | None = None,
) -> dict[str, Any]:
    """A pipeline run that has not been started. Raises ServiceError for a graph that cannot run."""
    if not experiment:
        raise ServiceError(400, "ValidationError", "The experiment's name is required.")
    continues = info.get("ContinueRunOnStepFailure")
    if continues is None:
        continues = info.get("ContinueExperimentOnNodeFailure")
    run_id = str(uuid.uuid4())
    record = {
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
        "created": azure.timestamp(),
        "ended": None,
        "nodes": {},
    }
    plan(azure, record)
    azure.store.insert(executor.KIND, run_id, record)
    return record


def start_run(azure: Azure, record: dict[str, Any], *, parent: str | None = None) -> None:
    """Put a run into run history and start it. Raises ServiceError."""
    steps = plan(azure, record)
    for step in steps:
        problem = executor.check_target(azure, step.target)
        if problem:
            raise ServiceError(400, "ComputeTargetNotFound", f"Step '{step.name}': {problem}")

    def submit(value: dict[str, Any]) -> None:
        if value["submitted"]:
            raise ServiceError(409, "Conflict", f"Run {record['id']} was submitted before.")
        value["submitted"] = True

    azure.store.update(executor.KIND, record["id"], submit)
    properties = {
        "azureml.runsource": "azureml.PipelineRun",
        "runSource": record["source"],
        "runType": record["type"],
        **record["properties"],
    }
    if record["parameters"]:
        properties["azureml.parameters"] = json.dumps(record["parameters"])
    if record["pipeline_id"]:
        properties["azureml.pipelineid"] = record["pipeline_id"]
    run = history.create_run(
        azure,
        experiment=record["experiment"],
        run_id=record["id"],
        status="Preparing",
        runType="azureml.PipelineRun",
        displayName=record["description"] or record["id"],
        description=record["description"],
        tags=record["tags"],
        properties=properties,
        **({"parentRunId": parent} if parent else {}),
    )
    azure.store.update(
        executor.KIND,
        record["id"],
        lambda value: value.update(experiment_id=run["experimentId"]),
    )
    executor.start_pipeline(azure, record["id"], steps)


def plan(azure: Azure, record: dict[str, Any]) -> list[Step]:
    """The steps of a run. Raises ServiceError for a graph that cannot run."""
    kept = found(azure, "graph", record["graph_id"])
    wanted = {node["ModuleId"] for node in kept["graph"].get("ModuleNodes") or []}
    sources = {node.get("DatasetId") for node in kept["graph"].get("DatasetNodes") or []}
    try:
        return graph.plan(
            kept["graph"],
            kept["interface"],
            modules={id: module for id in wanted if (module := azure.store.get("module", id))},
            data_sources={id: _source_path(found(azure, "datasource", id)) for id in sources if id},
            assignments=record["parameters"],
            data_paths={
                name: DataPath(
                    datastore=value.get("DataStoreName") or datastore.DEFAULT,
                    path=(value.get("RelativePath") or "").strip("/"),
                )
                for name, value in record["data_paths"].items()
            },
        )
    except GraphError as error:
        status = 501 if error.code == "NotImplemented" else 400
        raise ServiceError(status, error.code, str(error)) from None


def _source_path(source: dict[str, Any]) -> DataPath:
    reference = source["DataLocation"]["DataReference"]["AzureBlobReference"]
    return DataPath(datastore=reference["AmlDataStoreName"], path=reference["RelativePath"])


@router.route("GET", _RUN)
def get_run(azure: Azure, request: Request) -> Response:
    """A pipeline run with its status."""
    return json_response(entity(azure, found(azure, executor.KIND, request.params["run"])))


def entity(azure: Azure, record: dict[str, Any]) -> dict[str, Any]:
    """A pipeline run as the service shows it."""
    return {
        **entity_fields(azure),
        "Id": record["id"],
        "Description": record["description"],
        "Status": {
            "StatusCode": executor.RUN_CODES[record["status"]],
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
        "TotalRunSteps": len(found(azure, "graph", record["graph_id"])["graph"]["ModuleNodes"]),
        "tags": record["tags"],
        "Properties": record["properties"],
        "CreatedDate": record["created"],
    }


@router.route("DELETE", _RUN + "/Execution")
def cancel_run(azure: Azure, request: Request) -> Response:
    """Ask a run to end. One that has ended stays as it is."""
    found(azure, executor.KIND, request.params["run"])
    executor.cancel(request.params["run"])
    return Response(status=200)


@router.route("GET", _API + "/PipelineRuns/Pipeline/{pipeline}")
def list_runs(azure: Azure, request: Request) -> Response:
    """The runs of a published pipeline."""
    return json_response(
        [
            entity(azure, record)
            for record in azure.store.list(executor.KIND)
            if record["pipeline_id"] == request.params["pipeline"]
        ]
    )


@router.route("GET", _API + "/Graphs/{id}")
def get_graph(azure: Azure, request: Request) -> Response:
    """A graph as it was submitted."""
    return json_response(found(azure, "graph", request.params["id"])["graph"])


@router.route("GET", _API + "/Graphs/{id}/Interface")
def get_graph_interface(azure: Azure, request: Request) -> Response:
    """The parameters of a graph."""
    return json_response(found(azure, "graph", request.params["id"])["interface"])
