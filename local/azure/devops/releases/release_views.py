"""Releases and their stages as the service writes them."""

from __future__ import annotations

from local.azure.devops.organization.projects import find_project
from local.azure.devops.releases.release_definitions import base
from local.azure.devops.releases.release_shapes import Release, ReleaseRecord, Stage, StageRecord
from local.azure.identity.organization import organization
from local.azure.kernel.cloud import Cloud


def shown(cloud: Cloud, stored: ReleaseRecord) -> Release:
    """A release with its stages."""
    project, user = find_project(cloud, stored["project"]), organization(cloud).user
    url = f"{base(cloud, project)}/releases/{stored['id']}"
    web = f"{organization(cloud).url}/{project['id']}/_release?releaseId={stored['id']}"
    return {
        "id": stored["id"],
        "name": stored["name"],
        "status": stored["status"],
        "createdOn": stored["createdOn"],
        "modifiedOn": stored["modifiedOn"],
        "modifiedBy": user,
        "createdBy": user,
        "createdFor": user,
        "environments": [stage_shown(cloud, stored, one) for one in stored["environments"]],
        "variables": stored["variables"],
        "variableGroups": stored["variableGroups"],
        "artifacts": stored["artifacts"],
        "releaseDefinition": stored["definition"],
        "description": stored["description"],
        "reason": stored["reason"],
        "releaseNameFormat": stored["nameFormat"],
        "keepForever": stored["keepForever"],
        "definitionSnapshotRevision": stored["definitionRevision"],
        "logsContainerUrl": f"{url}/logs",
        "url": url,
        "_links": {"self": {"href": url}, "web": {"href": web}},
        "tags": [],
        "projectReference": {"id": project["id"], "name": project["name"]},
        "properties": {},
    }


def stage_shown(cloud: Cloud, release: ReleaseRecord, stage: StageRecord) -> Stage:
    """A stage of a release as the service writes it."""
    project = find_project(cloud, release["project"])
    url = f"{base(cloud, project)}/releases/{release['id']}"
    document: Stage = {
        "id": stage["id"],
        "releaseId": release["id"],
        "name": stage["name"],
        "status": stage["status"],
        "variables": stage["variables"],
        "variableGroups": stage["variableGroups"],
        "preDeployApprovals": [],
        "postDeployApprovals": [],
        "deploySteps": stage["deploySteps"],
        "rank": stage["rank"],
        "definitionEnvironmentId": stage["definitionEnvironmentId"],
        "demands": [],
        "conditions": stage["conditions"],
        "workflowTasks": [],
        "deployPhasesSnapshot": [],
        "release": {
            "id": release["id"],
            "name": release["name"],
            "url": url,
            "_links": {"self": {"href": url}},
        },
        "releaseDefinition": release["definition"],
        "releaseCreatedBy": organization(cloud).user,
    }
    if stage["modifiedOn"]:
        document["modifiedOn"] = stage["modifiedOn"]
    return document
