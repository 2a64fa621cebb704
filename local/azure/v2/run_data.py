"""What azure-ai-ml asks run history for by a run's id alone, and where outputs lie.

Shapes: azure.ai.ml's runhistory, dataset_dataplane and model_dataplane clients.
"""

from __future__ import annotations

import re
from typing import Any

from local.azure import history
from local.azure.azure import Azure
from local.azure.experiments import HISTORY
from local.azure.v2 import job_views, uris
from local.azure.web import Request, Response, Router, ServiceError, json_response, required

router = Router()

_MODEL_TYPES = {
    "custom_model": "CustomModel",
    "mlflow_model": "MLFlowModel",
    "triton_model": "TritonModel",
}
_OUTPUT_ID = re.compile(r".*/(?:data|models)/azureml_(.+)_output_(?:data|model)_(.+)/versions/1")

router.route("GET", HISTORY + "/runs/{run}/details")(history.show_details)
router.route("GET", HISTORY + "/runs/{run}/children")(history.list_children)


@router.route("GET", HISTORY + "/runs/{run}/serviceinstances/{node}")
def show_service_instances(azure: Azure, request: Request) -> Response:
    """Interactive services of a job's node: there are none here."""
    history.existing_run(azure, request)
    return json_response({"instances": {}})


@router.route("POST", HISTORY + "/rundata")
def show_run_data(azure: Azure, request: Request) -> Response:
    """A run with its outputs as assets."""
    asked = request.json_object()
    run = history.get_run(azure, str(required(asked, "runId")))
    if run is None:
        raise ServiceError(404, "UserError", f"Run {asked['runId']} was not found.")
    kept = (azure.store.get(uris.OUTPUTS, run["runId"]) or {"outputs": {}})["outputs"]
    outputs = {
        name: {"assetId": _asset_id(azure, run["runId"], name, one["type"]), "type": _type(one)}
        for name, one in kept.items()
    }
    return json_response(
        {
            "runMetadata": {**run, "outputs": outputs},
            "runDefinition": run["runDefinition"] if asked.get("selectRunDefinition") else None,
            "jobSpecification": _specification(azure, run)
            if asked.get("selectJobSpecification")
            else None,
        }
    )


def _specification(azure: Azure, run: dict[str, Any]) -> dict[str, Any] | None:
    record = azure.store.get(job_views.JOBS, run["runId"])
    return record["properties"] if record else None


def _type(output: dict[str, Any]) -> str:
    return _MODEL_TYPES.get(output["type"], str(output["type"]))


def _asset_id(azure: Azure, run_id: str, name: str, kind: str) -> str:
    plural, word = ("models", "model") if kind in _MODEL_TYPES else ("data", "data")
    return (
        f"azureml://locations/{azure.location}/workspaces/{azure.workspace_id}/{plural}"
        f"/azureml_{run_id}_output_{word}_{name}/versions/1"
    )


@router.route("POST", "/data/v1.0{workspace}/dataversion/batchGetResolvedUris")
def resolve_data(azure: Azure, request: Request) -> Response:
    """Where outputs that are data lie."""
    asked = required(request.json_object(), "values")
    return json_response({"values": {one: {"uri": _uri(azure, one)} for one in asked}})


@router.route("POST", "/modelregistry/v1.0{workspace}/models/batchGetResolvedUris")
def resolve_models(azure: Azure, request: Request) -> Response:
    """Where outputs that are models lie."""
    asked = required(request.json_object(), "values")
    return json_response({"values": {one: {"path": _uri(azure, one)} for one in asked}})


def _uri(azure: Azure, asset_id: str) -> str:
    found = _OUTPUT_ID.fullmatch(asset_id)
    if not found:
        raise ServiceError(404, "UserError", f"There is no output with the id '{asset_id}'.")
    return uris.resolve(azure, f"azureml://jobs/{found[1]}/outputs/{found[2]}")
