"""Errors in the form of each service."""

from __future__ import annotations

import json

import pytest

from local.azure.kernel import errors
from local.azure.kernel.http import Detail, Request, Response, ServiceError

REFUSED = ServiceError(
    400,
    "UserError",
    "It is wrong.",
    inner=("BadArgument", "Missing"),
    details=[Detail(code="RequestInvalid", message="Path 'a'.")],
    message_format="It is {what}.",
)
DETAIL = {"code": "RequestInvalid", "message": "Path 'a'."}
INNER = {"code": "BadArgument", "innerError": {"code": "Missing", "innerError": None}}


def request(**changes):
    values = {"method": "GET", "host": "h", "path": "/history/v1.0/x", "body": b""}
    return Request(**{"query": {}, "headers": {}, **values, **changes})


def body(form, cloud, error):
    answer = form(cloud, request(), error)
    assert answer.status == error.status
    return json.loads(answer.body)


def test_resource_manager(fresh_azure):
    found = body(errors.resource_manager_error, fresh_azure, REFUSED)["error"]
    assert found == {"code": "UserError", "message": "It is wrong.", "details": [DETAIL]}
    plain = body(errors.resource_manager_error, fresh_azure, ServiceError(404, "C", "M"))
    assert plain == {"error": {"code": "C", "message": "M"}}


def test_some_errors_have_no_body(fresh_azure):
    error = ServiceError(404, "C", "M", empty=True)
    answer = errors.resource_manager_error(fresh_azure, request(), error)
    assert (answer.body, answer.headers["content-length"]) == (b"", "0")


def test_the_management_frontend_gives_its_reasons_besides(fresh_azure):
    found = body(errors.management_frontend_error, fresh_azure, REFUSED)["error"]
    told = {one["type"]: one["info"]["value"] for one in found["additionalInfo"]}
    assert told["ComponentName"] == "managementfrontend"
    assert told["InnerError"] == INNER
    assert told["MessageFormat"] == "It is {what}."
    assert found["details"] == [{**DETAIL, "details": [], "additionalInfo": []}]


def test_the_data_planes_name_their_component(fresh_azure):
    found = body(errors.data_plane_error, fresh_azure, REFUSED)
    assert found["componentName"] == "history"
    assert found["error"]["innerError"] == INNER
    assert found["error"]["message"] == "It is wrong."


def test_model_management(fresh_azure):
    found = body(errors.model_management_error, fresh_azure, REFUSED)
    assert (found["statusCode"], found["details"][0]["message"]) == (400, "It is wrong.")


@pytest.mark.parametrize(
    ("method", "header"), [("GET", "reads"), ("DELETE", "deletes"), ("PATCH", "writes")]
)
def test_resource_manager_tells_what_is_left_and_repeats_the_correlation(
    fresh_azure, method, header
):
    asked = request(method=method, headers={"x-ms-correlation-request-id": "mine"})
    found = errors.with_headers(fresh_azure, asked, Response(headers={"pragma": "own"})).headers
    assert int(found[f"x-ms-ratelimit-remaining-subscription-{header}"]) > 0
    assert found["x-ms-correlation-request-id"] == "mine"
    assert found["pragma"] == "own"
    assert found["x-ms-response-type"] == "standard"


def test_an_error_without_a_body_is_a_standard_response(fresh_azure):
    def kind(answer):
        return errors.with_headers(fresh_azure, request(), answer).headers["x-ms-response-type"]

    assert kind(Response(status=404)) == "standard"
    assert kind(Response(status=404, body=b"{}")) == "error"
