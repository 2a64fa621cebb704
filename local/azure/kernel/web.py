"""A router of Azure's paths: which handler answers a request.

A module declares one `router` and decorates plain functions with it:

    router = Router()

    @router.route("GET", "/history/v1.0{workspace}/experiments/{name}")
    def get_experiment(cloud: Cloud, request: Request) -> Response:
        ...

`server.py` collects the routers, checks tokens and runs handlers in a thread pool.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.errors import ErrorForm, data_plane_error, resource_manager_error
from local.azure.kernel.http import Request, Response

ARM_HOST = "management.azure.com"
DATA_PLANE_HOST = "*.api.azureml.ms"
LOGIN_HOST = "login.microsoftonline.com"
GRAPH_HOST = "graph.microsoft.com"
BLOB_HOST = "*.blob.core.windows.net"
AKS_HOST = "*.cloudapp.azure.com"

_WORKSPACE = (
    r"/subscriptions/(?P<subscription_>[^/]+)/resourcegroups/(?P<group_>[^/]+)"
    r"/providers/microsoft\.machinelearningservices/workspaces/(?P<workspace_>[^/]+)"
)
_PLACEHOLDER = re.compile(r"\{(\w+)(:rest)?\}")


Handler = Callable[[Cloud, Request], Response]
Hook = Callable[[Cloud], None]


@dataclass(frozen=True, kw_only=True)
class Route:
    """One declared (methods, host, path) with its handler."""

    methods: frozenset[str]
    host: str
    path: str
    authenticated: bool
    handler: Handler
    errors: ErrorForm
    query: frozenset[str] | None

    @property
    def rank(self) -> tuple[int, ...]:
        """Sorts literal segments before placeholders, so that the most specific route wins."""
        segments = self.path.replace("{workspace}", "/workspace").strip("/").split("/")
        return tuple(_segment_rank(segment) for segment in segments)

    def strange_parameters(self, query: Mapping[str, str]) -> list[str]:
        """The parameters of a query that the handler does not know."""
        if self.query is None:
            return []
        return sorted(name for name in query if name.lower() not in self.query | {"api-version"})


def _segment_rank(segment: str) -> int:
    found = _PLACEHOLDER.search(segment)
    if not found:
        return 0
    if found[2]:
        return 3
    return 2 if found[0] == segment else 1


class Router:
    """Collects the routes of one module, and what it does when the server starts and ends."""

    def __init__(self, host: str = DATA_PLANE_HOST, *, errors: ErrorForm | None = None) -> None:
        """`host`: the host name (shell pattern) that the module's routes answer under.

        errors: the form of what handlers raise. Default: the host's.
        """
        self.host = host
        self.errors = errors
        self.routes: list[Route] = []
        self.start_hooks: list[Hook] = []
        self.stop_hooks: list[Hook] = []

    def route(
        self,
        methods: str,
        path: str,
        *,
        authenticated: bool = True,
        host: str | None = None,
        query: Iterable[str] | None = None,
    ) -> Callable[[Handler], Handler]:
        """Declare a handler.

        methods: names joined by `|`. path: literal text with `{workspace}` (the ARM scope of the
        one workspace; anything else is answered 404), `{name}` (one segment) and `{name:rest}`
        (the remainder, slashes included). authenticated: a valid bearer token is demanded. query:
        the parameters that the handler reads, besides api-version; any other one is answered 501
        (None: not checked).
        """
        of_host = host or self.host

        def declare(handler: Handler) -> Handler:
            self.routes.append(
                Route(
                    methods=frozenset(methods.split("|")),
                    host=of_host,
                    path=path,
                    authenticated=authenticated,
                    handler=handler,
                    errors=self.errors or error_form(of_host),
                    query=None if query is None else frozenset(map(str.lower, query)),
                )
            )
            return handler

        return declare

    def at_start(self, hook: Hook) -> Hook:
        """Decorate a function that runs once before the first request."""
        self.start_hooks.append(hook)
        return hook

    def at_stop(self, hook: Hook) -> Hook:
        """Decorate a function that runs once after the last request, also on SIGINT and SIGTERM."""
        self.stop_hooks.append(hook)
        return hook


def error_form(host: str) -> ErrorForm:
    """How the service under a host words what goes wrong before or without a handler."""
    return data_plane_error if host.endswith(".api.azureml.ms") else resource_manager_error


@dataclass(frozen=True, kw_only=True)
class Match:
    """A route found for a request, and what its placeholders stood for."""

    route: Route
    params: Mapping[str, str]
    scope: tuple[str, str, str] | None


@dataclass(frozen=True, kw_only=True)
class RouteTable:
    """All routes, most specific first."""

    entries: tuple[tuple[Route, re.Pattern[str]], ...]

    def knows_host(self, host: str) -> bool:
        """Whether any route answers under this host name."""
        return any(fnmatch.fnmatchcase(host, route.host) for route, _ in self.entries)

    def find(self, method: str, host: str, raw_path: str) -> Match | None:
        """The most specific route for a still quoted path, or None."""
        path = re.sub("//+", "/", raw_path)
        for route, expression in self.entries:
            if method not in route.methods or not fnmatch.fnmatchcase(host, route.host):
                continue
            found = expression.fullmatch(path)
            if found:
                groups = {name: unquote(text or "") for name, text in found.groupdict().items()}
                scope = None
                if "workspace_" in groups:
                    scope = (
                        groups.pop("subscription_"),
                        groups.pop("group_"),
                        groups.pop("workspace_"),
                    )
                return Match(route=route, params=groups, scope=scope)
        return None


def route_table(routers: Iterable[Router]) -> RouteTable:
    """Compile the routes of all routers."""
    routes = sorted((r for router in routers for r in router.routes), key=lambda route: route.rank)
    return RouteTable(entries=tuple((route, _expression(route.path)) for route in routes))


def _expression(path: str) -> re.Pattern[str]:
    pieces = []
    position = 0
    for found in _PLACEHOLDER.finditer(path):
        pieces.append(re.escape(path[position : found.start()]))
        position = found.end()
        if found[1] == "workspace":
            pieces.append(_WORKSPACE)
        else:
            pieces.append(f"(?P<{found[1]}>{'.*' if found[2] else '[^/]+'})")
    pieces.append(re.escape(path[position:]))
    # ARM and the data planes compare literal segments without regard to case.
    return re.compile("".join(pieces) + "/?", re.IGNORECASE)
