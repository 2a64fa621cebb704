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
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
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
_WORKSPACE_SEGMENTS = (
    "/subscriptions/{s}/resourcegroups/{g}/providers/microsoft.machinelearningservices"
    "/workspaces/{w}"
)
_PLACEHOLDER = re.compile(r"\{(\w+)(:rest)?\}")

# Routes whose handlers check the parameters of the query themselves.
ANY = None

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
    streams: bool

    @property
    def rank(self) -> tuple[int, ...]:
        """Sorts literal segments before placeholders, so that the most specific route wins."""
        segments = self.path.replace("{workspace}", "/workspace").strip("/").split("/")
        return tuple(_segment_rank(segment) for segment in segments)

    def strange_parameters(self, query: Mapping[str, str]) -> list[str]:
        """The parameters of a query that the handler does not know, or not with that value."""
        if self.query is None:
            return []
        known = self.query | {"api-version"}
        told = {name: f"{name}={value}" for name, value in query.items()}
        return sorted(
            told[name] if any(one.startswith(f"{name.lower()}=") for one in known) else name
            for name in query
            if name.lower() not in known and told[name].lower() not in known
        )


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
        query: Iterable[str] | None = (),
        streams: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare a handler.

        methods: names joined by `|`. path: literal text with `{workspace}` (the ARM scope of the
        one workspace; anything else is answered 404), `{name}` (one segment) and `{name:rest}`
        (the remainder, slashes included). authenticated: a valid bearer token is demanded. query:
        the parameters that the handler reads, besides api-version; any other one is answered 501.
        One that is written `name=value` may have that value only. ANY: the handler looks itself.
        streams: bodies may be large, and come as `request.upload`.
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
                    streams=streams,
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


class _Node:
    """The routes that have the same first segments, by what comes next."""

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.placeholder: _Node | None = None
        self.ends: list[int] = []
        self.rests: list[int] = []

    def add(self, segments: list[str], number: int) -> None:
        """Add a route by its segments."""
        if not segments:
            self.ends.append(number)
            return
        first, *others = segments
        found = _PLACEHOLDER.search(first)
        if found and found[2]:
            self.rests.append(number)
        elif found:
            self.placeholder = self.placeholder or _Node()
            self.placeholder.add(others, number)
        else:
            self.literal.setdefault(first.lower(), _Node()).add(others, number)

    def candidates(self, segments: list[str], position: int = 0) -> Iterator[int]:
        """The numbers of the routes that a path may have; an expression tells for certain."""
        yield from self.rests
        if position == len(segments):
            yield from self.ends
            return
        literal = self.literal.get(segments[position])
        for node in (literal, self.placeholder):
            if node is not None:
                yield from node.candidates(segments, position + 1)


class RouteTable:
    """All routes. Of those that a path has, the most specific one is found."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """In any order."""
        ordered = sorted(routes, key=lambda route: route.rank)
        self._routes = [(route, _expression(route.path)) for route in ordered]
        self._trees: dict[str, _Node] = {}
        for number, route in enumerate(ordered):
            path = route.path.replace("{workspace}", _WORKSPACE_SEGMENTS)
            self._trees.setdefault(route.host, _Node()).add(_segments(path), number)
        self._of_host = functools.lru_cache(maxsize=1024)(self._find_trees)

    def _find_trees(self, host: str) -> tuple[_Node, ...]:
        return tuple(
            tree for pattern, tree in self._trees.items() if fnmatch.fnmatchcase(host, pattern)
        )

    def knows_host(self, host: str) -> bool:
        """Whether any route answers under this host name."""
        return bool(self._of_host(host))

    def find(self, method: str, host: str, raw_path: str) -> Match | None:
        """The most specific route for a still quoted path, or None."""
        path = re.sub("//+", "/", raw_path) if "//" in raw_path else raw_path
        segments = _segments(path.lower())
        numbers = {number for tree in self._of_host(host) for number in tree.candidates(segments)}
        for number in sorted(numbers):
            route, expression = self._routes[number]
            found = expression.fullmatch(path) if method in route.methods else None
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


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def route_table(routers: Iterable[Router]) -> RouteTable:
    """The table of the routes of all routers."""
    return RouteTable(route for router in routers for route in router.routes)


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
