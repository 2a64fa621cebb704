"""The server: collects the routers, checks tokens and scopes, runs handlers, owns the sockets."""

from __future__ import annotations

import asyncio
import functools
import itertools
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import trustme
import uvicorn
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

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
from local.azure.kernel import connections, fault_routes, operations
from local.azure.kernel.certificates import server_context
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.connections import Connection
from local.azure.kernel.errors import ErrorForm, with_headers
from local.azure.kernel.http import Request, Response, ServiceError
from local.azure.kernel.listener import Server
from local.azure.kernel.proxy import Proxy
from local.azure.kernel.threads import Threads
from local.azure.kernel.uploads import UPLOADS, Upload
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

# Threads of each service.
_THREADS = 64
# The largest body of a route that has no use for files.
_MOST_IN_MEMORY = 256 * 1024 * 1024

_log_lock = threading.Lock()


class Application:
    """The ASGI application that answers for every Azure host.

    Each service has threads of its own, so that slow ones, such as scoring, keep no other waiting.
    """

    def __init__(self, cloud: Cloud, hang_up: Callable[[Scope], None]) -> None:
        """`hang_up`: closes the connection that a request came on, where a fault asks for it."""
        self._cloud = cloud
        self._table = route_table(ROUTERS)
        self._hang_up = hang_up
        self._threads: dict[str, Threads] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read a request, let its handler answer, and send the answer."""
        started = time.monotonic()
        head = connections.read_head(scope)
        match = self._table.find(head.method, head.host, head.raw_path)
        upload = Upload(folder=self._cloud.root / UPLOADS)
        try:
            await connections.read_body(head.headers, receive, upload)
            strike = self._cloud.faults.strike(head)
            if strike.latency:
                await asyncio.sleep(strike.latency)
            if strike.drop:
                raise connections.Gone
            if strike.answer is None:
                answer = await self._answer(head, match, upload)
            else:
                answer = _worded(self._cloud, _form(head.host), head, strike.answer)
            # The query is left out: it may carry a SAS signature.
            logger.info(
                "%s %s%s %d %.0f ms",
                *(head.method, head.host, head.raw_path, answer.status),
                (time.monotonic() - started) * 1000,
            )
            await connections.send_answer(answer, head.method, send, only=strike.truncate)
        except connections.Gone:
            self._hang_up(scope)
            while (await receive())["type"] != "http.disconnect":
                pass  # before it, uvicorn would answer with 500 in our place
        finally:
            upload.close()

    async def _answer(self, head: Request, match: Match | None, upload: Upload) -> Response:
        cloud = self._cloud
        if match is not None and match.route.streams:
            request = replace(head, upload=upload)
        elif upload.size > _MOST_IN_MEMORY:
            return _worded(cloud, _form(head.host), head, _too_large())
        else:
            request = replace(head, body=upload.read())
        pool = match.route.host if match else ""
        threads = self._threads.get(pool)
        if threads is None:
            threads = self._threads[pool] = Threads(pool, _THREADS)
        return await threads.run(respond, cloud, self._table, request, match)


def _too_large() -> ServiceError:
    return ServiceError(413, "RequestEntityTooLarge", "The request body is too large.")


def respond(cloud: Cloud, table: RouteTable, request: Request, match: Match | None) -> Response:
    """Check who asks and for which workspace, and run the handler of the route that was found."""
    answer = _handled(cloud, table, request, match)
    return with_headers(cloud, request, answer) if request.host == ARM_HOST else answer


def _handled(cloud: Cloud, table: RouteTable, request: Request, match: Match | None) -> Response:
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
    except RecursionError:
        deep = ServiceError(400, "BadRequest", "The request is nested too deeply.")
        return _worded(cloud, form, request, deep)
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
    server = Server(
        uvicorn.Config(
            # The server is made from this very configuration, so it is looked up when called.
            Application(cloud, lambda scope: server.hang_up(scope)),  # noqa: PLW0108
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            http=Connection,
            ws="none",
            timeout_graceful_shutdown=1,
            timeout_keep_alive=connections.IDLE_S,
        )
    )
    own_address = functools.partial(_own_address, cloud)
    server.proxy = Proxy(proxy_listener, server_context(authority), server.connection, own_address)
    try:
        for router in ROUTERS:
            for start in router.start_hooks:
                for workspace in cloud.workspaces:
                    await run_in_threadpool(start, workspace)
        serving = asyncio.create_task(server.serve(sockets=[]))
        while not server.started and not serving.done():
            await asyncio.sleep(0.01)
        await server.proxy.start()
        ready()
        await serving
    finally:
        for router in ROUTERS:
            for stop, workspace in itertools.product(router.stop_hooks, cloud.workspaces):
                try:
                    await run_in_threadpool(stop, workspace)
                except Exception:
                    logger.exception("a module failed to end cleanly")
