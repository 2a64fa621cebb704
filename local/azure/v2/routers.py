"""The routers of the v2 plane, for the server to collect."""

from __future__ import annotations

from local.azure.kernel.web import Router
from local.azure.v2 import operations, registries
from local.azure.v2.assets import (
    datastores,
    environments,
    models,
    plain_assets,
)
from local.azure.v2.jobs import jobs, run_data, webhooks
from local.azure.v2.mlflow import registry, tracking
from local.azure.v2.online import deployments, endpoints, traffic

ROUTERS: tuple[Router, ...] = (
    operations.router,
    registries.router,
    plain_assets.router,
    environments.router,
    models.router,
    datastores.router,
    jobs.router,
    webhooks.router,
    run_data.router,
    endpoints.router,
    deployments.router,
    traffic.router,
    tracking.router,
    registry.router,
)
