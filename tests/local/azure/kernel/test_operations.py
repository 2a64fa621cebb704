"""Long-running operations as the SDK of v1 polls them."""

from __future__ import annotations

import json

import pytest

from local.azure.kernel import operations
from local.azure.kernel.http import Request, ServiceError


def shown(cloud, operation_id, **query):
    params = {"id": operation_id}
    request = Request(
        method="GET", host="h", path="/", query=query, headers={}, body=b"", params=params
    )
    return json.loads(operations.show(cloud, request).body)


def test_an_operation_runs_until_it_is_finished(fresh_azure):
    operation_id = operations.start(fresh_azure, "Service", "services/a")
    answer = operations.accepted(operation_id)
    assert (answer.status, answer.headers["operation-location"]) == (
        202,
        f"/api/operations/{operation_id}",
    )
    found = shown(fresh_azure, operation_id)
    assert (found["state"], found["endTime"]) == ("Running", None)
    assert found["resourceLocation"] == f"{fresh_azure.workspace_scope}/services/a"
    operations.finish(fresh_azure, operation_id)
    found = shown(fresh_azure, operation_id)
    assert found["state"] == "Succeeded"
    assert found["endTime"] is not None


def test_with_an_error_it_failed(fresh_azure):
    operation_id = operations.start(fresh_azure, "Service", "services/a")
    operations.finish(fresh_azure, operation_id, {"code": "Crashed"})
    found = shown(fresh_azure, operation_id)
    assert (found["state"], found["error"]) == ("Failed", {"code": "Crashed"})


def test_progress_is_read_on_from_an_offset(fresh_azure):
    operation_id = operations.start(fresh_azure, "Service", "services/a")
    operations.tell(fresh_azure, operation_id, "a|b#c", part="DeployService")
    first = shown(fresh_azure, operation_id, offset="0")["streamingOperationLog"]
    operations.tell(fresh_azure, operation_id, "ready", part="DeployService")
    rest = shown(fresh_azure, operation_id, offset=str(len(first)))["streamingOperationLog"]
    assert [entry.split("|")[1] for entry in (first + rest).split("#")[:-1]] == ["a b c", "ready"]
    assert "streamingOperationLog" not in shown(fresh_azure, operation_id)


def test_an_operation_that_is_not_there(fresh_azure):
    with pytest.raises(ServiceError) as refused:
        shown(fresh_azure, "gone")
    assert refused.value.status == 404
