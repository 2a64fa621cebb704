"""Where the project is: the manifest's `repository` is the one setting, all addresses follow it.

    "repository": { "type": "git", "uri": "https://github.com/contoso/azure-ml-tasks" }

Then the gallery's page has links and a badge, each task a help link (`helpUrl`), and each message
the address of its code on the page of troubleshooting. Without it there are none. What the manifest
says itself (`links`, `badges`) wins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

BRANCH = "main"
_LINKS = {
    "getstarted": "docs/quickstart-yaml.md",
    "learn": "docs/README.md",
    "support": "docs/troubleshooting.md",
    "license": "LICENSE",
}
_AZURE_REPOS = ("dev.azure.com", "visualstudio.com")


def repository(manifest: Mapping[str, Any]) -> str:
    """The repository's address without a slash at its end; empty when there is none."""
    return str(manifest.get("repository", {}).get("uri", "")).rstrip("/").removesuffix(".git")


def page(manifest: Mapping[str, Any], path: str) -> str:
    """The address at which people read a file of the repository; empty without a repository."""
    where = repository(manifest)
    if not where:
        return ""
    host = urlsplit(where).hostname or ""
    if host.endswith(_AZURE_REPOS):
        return f"{where}?path=/{path}&version=GB{BRANCH}"
    return f"{where}/blob/{BRANCH}/{path}"


def completed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with the links and the badge that follow from its repository."""
    where = repository(manifest)
    if not where:
        return dict(manifest)
    links = {name: {"uri": page(manifest, path)} for name, path in _LINKS.items()}
    links["repository"] = {"uri": where}
    badge = {
        "href": page(manifest, "CHANGELOG.md"),
        "uri": f"https://img.shields.io/badge/version-{manifest['version']}-blue",
        "description": f"Version {manifest['version']}",
    }
    return {
        **manifest,
        "links": {**links, **manifest.get("links", {})},
        "badges": manifest.get("badges", [badge]),
    }


def documented(task: Mapping[str, Any], folder: str, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A task.json with the address of the task's page, when there is one."""
    address = page(manifest, f"tasks/{folder}/README.md")
    if not address:
        return dict(task)
    return {**task, "helpUrl": address}
