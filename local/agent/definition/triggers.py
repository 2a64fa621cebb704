"""Continuous deployment: which builds start a release.

Filters: ArtifactFilter of the REST interface; MicrosoftDocs/azure-devops-docs
docs/pipelines/release/triggers.md. In a branch, ``*`` stands for any characters and ``?`` for one;
``-`` before it excludes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from local.agent.definition.document import Node, Scalar
from local.agent.definition.fields import Fields

_HEADS = "refs/heads/"


@dataclass(frozen=True, kw_only=True)
class Filter:
    """One line of a trigger's filters.

    Attributes:
        branch: name or pattern, with or without ``refs/heads/``; empty for any.
        tags: all of them must be among the build's.
        default_branch: the branch is the build definition's default one.
    """

    branch: str = ""
    tags: tuple[str, ...] = ()
    default_branch: bool = False

    @property
    def excludes(self) -> bool:
        """Whether builds of the branch are kept out instead."""
        return self.branch.startswith("-")

    def __str__(self) -> str:
        """Return it as a person would say it."""
        branch = "the default branch" if self.default_branch else self.branch.lstrip("-+") or "any"
        tags = f" with the tags {', '.join(self.tags)}" if self.tags else ""
        return f"{'not ' if self.excludes else ''}{branch}{tags}"


def read_filter(node: Node) -> Filter:
    """Read an artifact filter; raises PipelineFileError."""
    keys = (
        "sourceBranch",
        "tags",
        "useBuildDefinitionBranch",
        "createReleaseOnBuildTagging",
        "tagFilter",
    )
    fields = Fields(node, "an artifact filter", keys)
    pattern = fields.child("tagFilter", "a tag filter", ("pattern",)).text("pattern")
    if pattern:
        message = f"the tag pattern '{pattern}' is not supported by the local agent; list the tags"
        raise node.place.error(message)
    tags = [tag.text for tag in fields.items("tags") if isinstance(tag, Scalar)]
    return Filter(
        branch=fields.text("sourceBranch"),
        tags=tuple(tags),
        default_branch=fields.boolean("useBuildDefinitionBranch"),
    )


def let_through(
    filters: Sequence[Filter], *, branch: str, default_branch: str, tags: Collection[str]
) -> bool:
    """Say whether a build may start a release; no filter lets every build through.

    Args:
        filters: of one artifact.
        branch: what was built, full name; empty when that is not known.
        default_branch: of the build definition; empty when that is not known.
        tags: of the build.
    """
    known = {tag.lower() for tag in tags}

    def is_meant(one: Filter) -> bool:
        wanted = default_branch if one.default_branch else one.branch.lstrip("-+")
        if not wanted and not one.default_branch:
            on_branch = True
        else:
            on_branch = bool(branch) and bool(wanted) and _matches(wanted, branch)
        return on_branch and all(tag.lower() in known for tag in one.tags)

    if any(is_meant(one) for one in filters if one.excludes):
        return False
    including = [one for one in filters if not one.excludes]
    return not including or any(is_meant(one) for one in including)


def _matches(pattern: str, branch: str) -> bool:
    full = pattern if pattern.startswith("refs/") else _HEADS + pattern
    wild = re.escape(full).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(wild, branch) is not None
