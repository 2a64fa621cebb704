"""Events of runs: how the code of a run says that it started, ended, failed or wants to warn.

Names and data as azureml-core's contracts.events.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from local.azure.history.experiments import BY_NAME
from local.azure.history.records import RUNS, Run, RunError, RunWarning
from local.azure.history.runs import TERMINAL, existing_run, of_run, run_route
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router

_EVENTS = {
    "Queued": "Queued",
    "Start": "Running",
    "Completed": "Completed",
    "Failed": "Failed",
    "Canceled": "Canceled",
    "CancelRequested": "CancelRequested",
}

router = Router()


@run_route("POST", "/events", target=router)
def post_event(cloud: Cloud, request: Request) -> Response:
    """One event of a run."""
    existing_run(cloud, request)
    _apply_event(cloud, request.params["run"], request.json_object())
    return json_response({})


@router.route("POST", BY_NAME + "/batch/events")
def post_events(cloud: Cloud, request: Request) -> Response:
    """Several events of several runs."""
    for event in fields.objects(request.json_object(), "events"):
        run_id = fields.text(fields.mapping(event, "data"), "RunId")
        existing_run(cloud, of_run(request, run_id))
        _apply_event(cloud, run_id, event)
    return json_response({"errors": []})


def _apply_event(cloud: Cloud, run_id: str, event: Mapping[str, object]) -> None:
    name = str(event.get("name", "")).rpartition("Microsoft.MachineLearning.Run.")[2]
    data = fields.mapping(event, "data")
    if name == "Heartbeat":
        return
    if name not in (*_EVENTS, "Error", "Warning", "QueueingInfo"):
        raise ServiceError(400, "UserError", f"The event '{event.get('name')}' is not known.")

    def change(run: Run) -> None:
        run["lastModifiedUtc"] = cloud.ml_timestamp()
        if name == "Error":
            run["error"] = cast("RunError | None", data.get("ErrorResponse"))
        elif name == "Warning":
            warning: RunWarning = {
                "source": fields.optional_text(data, "Source"),
                "message": fields.optional_text(data, "Message"),
            }
            run["warnings"] = [*(run["warnings"] or []), warning]
        elif name in _EVENTS and run["status"] not in TERMINAL:
            run["status"] = _EVENTS[name]
            now = cloud.ml_timestamp()
            if name == "Start":
                run["startTimeUtc"] = fields.optional_text(data, "StartTime") or now
            elif run["status"] in TERMINAL:
                run["endTimeUtc"] = fields.optional_text(data, "EndTime") or now

    RUNS.update(cloud, run_id, change)
