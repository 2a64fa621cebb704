"""The sample's definitions, adapted to the project they are imported into; nothing is asked here.

What an export names by the ids of its own project (queue, repository, connection, build, approver)
is replaced; so are the names that everybody must change: resource group, workspace and cluster.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amltasks.admin import causes

CLONE = Path(__file__).resolve().parents[3]
SAMPLE = "samples/compliance-classifier"
PIPELINE_FILE = f"{SAMPLE}/azure-pipelines.yml"
# What the sample needs in a repository of its own, at the paths it has here.
FOLDERS = ("ml_scripts", SAMPLE)
_CLASSIC = CLONE / SAMPLE / "classic"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
ARTIFACT = "_compliance-classifier"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the sample is to run. Ids are the project's; ``hosted``: the pool is Microsoft's."""

    project_id: str
    project_name: str
    repository_id: str
    repository_name: str
    connection_id: str
    connection_name: str
    queue_id: int
    pool: str
    hosted: bool
    resource_group: str
    workspace: str
    aks: str

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the sample that it sets, by their names there."""
        return {
            "resourcegroup": self.resource_group,
            "workspace": self.workspace,
            "aks_name": self.aks,
        }


def sample_files() -> dict[str, bytes]:
    """Path in the repository -> content, without what Python leaves behind."""
    found = {
        path.relative_to(CLONE).as_posix(): path.read_bytes()
        for folder in FOLDERS
        for path in sorted((CLONE / folder).rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    if PIPELINE_FILE not in found:
        raise causes.SAMPLE_CHANGED.error(detail=f"it has no {PIPELINE_FILE}")
    return found


def pipeline_text(text: str, place: Place) -> str:
    """``azure-pipelines.yml`` for a place.

    Raises:
        TaskError: a line that is to be changed is not there.
    """
    changes = {
        **{rf"(?m)^(  {name}: ).*$": value for name, value in place.variables.items()},
        r"(?m)^( +azureSubscription: ).*$": place.connection_name,
    }
    if not place.hosted:
        changes[r"(?m)^(  )vmImage: .*$"] = place.pool
    for pattern, value in changes.items():
        written = value if _PLAIN.fullmatch(value) else json.dumps(value)
        if "vmImage" in pattern:
            written = f"name: {written}"
        text, count = re.subn(pattern, lambda found, new=written: found[1] + new, text)  # type: ignore[misc]
        if not count:
            raise causes.SAMPLE_CHANGED.error(detail=f"{PIPELINE_FILE} has no line {pattern}")
    return text


def yaml_pipeline(name: str, place: Place) -> dict[str, Any]:
    """A build definition that reads its steps from the repository."""
    yaml = 2  # process and trigger of this kind (BuildDefinitionProcess, DefinitionTriggerType)
    return {
        "name": name,
        "path": "\\",
        "type": "build",
        "queueStatus": "enabled",
        "quality": "definition",
        "process": {"type": yaml, "yamlFilename": PIPELINE_FILE},
        "queue": {"id": place.queue_id},
        "repository": _repository(place),
        "triggers": [
            {
                "triggerType": "continuousIntegration",
                "settingsSourceType": yaml,
                "branchFilters": [],
                "pathFilters": [],
                "batchChanges": False,
                "maxConcurrentBuildsPerBranch": 1,
            }
        ],
    }


def classic_build(name: str, place: Place) -> dict[str, Any]:
    """``build-definition.json`` for a place."""
    body = _read("build-definition.json")
    _strip(body, "id", "revision", "url", "uri", "project", "authoredBy", "createdDate", "_links")
    body |= {"name": name, "path": "\\", "queue": {"id": place.queue_id}}
    _strip(body["repository"], "url")
    body["repository"] |= _repository(place)
    if not place.hosted:
        for phase in body["process"]["phases"]:
            _strip(phase.get("target", {}), "agentSpecification")
        _strip(body["process"].get("target", {}), "agentSpecification")
    _adapt(body, place)
    return body


def classic_release(
    name: str, place: Place, build: tuple[str, str], owner: Mapping[str, str]
) -> dict[str, Any]:
    """``release-definition.json`` for a place.

    Args:
        build: id and name of the classic build whose artifact is released.
        owner: id and displayName of who owns the stages and approves Production.
    """
    body = _read("release-definition.json")
    _strip(body, "id", "revision", "projectReference", "isDeleted")
    body |= {"name": name, "path": "\\"}
    identity, build_name = build
    for artifact in body["artifacts"]:
        artifact["sourceId"] = f"{place.project_id}:{identity}"
        artifact["definitionReference"] |= {
            "definition": {"id": identity, "name": build_name},
            "project": {"id": place.project_id, "name": place.project_name},
        }
    for stage in body["environments"]:
        stage |= {"id": 0, "owner": dict(owner)}
        for phase in stage["deployPhases"]:
            phase["deploymentInput"]["queueId"] = place.queue_id
            if not place.hosted:
                _strip(phase["deploymentInput"], "agentSpecification")
        for approval in stage["preDeployApprovals"]["approvals"]:
            if not approval["isAutomated"]:
                approval["approver"] = dict(owner)
    _adapt(body, place)
    return body


def _read(name: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((_CLASSIC / name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise causes.SAMPLE_CHANGED.error(detail=f"classic/{name}: {error}") from None
    return found


def _repository(place: Place) -> dict[str, Any]:
    return {
        "id": place.repository_id,
        "name": place.repository_name,
        "type": "TfsGit",
        "defaultBranch": "refs/heads/main",
    }


def _adapt(body: dict[str, Any], place: Place) -> None:
    """Set the variables that there are, and the connection of each of our tasks."""
    for name, value in place.variables.items():
        if name in body["variables"]:
            body["variables"][name]["value"] = value
    for inputs in _inputs(body):
        if "connectedServiceNameARM" in inputs:
            inputs["connectedServiceNameARM"] = place.connection_id


def _inputs(node: Any) -> list[dict[str, Any]]:
    """Every ``inputs`` in a document, wherever its tasks are."""
    if isinstance(node, list):
        return [found for one in node for found in _inputs(one)]
    if not isinstance(node, dict):
        return []
    own = [node["inputs"]] if isinstance(node.get("inputs"), dict) else []
    return own + [found for one in node.values() for found in _inputs(one)]


def _strip(body: dict[str, Any], *names: str) -> None:
    for name in names:
        body.pop(name, None)
