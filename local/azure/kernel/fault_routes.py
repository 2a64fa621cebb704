"""Faults while the server runs, at the proxy's own address: `/faults`.

`GET` lists them, `POST ?spec=…` adds one, `DELETE` clears one or all. Who knows the application's
secret may do so (Basic, RFC 7617), and only under a loopback name: a page in a browser, which may
reach the address too, has neither.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.fault_state import Counted
from local.azure.kernel.faults import parse
from local.azure.kernel.http import Response, json_response

PATH = "/faults"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def is_ours(target: str) -> bool:
    """Whether a request to the proxy's own address is about faults."""
    path = urlsplit(target).path
    return path == PATH or path.startswith(PATH + "/")


def answer(cloud: Cloud, method: str, headers: Mapping[str, str], target: str) -> Response:
    """Answer a request about faults.

    headers: their names in lower case. target: the path, perhaps with a query.
    """
    host = headers.get("host", "")
    if host.rpartition(":")[0] not in _LOOPBACK and host not in _LOOPBACK:
        return _problem(403, "Ask for 127.0.0.1: faults are not served under this name.")
    if not _is_known(cloud, headers.get("authorization", "")):
        refused = _problem(
            401, "Send the variables AZURE_CLIENT_ID and AZURE_CLIENT_SECRET as user and password."
        )
        return Response(
            status=refused.status,
            body=refused.body,
            headers={**refused.headers, "www-authenticate": 'Basic realm="local Azure"'},
        )
    parts = urlsplit(target)
    name = parts.path.removeprefix(PATH).strip("/")
    if method == "GET" and not name:
        return json_response({"value": [_shown(each) for each in cloud.faults.every()]})
    if method == "POST" and not name:
        return _add(cloud, parse_qs(parts.query, keep_blank_values=True).get("spec", []))
    if method == "DELETE":
        if not cloud.faults.clear(name or None) and name:
            return _problem(404, f"There is no fault {name}; GET {PATH} lists them.")
        return Response(status=204)
    return _problem(405, f"{PATH} takes GET, POST with ?spec=, and DELETE.")


def _is_known(cloud: Cloud, authorization: str) -> bool:
    kind, _, sent = authorization.partition(" ")
    if kind.lower() != "basic":
        return False
    try:
        given = base64.b64decode(sent.strip(), validate=True)
    except (binascii.Error, ValueError):
        return False
    return hmac.compare_digest(given, f"{cloud.client_id}:{cloud.client_secret}".encode())


def _add(cloud: Cloud, specs: list[str]) -> Response:
    if not specs:
        return _problem(400, "Say what goes wrong: ?spec=status%3D503.")
    try:
        faults = [parse(spec) for spec in specs]
    except ValueError as error:
        return _problem(400, str(error))
    names = [cloud.faults.add(fault) for fault in faults]
    added = [each for each in cloud.faults.every() if each.name in names]
    return json_response({"value": [_shown(each) for each in added]}, status=201)


def _shown(each: Counted) -> Mapping[str, object]:
    return {"name": each.name, "spec": str(each.fault), "met": each.met, "struck": each.struck}


def _problem(status: int, message: str) -> Response:
    return json_response({"error": {"code": status, "message": message}}, status=status)
