"""The read-only page at http://127.0.0.1:<proxy port>/: runs, models, services, builds, computes.

Server-rendered, without scripts. It shows no keys and no secrets, answers only under a loopback
name (a foreign page cannot read it by pointing its own name here) and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any
from urllib.parse import quote, unquote

from local.azure.devops import overview
from local.azure.history import artifacts
from local.azure.history import runs as history
from local.azure.history.tables import RUNS
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Response
from local.azure.registry.tables import MODELS
from local.azure.resources import compute_records
from local.azure.resources.tables import COMPUTES
from local.azure.running import job
from local.azure.serving import rollout
from local.azure.v2.mlflow import views
from local.azure.v2.online import records as online_records
from local.azure.v2.online import rollout as online_rollout

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SHOWN_RUNS = 200
_SHOWN_METRICS = 4
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --link: #0a58ca; }
@media (prefers-color-scheme: dark) { :root { --link: #8ab4f8; } }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 72rem; margin: 1.5rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; } h2 { font-size: 1.1rem; margin: 1.8rem 0 .4rem; }
a { color: var(--link); } .scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; } th { font-weight: 600; }
pre { border: 1px solid var(--line); padding: .6rem; overflow: auto; max-height: 28rem; }
.quiet { opacity: .75; } .Failed, .Unhealthy { color: #c62828; font-weight: 600; }
@media (prefers-color-scheme: dark) { .Failed, .Unhealthy { color: #ff8a80; } }
"""
_HEADERS = {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def answer(cloud: Cloud, method: str, host: str, target: str) -> Response:
    """The page for a request that came without CONNECT. host: the Host header."""
    if host.rpartition(":")[0] not in _LOOPBACK and host not in _LOOPBACK:
        return _page(cloud, 403, "Not under this name", Html("<p>Ask for 127.0.0.1.</p>"))
    if method not in ("GET", "HEAD"):
        return _page(cloud, 405, "Read-only", Html("<p>This page changes nothing.</p>"))
    path = target.partition("?")[0]
    if path == "/":
        response = _page(cloud, 200, "Local Azure", _overview(cloud), refresh=True)
    elif path.startswith("/runs/"):
        response = _run(cloud, unquote(path.removeprefix("/runs/")))
    else:
        response = _page(cloud, 404, "Not found", Html("<p>There is no such page.</p>"))
    return response if method == "GET" else Response(status=response.status, headers=_HEADERS)


def _page(
    cloud: Cloud, status: int, title: str, content: str, *, refresh: bool = False
) -> Response:
    again = '<meta http-equiv="refresh" content="5">' if refresh else ""
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{again}<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
        f"<header><h1>{escape(title)}</h1>"
        f'<p class="quiet">Workspace {escape(cloud.workspace_name)} in resource group '
        f"{escape(cloud.resource_group)}, subscription {escape(cloud.subscription_id)}</p>"
        f"</header><main>{content}</main></body></html>"
    )
    return Response(status=status, body=text.encode(), headers=_HEADERS)


def _overview(cloud: Cloud) -> str:
    runs = [run for run in reversed(cloud.store.list(RUNS)) if not run["parentRunId"]]
    sections = (
        _table(
            f"Runs ({len(runs)})",
            ("Run", "Experiment", "Status", "Created", "Metrics"),
            [_run_row(cloud, run) for run in runs[:_SHOWN_RUNS]],
        ),
        _table("Models", ("Model", "Version", "Registered", "Tags", "Run"), _model_rows(cloud)),
        _table(
            "Online endpoints and web services",
            ("Name", "Deployment", "Kind", "Traffic", "State", "Model", "Scoring URI"),
            [*_endpoint_rows(cloud), *_service_rows(cloud)],
        ),
        _table(
            "Builds and releases in Azure DevOps",
            overview.HEADS,
            [(*row[:-1], _moment(row[-1])) for row in overview.rows(cloud, _SHOWN_RUNS)],
        ),
        _table("Compute targets", ("Name", "Type", "Size", "State"), _compute_rows(cloud)),
    )
    return "".join(sections)


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    body = "".join(
        "<tr>" + "".join(f"<td>{_cell(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    if not body:
        return f'<h2>{escape(title)}</h2><p class="quiet">None.</p>'
    return (
        f'<h2>{escape(title)}</h2><div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _list(facts: Iterable[tuple[str, str]]) -> str:
    rows = "".join(
        f'<tr><th scope="row">{escape(name)}</th><td>{_cell(text)}</td></tr>'
        for name, text in facts
        if text
    )
    return f'<div class="scroll"><table><tbody>{rows}</tbody></table></div>'


def _cell(text: str) -> str:
    return text if isinstance(text, Html) else escape(text)


def _status(text: str) -> Html:
    return Html(f'<span class="{escape(text)}">{escape(text)}</span>')


def _link(run_id: str, text: str) -> Html:
    return Html(f'<a href="/runs/{quote(run_id, safe="")}">{escape(text)}</a>')


def _moment(time: str | None) -> str:
    return (time or "").replace("T", " ")[:19]


def _tags(tags: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in tags.items())


def _run_row(cloud: Cloud, run: dict[str, Any]) -> Sequence[str]:
    shown = views.show_run(cloud, run)["data"]["metrics"][:_SHOWN_METRICS]
    return (
        _link(run["runId"], run["displayName"]),
        run["experimentName"],
        _status(run["status"]),
        _moment(run["createdUtc"]),
        ", ".join(f"{one['key']} {_number(one['value'])}" for one in shown),
    )


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, (int, float)) else str(value)


def _model_rows(cloud: Cloud) -> list[Sequence[str]]:
    return [
        (
            model["name"],
            str(model["version"]),
            _moment(model["createdTime"]),
            _tags(model["kvTags"]),
            _link(model["runId"], model["runId"]) if model["runId"] else "",
        )
        for model in reversed(cloud.store.list(MODELS))
    ]


def _endpoint_rows(cloud: Cloud) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for endpoint in online_records.every(cloud):
        name = endpoint["name"]
        uri = f"https://{name}.{cloud.location}.inference.ml.azure.com/score"
        kind = "Kubernetes" if endpoint["properties"]["compute"] else "Managed"
        deployments = online_rollout.deployments_of(cloud, name)
        if not deployments:
            rows.append((name, "", kind, "", "", "", uri))
        for one in deployments:
            share = endpoint["properties"]["traffic"].get(one["name"], 0)
            model = "/".join(str(one["properties"]["model"] or "").split("/")[-3::2])
            rows.append((name, one["name"], kind, f"{share} %", _status(one["state"]), model, uri))
    return rows


def _service_rows(cloud: Cloud) -> list[Sequence[str]]:
    shown = [rollout.show(record) for record in cloud.store.list(rollout.KIND)]
    return [
        (
            service["name"],
            "",
            service["computeType"],
            "100 %",
            _status(service["state"]),
            ", ".join(f"{model['name']}/{model['version']}" for model in service["models"]),
            service["scoringUri"] or "",
        )
        for service in shown
    ]


def _compute_rows(cloud: Cloud) -> list[Sequence[str]]:
    names = [record["view"]["name"] for record in cloud.store.list(COMPUTES)]
    found = (compute_records.get_compute(cloud, name) for name in names)
    return [
        (
            view["name"],
            view["properties"]["computeType"],
            str((view["properties"].get("properties") or {}).get("vmSize") or ""),
            _status(view["properties"]["provisioningState"]),
        )
        for view in found
        if view
    ]


def _run(cloud: Cloud, run_id: str) -> Response:
    run = history.get_run(cloud, run_id)
    if run is None:
        return _page(cloud, 404, "Not found", Html("<p>There is no such run.</p>"))
    facts = (
        ("Id", run["runId"]),
        ("Experiment", run["experimentName"]),
        ("Status", _status(run["status"])),
        ("Created", _moment(run["createdUtc"])),
        ("Started", _moment(run["startTimeUtc"])),
        ("Ended", _moment(run["endTimeUtc"])),
        ("Target", str(run["target"] or "")),
        ("Tags", _tags(run["tags"])),
        ("Parameters", _tags(run.get("parameters") or {})),
        ("Part of", _link(run["parentRunId"], run["parentRunId"]) if run["parentRunId"] else ""),
        ("Error", _error(run)),
    )
    series = views.series(cloud, run_id)
    content = (
        '<p><a href="/">All runs</a></p>'
        + _list(facts)
        + _table("Metrics", ("Metric", "Last", "Values"), [_metric_row(*s) for s in series.items()])
        + _table(
            "Child runs",
            ("Run", "Experiment", "Status", "Created", "Metrics"),
            [_run_row(cloud, child) for child in history.children_of(cloud, run_id)],
        )
        + _logs(cloud, run_id)
    )
    return _page(cloud, 200, run["displayName"], content)


def _metric_row(name: str, values: list[dict[str, Any]]) -> Sequence[str]:
    return (name, _number(values[-1]["value"]), str(len(values)))


def _error(run: dict[str, Any]) -> str:
    error = (run["error"] or {}).get("error") or {}
    return str(error.get("message") or "")


def _logs(cloud: Cloud, run_id: str) -> str:
    pieces = []
    for path in artifacts.log_urls(cloud, run_id):
        text = job.tail(artifacts.file_path(cloud, run_id, path))
        pieces.append(f"<h3>{escape(path)}</h3><pre>{escape(text)}</pre>")
    return f"<h2>Ends of the logs</h2>{''.join(pieces)}" if pieces else ""
