"""What a handler takes and gives: a frozen request, a response, and an error that becomes one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from local.azure.kernel.uploads import FilePart, Upload

# How deep JSON may be nested.
MAX_DEPTH = 64
_TOO_DEEP = f"it is nested more than {MAX_DEPTH} levels deep"


@dataclass(frozen=True, kw_only=True)
class Detail:
    """One of several things that are wrong with a request, as errors list them in `details`."""

    code: str
    message: str


class ServiceError(Exception):
    """An answer other than success. Each service words it in its own form, see kernel/errors.py."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        inner: Sequence[str] = (),
        details: Sequence[Detail] = (),
        message_format: str | None = None,
        headers: Mapping[str, str] | None = None,
        empty: bool = False,
    ) -> None:
        """`status`: HTTP status; `code` and `message` as the service words them.

        inner: ever more specific codes. details: the single faults of a request with several.
        message_format: the message before its values were put in, where the service tells it.
        headers: what the answer has besides those of its form. empty: the service sends no body.
        """
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.inner = tuple(inner)
        self.details = tuple(details)
        self.message_format = message_format
        self.headers = dict(headers or {})
        self.empty = empty


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request. `path` and `params` are unquoted, header names are lower-case.

    upload: the body of a route that takes large ones, in place of `body`.
    """

    method: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    params: Mapping[str, str] = field(default_factory=dict)
    caller: Mapping[str, Any] | None = None
    raw_path: str = ""
    raw_query: str = ""
    upload: Upload | None = None

    def json(self) -> Any:
        """The parsed body; None when it is empty. Raises ServiceError 400 when it is no JSON."""
        if not self.body.strip():
            return None
        try:
            return parse_json(self.body.decode("utf-8-sig"))
        except ValueError as error:
            raise ServiceError(
                400, "BadRequest", f"The request body is not JSON: {error}"
            ) from None

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object ({} when empty). Raises ServiceError 400 for anything else."""
        parsed = self.json()
        if parsed is None:
            return {}
        if not isinstance(parsed, dict):
            raise ServiceError(400, "BadRequest", "The request body must be a JSON object.")
        return parsed


@dataclass(frozen=True, kw_only=True)
class Response:
    """One HTTP response. A `content-length` header is only needed where the body is left out.

    file: the body in place of `body`.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    file: FilePart | None = None


def parse_json(text: str) -> Any:
    """What JSON text stands for. Raises ValueError, also when it is nested deeper than services go.

    The limit is that of .NET's readers, which most of Azure's services have. It also spares all who
    walk through a body a test of their own.
    """
    if sum(map(text.count, "[{")) <= MAX_DEPTH:
        return json.loads(text)
    try:
        parsed = json.loads(text)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    level: list[Any] = [parsed]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return parsed
    raise ValueError(_TOO_DEEP)


def json_response(
    value: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A JSON answer."""
    return Response(
        status=status,
        body=json.dumps(value).encode(),
        headers={"content-type": "application/json; charset=utf-8", **(headers or {})},
    )


def required(body: Mapping[str, Any], name: str) -> Any:
    """The value of a field that the service insists on. Raises ServiceError 400 when absent."""
    if body.get(name) is None:
        raise ServiceError(400, "ValidationError", f"The field '{name}' is required.")
    return body[name]
