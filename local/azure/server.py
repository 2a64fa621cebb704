"""The server: collects the routers, checks tokens and scopes, runs handlers, owns the sockets."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import json
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import starlette.requests
import starlette.responses
import trustme
import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from local.azure.devops import routers as devops
from local.azure.devops.errors import error_answer
from local.azure.history import (
    artifacts,
    experiments,
    metrics,
    run_events,
    runs,
    snapshots,
)
from local.azure.identity import (
    directory,
    entra,
    imds,
    roles,
)
from local.azure.kernel import fault_routes, operations
from local.azure.kernel.certificates import server_context
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.errors import ErrorForm, with_headers
from local.azure.kernel.http import Request, Response, ServiceError
from local.azure.kernel.proxy import Proxy
from local.azure.kernel.web import ARM_HOST, Match, Router, RouteTable, error_form, route_table
from local.azure.page import pages
from local.azure.registry import assets, environments, models
from local.azure.resources import arm, compute, offers
from local.azure.running import processes
from local.azure.serving import scoring
from local.azure.storage import blob_auth, blob_service, datastores, key_vault
from local.azure.v1 import (
    datasets,
    modules,
    nodes,
    pipeline_endpoints,
    pipelines,
    published_pipelines,
    script_runs,
    services,
)
from local.azure.v2 import routers as v2

logger = logging.getLogger(__name__)

ROUTERS: tuple[Router, ...] = (
    processes.router,  # first: it ends what a killed server left running
    entra.router,
    directory.router,
    arm.router,
    offers.router,
    roles.router,
    compute.router,
    blob_service.router,
    datastores.router,
    snapshots.router,
    experiments.router,
    runs.router,
    run_events.router,
    metrics.router,
    artifacts.router,
    models.router,
    assets.router,
    key_vault.router,
    environments.router,
    modules.router,
    pipelines.router,
    nodes.router,
    published_pipelines.router,
    pipeline_endpoints.router,
    script_runs.router,
    operations.router,
    services.router,
    datasets.router,
    scoring.router,
    *v2.ROUTERS,
    *devops.ROUTERS,
)

# How long requests that are under way at the end may take.
_LAST_REQUESTS_S = 1.0

_log_lock = threading.Lock()


def application(cloud: Cloud, hang_up: Callable[[Scope], None]) -> ASGIApp:
    """The ASGI application that answers for every Azure host.

    hang_up: closes the connection that a request came on, for a fault that asks for it.
    """
    table = route_table(ROUTERS)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = starlette.requests.Request(scope, receive)
        started = time.monotonic()
        raw_path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        received = Request(
            method=request.method,
            host=request.headers.get("host", "").partition(":")[0].lower(),
            path=unquote(raw_path),
            raw_path=raw_path,
            query=dict(request.query_params),
            raw_query=scope["query_string"].decode("latin-1"),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.body(),
        )
        strike = cloud.faults.strike(received)
        await asyncio.sleep(strike.latency)
        if strike.drop:
            hang_up(scope)
            while (await receive())["type"] != "http.disconnect":
                pass  # before it, uvicorn would answer with 500 in our place
            return
        if strike.answer is None:
            answer = await run_in_threadpool(respond, cloud, table, received)
        else:
            answer = _worded(cloud, _form(received.host), received, strike.answer)
        # The query is left out: it may carry a SAS signature.
        logger.info(
            "%s %s%s %d %.0f ms",
            *(received.method, received.host, raw_path, answer.status),
            (time.monotonic() - started) * 1000,
        )
        response = starlette.responses.Response(
            answer.body, status_code=answer.status, headers=dict(answer.headers)
        )
        if strike.truncate is None:
            await response(scope, receive, send)
            return
        await _send_half(response, strike.truncate, send)
        hang_up(scope)
        while (await receive())["type"] != "http.disconnect":
            pass

    return app


async def _send_half(response: starlette.responses.Response, count: int, send: Send) -> None:
    """Send headers that promise all of the body, and `count` bytes of it."""
    headers = response.raw_headers
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    half = bytes(response.body)[:count]
    await send({"type": "http.response.body", "body": half, "more_body": True})


def respond(cloud: Cloud, table: RouteTable, request: Request) -> Response:
    """Find the route, check who asks and for which workspace, and run the handler."""
    answer = _handled(cloud, table, request)
    return with_headers(cloud, request, answer) if request.host == ARM_HOST else answer


def _handled(cloud: Cloud, table: RouteTable, request: Request) -> Response:
    match = table.find(request.method, request.host, request.raw_path)
    if match is None:
        return _unknown(cloud, table, request, _what(request))
    form = _form(request.host)
    try:
        caller = _caller(cloud, match, request)
        asked = _workspace_of(cloud, match, request)
        _check_scope(asked, match)
        known = Request(**{**vars(request), "params": match.params, "caller": caller})
        roles.authorize(cloud, known)
        form = form if devops.is_devops(request.host) else match.route.errors
        strange = match.route.strange_parameters(request.query)
        if strange:
            what = f"the parameter {', '.join(strange)} of {_what(request)}"
            return _unknown(cloud, table, request, what)
        return match.route.handler(asked, known)
    except ServiceError as error:
        return _worded(cloud, form, request, error)
    except Exception:
        logger.exception("%s %s%s failed", request.method, request.host, request.raw_path)
        broken = ServiceError(500, "InternalServerError", "The local Azure failed; see its log.")
        return _worded(cloud, form, request, broken)


def _form(host: str) -> ErrorForm:
    """How the service whose host was asked words an error."""
    if devops.is_devops(host):
        return lambda _cloud, _request, error: error_answer(error)
    return error_form(host)


def _worded(cloud: Cloud, form: ErrorForm, request: Request, error: ServiceError) -> Response:
    answer = form(cloud, request, error)
    return replace(answer, headers={**answer.headers, **error.headers})


def _what(request: Request) -> str:
    return f"{request.method} {request.host}{request.raw_path}"


def _caller(cloud: Cloud, match: Match, request: Request) -> Mapping[str, Any] | None:
    if not match.route.authenticated:
        return None
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise ServiceError(
            401, "AuthenticationFailed", "Authentication failed: no bearer token was sent."
        )
    return entra.verify_token(cloud, token.strip(), host=request.host)


def _workspace_of(cloud: Cloud, match: Match, request: Request) -> Cloud:
    """The workspace that a request names by its scope, its id or its storage account."""
    name = match.scope[2].lower() if match.scope else ""
    identity = match.params.get("workspace_id", "")
    for other in cloud.others:
        own = (other.workspace_name.lower(), other.workspace_id, blob_auth.account_host(other))
        if name == own[0] or identity == own[1] or request.host == own[2]:
            return other
    return cloud


def _check_scope(cloud: Cloud, match: Match) -> None:
    if match.scope is None:
        return
    subscription, group, workspace = match.scope
    if subscription.lower() != cloud.subscription_id:
        raise ServiceError(
            404,
            "SubscriptionNotFound",
            f"The subscription '{subscription}' could not be found.",
        )
    if group.lower() != cloud.resource_group.lower():
        raise ServiceError(
            404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found."
        )
    if workspace.lower() != cloud.workspace_name.lower():
        raise ServiceError(
            404,
            "ResourceNotFound",
            f"The Resource 'Microsoft.MachineLearningServices/workspaces/{workspace}' under "
            f"resource group '{group}' was not found.",
        )


def _unknown(cloud: Cloud, table: RouteTable, request: Request, what: str) -> Response:
    logger.warning("not covered by the local Azure: %s", what)
    record = {
        "time": cloud.timestamp(),
        "method": request.method,
        "host": request.host,
        "path": request.raw_path,
        "query": sorted(request.query),
        "knownHost": table.knows_host(request.host),
    }
    with _log_lock, (cloud.root / "unknown-requests.log").open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
    code = "NotImplementedException" if devops.is_devops(request.host) else "NotImplemented"
    error = ServiceError(501, code, f"The local Azure does not cover {what}.")
    return _worded(cloud, _form(request.host), request, error)


def _own_address(cloud: Cloud, method: str, headers: Mapping[str, str], target: str) -> Response:
    """What the proxy's own address answers: metadata service, faults, and the page for people."""
    if target.startswith(imds.PATH):
        return imds.answer(cloud, method, headers, target)
    if fault_routes.is_ours(target):
        return fault_routes.answer(cloud, method, headers, target)
    return pages.answer(cloud, method, headers.get("host", ""), target)


class _Server(uvicorn.Server):
    """uvicorn behind the proxy, with an end that is clean and quick."""

    def __init__(self, config: uvicorn.Config, proxy: Proxy) -> None:
        super().__init__(config)
        self.proxy = proxy

    def hang_up(self, scope: Scope) -> None:
        """Close the connection that a request came on."""
        for connection in self.server_state.connections:
            if getattr(connection, "client", None) == scope["client"]:
                connection.transport.close()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests end, then hang up: uvicorn alone would wait for clients that are idle."""
        deadline = time.monotonic() + _LAST_REQUESTS_S
        while self.server_state.tasks and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await self.proxy.close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """End on SIGINT and SIGTERM; uvicorn itself would then raise them once more."""
        kinds = (signal.SIGINT, signal.SIGTERM)
        previous = [signal.signal(kind, self.handle_exit) for kind in kinds]
        try:
            yield
        finally:
            for kind, handler in zip(kinds, previous, strict=True):
                signal.signal(kind, handler)


def run(
    cloud: Cloud,
    *,
    authority: trustme.CA,
    proxy_listener: socket.socket,
    ready: Callable[[], None],
) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is called once all of it answers."""
    asyncio.run(_run(cloud, authority, proxy_listener, ready))


async def _run(
    cloud: Cloud,
    authority: trustme.CA,
    proxy_listener: socket.socket,
    ready: Callable[[], None],
) -> None:
    listener = listen(0)
    proxy = Proxy(proxy_listener, listener.getsockname()[1], functools.partial(_own_address, cloud))
    server = _Server(
        uvicorn.Config(
            # The server is made from this very configuration, so it is looked up when called.
            application(cloud, lambda scope: server.hang_up(scope)),  # noqa: PLW0108
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ssl_context_factory=lambda *_: server_context(authority),
            timeout_graceful_shutdown=1,
            timeout_keep_alive=60,
        ),
        proxy,
    )
    try:
        for router in ROUTERS:
            for start in router.start_hooks:
                for workspace in cloud.workspaces:
                    await run_in_threadpool(start, workspace)
        await proxy.start()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        ready()
        await serving
    finally:
        for router in ROUTERS:
            for stop, workspace in itertools.product(router.stop_hooks, cloud.workspaces):
                try:
                    await run_in_threadpool(stop, workspace)
                except Exception:
                    logger.exception("a module failed to end cleanly")


def listen(port: int) -> socket.socket:
    """A listening socket on 127.0.0.1; port 0 takes a free one. Raises OSError when it is taken."""
    # asyncio sets TCP_NODELAY only where the protocol is named; without it each POST waits 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows, where REUSEADDR would share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener
