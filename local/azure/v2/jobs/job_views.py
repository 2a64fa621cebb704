"""Jobs as Resource Manager shows them: what was submitted, with the state of the run."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from local.azure.kernel.cloud import Cloud
from local.azure.v2.assets import uris
from local.azure.v2.resources import view

# What was submitted, by the job's name.
JOBS = "v2-job"

_KINDS = {"azureml.scriptrun": "Command", "azureml.PipelineRun": "Pipeline"}


def kind_of(run: dict[str, Any]) -> str | None:
    """The type of the job that a run is; None for a run that no job service started."""
    return _KINDS.get(str(run["runType"]))


def show(cloud: Cloud, run: dict[str, Any]) -> dict[str, Any]:
    """A job. The child of a pipeline has no properties, as in the service."""
    name = run["runId"]
    properties = None if run["parentRunId"] else _properties(cloud, run)
    return view(
        cloud,
        f"jobs/{name}",
        properties,
        created=run["createdUtc"],
        modified=run["lastModifiedUtc"],
    )


def _properties(cloud: Cloud, run: dict[str, Any]) -> dict[str, Any]:
    record = cloud.store.get(JOBS, run["runId"])
    submitted = record["properties"] if record else _of_v1(cloud, run)
    return {
        **submitted,
        "jobType": kind_of(run) or "Command",
        "status": run["status"],
        "displayName": run["displayName"],
        "experimentName": run["experimentName"],
        "description": run["description"],
        "tags": run["tags"],
        "properties": run["properties"],
        "isArchived": bool(run["hidden"]),
        "services": services(cloud, run["runId"]),
        "outputs": _outputs(cloud, run["runId"], submitted.get("outputs") or {}),
    }


def services(cloud: Cloud, run_id: str) -> dict[str, Any]:
    """Where a run is tracked, and where it would be shown on a page."""
    studio = f"https://ml.azure.com/runs/{quote(run_id)}?wsid={cloud.workspace_scope}"
    return {
        "Tracking": {
            "jobServiceType": "Tracking",
            "endpoint": cloud.mlflow_tracking_uri,
            "port": None,
            "status": None,
            "errorMessage": None,
            "properties": None,
        },
        "Studio": {
            "jobServiceType": "Studio",
            "endpoint": studio,
            "port": None,
            "status": None,
            "errorMessage": None,
            "properties": None,
        },
    }


def _outputs(cloud: Cloud, run_id: str, submitted: dict[str, Any]) -> dict[str, Any]:
    known = (cloud.store.get(uris.OUTPUTS, run_id) or {"outputs": {}})["outputs"]
    outputs = {
        name: {
            "jobOutputType": "uri_folder",
            "mode": "ReadWriteMount",
            **(given or {}),
            **({"uri": known[name]["uri"]} if name in known else {}),
        }
        for name, given in submitted.items()
    }
    for name, one in known.items():
        outputs.setdefault(
            name, {"jobOutputType": one["type"], "mode": "ReadWriteMount", "uri": one["uri"]}
        )
    outputs["default"] = {
        "jobOutputType": "uri_folder",
        "mode": "ReadWriteMount",
        "uri": uris.artifacts_uri(run_id),
        "description": None,
        "assetName": None,
    }
    return outputs


def _of_v1(cloud: Cloud, run: dict[str, Any]) -> dict[str, Any]:
    target = run["target"]
    compute = f"{cloud.workspace_scope}/computes/{target}" if target else None
    if kind_of(run) == "Pipeline":
        return {"computeId": compute, "jobs": {}, "settings": {}, "inputs": {}}
    definition = run["runDefinition"] or {}
    script = f"python {run['scriptName']}" if run["scriptName"] else ""
    environment = definition.get("environment") or {}
    return {
        "computeId": compute,
        "command": definition.get("command") or script,
        "environmentId": (
            f"{cloud.workspace_scope}/environments/{environment.get('name') or 'unknown'}"
            f"/versions/{environment.get('version') or '1'}"
        ),
        "inputs": {},
        "resources": {"instanceCount": 1},
    }
