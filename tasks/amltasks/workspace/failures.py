"""The task's own errors for what the SDKs raise.

azureml-sdk has a dozen exception families and puts the HTTP status, when there is one, into an
attribute, an inner exception or only the text (``Response Code: 403``). This module searches all
of them.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Iterable, Iterator
from typing import Any

import requests

from amltasks import errors
from amltasks.workspace import permissions

log = logging.getLogger("amltasks")

NO_SUBSCRIPTION = frozenset({"SubscriptionNotFound", "InvalidSubscriptionId"})
"""Resource Manager's codes for a subscription that is not in the principal's tenant."""

_MOST = 400
_STATUS = re.compile(
    r"(?:Response Code|StatusCode|Status Code|status code|Code|HTTP status|HTTP Error):\s*(\d{3})\b"
)
_HTTP_ERROR = re.compile(r"\b([45]\d\d) (?:Client|Server) Error\b")
_CONTENT = re.compile(r"Content:\s*b?(['\"])(?P<body>\{.*\})\1", re.DOTALL)
_ENTRA = re.compile(r"AADSTS(?P<code>\d+):.*?(?=\s*Trace ID|[\r\n\"\\]|$)")
# learn.microsoft.com/entra/identity-platform/reference-error-codes.
_ENTRA_CAUSES = {
    "70021": errors.FEDERATION_NOT_TRUSTED,
    "700211": errors.FEDERATION_NOT_TRUSTED,
    "700212": errors.FEDERATION_NOT_TRUSTED,
    "700213": errors.FEDERATION_NOT_TRUSTED,
    "7002138": errors.FEDERATION_NOT_TRUSTED,
    "700024": errors.ASSERTION_EXPIRED,
}
# The first that matches names the problem, so causes come before symptoms.
_NETWORK = (
    r"Tunnel connection failed: \d* ?[\w ]*",
    "Name or service not known",
    "getaddrinfo failed",
    "Temporary failure in name resolution",
    "No address associated with hostname",
    "Connection refused",
    "Connection reset",
    "Remote end closed connection",
    "EOF occurred in violation of protocol",
    "[Tt]imed out",
    "Failed to establish a new connection",
    "Connection aborted",
    "Max retries exceeded",
)
# A connection that was cut. Python reports it as a TLS error.
_CUT = re.compile(r"EOF occurred in violation of protocol|SSLZeroReturnError")
_TLS = re.compile(r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSLError", re.IGNORECASE)
# What the SDK refuses without a request (msal, an invalid tenant) has no status, only text.
_SIGN_IN = re.compile(
    r"invalid_client|unauthorized_client|invalid_tenant|Unable to get authority configuration|"
    r"check your tenant name",
    re.IGNORECASE,
)


# What azureml-pipeline-core says when azureml-core does not know its kinds of runs, and what Python
# says of packages that do not belong together.
_BROKEN_SDK = re.compile(r"Expected a (?:Step|Pipeline)Run\b|module 'azure(?:ml)?[\w.]*' has no ")


def _is_missing_part(cause: BaseException) -> bool:
    name = (cause.name or "") if isinstance(cause, ImportError) else ""
    return name.partition(".")[0] in ("azure", "azureml", "msrest", "msal")


@contextlib.contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn whatever the SDK raises inside into a ``TaskError``.

    Args:
        doing: what was being done, to follow "while": ``"looking for the cluster 'x'"``.
    """
    try:
        yield
    except errors.TaskError:
        raise
    except Exception as cause:
        log.debug("While %s", doing, exc_info=True)
        raise translate(cause, doing) from cause


@contextlib.contextmanager
def creating(kind: str, name: str) -> Iterator[None]:
    """As ``translated``, for a new compute target: names a refusal for lack of quota.

    Args:
        kind: ``cluster`` or ``AKS cluster``.
        name: the target's name.
    """
    try:
        with translated(f"creating the {kind} '{name}'"):
            yield
    except errors.TaskError as error:
        if error.cause is not errors.REFUSED or "quota" not in error.happened.lower():
            raise
        detail = message(error.__cause__ or error)
        raise errors.COMPUTE_QUOTA.error(name=name, detail=detail) from error.__cause__


def translate(cause: BaseException, doing: str) -> errors.TaskError:
    """The named error behind an exception of the SDK (or of requests, msrest, msal beneath it)."""
    chain = list(_chain(cause))
    for each in chain:  # the SDKs call our sign-in and may wrap what it raises
        if isinstance(each, errors.TaskError) and each.cause in errors.SIGN_IN:
            return each
    told = "\n".join(str(each) for each in chain)
    detail = message(cause)
    if _BROKEN_SDK.search(told) or any(_is_missing_part(each) for each in chain):
        return errors.SDK_BROKEN.error(doing=doing, detail=detail)
    entra = _ENTRA.search(told)
    if entra:
        refused = _ENTRA_CAUSES.get(entra["code"], errors.AUTHENTICATION_FAILED)
        return refused.error(detail=short(entra[0]))
    status = http_status(cause)
    unconnected = _unconnected(chain, told, status)
    if unconnected is not None:
        return unconnected.error(doing=doing, detail=_network_detail(told))
    if status in (None, 400, 401) and _SIGN_IN.search(told):
        return errors.AUTHENTICATION_FAILED.error(detail=detail)
    if status == 403:
        return _forbidden(cause, told, doing, detail)
    return _of_status(status).error(doing=doing, status=status, detail=detail)


def _unconnected(chain: list[BaseException], told: str, status: int | None) -> errors.Cause | None:
    """The cause of a request that no server answered, None for one that was answered."""
    tls = _TLS.search(told) or any(isinstance(e, requests.exceptions.SSLError) for e in chain)
    if tls and not _CUT.search(told):
        return errors.TLS_FAILED
    network = (requests.exceptions.ConnectionError, requests.exceptions.Timeout, ConnectionError)
    broken = any(isinstance(e, network) or type(e).__name__ in _HALF_ANSWERS for e in chain)
    if (status is None and (broken or _problem(told))) or (broken and status == 200):
        return errors.NO_NETWORK
    return None


# What requests, urllib3, http.client and azure-core raise when an answer breaks off.
_HALF_ANSWERS = frozenset(
    {"ChunkedEncodingError", "IncompleteRead", "IncompleteReadError", "ProtocolError"}
)


def _of_status(status: int | None) -> errors.Cause:
    """The cause that an answer's HTTP status names."""
    named = {401: errors.UNAUTHORIZED, 404: errors.NOT_FOUND, 429: errors.THROTTLED}
    if status in named:
        return named[status]
    if status is not None and status >= 500 and status != 501:
        return errors.SERVICE_UNAVAILABLE
    return errors.REFUSED


def _forbidden(cause: BaseException, told: str, doing: str, detail: str) -> errors.TaskError:
    """The error that names the role to give, if the service names the missing permission."""
    responses = [getattr(each, "response", None) for each in _chain(cause)]
    said = "\n".join([told, *(_body(each) for each in responses)])
    address = next((str(url) for each in responses if (url := getattr(each, "url", ""))), "")
    missing = permissions.missing(said, address)
    if missing is None:
        return errors.FORBIDDEN.error(doing=doing, detail=detail)
    return errors.ROLE_MISSING.error(
        doing=doing,
        who=f" (object id {missing.object_id})" if missing.object_id else "",
        action=missing.action,
        role=missing.role,
        command=missing.command,
    )


def http_status(cause: BaseException) -> int | None:
    """The HTTP status that an exception carries, None when it carries none."""
    for each in _chain(cause):
        found = getattr(getattr(each, "response", None), "status_code", None)
        found = found or getattr(each, "status_code", None)
        if isinstance(found, int) and found >= 400:
            return found
        text = str(each)
        match = _STATUS.search(text) or _HTTP_ERROR.search(text)
        if match and int(match[1]) >= 400:
            return int(match[1])
    return None


def error_code(cause: BaseException) -> str:
    """The ``code`` in the JSON error body that the service answered with, empty without one."""
    for each in _chain(cause):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            return str(json.loads(_body(getattr(each, "response", None)))["error"]["code"])
    return ""


def not_moved(source: str, target: str) -> errors.TaskError:
    """The error for a pipeline none of whose steps names the cluster to move them from."""
    return errors.REFUSED.error(
        doing=f"moving steps from the cluster '{source}' to '{target}'",
        detail="no step of the pipeline names it",
    )


def message(cause: BaseException) -> str:
    """The service's error message in one line, or the exception's text when there is none."""
    for each in _chain(cause):
        body = _body(getattr(each, "response", None))
        if not body:
            text = getattr(each, "message", None)
            match = _CONTENT.search(text if isinstance(text, str) else str(each))
            body = match["body"].replace("\\'", "'").replace('\\\\"', '\\"') if match else ""
        said = _said(body)
        if said:
            return short(said)
    own = getattr(cause, "message", None)
    return short(own if isinstance(own, str) and own else str(cause) or type(cause).__name__)


def _body(response: Any) -> str:
    body = getattr(response, "text", "") or ""
    # In azure-core it is a method, which reads the stream.
    return str(body() if callable(body) else body)


def _said(body: str) -> str:
    """The ``message`` in a JSON error body of ARM, run history or model management."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    while isinstance(found, dict):
        inner = found.get("error")
        if isinstance(inner, dict):
            found = inner
            continue
        details = found.get("details") or []
        more = [d["message"] for d in details if isinstance(d, dict) and d.get("message")]
        said = str(found.get("message") or "")
        return ": ".join([said, *more]) if said else ": ".join(more)
    return ""


def _chain(cause: BaseException) -> Iterator[BaseException]:
    """The exception and everything that caused it, each once."""
    todo: list[object] = [cause]
    seen: set[int] = set()
    while todo:
        each = todo.pop(0)
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        todo += [getattr(each, "inner_exception", None), each.__cause__, each.__context__]


def _network_detail(told: str) -> str:
    host = re.search(r"host='([^']+)'", told) or re.search(r"https?://([^/\s:'\"]+)", told)
    said = _problem(told) or "the connection failed"
    return f"{said} ({host[1]})" if host else said


def _problem(told: str) -> str:
    tls = re.search(r"certificate verify failed: [\w ]*", told)
    found = (re.search(pattern, told) for pattern in _NETWORK)
    return tls[0].strip() if tls else next((match[0].strip() for match in found if match), "")


def short(text: str) -> str:
    """The text as one line of reasonable length, without the SDK's headers and stack traces."""
    text = re.split(r"\n\s*(?:Headers|InnerException|Stack|Traceback)", text)[0]
    line = " ".join(text.split()).rstrip(".")
    return line if len(line) <= _MOST else line[: _MOST - 1] + "…"


def problems(*reported: Any) -> tuple[str, ...]:
    """The lines ``Code: message`` of ARM's error objects, however they are nested."""
    return tuple(dict.fromkeys(line for each in reported for line in _lines(each)))


def _lines(reported: Any) -> Iterable[str]:
    if not reported:
        return
    if isinstance(reported, str):
        yield " ".join(reported.split())
    elif isinstance(reported, dict):
        inner = reported.get("error")
        if inner:
            yield from _lines(inner)
            return
        code, message = reported.get("code"), reported.get("message")
        if code or message:
            yield ": ".join(str(part) for part in (code, message) if part)
            yield from _lines(reported.get("details"))
        else:
            yield json.dumps(reported)
    else:
        for each in reported:
            yield from _lines(each)
