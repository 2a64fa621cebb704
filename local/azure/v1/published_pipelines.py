"""Published pipelines: a graph that is kept under an id and run again with other parameters."""

from __future__ import annotations

import uuid

from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response, required
from local.azure.kernel.web import Router
from local.azure.v1 import pipelines
from local.azure.v1.modules import entity_fields
from local.azure.v1.records import GRAPHS, PUBLISHED, PublishedPipeline, found

router = Router()
_API = "/pipelines/v1.0{workspace}"
STATES = {"0": "0", "Active": "0", "1": "1", "Deprecated": "1", "2": "2", "Disabled": "2"}


@router.route("POST", _API + "/Pipelines/Create")
def publish(cloud: Cloud, request: Request) -> Response:
    """Publish a graph."""
    asked = request.json_object()
    pipeline_id = str(uuid.uuid4())
    entity = required(asked, "Graph")
    graph_id = pipelines.store_graph(cloud, entity, asked.get("GraphInterface") or {})
    pipeline: PublishedPipeline = {
        **entity_fields(cloud),
        "Id": pipeline_id,
        "Name": required(asked, "Name"),
        "Description": asked.get("Description"),
        "Version": asked.get("Version"),
        "GraphId": graph_id,
        "TotalRunSteps": len(entity.get("ModuleNodes") or []),
        "ParameterAssignments": asked.get("ParameterAssignments") or {},
        "DataSetDefinitionValueAssignments": {},
        "Url": (
            f"{cloud.base_url}/pipelines/v1.0{cloud.workspace_scope}"
            f"/PipelineRuns/PipelineSubmit/{pipeline_id}"
        ),
        "ContinueRunOnStepFailure": bool(asked.get("ContinueRunOnStepFailure")),
        "EnableNotification": False,
        "Properties": asked.get("Properties") or {},
    }
    PUBLISHED.insert(cloud, pipeline_id, pipeline)
    return json_response(pipeline)


@router.route("GET", _API + "/Pipelines", query=("activeOnly",))
def list_all(cloud: Cloud, request: Request) -> Response:
    """Published pipelines; the active ones unless all are asked for."""
    everything = request.query.get("activeOnly", "true").lower() == "false"
    kept = PUBLISHED.list(cloud)
    return json_response([each for each in kept if everything or each["EntityStatus"] == "0"])


@router.route("GET", _API + "/Pipelines/{id}")
def show(cloud: Cloud, request: Request) -> Response:
    """A published pipeline."""
    return json_response(found(cloud, PUBLISHED, request.params["id"]))


@router.route("PUT", _API + "/Pipelines/{id}/status")
def set_status(cloud: Cloud, request: Request) -> Response:
    """Make a published pipeline active, deprecated or disabled."""
    found(cloud, PUBLISHED, request.params["id"])
    status = STATES.get(str(request.json()))
    if status is None:
        raise ServiceError(400, "BadRequest", f"There is no status '{request.json()}'.")

    def change(pipeline: PublishedPipeline) -> None:
        pipeline["EntityStatus"] = status

    PUBLISHED.update(cloud, request.params["id"], change)
    return Response(status=200)


@router.route("POST", _API + "/PipelineRuns/PipelineSubmit/{id}", query=("parentRunId",))
def submit(cloud: Cloud, request: Request) -> Response:
    """Run a published pipeline."""
    return submit_pipeline(cloud, request, request.params["id"])


def submit_pipeline(cloud: Cloud, request: Request, pipeline_id: str) -> Response:
    """Run a published pipeline as the body of a request asks. Raises ServiceError.

    Values for parameters that it does not have are ignored: Microsoft's own notebook on pipeline
    endpoints sends some.
    """
    asked = request.json_object()
    pipeline = found(cloud, PUBLISHED, pipeline_id)
    if pipeline["EntityStatus"] == STATES["Disabled"]:
        raise ServiceError(400, "PipelineDisabled", f"Pipeline '{pipeline['Name']}' is disabled.")
    interface = found(cloud, GRAPHS, pipeline["GraphId"])["interface"]
    known = {parameter["Name"] for parameter in interface.get("Parameters") or []}
    given = fields.mapping(asked, "ParameterAssignments")
    info = {
        "ContinueRunOnStepFailure": pipeline["ContinueRunOnStepFailure"],
        **{key: value for key, value in asked.items() if value is not None},
        "ParameterAssignments": {
            **pipeline["ParameterAssignments"],
            **{name: value for name, value in given.items() if name in known},
        },
    }
    record = pipelines.new_run(
        cloud,
        pipeline["GraphId"],
        required(asked, "ExperimentName"),
        info,
        pipeline_id=pipeline["Id"],
    )
    pipelines.start_run(cloud, record, parent=request.query.get("parentRunId"))
    return json_response(pipelines.entity(cloud, record))
