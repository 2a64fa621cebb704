"""The read-only page at http://127.0.0.1:<proxy port>/: runs, models, services, builds, computes.

Server-rendered by jinja2, without scripts. It shows no keys and no secrets, answers only under a
loopback name (a foreign page cannot read it by pointing its own name here) and changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote, unquote

from jinja2 import Environment, PackageLoader, StrictUndefined

from local.azure.devops import overview
from local.azure.history import runs as history
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Response
from local.azure.page import rows

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SHOWN_RUNS = 200
_REFRESH_S = 5
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def answer(cloud: Cloud, method: str, host: str, target: str) -> Response:
    """Answer a request that came without CONNECT.

    host: the Host header. target: the path, percent-encoded, perhaps with a query.
    """
    if host.rpartition(":")[0] not in _LOOPBACK and host not in _LOOPBACK:
        return _message(cloud, 403, "Not under this name", "Ask for 127.0.0.1.")
    if method not in ("GET", "HEAD"):
        return _message(cloud, 405, "Read-only", "This page changes nothing.")
    path = target.partition("?")[0]
    if path == "/":
        response = _overview(cloud)
    elif path.startswith("/runs/"):
        response = _run(cloud, unquote(path.removeprefix("/runs/")))
    else:
        response = _message(cloud, 404, "Not found", "There is no such page.")
    return response if method == "GET" else Response(status=response.status, headers=_HEADERS)


def _overview(cloud: Cloud) -> Response:
    top = rows.top_level_runs(cloud)
    return _page(
        cloud,
        200,
        "Local Azure",
        "overview.html",
        refresh_s=_REFRESH_S,
        run_count=len(top),
        runs=[rows.run_row(cloud, run) for run in top[:_SHOWN_RUNS]],
        models=rows.model_rows(cloud),
        services=[*rows.endpoint_rows(cloud), *rows.service_rows(cloud)],
        build_heads=overview.HEADS,
        builds=overview.rows(cloud, _SHOWN_RUNS),
        computes=rows.compute_rows(cloud),
    )


def _run(cloud: Cloud, run_id: str) -> Response:
    run = history.get_run(cloud, run_id)
    if run is None:
        return _message(cloud, 404, "Not found", "There is no such run.")
    return _page(
        cloud,
        200,
        run["displayName"],
        "run.html",
        run=run,
        error=rows.error_of(run),
        metrics=rows.metrics_of(cloud, run_id),
        children=[rows.run_row(cloud, child) for child in history.children_of(cloud, run_id)],
        logs=rows.ends_of_logs(cloud, run_id),
    )


def _message(cloud: Cloud, status: int, title: str, message: str) -> Response:
    return _page(cloud, status, title, "message.html", message=message)


def _page(
    cloud: Cloud, status: int, title: str, template: str, *, refresh_s: int = 0, **values: object
) -> Response:
    text = _TEMPLATES.get_template(template).render(
        cloud=cloud, title=title, refresh_s=refresh_s, **values
    )
    return Response(status=status, body=text.encode(), headers=_HEADERS)


def _moment(time: str | None) -> str:
    return (time or "").replace("T", " ")[:19]


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, (int, float)) else str(value)


def _pairs(values: Mapping[str, object] | None) -> str:
    return ", ".join(f"{key}={value}" for key, value in (values or {}).items())


def _segment(text: str) -> str:
    return quote(text, safe="")


def _templates() -> Environment:
    made = Environment(
        loader=PackageLoader("local.azure.page"),
        autoescape=True,
        # A name that a template misspells is an error, never an empty cell.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(moment=_moment, number=_number, pairs=_pairs, segment=_segment)
    return made


_TEMPLATES = _templates()
