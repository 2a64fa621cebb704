"""Builds as the service writes them."""

from __future__ import annotations

from local.azure.devops.builds.build_shapes import Build, BuildRecord
from local.azure.devops.builds.definitions import QUEUE
from local.azure.devops.organization.projects import find_project, reference
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud


def shown(cloud: Cloud, stored: BuildRecord) -> Build:
    """A build as the service writes it."""
    found = organization(cloud)
    project = find_project(cloud, stored["project"])
    base = f"{found.url}/{project['id']}"
    url = f"{base}/_apis/build/Builds/{stored['id']}"
    document: Build = {
        "_links": {
            "self": {"href": url},
            "web": {"href": f"{base}/_build/results?buildId={stored['id']}"},
            "sourceVersionDisplayUri": {
                "href": f"{base}/_apis/build/builds/{stored['id']}/sources"
            },
            "timeline": {"href": f"{url}/Timeline"},
            "badge": {"href": f"{base}/_apis/build/status/{stored['definition']['id']}"},
        },
        "properties": {},
        "tags": stored["tags"],
        "validationResults": [],
        "plans": [{"planId": stored["plan"]}],
        "triggerInfo": stored["triggerInfo"],
        "id": stored["id"],
        "buildNumber": stored["buildNumber"],
        "buildNumberRevision": stored["buildNumberRevision"],
        "status": stored["status"],
        "queueTime": stored["queueTime"],
        "url": url,
        "definition": {**stored["definition"], "project": reference(cloud, project)},
        "project": reference(cloud, project),
        "uri": f"vstfs:///Build/Build/{stored['id']}",
        "sourceBranch": stored["sourceBranch"],
        "sourceVersion": stored["sourceVersion"],
        "queue": QUEUE,
        "priority": stored["priority"],
        "reason": stored["reason"],
        "requestedFor": found.user,
        "requestedBy": found.user,
        "lastChangedDate": stored["changed"],
        "lastChangedBy": found.user,
        "orchestrationPlan": {"planId": stored["plan"]},
        "logs": {
            "id": 0,
            "type": "Container",
            "url": f"{base}/_apis/build/builds/{stored['id']}/logs",
        },
        "repository": stored["repository"],
        "keepForever": stored["keepForever"],
        "retainedByRelease": False,
        "triggeredByBuild": None,
        "appendCommitMessageToRunName": True,
    }
    _add_optional(document, stored)
    return document


def _add_optional(document: Build, stored: BuildRecord) -> None:
    if stored["result"]:
        document["result"] = stored["result"]
    if stored["startTime"]:
        document["startTime"] = stored["startTime"]
    if stored["finishTime"]:
        document["finishTime"] = stored["finishTime"]
    if stored["parameters"]:
        document["parameters"] = stored["parameters"]
    if stored["templateParameters"]:
        document["templateParameters"] = stored["templateParameters"]
    if stored["demands"]:
        document["demands"] = stored["demands"]
