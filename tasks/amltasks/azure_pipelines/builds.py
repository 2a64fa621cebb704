"""What of a build is written on the runs, models and services it makes."""

from __future__ import annotations

from amltasks.azure_pipelines.agent import Handover

_TAGS = {
    "build_number": ("build.buildnumber",),
    "build_id": ("build.buildid",),
    "commit": ("build.sourceversion",),
    "branch": ("build.sourcebranch",),
    "definition": ("build.definitionname", "release.definitionname"),
    "requested_for": ("build.requestedfor", "release.requestedfor"),
    "project": ("system.teamproject",),
    "release": ("release.releasename",),
}

MODEL_TAGS = ("build_number", "build_id", "commit", "branch")


def build_tags(handover: Handover) -> dict[str, str]:
    """The tags of this build; what Azure Pipelines does not say is left out."""
    found = {
        tag: next((v for v in map(handover.variable, names) if v), "")
        for tag, names in _TAGS.items()
    }
    return {tag: value for tag, value in found.items() if value}


def model_tags(handover: Handover) -> dict[str, str]:
    """Those of :func:`build_tags` that a registered model carries."""
    return {tag: value for tag, value in build_tags(handover).items() if tag in MODEL_TAGS}
