"""The nodes of a pipeline run: their states, outputs and logs.

Protocol: azureml.pipeline.core._restclients.aeva. The body of a request is the path of node ids
that leads to the node through nested graphs; the local Azure has no nested ones.
"""

from __future__ import annotations

from typing import Any

from local.azure import artifacts, executor, graph, job
from local.azure.azure import Azure
from local.azure.graph import DataPath
from local.azure.modules import data_location, found
from local.azure.web import Request, Response, Router, ServiceError, json_response

router = Router()
_RUN = "/pipelines/v1.0{workspace}/PipelineRuns/{run}"


@router.route("GET|POST", _RUN + "/Graph/AllNodes/StatusCode")
def all_status_codes(azure: Azure, request: Request) -> Response:
    """The status code of every node that was reached."""
    nodes = found(azure, executor.KIND, request.params["run"])["nodes"]
    return json_response({id: _status(state)["StatusCode"] for id, state in nodes.items()})


@router.route("GET|POST", _RUN + "/Graph/AllNodes/Status")
def all_statuses(azure: Azure, request: Request) -> Response:
    """The status of every node that was reached."""
    nodes = found(azure, executor.KIND, request.params["run"])["nodes"]
    return json_response({id: _status(state) for id, state in nodes.items()})


@router.route("POST", _RUN + "/Graph/Node/StatusCode")
def status_code(azure: Azure, request: Request) -> Response:
    """The status code of one node, as a JSON string."""
    return json_response(_status(_node(azure, request))["StatusCode"])


@router.route("POST", _RUN + "/Graph/Node/Status")
def status(azure: Azure, request: Request) -> Response:
    """The status of one node."""
    return json_response(_status(_node(azure, request)))


@router.route("POST", _RUN + "/Outputs")
def node_outputs(azure: Azure, request: Request) -> Response:
    """Where the outputs of one node lie."""
    outputs = _node(azure, request).get("outputs") or {}
    return json_response({name: _output(azure, path) for name, path in outputs.items()})


@router.route("GET", _RUN + "/PipelineRunOutputs/{name}")
def pipeline_output(azure: Azure, request: Request) -> Response:
    """Where an output of the whole pipeline lies."""
    record = found(azure, executor.KIND, request.params["run"])
    name = request.params["name"]
    kept = found(azure, "graph", record["graph_id"])["graph"]
    port = graph.pipeline_outputs(kept).get(name)
    state = record["nodes"].get(port.node) if port else None
    if port is None or state is None:
        raise ServiceError(404, "NotFound", f"The run has no output '{name}'.")
    return json_response(_output(azure, state["outputs"][port.name]))


@router.route("POST", _RUN + "/Graph/Shareable/{stream}")
def logs(azure: Azure, request: Request) -> Response:
    """The log of one node as text. A step has one log; standard error is part of it."""
    name = {"STDOUT": job.DRIVER_LOG, "JobLog": job.BUILD_LOG, "STDERR": ""}.get(
        request.params["stream"]
    )
    if name is None:
        raise ServiceError(404, "NotFound", f"There is no log '{request.params['stream']}'.")
    run_id = _node(azure, request).get("run_id")
    path = artifacts.file_path(azure, run_id, name) if name and run_id else None
    text = path.read_bytes() if path is not None and path.exists() else b""
    return Response(body=text, headers={"content-type": "text/plain; charset=utf-8"})


def _node(azure: Azure, request: Request) -> dict[str, Any]:
    nodes = found(azure, executor.KIND, request.params["run"])["nodes"]
    path = request.json()
    if not isinstance(path, list) or not path:
        raise ServiceError(400, "BadRequest", "The body must be a list with the node's id.")
    state: dict[str, Any] = nodes.get(path[-1]) or {"status": "NotStarted"}
    return state


def _status(state: dict[str, Any]) -> dict[str, Any]:
    return {
        "StatusCode": executor.NODE_CODES[state["status"]],
        "StatusDetail": None,
        "StartTime": state.get("started"),
        "EndTime": state.get("ended"),
        "RunId": state.get("run_id"),
        "HasWarnings": False,
    }


def _output(azure: Azure, path: dict[str, str]) -> dict[str, Any]:
    return {
        "DataTypeId": "AnyDirectory",
        "LogicalSizeInBytes": 0,
        "PhysicalSizeInBytes": 0,
        "Hash": None,
        "DataLocation": data_location(azure, DataPath(**path)),
    }
