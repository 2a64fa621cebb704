"""The nodes of a pipeline run: their states, outputs and logs.

Protocol: azureml.pipeline.core._restclients.aeva. The body of a request is the path of node ids
that leads to the node through nested graphs; the local Azure has no nested ones.
"""

from __future__ import annotations

from collections.abc import Mapping

from local.azure.history import artifacts
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router
from local.azure.running import job
from local.azure.v1 import graph, pipeline_runs
from local.azure.v1.graph import DataPath
from local.azure.v1.modules import data_location
from local.azure.v1.records import GRAPHS, PIPELINE_RUNS, NodeState, OutputPath, found

router = Router()
_RUN = "/pipelines/v1.0{workspace}/PipelineRuns/{run}"


@router.route("GET|POST", _RUN + "/Graph/AllNodes/StatusCode")
def all_status_codes(cloud: Cloud, request: Request) -> Response:
    """The status code of every node that was reached."""
    nodes = found(cloud, PIPELINE_RUNS, request.params["run"])["nodes"]
    return json_response({id: _status(state)["StatusCode"] for id, state in nodes.items()})


@router.route("GET|POST", _RUN + "/Graph/AllNodes/Status")
def all_statuses(cloud: Cloud, request: Request) -> Response:
    """The status of every node that was reached."""
    nodes = found(cloud, PIPELINE_RUNS, request.params["run"])["nodes"]
    return json_response({id: _status(state) for id, state in nodes.items()})


@router.route("POST", _RUN + "/Graph/Node/StatusCode")
def status_code(cloud: Cloud, request: Request) -> Response:
    """The status code of one node, as a JSON string."""
    return json_response(_status(_node(cloud, request))["StatusCode"])


@router.route("POST", _RUN + "/Graph/Node/Status")
def status(cloud: Cloud, request: Request) -> Response:
    """The status of one node."""
    return json_response(_status(_node(cloud, request)))


@router.route("POST", _RUN + "/Outputs")
def node_outputs(cloud: Cloud, request: Request) -> Response:
    """Where the outputs of one node lie."""
    outputs = _node(cloud, request).get("outputs") or {}
    return json_response({name: _output(cloud, path) for name, path in outputs.items()})


@router.route("GET", _RUN + "/PipelineRunOutputs/{name}")
def pipeline_output(cloud: Cloud, request: Request) -> Response:
    """Where an output of the whole pipeline lies."""
    record = found(cloud, PIPELINE_RUNS, request.params["run"])
    name = request.params["name"]
    kept = found(cloud, GRAPHS, record["graph_id"])["graph"]
    port = graph.pipeline_outputs(kept).get(name)
    state = record["nodes"].get(port.node) if port else None
    if port is None or state is None:
        raise ServiceError(404, "NotFound", f"The run has no output '{name}'.")
    return json_response(_output(cloud, state["outputs"][port.name]))


@router.route("POST", _RUN + "/Graph/Shareable/{stream}")
def logs(cloud: Cloud, request: Request) -> Response:
    """The log of one node as text. A step has one log; standard error is part of it."""
    name = {"STDOUT": job.DRIVER_LOG, "JobLog": job.BUILD_LOG, "STDERR": ""}.get(
        request.params["stream"]
    )
    if name is None:
        raise ServiceError(404, "NotFound", f"There is no log '{request.params['stream']}'.")
    run_id = _node(cloud, request).get("run_id")
    path = artifacts.file_path(cloud, run_id, name) if name and run_id else None
    text = path.read_bytes() if path is not None and path.exists() else b""
    return Response(body=text, headers={"content-type": "text/plain; charset=utf-8"})


def _node(cloud: Cloud, request: Request) -> NodeState:
    nodes = found(cloud, PIPELINE_RUNS, request.params["run"])["nodes"]
    path = request.json()
    if not isinstance(path, list) or not path:
        raise ServiceError(400, "BadRequest", "The body must be a list with the node's id.")
    return nodes.get(path[-1]) or {"status": "NotStarted"}


def _status(state: NodeState) -> Mapping[str, object]:
    return {
        "StatusCode": pipeline_runs.NODE_CODES[state["status"]],
        "StatusDetail": None,
        "StartTime": state.get("started"),
        "EndTime": state.get("ended"),
        "RunId": state.get("run_id"),
        "HasWarnings": False,
    }


def _output(cloud: Cloud, path: OutputPath) -> Mapping[str, object]:
    return {
        "DataTypeId": "AnyDirectory",
        "LogicalSizeInBytes": 0,
        "PhysicalSizeInBytes": 0,
        "Hash": None,
        "DataLocation": data_location(cloud, DataPath(**path)),
    }
