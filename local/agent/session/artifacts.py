"""The artifacts that a release deploys: a build's JSON result, or a folder.

Names of the variables: MicrosoftDocs/azure-devops-docs docs/pipelines/release/variables.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.agent.errors import AgentError

# Key in the result document, Release.Artifacts.<alias>.<name>, and the build's own variable.
FACTS = (
    ("id", "BuildId", "Build.BuildId"),
    ("number", "BuildNumber", "Build.BuildNumber"),
    ("uri", "BuildURI", "Build.BuildUri"),
    ("definitionId", "DefinitionId", "System.DefinitionId"),
    ("definitionName", "DefinitionName", "Build.DefinitionName"),
    ("repositoryId", "Repository.Id", "Build.Repository.ID"),
    ("repositoryName", "Repository.Name", "Build.Repository.Name"),
    ("repositoryProvider", "Repository.Provider", "Build.Repository.Provider"),
    ("requestedFor", "RequestedFor", "Build.RequestedFor"),
    ("requestedForId", "RequestedForID", "Build.RequestedForId"),
    ("sourceBranch", "SourceBranch", "Build.SourceBranch"),
    ("sourceBranchName", "SourceBranchName", "Build.SourceBranchName"),
    ("sourceVersion", "SourceVersion", "Build.SourceVersion"),
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where an artifact of a release comes from.

    Attributes:
        parts: folders by the path they get below the artifact's own folder, empty for all of it.
        result: of the build, empty for a folder.
        facts: by the keys of :data:`FACTS`.
    """

    parts: Mapping[str, Path]
    result: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    default_branch: str = ""
    tags: tuple[str, ...] = ()

    @property
    def is_build(self) -> bool:
        """Whether it is a build, of which the branch is known."""
        return self.result != ""


def read_source(path: Path) -> Source:
    """Read a folder, or the JSON result of a build.

    Raises:
        AgentError: it is neither, or the build's artifacts are gone.
    """
    if path.is_dir():
        return Source(parts={"": path.resolve()})
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        facts = {key: str(found["build"].get(key, "")) for key, _, _ in FACTS}
        parts = {str(name): Path(folder) for name, folder in found["artifacts"].items()}
        source = Source(
            parts=parts,
            result=str(found["result"]),
            facts=facts,
            default_branch=str(found["build"].get("defaultBranch", "")),
            tags=tuple(map(str, found["tags"])),
        )
    except OSError as error:
        raise AgentError(
            f"{path} cannot be read ({error.strerror}); give the --json file of a build, or a "
            "folder that stands for its artifacts"
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise AgentError(
            f"{path} is not the result of a build; give what agent run --json wrote, or a folder"
        ) from error
    for name, folder in parts.items():
        if not folder.is_dir():
            raise AgentError(
                f"the artifact '{name}' of {path} no longer exists ({folder}); run the build again"
            )
    return source


def artifact_variables(alias: str, source: Source) -> dict[str, str]:
    """Return ``Release.Artifacts.<alias>.*``."""
    if not source.is_build:
        return {}
    prefix = f"Release.Artifacts.{alias}"
    found = {f"{prefix}.{name}": source.facts[key] for key, name, _ in FACTS}
    return {**found, f"{prefix}.Type": "Build"}


def primary_variables(source: Source) -> dict[str, str]:
    """Return the primary artifact's facts under the names that a build has for them."""
    if not source.is_build:
        return {}
    found = {variable: source.facts[key] for key, _, variable in FACTS}
    # A build has its definition's id under another name, which a release uses for its own.
    found["Build.DefinitionId"] = found.pop("System.DefinitionId")
    return found
