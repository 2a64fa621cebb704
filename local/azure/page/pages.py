"""The read-only page at http://127.0.0.1:<proxy port>/: runs, models, services, builds, computes.

Server-rendered by jinja2. Its one script, which the policy names by its digest, fetches the page
again and filters its rows; without it the browser reloads the page. It shows no keys and no
secrets, answers only under a loopback name (a foreign page cannot read it by pointing its own name
here), loads nothing from elsewhere and changes nothing.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from importlib import resources
from urllib.parse import quote, unquote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from local.azure.devops import overview
from local.azure.history import runs as history
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Response
from local.azure.page import rows

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SHOWN_RUNS = 200
_SHOWN_BUILDS = 200
_REFRESH_S = 5
_FILES = resources.files("local.azure.page") / "templates"
_SCRIPT = (_FILES / "page.js").read_text(encoding="utf-8")
_STYLE = (_FILES / "style.css").read_text(encoding="utf-8")
_DIGEST = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_DIGEST}'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
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
    models = rows.model_rows(cloud)
    runs = [rows.run_row(cloud, run, models) for run in top[:_SHOWN_RUNS]]
    builds = overview.rows(cloud, _SHOWN_BUILDS)
    runs_of_build, models_of_build = defaultdict(list), defaultdict(list)
    for run in runs:
        runs_of_build[run.build_id].append(run)
    for model in models:
        models_of_build[model.build_id].append(model)
    return _page(
        cloud,
        200,
        "Local Azure",
        "overview.html",
        refresh_s=_REFRESH_S,
        run_count=len(top),
        runs=runs,
        charts=rows.charts_of_runs(runs),
        models=models,
        services=[*rows.endpoint_rows(cloud), *rows.service_rows(cloud)],
        builds=builds,
        build_ids={build.build_id for build in builds if build.build_id},
        runs_of_build={key: found for key, found in runs_of_build.items() if key},
        models_of_build={key: found for key, found in models_of_build.items() if key},
        computes=rows.compute_rows(cloud),
    )


def _run(cloud: Cloud, run_id: str) -> Response:
    run = history.get_run(cloud, run_id)
    if run is None:
        return _message(cloud, 404, "Not found", "There is no such run.")
    models = rows.model_rows(cloud)
    builds = overview.rows(cloud, _SHOWN_BUILDS)
    return _page(
        cloud,
        200,
        run["displayName"],
        "run.html",
        refresh_s=_REFRESH_S,
        build_id=rows.build_of(run["tags"]),
        build_ids={build.build_id for build in builds if build.build_id},
        models=rows.models_of_run(run_id, models),
        charts=rows.charts_of_run(cloud, run_id),
        run=run,
        error=rows.error_of(run),
        metrics=rows.metrics_of(cloud, run_id),
        children=[
            rows.run_row(cloud, child, models) for child in history.children_of(cloud, run_id)
        ],
        logs=rows.ends_of_logs(cloud, run_id),
    )


def _message(cloud: Cloud, status: int, title: str, message: str) -> Response:
    return _page(cloud, status, title, "message.html", message=message)


def _page(
    cloud: Cloud, status: int, title: str, template: str, *, refresh_s: int = 0, **values: object
) -> Response:
    text = _TEMPLATES.get_template(template).render(
        cloud=cloud,
        title=title,
        refresh_s=refresh_s,
        script=Markup(_SCRIPT),  # noqa: S704 (a file of this package)
        style=Markup(_STYLE),  # noqa: S704 (a file of this package)
        **values,
    )
    return Response(status=status, body=text.encode(), headers=_HEADERS)


def _moment(time: str | None) -> str:
    return (time or "").replace("T", " ")[:19]


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, (int, float)) else str(value)


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
    made.filters.update(moment=_moment, number=_number, segment=_segment)
    return made


_TEMPLATES = _templates()
