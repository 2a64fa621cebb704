"""Which build or release an agent is given next, and the message that gives it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from local.azure.devops.builds import builds
from local.azure.devops.builds.build_shapes import BuildRecord
from local.azure.devops.builds.job_request_shapes import TYPE, AgentJobRequest, VariableValue
from local.azure.devops.builds.variable_groups import variables_of
from local.azure.devops.organization.access import BUILD, RELEASE, issue_job_token
from local.azure.devops.organization.projects import ProjectRecord, find_project, projects
from local.azure.devops.releases import releases
from local.azure.devops.releases.release_shapes import ReleaseRecord
from local.azure.devops.variables import Variables
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud

_PRIORITIES = ("high", "aboveNormal", "normal", "belowNormal", "low")


@dataclass(frozen=True, kw_only=True)
class _Waiting:
    """A build or release that no agent has: whom it demands, and how it is given away."""

    agent: str
    rank: int
    take: Callable[[], bool]
    request: Callable[[], AgentJobRequest]


def take(cloud: Cloud, agent: str) -> AgentJobRequest | None:
    """The job request of the oldest build or release that waits; it is given once.

    Those that demand this very agent come first; those that demand another are not for it. Then
    builds go by their priority, and by their age.
    """
    waiting = sorted(_waiting(cloud), key=lambda one: one.rank)
    mine = [one for one in waiting if agent and one.agent == agent]
    for one in (*mine, *(one for one in waiting if not one.agent)):
        if one.take():
            return one.request()
    return None


def _waiting(cloud: Cloud) -> Iterator[_Waiting]:
    """Builds, then releases, the oldest first."""
    there = {one["id"] for one in projects(cloud)}
    for build in builds.builds(cloud):
        if build["status"] == "notStarted" and not build["sent"] and build["project"] in there:
            yield _Waiting(
                agent=_demanded(build["demands"]),
                rank=_PRIORITIES.index(build["priority"]),
                take=partial(builds.take, cloud, build["id"]),
                request=partial(_build_request, cloud, build),
            )
    for release in releases.releases(cloud):
        if release["status"] == "active" and not release["sent"] and release["project"] in there:
            yield _Waiting(
                agent=_demanded(release["demands"]),
                rank=_PRIORITIES.index("normal"),
                take=partial(releases.take, cloud, release["id"]),
                request=partial(_release_request, cloud, release),
            )


def _demanded(demands: list[str]) -> str:
    """The name of the agent that is demanded, if one is."""
    for demand in demands:
        capability, _, name = demand.partition(" -equals ")
        if capability.lower() == "agent.name":
            return name
    return ""


def _build_request(cloud: Cloud, build: BuildRecord) -> AgentJobRequest:
    project = find_project(cloud, build["project"])
    given = {
        **variables_of(cloud, project["id"], build["variableGroups"]),
        **_given_to_build(build),
    }
    token = issue_job_token(cloud, BUILD, build["id"], build["project"])
    return _request(cloud, BUILD, build, project, given, _of_build(build), build["plan"], token)


def _release_request(cloud: Cloud, release: ReleaseRecord) -> AgentJobRequest:
    project = find_project(cloud, release["project"])
    groups = variables_of(cloud, project["id"], release["variableGroups"])
    given = {**groups, **release["variables"]}
    own = _of_release(f"{organization(cloud).url}/", project, release)
    token = issue_job_token(cloud, RELEASE, release["id"], release["project"])
    # Each stage of a release has a plan of its own, told when it begins.
    return _request(cloud, RELEASE, release, project, given, own, None, token)


def _request(
    cloud: Cloud,
    owner: str,
    stored: BuildRecord | ReleaseRecord,
    project: ProjectRecord,
    given: Variables,
    own: Mapping[str, str],
    plan: str | None,
    token: str,
) -> AgentJobRequest:
    found = organization(cloud)
    url = f"{found.url}/"
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
            **{name: VariableValue(value=value) for name, value in system.items()},
        },
        "resources": {
            "endpoints": [
                {
                    "name": "SystemVssConnection",
                    "url": url,
                    "authorization": {"scheme": "OAuth", "parameters": {"AccessToken": token}},
                }
            ]
        },
    }


def _given_to_build(build: BuildRecord) -> Variables:
    """The definition's variables, with the values that were set when the build was queued."""
    given = dict(build["variables"])
    names = {name.lower(): name for name in given}
    queued = {**json.loads(build["parameters"] or "{}"), **build["secrets"]}
    for name, value in queued.items():
        known = names.get(name.lower(), name)
        given[known] = {**given.get(known, {}), "value": value}
    return given


def _variable(given: Mapping[str, object]) -> VariableValue:
    value = "" if given.get("value") is None else str(given["value"])
    return {"value": value, "isSecret": True} if given.get("isSecret") is True else {"value": value}


def _of_build(build: BuildRecord) -> dict[str, str]:
    return {
        "build.buildId": str(build["id"]),
        "build.buildNumber": build["buildNumber"],
        "build.buildUri": f"vstfs:///Build/Build/{build['id']}",
        "build.definitionName": build["definition"]["name"],
        "build.definitionVersion": str(build["definition"]["revision"]),
        "build.repository.id": build["repository"].get("id", ""),
        "build.repository.name": build["repository"].get("name", ""),
        "system.definitionId": str(build["definition"]["id"]),
        "system.definitionName": build["definition"]["name"],
        "system.planId": build["plan"],
        "system.timelineId": build["plan"],
    }


def _of_release(url: str, project: ProjectRecord, release: ReleaseRecord) -> dict[str, str]:
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
