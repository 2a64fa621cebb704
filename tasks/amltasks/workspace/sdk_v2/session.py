"""Signing in and opening a workspace by its REST API."""

from __future__ import annotations

import logging

import requests

from amltasks import errors
from amltasks.workspace.failures import NO_SUBSCRIPTION, error_code, http_status, translated
from amltasks.workspace.port import Principal, Workspace
from amltasks.workspace.sdk_v2.compute import RestCompute
from amltasks.workspace.sdk_v2.models import RestModels
from amltasks.workspace.sdk_v2.rest import Rest
from amltasks.workspace.sdk_v2.runs import RestRuns
from amltasks.workspace.sdk_v2.services import RestServices


def open_workspace(
    principal: Principal, *, resource_group: str, workspace: str, debug: bool = False
) -> Workspace:
    """Sign in and open a workspace.

    Raises:
        TaskError: ``WORKSPACE_NOT_FOUND``, ``SUBSCRIPTION_NOT_FOUND``, ``AUTHENTICATION_FAILED``
            and what any call can raise.
    """
    if not debug:
        # Both warn of each try that fails in words that are not the task's.
        for name in ("urllib3", "azure.identity"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    rest = Rest(principal, resource_group=resource_group, workspace=workspace)
    with translated(f"opening the workspace '{workspace}'"):
        try:
            found = rest.workspace
        except requests.HTTPError as cause:
            if http_status(cause) != 404:
                raise
            if error_code(cause) in NO_SUBSCRIPTION:
                raise errors.SUBSCRIPTION_NOT_FOUND.error(
                    subscription=principal.subscription_id
                ) from cause
            raise errors.WORKSPACE_NOT_FOUND.error(
                workspace=workspace,
                resource_group=resource_group,
                subscription=principal.subscription_id,
            ) from cause
    return Workspace(
        name=str(found["name"]),
        location=str(found["location"]),
        compute=RestCompute(rest),
        runs=RestRuns(rest),
        models=RestModels(rest),
        services=RestServices(rest),
    )
