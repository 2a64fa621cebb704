"""Jobs as Resource Manager shows them: what was submitted, with the state of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from local.azure.history.records import Run
from local.azure.kernel.cloud import Cloud
from local.azure.v2.assets import uris
from local.azure.v2.jobs.job_records import JOBS
from local.azure.v2.resources import CREATED, ApiVersion, Resource, view

_KINDS = {"azureml.scriptrun": "Command", "azureml.PipelineRun": "Pipeline"}


def kind_of(run: Run) -> str | None:
    """The type of the job that a run is; None for a run that no job service started."""
    return _KINDS.get(str(run["runType"]))


def show(cloud: Cloud, run: Run, api: ApiVersion) -> Resource[Mapping[str, object] | None]:
    """A job, in the shape of an api-version. The child of a pipeline has no properties."""
    name = run["runId"]
    properties = None if run["parentRunId"] else _properties(cloud, run, _Shape.of(api))
    return view(cloud, f"jobs/{name}", properties, created=run["createdUtc"], system_data=CREATED)


@dataclass(frozen=True, kw_only=True)
class _Shape:
    """What a version of the api adds to a job. Each was recorded from one version of its kind."""

    parent: bool = False
    secrets: bool = False
    auto_logger: bool = False
    paths: bool = False
    output: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()

    @staticmethod
    def of(api: ApiVersion) -> _Shape:
        """The nearest recorded shape: 2024-04-01, or the previews of 2023-08, 2024-01, 2025-01."""
        if not api.is_preview:
            return _Shape()
        if api.date >= "2025":
            return _Shape(parent=True, output=("assetName",), resources=("dockerArgsList",))
        later = api.date >= "2024"
        return _Shape(
            secrets=True,
            auto_logger=later,
            paths=later,
            output=("assetName", "assetVersion", "autoDeleteSetting"),
            resources=("maxInstanceCount", "locations"),
            queue=("priority",),
        )


def _properties(cloud: Cloud, run: Run, shape: _Shape) -> Mapping[str, Any]:
    record = JOBS.get(cloud, run["runId"])
    submitted = record["properties"] if record else _of_v1(cloud, run)
    kind = kind_of(run) or "Command"
    own = _pipeline(submitted) if kind == "Pipeline" else _command(submitted, shape)
    return {
        "description": run["description"],
        "tags": run["tags"],
        "properties": run["properties"],
        **({"parentJobName": None} if shape.parent else {}),
        "displayName": run["displayName"],
        "status": run["status"],
        "experimentName": run["experimentName"],
        "services": services(cloud, run["runId"]),
        "computeId": submitted.get("computeId"),
        "isArchived": bool(run["hidden"]),
        "identity": submitted.get("identity"),
        "componentId": submitted.get("componentId"),
        "notificationSetting": submitted.get("notificationSetting"),
        **({"secretsConfiguration": None} if shape.secrets else {}),
        "jobType": kind,
        **own,
        "inputs": {
            name: _input(given, shape) for name, given in (submitted.get("inputs") or {}).items()
        },
        "outputs": _outputs(cloud, run, submitted.get("outputs") or {}, shape),
    }


def _command(submitted: Mapping[str, Any], shape: _Shape) -> Mapping[str, Any]:
    resources = {
        **dict.fromkeys(("instanceType", "properties", "dockerArgs", *shape.resources)),
        **_given(submitted.get("resources")),
    }
    queue = {**dict.fromkeys(shape.queue), **_given(submitted.get("queueSettings"))}
    return {
        "resources": {"instanceCount": 1, "shmSize": "2g", **resources},
        "codeId": submitted.get("codeId"),
        "command": submitted.get("command"),
        "environmentId": submitted.get("environmentId"),
        "distribution": submitted.get("distribution"),
        "limits": submitted.get("limits"),
        "environmentVariables": submitted.get("environmentVariables"),
        "parameters": submitted.get("parameters") or {},
        "queueSettings": {"jobTier": "Null", **queue},
        **(
            {"autologgerSettings": submitted.get("autologgerSettings")} if shape.auto_logger else {}
        ),
    }


def _pipeline(submitted: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "settings": submitted.get("settings") or {},
        "jobs": submitted.get("jobs") or {},
        "sourceJobId": submitted.get("sourceJobId"),
    }


def _given(members: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return {name: value for name, value in (members or {}).items() if value is not None}


def _input(given: Mapping[str, Any], shape: _Shape) -> Mapping[str, Any]:
    if given.get("jobInputType") == "literal" or "uri" not in given:
        return {"description": None, **given}
    path = {"pathOnCompute": None} if shape.paths else {}
    return {"description": None, "mode": "ReadOnlyMount", **path, **given}


def services(cloud: Cloud, run_id: str) -> Mapping[str, Any]:
    """Where a run is tracked, and where it would be shown on a page."""
    workspace = (
        f"/subscriptions/{cloud.subscription_id}/resourcegroups/{cloud.resource_group}"
        f"/workspaces/{cloud.workspace_name}"
    )
    endpoints = {
        "Tracking": f"{cloud.mlflow_tracking_uri}?",
        "Studio": f"https://ml.azure.com/runs/{quote(run_id)}?wsid={workspace}",
    }
    return {
        kind: {
            "jobServiceType": kind,
            "port": None,
            "endpoint": endpoint,
            "status": None,
            "errorMessage": None,
            "properties": None,
            "nodes": None,
        }
        for kind, endpoint in endpoints.items()
    }


def _outputs(
    cloud: Cloud, run: Run, submitted: Mapping[str, Any], shape: _Shape
) -> Mapping[str, Any]:
    """What was asked for with its places, and the files of the run itself."""
    known = uris.outputs_of(cloud, run["runId"])
    found: dict[str, Mapping[str, Any]] = {name: given or {} for name, given in submitted.items()}
    for name, one in known.items():
        place = {"uri": one["uri"], "jobOutputType": one["type"]}
        found[name] = {**place, **found.get(name, {}), "uri": one["uri"]}
    # A pipeline has none before it runs.
    if kind_of(run) != "Pipeline" or run["status"] != "NotStarted":
        found["default"] = {"uri": uris.artifacts_uri(run["runId"])}
    usual = {"description": None, "uri": None, "mode": "ReadWriteMount"}
    more = dict.fromkeys((*(("pathOnCompute",) if shape.paths else ()), *shape.output))
    return {
        name: {**usual, **more, "jobOutputType": "uri_folder", **given}
        for name, given in found.items()
    }


def _of_v1(cloud: Cloud, run: Run) -> Mapping[str, Any]:
    target = run["target"]
    compute = f"{cloud.workspace_scope}/computes/{target}" if target else None
    if kind_of(run) == "Pipeline":
        return {"computeId": compute, "jobs": {}, "settings": {}, "inputs": {}}
    definition: Mapping[str, Any] = run["runDefinition"] or {}
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
