"""The sample's repository: created when absent, filled when empty, else left alone."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from amltasks.admin import causes, console
from amltasks.admin.definitions import PIPELINE_FILE
from amltasks.admin.organization import Organization

_BRANCH = "refs/heads/main"
_NOTHING = "0" * 40


def find_repository(organization: Organization, project: Any, name: str) -> Any | None:
    """The project's repository of that name, None when there is none."""
    git = organization.client("git")
    found = organization.ask(
        "looking at the project's repositories",
        lambda: git.get_repositories(project.id),
        permission="the permission Read on the project's repositories",
    )
    return next((one for one in found if one.name.lower() == name.lower()), None)


def ensure_repository(organization: Organization, project: Any, name: str) -> Any | None:
    """The repository of that name; None in a dry run where it would be created."""
    found = find_repository(organization, project, name)
    if found is not None:
        return found
    git = organization.client("git")
    return organization.change(
        "create",
        f"the repository '{name}'",
        lambda: git.create_repository({"name": name, "project": {"id": project.id}}, project.id),
        permission="the permission Create repository on the project",
    )


def ensure_files(
    organization: Organization, project: Any, repository: Any, files: Mapping[str, bytes]
) -> None:
    """Push the files, unless the repository has them.

    A repository with files is somebody's: it is only looked at.

    Raises:
        TaskError: it has files, and they are not the sample's.
    """
    git = organization.client("git")
    doing = f"looking into the repository '{repository.name}'"
    branches = organization.ask(
        doing, lambda: git.get_refs(repository.id, project.id, filter="heads/main")
    )
    if any(one.name == _BRANCH for one in branches):
        items = organization.ask(
            doing,
            lambda: git.get_items(
                repository.id, project.id, scope_path="/", recursion_level="full"
            ),
        )
        paths = {one.path.lstrip("/") for one in items}
        if PIPELINE_FILE not in paths:
            raise causes.REPOSITORY_TAKEN.error(name=repository.name, path=PIPELINE_FILE)
        console.say(
            console.UNCHANGED,
            f"the repository '{repository.name}' has the sample already; its files stay",
        )
        return
    push_files(organization, project, repository.id, repository.name, files)


def push_files(
    organization: Organization,
    project: Any,
    repository_id: str,
    name: str,
    files: Mapping[str, bytes],
) -> None:
    """Make the files the first commit of an empty repository."""
    git = organization.client("git")
    push = {
        "refUpdates": [{"name": _BRANCH, "oldObjectId": _NOTHING}],
        "commits": [
            {
                "comment": "The compliance classifier, the sample of Azure Machine Learning Tasks",
                "changes": [_added(path, content) for path, content in sorted(files.items())],
            }
        ],
    }
    organization.change(
        "add",
        f"{len(files)} files to main of the repository '{name}'",
        lambda: git.create_push(push, repository_id, project.id),
        permission="the permission Contribute on the repository",
    )


def _added(path: str, content: bytes) -> dict[str, Any]:
    """Shape: learn.microsoft.com/rest/api/azure/devops/git/pushes/create."""
    return {
        "changeType": "add",
        "item": {"path": f"/{path}"},
        "newContent": {
            "content": base64.b64encode(content).decode("ascii"),
            "contentType": "base64encoded",
        },
    }
