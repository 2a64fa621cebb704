"""Signing in and opening a workspace with azureml-core."""

from __future__ import annotations

import dataclasses
import logging
import os
import warnings
from typing import Any

from amltasks import errors
from amltasks.workspace.failures import NO_SUBSCRIPTION, error_code, http_status, translated
from amltasks.workspace.offers import Offers
from amltasks.workspace.port import Principal, Workspace, WorkspacePlace
from amltasks.workspace.sdk_v1.compute import SdkCompute
from amltasks.workspace.sdk_v1.models import SdkModels
from amltasks.workspace.sdk_v1.runs import SdkRuns
from amltasks.workspace.sdk_v1.services import SdkServices
from amltasks.workspace.sign_in import SignIn


def open_workspace(
    principal: Principal, *, resource_group: str, workspace: str, debug: bool = False
) -> Workspace:
    """Sign in and open a workspace.

    Raises:
        TaskError: ``WORKSPACE_NOT_FOUND``, ``AUTHENTICATION_FAILED`` and what any call can raise.
    """
    sign_in = SignIn(principal)
    sdk = _sdk_workspace(principal, sign_in, resource_group, workspace, debug=debug)

    def open_other(place: WorkspacePlace) -> Any:
        subscription = place.subscription_id or principal.subscription_id
        who = dataclasses.replace(principal, subscription_id=subscription)
        return _sdk_workspace(who, sign_in, place.resource_group, place.name, debug=debug)

    return Workspace(
        name=sdk.name,
        location=sdk.location,
        compute=SdkCompute(sdk, Offers(principal, sign_in), sign_in),
        runs=SdkRuns(sdk, sign_in),
        models=SdkModels(sdk, open_other),
        services=SdkServices(sdk),
    )


def _sdk_workspace(
    principal: Principal, sign_in: SignIn, resource_group: str, name: str, *, debug: bool
) -> Any:
    if not debug:
        _quiet()
    _send_no_telemetry()
    from azureml.core import Workspace as SdkWorkspace
    from azureml.exceptions import ProjectSystemException, WorkspaceException

    # Only now: importing the SDK takes a second, and it must be quiet before it logs anything.
    from amltasks.workspace.sdk_v1.credential import WrappedSignIn
    from amltasks.workspace.sdk_v1.throttling import follow_retry_after

    follow_retry_after()

    with translated(f"opening the workspace '{name}'"):
        try:
            return SdkWorkspace.get(
                name=name,
                resource_group=resource_group,
                subscription_id=principal.subscription_id,
                auth=WrappedSignIn(sign_in),
            )
        except (ProjectSystemException, WorkspaceException) as cause:
            if error_code(cause) in NO_SUBSCRIPTION:
                raise errors.SUBSCRIPTION_NOT_FOUND.error(
                    subscription=principal.subscription_id
                ) from cause
            # The SDK's own "Workspace not found" has no status.
            if http_status(cause) in (None, 404) and "not found" in str(cause).lower():
                raise errors.WORKSPACE_NOT_FOUND.error(
                    workspace=name,
                    resource_group=resource_group,
                    subscription=principal.subscription_id,
                ) from cause
            raise


def _quiet() -> None:
    """Silence the SDK's deprecation warnings and its log; it still raises its errors."""
    os.environ.setdefault("AZUREML_LOG_DEPRECATION_WARNING_ENABLED", "False")
    warnings.simplefilter("ignore")
    logging.getLogger().addHandler(
        logging.NullHandler()
    )  # else logging's last resort prints to stderr
    for name in ("azureml", "azure", "msal", "msrest", "urllib3", "azureml.telemetry"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _send_no_telemetry() -> None:
    """Switch the SDK's telemetry off for this process.

    As installed, azureml-sdk reports the use of data sets to Microsoft. Its own switch,
    ``azureml.telemetry.set_diagnostics_collection``, writes a file among the installed packages,
    which other programs may share and this account may be unable to change. So what the SDK reads
    from that file is replaced, before any other module of the SDK has read it.
    """
    from azureml import telemetry

    telemetry.get_diagnostics_collection_info = _no_diagnostics


def _no_diagnostics(*_: object, **__: object) -> tuple[bool, str]:
    """Whether to collect, and from which level on, as the SDK's function says it."""
    return False, logging.getLevelName(logging.NOTSET)
