"""Which artifacts a release deploys, whether its trigger fires, which stages then start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from local.agent.definition.classic_release import Artifact, Release
from local.agent.definition.model import NEVER, Pipeline
from local.agent.definition.triggers import Filter, let_through
from local.agent.errors import AgentError, nearest
from local.agent.session.artifacts import Source, read_source
from local.agent.session.task_result import Result

_DEPLOYABLE = (Result.Succeeded.json_name, Result.SucceededWithIssues.json_name)


class TriggerError(AgentError):
    """The build does not start a release; this is not a mistake."""


@dataclass(frozen=True, kw_only=True)
class Selection:
    """The stages and artifacts of one release.

    Attributes:
        pipeline: the definition's, without the stages' that these artifacts do not start.
        sources: by alias, the primary artifact's first.
        triggered_by: alias of the artifact that started the release, empty when a person did.
    """

    pipeline: Pipeline
    sources: Mapping[str, Source]
    triggered_by: str


def select(release: Release, *, artifacts: Mapping[str, Path], after: Path | None) -> Selection:
    """Find a source for each artifact.

    Args:
        release: the definition.
        artifacts: by alias, a build's result or a folder; these are chosen by a person.
        after: a build's result, which starts the release by its trigger.

    Raises:
        TriggerError: the build of ``after`` failed, or the trigger's filters keep it out.
        AgentError: an artifact is unknown, missing, or no build's.
    """
    known = {artifact.alias.lower(): artifact for artifact in release.artifacts}
    chosen: dict[str, Source] = {}
    for alias, path in artifacts.items():
        if alias.lower() not in known:
            hint = nearest(alias, [artifact.alias for artifact in release.artifacts])
            raise AgentError(f"--artifact {alias}: the release has no such artifact; {hint}")
        chosen[known[alias.lower()].alias] = read_source(path)
    triggered_by = ""
    if after is not None:
        source = read_source(after)
        triggered_by = _triggered(release, source, after).alias
        chosen[triggered_by] = source
    missing = [one.alias for one in release.artifacts if one.alias not in chosen]
    if missing:
        example = f"--artifact {missing[0]}=RESULT.json"
        raise AgentError(
            f"the release deploys {', '.join(missing)}; say what, for example {example} or a folder"
        )
    sources = {artifact.alias: chosen[artifact.alias] for artifact in release.artifacts}
    return Selection(
        pipeline=_started(release, sources), sources=sources, triggered_by=triggered_by
    )


def _triggered(release: Release, source: Source, path: Path) -> Artifact:
    """Return the artifact through which a build starts a release."""
    if not source.is_build:
        raise AgentError(f"--after {path}: a folder starts no release; give a build's result")
    name = source.facts["definitionName"]
    made = [one for one in release.artifacts if one.source.lower() == name.lower()]
    if not made:
        hint = nearest(name, [one.source for one in release.artifacts if one.source])
        raise AgentError(f"--after {path}: no artifact comes from the build '{name}'; {hint}")
    artifact = made[0]
    build = f"build {source.facts['number']} of '{name}'"
    if source.result not in _DEPLOYABLE:
        raise TriggerError(f"{build} {source.result}, so no release is created")
    if artifact.alias not in release.triggers:
        raise TriggerError(
            f"the release has no continuous deployment of '{artifact.alias}', so {build} creates "
            f"none; create one by hand with --artifact {artifact.alias}={path}"
        )
    filters = release.triggers[artifact.alias]
    if not _passes(filters, source):
        wanted = "; ".join(map(str, filters))
        branch = source.facts["sourceBranch"] or "no branch"
        raise TriggerError(f"{build} is of {branch}, and the trigger is for {wanted}: no release")
    return artifact


def _passes(filters: tuple[Filter, ...], source: Source) -> bool:
    return let_through(
        filters,
        branch=source.facts.get("sourceBranch", ""),
        default_branch=source.default_branch,
        tags=source.tags,
    )


def _started(release: Release, sources: Mapping[str, Source]) -> Pipeline:
    """Return the pipeline; stages whose own artifact filters keep a build out do not start."""
    stages = []
    for stage in release.pipeline.stages:
        filters = release.starts[stage.name].filters
        kept = all(_passes((one,), sources[alias]) for alias, one in filters.items())
        stages.append(stage if kept else replace(stage, condition=NEVER))
    return replace(release.pipeline, stages=tuple(stages))
