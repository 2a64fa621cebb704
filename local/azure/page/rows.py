"""What the page's tables show, as records without HTML."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from local.azure.history import artifacts
from local.azure.history import runs as history
from local.azure.history.records import Run
from local.azure.kernel.cloud import Cloud
from local.azure.page.charts import Chart, chart
from local.azure.registry.model_records import MODELS
from local.azure.resources import compute_records
from local.azure.running import logs as log_files
from local.azure.serving import rollout
from local.azure.serving.service_records import SERVICES
from local.azure.v2.mlflow import views
from local.azure.v2.online import deployment_records
from local.azure.v2.online import records as online_records

_SHOWN_METRICS = 4
_SHOWN_CHARTS = 12
_BUILD_TAG = "build_id"
"""What the tasks call the build in the tags of their runs and models."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric of a run: its last value, and how many values were logged."""

    name: str
    last: float | str
    count: int


@dataclass(frozen=True, kw_only=True)
class RunRow:
    """A run in a list of runs.

    created: ISO 8601, UTC. metrics: the first few. build_id: empty where no build started it.
    models: those that are registered of it.
    """

    run_id: str
    name: str
    experiment: str
    status: str
    created: str
    metrics: Sequence[Metric]
    tags: Mapping[str, str | None]
    build_id: str
    models: Sequence[ModelRow]


@dataclass(frozen=True, kw_only=True)
class ModelRow:
    """A version of a model. registered: ISO 8601, UTC. run_id: empty where no run made it."""

    name: str
    version: str
    registered: str
    tags: Mapping[str, str | None]
    run_id: str
    build_id: str

    @property
    def anchor(self) -> str:
        """Names its row in the page."""
        return f"model-{self.name}-{self.version}"


@dataclass(frozen=True, kw_only=True)
class ServiceRow:
    """A deployment of an online endpoint, an endpoint without any, or a web service of v1."""

    name: str
    deployment: str = ""
    kind: str
    traffic_percent: int | None = None
    state: str = ""
    models: str = ""
    scoring_uri: str


@dataclass(frozen=True, kw_only=True)
class ComputeRow:
    """A compute target. size: of its machines, empty where it has none."""

    name: str
    type: str
    size: str
    state: str


def top_level_runs(cloud: Cloud) -> Sequence[Run]:
    """All runs that have no parent, the newest first."""
    return history.find_runs(cloud, {"parentRunId": None})[::-1]


def run_row(cloud: Cloud, run: Run, models: Sequence[ModelRow]) -> RunRow:
    """A run with its first metrics and with its own of the models."""
    shown = views.show_run(cloud, run)["data"]["metrics"][:_SHOWN_METRICS]
    return RunRow(
        run_id=run["runId"],
        name=run["displayName"],
        experiment=run["experimentName"],
        status=run["status"],
        created=run["createdUtc"],
        metrics=[Metric(name=one["key"], last=one["value"], count=1) for one in shown],
        tags=run["tags"],
        build_id=build_of(run["tags"]),
        models=models_of_run(run["runId"], models),
    )


def build_of(tags: Mapping[str, str | None]) -> str:
    """The id of the build that the tags name; empty where they name none."""
    return str(tags.get(_BUILD_TAG) or "")


def models_of_run(run_id: str, models: Sequence[ModelRow]) -> list[ModelRow]:
    """Those of the models that are registered of the run."""
    return [model for model in models if model.run_id == run_id]


def model_rows(cloud: Cloud) -> list[ModelRow]:
    """All versions of all models, the newest first."""
    return [
        ModelRow(
            name=model["name"],
            version=str(model["version"]),
            registered=model["createdTime"],
            tags=model["kvTags"],
            run_id=model["runId"] or "",
            build_id=build_of(model["kvTags"]),
        )
        for model in reversed(MODELS.find(cloud))
    ]


def endpoint_rows(cloud: Cloud) -> list[ServiceRow]:
    """The deployments of each online endpoint; one row for an endpoint that has none."""
    rows = []
    for endpoint in online_records.every(cloud):
        name = endpoint["name"]
        kind = "Kubernetes" if endpoint["properties"]["compute"] else "Managed"
        uri = f"https://{name}.{cloud.location}.inference.ml.azure.com/score"
        deployments = deployment_records.deployments_of(cloud, name)
        if not deployments:
            rows.append(ServiceRow(name=name, kind=kind, scoring_uri=uri))
        for one in deployments:
            rows.append(
                ServiceRow(
                    name=name,
                    deployment=one["name"],
                    kind=kind,
                    traffic_percent=endpoint["properties"]["traffic"].get(one["name"], 0),
                    state=one["state"],
                    models="/".join(str(one["properties"]["model"] or "").split("/")[-3::2]),
                    scoring_uri=uri,
                )
            )
    return rows


def service_rows(cloud: Cloud) -> list[ServiceRow]:
    """The web services of v1."""
    shown = [rollout.show(record) for record in SERVICES.list(cloud)]
    return [
        ServiceRow(
            name=service["name"],
            kind=service["computeType"],
            traffic_percent=100,
            state=service["state"],
            models=", ".join(f"{model['name']}/{model['version']}" for model in service["models"]),
            scoring_uri=service["scoringUri"] or "",
        )
        for service in shown
    ]


def compute_rows(cloud: Cloud) -> list[ComputeRow]:
    """The compute targets of the workspace."""
    return [
        ComputeRow(
            name=view["name"],
            type=view["properties"]["computeType"],
            size=view["properties"]["properties"].get("vmSize") or "",
            state=view["properties"].get("provisioningState", ""),
        )
        for view in compute_records.every_compute(cloud)
    ]


def metrics_of(cloud: Cloud, run_id: str) -> list[Metric]:
    """All metrics of a run."""
    return [
        Metric(name=name, last=values[-1]["value"], count=len(values))
        for name, values in views.series(cloud, run_id).items()
    ]


def charts_of_run(cloud: Cloud, run_id: str) -> list[Chart]:
    """Each metric of a run that has several values."""
    found = [
        chart(name, [(f"step {one['step']}: {one['value']}", one["value"]) for one in values])
        for name, values in views.series(cloud, run_id).items()
    ]
    return [one for one in found if one]


def charts_of_runs(runs: Sequence[RunRow]) -> list[Chart]:
    """Each experiment's metrics over its runs. runs: the newest first."""
    values: defaultdict[tuple[str, str], list[tuple[str, float | str]]] = defaultdict(list)
    for run in reversed(runs):
        for metric in run.metrics:
            label = f"{run.name}: {metric.last}"
            values[run.experiment, metric.name].append((label, metric.last))
    found = [
        chart(f"{experiment}: {name}", labelled) for (experiment, name), labelled in values.items()
    ]
    return [one for one in found if one][:_SHOWN_CHARTS]


def error_of(run: Run) -> str:
    """The message of the error that ended a run; empty where there is none."""
    error = (run["error"] or {}).get("error") or {}
    return str(error.get("message") or "")


def ends_of_logs(cloud: Cloud, run_id: str) -> list[tuple[str, str]]:
    """The path of each log of a run, and the end of its text."""
    return [
        (path, log_files.tail(artifacts.file_path(cloud, run_id, path)))
        for path in artifacts.log_urls(cloud, run_id)
    ]
