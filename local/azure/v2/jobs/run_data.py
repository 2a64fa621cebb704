"""What azure-ai-ml asks run history for by a run's id alone, and where outputs lie.

Shapes: cloud.ai.ml's runhistory, dataset_dataplane and model_dataplane clients.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from local.azure.history import run_views, runs
from local.azure.history.experiments import HISTORY
from local.azure.history.records import Run
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response, required
from local.azure.kernel.web import Router
from local.azure.v2.assets import uris
from local.azure.v2.jobs.job_records import JOBS

router = Router()

_MODEL_TYPES = {
    "custom_model": "CustomModel",
    "mlflow_model": "MLFlowModel",
    "triton_model": "TritonModel",
}
_OUTPUT_ID = re.compile(r".*/(?:data|models)/azureml_(.+)_output_(?:data|model)_(.+)/versions/1")

router.route("GET", HISTORY + "/runs/{run}/details")(runs.show_details)
router.route("GET", HISTORY + "/runs/{run}/children")(runs.list_children)


@router.route("GET", HISTORY + "/runs/{run}/serviceinstances/{node}")
def show_service_instances(cloud: Cloud, request: Request) -> Response:
    """Interactive services of a job's node: there are none here."""
    runs.existing_run(cloud, request)
    return json_response({"instances": {}})


@router.route("POST", HISTORY + "/rundata")
def show_run_data(cloud: Cloud, request: Request) -> Response:
    """A run with its outputs as assets."""
    asked = request.json_object()
    run = runs.get_run(cloud, str(required(asked, "runId")))
    if run is None:
        raise ServiceError(404, "UserError", f"Run {asked['runId']} was not found.")
    kept = uris.outputs_of(cloud, run["runId"])
    outputs = {
        name: {"assetId": _asset_id(cloud, run["runId"], name, one["type"]), "type": _type(one)}
        for name, one in kept.items()
    }
    return json_response(
        {
            "runMetadata": {**run_views.shown(cloud, run), "outputs": outputs},
            "runDefinition": run["runDefinition"] if asked.get("selectRunDefinition") else None,
            "jobSpecification": _specification(cloud, run)
            if asked.get("selectJobSpecification")
            else None,
        }
    )


def _specification(cloud: Cloud, run: Run) -> Mapping[str, object] | None:
    record = JOBS.get(cloud, run["runId"])
    return record["properties"] if record else None


def _type(output: uris.KeptOutput) -> str:
    return _MODEL_TYPES.get(output["type"], output["type"])


def _asset_id(cloud: Cloud, run_id: str, name: str, kind: str) -> str:
    plural, word = ("models", "model") if kind in _MODEL_TYPES else ("data", "data")
    return (
        f"azureml://locations/{cloud.location}/workspaces/{cloud.workspace_id}/{plural}"
        f"/azureml_{run_id}_output_{word}_{name}/versions/1"
    )


@router.route("POST", "/data/v1.0{workspace}/dataversion/batchGetResolvedUris")
def resolve_data(cloud: Cloud, request: Request) -> Response:
    """Where outputs that are data lie."""
    asked = required(request.json_object(), "values")
    return json_response({"values": {one: {"uri": _uri(cloud, one)} for one in asked}})


@router.route("POST", "/modelregistry/v1.0{workspace}/models/batchGetResolvedUris")
def resolve_models(cloud: Cloud, request: Request) -> Response:
    """Where outputs that are models lie."""
    asked = required(request.json_object(), "values")
    return json_response({"values": {one: {"path": _uri(cloud, one)} for one in asked}})


def _uri(cloud: Cloud, asset_id: str) -> str:
    found = _OUTPUT_ID.fullmatch(asset_id)
    if not found:
        raise ServiceError(404, "UserError", f"There is no output with the id '{asset_id}'.")
    return uris.resolve(cloud, f"azureml://jobs/{found[1]}/outputs/{found[2]}")
