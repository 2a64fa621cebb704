"""The front of web services: checks the key and passes scoring calls on to the process."""

from __future__ import annotations

import hmac
import http.client
from collections.abc import Iterable
from urllib.parse import urlsplit

from local.azure.identity import entra
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError
from local.azure.kernel.web import AKS_HOST, ANY, Router
from local.azure.serving import rollout
from local.azure.serving.service_records import SERVICES, Service

TOKEN_LIFETIME_S = 12 * 3600
_AUDIENCE = "azureml"
ACI_HOST = "*.azurecontainer.io"

router = Router(host=AKS_HOST)

# Of one connection only (RFC 9110, 7.6.1), or written anew for the next one.
_NOT_PASSED_ON = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
_NOT_PASSED_ON |= {"authorization", "proxy-authorization", "te", "trailer", "upgrade", "date"}


@router.route("GET|POST", "/api/v1/service/{name}/{path}", authenticated=False, query=ANY)
def score_on_aks(cloud: Cloud, request: Request) -> Response:
    """Score on AKS: /score, or /swagger.json."""
    return _score(cloud, request, request.params["name"])


@router.route("GET|POST", "/{path}", authenticated=False, host=ACI_HOST, query=ANY)
def score_on_aci(cloud: Cloud, request: Request) -> Response:
    """Score on ACI, whose host name has the service's name."""
    return _score(cloud, request, request.host.partition(".")[0])


def _score(cloud: Cloud, request: Request, name: str) -> Response:
    record = SERVICES.get(cloud, name)
    host = urlsplit(record["service"]["scoringUri"] or "").netloc if record else ""
    if record is None or host != request.host or not record["revision"]:
        return plain(404, f"Service {name} was not found on {request.host}.")
    if record["service"].get("aadAuthEnabled"):
        if not _has_token(cloud, request, record["service"]):
            return plain(401, "token_auth_access_denied")
    elif record["service"]["authEnabled"] and not has_key(request, record["keys"].values()):
        return plain(401, "key_auth_access_denied")
    limit = float(record["service"].get("scoringTimeoutMs") or 60000) / 1000
    with rollout.lent(cloud, name) as running:
        if running is None:
            return plain(502, f"Service {name} is not up.")
        return pass_on(request, running.port, request.params["path"], limit_s=limit, name=name)


def pass_on(request: Request, port: int, path: str, *, limit_s: float, name: str) -> Response:
    """What the process at `port` of 127.0.0.1 answers; 408 after `limit_s` seconds, 502 for none.

    path: without a leading slash. name: of the service, for the words of an error.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit_s)
    try:
        headers = {key: value for key, value in request.headers.items() if _passes(key)}
        query = f"?{request.raw_query}" if request.raw_query else ""
        connection.request(request.method, f"/{path}{query}", request.body or None, headers)
        answer = connection.getresponse()
        return Response(
            status=answer.status,
            body=answer.read(),
            headers={key.lower(): value for key, value in answer.getheaders() if _passes(key)},
        )
    except TimeoutError:
        return plain(408, f"Service {name} did not answer within {limit_s:.0f} s.")
    except (OSError, http.client.HTTPException) as error:
        return plain(502, f"Service {name} did not answer: {error}.")
    finally:
        connection.close()


def issue_token(cloud: Cloud, service: Service) -> str:
    """A token that scores on one service; a later one of the same name is another."""
    return entra.issue_token(
        cloud,
        audience=_AUDIENCE,
        lifetime_s=TOKEN_LIFETIME_S,
        iss="azureml",
        workspaceId=cloud.workspace_id,
        endpointName=service["name"],
        serviceId=service["createdTime"],
    )


def _has_token(cloud: Cloud, request: Request, service: Service) -> bool:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    try:
        claims = entra.verify_token(cloud, token.strip(), host=request.host, audience=_AUDIENCE)
    except ServiceError:
        return False
    of_this = (claims.get("endpointName"), claims.get("serviceId"))
    return kind.lower() == "bearer" and of_this == (service["name"], service["createdTime"])


def has_key(request: Request, keys: Iterable[object]) -> bool:
    """Whether a request bears one of the keys."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    return kind.lower() == "bearer" and any(
        hmac.compare_digest(given.strip().encode(), str(key).encode()) for key in keys
    )


def _passes(header: str) -> bool:
    return header.lower() not in _NOT_PASSED_ON


def plain(status: int, text: str) -> Response:
    """An answer in plain text."""
    return Response(
        status=status, body=text.encode(), headers={"content-type": "text/plain; charset=utf-8"}
    )
