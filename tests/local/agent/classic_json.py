"""Classic definitions as the portal exports them."""

from __future__ import annotations

from typing import Any

# Bash@3, as classic definitions name it.
BASH = "6c731c3c-3c68-459a-a5c9-bde6e6595b5b"


def build_definition(*steps: str | dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A build definition: each step is a Bash script, or a mapping of changes to one."""
    phase = {"name": "Agent job 1", "refName": "Job_1", "steps": [_step(s) for s in steps]}
    return {
        "name": "made here",
        "id": 7,
        "buildNumberFormat": "$(date:yyyyMMdd)$(rev:.r)",
        "process": {"type": 1, "phases": [{**phase, "target": {"type": 1}}]},
        "repository": {"type": "TfsGit", "defaultBranch": "refs/heads/main"},
        **changes,
    }


def release_stage(name: str, *tasks: str | dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A stage of a release: one agent job of Bash scripts, or of mappings of changes to one."""
    phase = {
        "name": "Agent job",
        "rank": 1,
        "phaseType": "agentBasedDeployment",
        "deploymentInput": {"condition": "succeeded()", "queueId": 9},
        "workflowTasks": [_task(task) for task in tasks],
    }
    started = {"name": "ReleaseStarted", "conditionType": "event", "value": ""}
    return {"name": name, "conditions": [started], "deployPhases": [phase], **changes}


def release_definition(*stages: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A release definition of stages that deploys the build ``made here`` as ``_made``."""
    definition = {"id": "7", "name": "made here"}
    artifact = {
        "alias": "_made",
        "type": "Build",
        "isPrimary": True,
        "definitionReference": {"definition": definition, "project": {"id": "", "name": "p"}},
    }
    return {
        "name": "deployed here",
        "id": 3,
        "releaseNameFormat": "Release-$(rev:r)",
        "artifacts": [artifact],
        "environments": list(stages),
        **changes,
    }


def _step(given: str | dict[str, Any]) -> dict[str, Any]:
    changes = {"script": given} if isinstance(given, str) else dict(given)
    inputs = {"targetType": "inline", "script": changes.pop("script", "echo")}
    return {
        "displayName": "Bash Script",
        "refName": "",
        "enabled": True,
        "condition": "succeeded()",
        "task": {"id": BASH.upper(), "versionSpec": "3.*", "definitionType": "task"},
        "inputs": inputs,
        **changes,
    }


def _task(given: str | dict[str, Any]) -> dict[str, Any]:
    step = _step(given)
    reference = step.pop("task")
    name = step.pop("displayName")
    return {"taskId": reference["id"], "version": reference["versionSpec"], "name": name, **step}
