"""The messages by which an agent is given the jobs of a build or of a release.

Form: Microsoft.TeamFoundation.DistributedTask.Pipelines' AgentJobRequestMessage, without steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from local.azure.azure import Azure
from local.azure.devops import builds, releases
from local.azure.devops.access import BUILD, RELEASE, issue_job_token, key
from local.azure.devops.organization import organization
from local.azure.devops.projects import find_project

TYPE = "PipelineAgentJobRequest"


def take(azure: Azure, agent: str) -> dict[str, Any] | None:
    """The job request of the oldest build or release that waits; it is given once.

    Those that demand this very agent come first; those that demand another are not for it.
    """
    waiting = [(_demanded(stored), owner, stored) for owner, stored in _waiting(azure)]
    mine = [one for one in waiting if one[0] and one[0] == agent]
    for _, owner, stored in (*mine, *(one for one in waiting if not one[0])):
        if _first(azure, owner, stored["id"]):
            return _request(azure, owner, stored)
    return None


def _waiting(azure: Azure) -> Iterator[tuple[str, dict[str, Any]]]:
    for owner, kind, status in (
        (BUILD, builds.KIND, "notStarted"),
        (RELEASE, releases.KIND, "active"),
    ):
        for stored in azure.store.list(kind):
            if stored["status"] == status and not stored["sent"]:
                yield owner, stored


def _first(azure: Azure, owner: str, number: int) -> bool:
    """Whether nobody was given it before."""
    before: list[bool] = []

    def take(stored: dict[str, Any]) -> None:
        before.append(stored["sent"])
        stored["sent"] = True

    azure.store.update(builds.KIND if owner == BUILD else releases.KIND, key(number), take)
    return not before[0]


def _demanded(stored: dict[str, Any]) -> str:
    """The name of the agent that a build or release demands, if it does."""
    for demand in stored["demands"]:
        capability, _, name = str(demand).partition(" -equals ")
        if capability.lower() == "agent.name":
            return name
    return ""


def _request(azure: Azure, owner: str, stored: dict[str, Any]) -> dict[str, Any]:
    found = organization(azure)
    project = find_project(azure, stored["project"])
    url = f"{found.url}/"
    own = _of_build(stored) if owner == BUILD else _of_release(url, project, stored)
    variables = {
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
        "variables": {name: {"value": value} for name, value in variables.items()},
        "resources": {
            "endpoints": [
                {
                    "name": "SystemVssConnection",
                    "url": url,
                    "authorization": {
                        "scheme": "OAuth",
                        "parameters": {"AccessToken": issue_job_token(azure, owner, stored)},
                    },
                }
            ]
        },
    }


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
