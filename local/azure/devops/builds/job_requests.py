"""The messages by which an agent is given the jobs of a build or of a release.

Form: Microsoft.TeamFoundation.DistributedTask.Pipelines' AgentJobRequestMessage, without steps.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from local.azure.devops.builds import builds
from local.azure.devops.organization.access import (
    BUILD,
    RELEASE,
    issue_job_token,
    key,
)
from local.azure.devops.organization.projects import find_project
from local.azure.devops.releases import releases
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud

TYPE = "PipelineAgentJobRequest"


def take(cloud: Cloud, agent: str) -> dict[str, Any] | None:
    """The job request of the oldest build or release that waits; it is given once.

    Those that demand this very agent come first; those that demand another are not for it.
    """
    waiting = [(_demanded(stored), owner, stored) for owner, stored in _waiting(cloud)]
    mine = [one for one in waiting if one[0] and one[0] == agent]
    for _, owner, stored in (*mine, *(one for one in waiting if not one[0])):
        if _first(cloud, owner, stored["id"]):
            return _request(cloud, owner, stored)
    return None


def _waiting(cloud: Cloud) -> Iterator[tuple[str, dict[str, Any]]]:
    for owner, kind, status in (
        (BUILD, builds.KIND, "notStarted"),
        (RELEASE, releases.KIND, "active"),
    ):
        for stored in cloud.store.list(kind):
            if stored["status"] == status and not stored["sent"]:
                yield owner, stored


def _first(cloud: Cloud, owner: str, number: int) -> bool:
    """Whether nobody was given it before."""
    before: list[bool] = []

    def take(stored: dict[str, Any]) -> None:
        before.append(stored["sent"])
        stored["sent"] = True

    cloud.store.update(builds.KIND if owner == BUILD else releases.KIND, key(number), take)
    return not before[0]


def _demanded(stored: dict[str, Any]) -> str:
    """The name of the agent that a build or release demands, if it does."""
    for demand in stored["demands"]:
        capability, _, name = str(demand).partition(" -equals ")
        if capability.lower() == "agent.name":
            return name
    return ""


def _request(cloud: Cloud, owner: str, stored: dict[str, Any]) -> dict[str, Any]:
    found = organization(cloud)
    project = find_project(cloud, stored["project"])
    url = f"{found.url}/"
    if owner == BUILD:
        own, given = _of_build(stored), _given_to_build(stored)
    else:
        own, given = _of_release(url, project, stored), stored["variables"]
    system = {
        **own,
        "system.collectionId": found.id,
        "system.collectionUri": url,
        "system.hostType": owner,
        "system.jobId": stored["job"],
        "system.teamFoundationCollectionUri": url,
        "system.teamFoundationServerUri": url,
        "system.teamProject": project["name"],
        "system.teamProjectId": project["id"],
    }
    # Each stage of a release has a plan of its own, told when it begins.
    plan = stored.get("plan")
    return {
        "messageType": TYPE,
        "plan": {
            "planId": plan,
            "planType": owner.capitalize(),
            "scopeIdentifier": project["id"],
        },
        "timeline": {"id": plan},
        "jobId": stored["job"],
        "jobName": "__default",
        "requestId": stored["id"],
        "variables": {
            **{name: _variable(one) for name, one in given.items()},
            **{name: {"value": value} for name, value in system.items()},
        },
        "resources": {
            "endpoints": [
                {
                    "name": "SystemVssConnection",
                    "url": url,
                    "authorization": {
                        "scheme": "OAuth",
                        "parameters": {"AccessToken": issue_job_token(cloud, owner, stored)},
                    },
                }
            ]
        },
    }


def _given_to_build(build: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The definition's variables, with the values that were set when the build was queued."""
    given = dict(build["variables"])
    names = {name.lower(): name for name in given}
    queued = {**json.loads(build["parameters"] or "{}"), **build["secrets"]}
    for name, value in queued.items():
        known = names.get(name.lower(), name)
        given[known] = {**given.get(known, {}), "value": value}
    return given


def _variable(given: Mapping[str, Any]) -> dict[str, Any]:
    """A variable as an agent reads it (VariableValue); the value of a secret is not hidden here."""
    value = "" if given.get("value") is None else str(given["value"])
    return {"value": value, "isSecret": True} if given.get("isSecret") is True else {"value": value}


def _of_build(build: dict[str, Any]) -> dict[str, str]:
    return {
        "build.buildId": str(build["id"]),
        "build.buildNumber": build["buildNumber"],
        "build.buildUri": f"vstfs:///Build/Build/{build['id']}",
        "build.definitionName": build["definition"]["name"],
        "build.definitionVersion": str(build["definition"]["revision"]),
        "build.repository.id": str(build["repository"].get("id", "")),
        "build.repository.name": str(build["repository"].get("name", "")),
        "system.definitionId": str(build["definition"]["id"]),
        "system.definitionName": build["definition"]["name"],
        "system.planId": build["plan"],
        "system.timelineId": build["plan"],
    }


def _of_release(url: str, project: dict[str, Any], release: dict[str, Any]) -> dict[str, str]:
    number = release["id"]
    return {
        "release.definitionId": str(release["definition"]["id"]),
        "release.definitionName": release["definition"]["name"],
        "release.releaseId": str(number),
        "release.releaseName": release["name"],
        "release.releaseDescription": release["description"],
        "release.releaseUri": f"vstfs:///ReleaseManagement/Release/{number}",
        "release.releaseWebURL": f"{url}{project['id']}/_release?releaseId={number}",
    }
