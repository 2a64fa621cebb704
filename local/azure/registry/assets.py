"""Assets of v1: the sets of artifacts that models are made of. Shapes: see model_records.py."""

from __future__ import annotations

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.errors import model_management_error
from local.azure.kernel.http import Request, Response, json_response
from local.azure.kernel.web import Router
from local.azure.registry import model_records
from local.azure.registry.models import has_pairs

router = Router(errors=model_management_error)
_PATH = "/modelmanagement/v1.0{workspace}/assets"


@router.route("POST", _PATH)
def create_asset(cloud: Cloud, request: Request) -> Response:
    """Name a set of artifacts. 400 when there is nothing under one of them."""
    return json_response(model_records.add_asset(cloud, request.json_object()))


@router.route("GET", _PATH, query=("name", "runId", "type", "properties"))
def list_assets(cloud: Cloud, request: Request) -> Response:
    """Assets by name, run, type or properties."""
    query = request.query
    found = [
        asset
        for asset in model_records.assets(cloud)
        if query.get("name") in (None, "", asset["name"])
        and query.get("runId") in (None, "", asset["runid"])
        and query.get("type") in (None, "", asset["type"])
        and has_pairs(asset["properties"], query.get("properties"))
    ]
    return json_response({"value": found, "nextLink": None})


@router.route("GET", _PATH + "/{asset}")
def show_asset(cloud: Cloud, request: Request) -> Response:
    """An asset by id."""
    return json_response(model_records.existing_asset(cloud, request.params["asset"]))
