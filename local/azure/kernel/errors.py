"""Errors in the form of the service that answers, and the headers of Resource Manager.

Forms: recorded answers (tests/local/azure/conformance), and for Resource Manager
Azure/azure-resource-manager-rpc, common-api-details.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response

ErrorForm = Callable[[Cloud, Request, ServiceError], Response]

# What is left of a subscription's calls in this hour; nobody is throttled here.
_REMAINING = {"GET": ("reads", "11999"), "DELETE": ("deletes", "14999")}
_REMAINING_WRITES = ("writes", "1199")


def resource_manager_error(_cloud: Cloud, _request: Request, error: ServiceError) -> Response:
    """{"error": {"code", "message"}}, or no body where the service sends none."""
    if error.empty:
        return Response(status=error.status, headers={"content-length": "0"})
    answer: dict[str, Any] = {"code": error.code, "message": error.message}
    if error.details:
        answer["details"] = [vars(detail) for detail in error.details]
    return json_response({"error": answer}, error.status)


def management_frontend_error(cloud: Cloud, _request: Request, error: ServiceError) -> Response:
    """The form of Azure ML's resources other than computes: the reasons are in additionalInfo."""
    additional = [
        _information("ComponentName", "managementfrontend"),
        _information("Correlation", correlation()),
        _information("Environment", cloud.location),
        _information("Location", cloud.location),
        _information("Time", cloud.ml_timestamp()),
    ]
    if error.inner:
        additional.append(_information("InnerError", nested(error.inner)))
    if error.message_format is not None:
        additional.append(_information("MessageFormat", error.message_format))
    answer = {
        "code": error.code,
        "message": error.message,
        "details": [
            {**vars(detail), "details": [], "additionalInfo": []} for detail in error.details
        ],
        "additionalInfo": additional,
    }
    return json_response({"error": answer}, error.status)


def data_plane_error(cloud: Cloud, request: Request, error: ServiceError) -> Response:
    """The form of Azure ML's data planes, such as run history."""
    answer = {
        "code": error.code,
        "severity": None,
        "message": error.message,
        "messageFormat": error.message_format,
        "messageParameters": {},
        "referenceCode": None,
        "detailsUri": None,
        "target": None,
        "details": [vars(detail) for detail in error.details],
        "innerError": nested(error.inner),
        "debugInfo": None,
        "additionalInfo": None,
    }
    body = {
        "error": answer,
        "correlation": correlation(),
        "environment": cloud.location,
        "location": cloud.location,
        "time": cloud.ml_timestamp(),
        "componentName": request.path.strip("/").partition("/")[0],
    }
    return json_response(body, error.status)


def model_management_error(_cloud: Cloud, _request: Request, error: ServiceError) -> Response:
    """The form of the service for models and web services of v1, as its client reads it."""
    body = {
        "code": error.code,
        "statusCode": error.status,
        "message": error.message,
        "details": [{"code": error.code, "message": error.message}],
        "correlation": {"RequestId": str(uuid.uuid4())},
    }
    return json_response(body, error.status)


def correlation() -> dict[str, str]:
    """The ids by which the service's own people find a request again."""
    return {"operation": uuid.uuid4().hex, "request": uuid.uuid4().hex[:16]}


def nested(codes: tuple[str, ...]) -> dict[str, Any] | None:
    """Ever more specific codes, one within the other."""
    found: dict[str, Any] | None = None
    for code in reversed(codes):
        found = {"code": code, "innerError": found}
    return found


def _information(kind: str, value: Any) -> dict[str, Any]:
    return {"type": kind, "info": {"value": value}}


def with_headers(cloud: Cloud, request: Request, answer: Response) -> Response:
    """An answer of Resource Manager with the headers that it gives to all of them."""
    correlation_id = request.headers.get("x-ms-correlation-request-id") or str(uuid.uuid4())
    kind, left = _REMAINING.get(request.method, _REMAINING_WRITES)
    has_error = answer.status >= 400 and answer.body != b""
    return replace(
        answer,
        headers={
            "cache-control": "no-cache",
            "pragma": "no-cache",
            "expires": "-1",
            "strict-transport-security": "max-age=31536000; includeSubDomains",
            "x-content-type-options": "nosniff",
            "x-ms-request-id": str(uuid.uuid4()),
            "x-ms-correlation-request-id": correlation_id,
            "x-ms-routing-request-id": (
                f"{cloud.location.upper()}:{cloud.now():%Y%m%dT%H%M%SZ}:{correlation_id}"
            ),
            f"x-ms-ratelimit-remaining-subscription-{kind}": left,
            "x-ms-response-type": "error" if has_error else "standard",
            **answer.headers,
        },
    )
