"""MLflow's protocol: addresses, the form of errors, arguments and pages.

Source: MLflow's REST API 2.0 (mlflow.org/docs, "REST API") below /mlflow/v1.0 and /mlflow/v2.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import ANY, Handler, Router

T = TypeVar("T")

_APIS = (
    "/mlflow/{face}{workspace}/api/2.0/mlflow/",
    "/mlflow/{face}{workspace}/api/2.0/preview/mlflow/",
)


def mlflow_route(routes: Router, methods: str, path: str) -> Callable[[Handler], Handler]:
    """Declare a handler whose errors are in MLflow's own form."""

    def declare(handler: Handler) -> Handler:
        def worded(cloud: Cloud, request: Request) -> Response:
            try:
                return handler(cloud, request)
            except ServiceError as error:
                body = {"error_code": error.code, "message": error.message}
                return json_response(body, error.status)

        for api in _APIS:
            query = ANY if "GET" in methods else ()
            routes.route(methods, api + path, query=query)(worded)
        return handler

    return declare


def asked(request: Request, *required: str) -> dict[str, Any]:
    """The fields of a request: query of a GET, else body. Raises ServiceError 400."""
    given = dict(request.query) if request.method == "GET" else request.json_object()
    for name in required:
        if given.get(name) in (None, ""):
            raise ServiceError(
                400, "INVALID_PARAMETER_VALUE", f"Missing value for required parameter '{name}'."
            )
    return given


def page(
    given: Mapping[str, Any],
    found: Sequence[T],
    name: str,
    show: Callable[[T], object] = lambda value: value,
) -> Mapping[str, object]:
    """One page of what was found, as `max_results` and `page_token` say.

    name: of the list in the answer. show: makes what the page shows of a value.
    """
    try:
        start = int(given.get("page_token") or 0)
        size = int(given.get("max_results") or 1000)
    except ValueError:
        raise ServiceError(
            400, "INVALID_PARAMETER_VALUE", "max_results or page_token is not valid."
        ) from None
    answer: dict[str, object] = {name: [show(one) for one in found[start : start + size]]}
    if start + size < len(found):
        answer["next_page_token"] = str(start + size)
    return answer
