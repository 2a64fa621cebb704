"""The routers of the v2 plane, for the server to collect."""

from __future__ import annotations

from local.azure.v2 import (
    datastores,
    environments,
    jobs,
    mlflow,
    mlflow_registry,
    models,
    online_deployments,
    online_endpoints,
    plain_assets,
    resources,
    run_data,
    traffic,
)
from local.azure.web import Router

ROUTERS: tuple[Router, ...] = (
    resources.router,
    plain_assets.router,
    environments.router,
    models.router,
    datastores.router,
    jobs.router,
    run_data.router,
    online_endpoints.router,
    online_deployments.router,
    traffic.router,
    mlflow.router,
    mlflow_registry.router,
)
