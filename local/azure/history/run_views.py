"""Runs as run history shows them: RunDto with all its members, as recorded."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from local.azure.history.records import Run
from local.azure.kernel.cloud import Cloud

# What the service keeps of a run and what it never fills here, in its own words.
_NEVER_FILLED = dict.fromkeys(
    (
        "cancelationReason",
        "currentComputeTime",
        "inputs",
        "jobSpecification",
        "outputs",
        "primaryMetricName",
        "queueingInfo",
        "retainForLifetimeOfWorkspace",
        "scheduleId",
    )
)
# Kept here only: what clients send when they create a run, and the name of its experiment.
_OWN = ("experimentName", "heartbeatEnabled", "options")
_KINDS = {
    "azureml.StepRun": ("Execution", "Aether"),
    "azureml.PipelineRun": ("Aether", "Aether"),
    "azureml.scriptrun": ("Execution", None),
}


def shown(cloud: Cloud, run: Run) -> Mapping[str, object]:
    """A run as the service gives it."""
    person = _person(cloud, run)
    start, end = run["startTimeUtc"], run["endTimeUtc"]
    spent = _timespan(start, end)
    target = run["target"]
    return {
        **_NEVER_FILLED,
        "parameters": {},
        "settings": {},
        "services": {},
        "inputDatasets": [],
        "outputDatasets": [],
        "uniqueChildRunComputeTargets": [],
        "revision": 1,
        "statusRevision": 0,
        **{name: value for name, value in run.items() if name not in _OWN},
        "createdBy": person,
        "lastModifiedBy": person,
        "lastStartTimeUtc": start if end is None else None,
        "effectiveStartTimeUtc": start if end is None else None,
        "computeDuration": spent,
        "duration": spent,
        "currentAttemptId": 1,
        "runTypeV2": run["runTypeV2"] or _run_type(run),
        "actionUris": _actions(run),
        "computeRequest": {"nodeCount": 1, "gpuCount": 0} if target else None,
        "compute": _compute(target) if target else None,
    }


def _person(cloud: Cloud, run: Run) -> Mapping[str, object]:
    known = run["createdBy"]
    return {
        "userObjectId": known["userObjectId"],
        "userPuId": None,
        "userIdp": None,
        "userAltSecId": None,
        "userIss": f"https://sts.windows.net/{cloud.tenant_id}/",
        "userTenantId": known["userTenantId"],
        "userName": known["userName"],
        "upn": None,
        "clientApplicationId": cloud.client_id,
        "applicationACR": None,
    }


def _run_type(run: Run) -> Mapping[str, object] | None:
    """The orchestrator and the like, for runs that a service of the workspace started."""
    found = _KINDS.get(str(run["runType"]))
    if found is None:
        return None
    orchestrator, attribution = found
    return {
        "orchestrator": orchestrator,
        "traits": [],
        "attribution": attribution,
        "computeType": "AmlcTrain",
    }


def _actions(run: Run) -> dict[str, str]:
    uris = {"Cancel": run["cancelUri"], "Diagnose": run["diagnosticsUri"]}
    return {name: uri for name, uri in uris.items() if uri}


def _compute(target: str) -> Mapping[str, object]:
    return {
        "target": target,
        "targetType": "amlcompute",
        "vmSize": None,
        "instanceType": None,
        "instanceCount": 1,
        "gpuCount": 0,
        "priority": None,
        "region": None,
        "armId": None,
        "properties": None,
    }


def _timespan(start: str | None, end: str | None) -> str | None:
    """A duration as .NET writes it, with seven digits; None for a run that has not ended."""
    if not start or not end:
        return None
    spent = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    whole = max(spent, timedelta(0))
    hours, rest = divmod(whole.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    days = f"{whole.days}." if whole.days else ""
    return f"{days}{hours:02}:{minutes:02}:{seconds:02}.{whole.microseconds:06}0"
