"""Pipeline endpoints: one name and address for the versions of a published pipeline.

Protocol: azureml.pipeline.core._restclients.aeva, PipelineEndpoints of "AML pipelines API 1.0".
"""

from __future__ import annotations

import uuid

from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router
from local.azure.v1 import published_pipelines
from local.azure.v1.modules import entity_fields
from local.azure.v1.records import (
    ENDPOINTS,
    PUBLISHED,
    EndpointVersion,
    Entity,
    PipelineEndpoint,
    found,
)

router = Router()
_PIPELINES = "/pipelines/v1.0{workspace}"
_API = _PIPELINES + "/PipelineEndpoints"
_SUBMIT = _PIPELINES + "/PipelineRuns/PipelineEndpointSubmit"


@router.route("POST", _API + "/Create")
def create(cloud: Cloud, request: Request) -> Response:
    """Make an endpoint of a published pipeline, which becomes version 0."""
    asked = request.json_object()
    name = fields.text(asked, "Name")
    pipeline_id = found(cloud, PUBLISHED, fields.text(asked, "PipelineId"))["Id"]
    _check_free(cloud, name, but="")
    endpoint_id = str(uuid.uuid4())
    endpoint: PipelineEndpoint = {
        **entity_fields(cloud),
        "Id": endpoint_id,
        "Name": name,
        "Description": fields.optional_text(asked, "Description"),
        "DefaultVersion": "0",
        "PipelineVersionList": [{"PipelineId": pipeline_id, "Version": "0"}],
        "Url": (
            f"{cloud.base_url}/pipelines/v1.0{cloud.workspace_scope}"
            f"/PipelineRuns/PipelineEndpointSubmit/Id/{endpoint_id}"
        ),
        "Properties": fields.mapping(asked, "Properties"),
        "tags": {},
    }
    ENDPOINTS.insert(cloud, endpoint_id, endpoint)
    return json_response(endpoint)


@router.route("GET", _API, query=("activeOnly",))
def list_all(cloud: Cloud, request: Request) -> Response:
    """Endpoints, the active ones unless all are asked for; `BatchSize` of them at most."""
    kept = [each for each in ENDPOINTS.list(cloud) if _wanted(each, request)]
    most = request.headers.get("batchsize", "")
    return json_response(kept[: int(most)] if most.isdigit() else kept)


@router.route("GET", _API + "/Id/{id}")
def show(cloud: Cloud, request: Request) -> Response:
    """An endpoint by id."""
    return json_response(found(cloud, ENDPOINTS, request.params["id"]))


@router.route("GET", _API + "/Name", query=("Name",))
def show_named(cloud: Cloud, request: Request) -> Response:
    """An endpoint by name."""
    return json_response(_named(cloud, request.query.get("Name", "")))


@router.route("PUT", _API + "/{id}")
def update(cloud: Cloud, request: Request) -> Response:
    """Change name, description, status, versions or the default version."""
    endpoint_id = found(cloud, ENDPOINTS, request.params["id"])["Id"]
    asked = request.json_object()
    name = fields.text(asked, "Name")
    _check_free(cloud, name, but=endpoint_id)
    status = published_pipelines.STATES.get(str(asked.get("EntityStatus")))
    if status is None:
        raise ServiceError(400, "BadRequest", f"There is no status '{asked.get('EntityStatus')}'.")
    versions: list[EndpointVersion] = [
        {"PipelineId": fields.text(each, "PipelineId"), "Version": fields.text(each, "Version")}
        for each in fields.objects(asked, "PipelineVersionList")
    ]
    for each in versions:
        found(cloud, PUBLISHED, each["PipelineId"])
    default = fields.text(asked, "DefaultVersion")
    numbers = [each["Version"] for each in versions]
    if default not in numbers or len(set(numbers)) < len(numbers):
        raise ServiceError(
            400, "BadRequest", f"The default version '{default}' must be one of {numbers}, once."
        )

    def change(endpoint: PipelineEndpoint) -> None:
        endpoint["Name"], endpoint["EntityStatus"] = name, status
        endpoint["Description"] = fields.optional_text(asked, "Description")
        endpoint["PipelineVersionList"], endpoint["DefaultVersion"] = versions, default
        endpoint["LastModifiedDate"] = cloud.timestamp()

    return json_response(ENDPOINTS.update(cloud, endpoint_id, change))


@router.route("GET", _API + "/{id}/pipelines", query=("activeOnly",))
def list_pipelines(cloud: Cloud, request: Request) -> Response:
    """The published pipelines of an endpoint, the active ones unless all are asked for."""
    versions = found(cloud, ENDPOINTS, request.params["id"])["PipelineVersionList"]
    kept = (found(cloud, PUBLISHED, each["PipelineId"]) for each in versions)
    return json_response([each for each in kept if _wanted(each, request)])


@router.route("POST", _SUBMIT + "/Id/{id}", query=("pipelineVersion", "parentRunId"))
@router.route("POST", _SUBMIT + "/Id/{id}/{version}", query=("pipelineVersion", "parentRunId"))
def submit(cloud: Cloud, request: Request) -> Response:
    """Run a version of an endpoint, the default one unless a version is given."""
    return _submit(cloud, request, found(cloud, ENDPOINTS, request.params["id"]))


@router.route("POST", _SUBMIT + "/Name", query=("name", "pipelineVersion", "parentRunId"))
def submit_named(cloud: Cloud, request: Request) -> Response:
    """As `submit`, by name."""
    return _submit(cloud, request, _named(cloud, request.query.get("name", "")))


def _submit(cloud: Cloud, request: Request, endpoint: PipelineEndpoint) -> Response:
    if endpoint["EntityStatus"] == published_pipelines.STATES["Disabled"]:
        raise ServiceError(
            400, "PipelineEndpointDisabled", f"Pipeline endpoint '{endpoint['Name']}' is disabled."
        )
    asked = request.params.get("version") or request.query.get("pipelineVersion")
    version = asked or endpoint["DefaultVersion"]
    for each in endpoint["PipelineVersionList"]:
        if each["Version"] == version:
            return published_pipelines.submit_pipeline(cloud, request, each["PipelineId"])
    raise ServiceError(
        404, "NotFound", f"Pipeline endpoint '{endpoint['Name']}' has no version '{version}'."
    )


def _named(cloud: Cloud, name: str) -> PipelineEndpoint:
    for endpoint in ENDPOINTS.list(cloud):
        if endpoint["Name"] == name:
            return endpoint
    raise ServiceError(404, "NotFound", f"There is no pipeline endpoint '{name}'.")


def _check_free(cloud: Cloud, name: str, *, but: str) -> None:
    taken = (each["Id"] for each in ENDPOINTS.list(cloud) if each["Name"] == name)
    if any(each != but for each in taken):
        raise ServiceError(409, "Conflict", f"There is a pipeline endpoint '{name}' already.")


def _wanted(entity: Entity, request: Request) -> bool:
    everything = request.query.get("activeOnly", "true").lower() == "false"
    return everything or entity["EntityStatus"] == published_pipelines.STATES["Active"]
