"""From the command line's arguments to a session that is ready to run, or a refusal."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.agent.definition.classic_build import read_build
from local.agent.definition.classic_release import read_release
from local.agent.definition.model import Pipeline
from local.agent.definition.pipeline_file import read_pipeline
from local.agent.errors import AgentError
from local.agent.host.sources import find_sources
from local.agent.job.planned_step import Plan
from local.agent.run.deployment import Selection, select
from local.agent.run.plan import make_plan
from local.agent.run.setup import Options, RunSetup
from local.agent.session.approvals import read_approvals
from local.agent.session.artifacts import artifact_variables, primary_variables
from local.agent.session.predefined import (
    known_to_templates,
    release_variables,
    run_variables,
)
from local.agent.session.session import ReleaseRun, Session


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What is needed to run."""

    pipeline: Pipeline
    plan: Plan
    session: Session


def prepare(file: Path, options: Options, *, parameters: Mapping[str, str]) -> Prepared:
    """Read, check and plan; nothing of the pipeline has run when this refuses.

    Args:
        file: an azure-pipelines.yml, or a classic build definition.
        options: of the command line.
        parameters: of the pipeline, as YAML texts.

    Raises:
        AgentError: with the one sentence that the user needs.
    """
    setup = RunSetup.find(options)
    sources = find_sources(file)
    variable_groups = setup.variable_groups(options.groups)
    predefined = run_variables(file.stem, sources, 0, setup.now)
    if file.suffix.lower() == ".json":
        if parameters:
            raise AgentError("--parameter: a classic definition has none; use --variable")
        pipeline = read_build(
            file, environment=setup.environment, overrides=options.variables, groups=variable_groups
        )
    else:
        pipeline = read_pipeline(
            file,
            variables=known_to_templates(predefined),
            overrides=options.variables,
            parameters=parameters,
            repository=sources.root,
            groups=variable_groups,
        )
    variable_groups.check_all_read()
    plan = make_plan(
        pipeline,
        setup.tasks,
        setup.connections,
        predefined,
        callbacks=setup.organization is not None,
    )
    node = setup.node(plan)

    def run(build_id: int) -> dict[str, str]:
        identity = pipeline.identity
        return run_variables(pipeline.name, sources, build_id, setup.now, identity=identity)

    setup.end_abandoned()
    joined = setup.organization
    request = joined.queue(run(0), file) if joined is not None else None
    build_id = request.number if request is not None else setup.numbers.next("Build.BuildId")
    predefined = run(build_id)
    if request is not None:
        predefined = request.completed(predefined)
    counters = setup.counters(pipeline)
    if pipeline.name_format or request is None:
        predefined["Build.BuildNumber"] = setup.number(pipeline, predefined, counters)
    session = setup.session(
        pipeline, predefined, node, request, counters=counters, label=str(build_id)
    )
    return Prepared(pipeline=pipeline, plan=plan, session=session)


def prepare_release(
    file: Path,
    options: Options,
    *,
    artifacts: Mapping[str, Path],
    after: Path | None,
    approve: Collection[str],
    reject: Collection[str],
) -> Prepared:
    """Read, check and plan a release.

    Args:
        file: the release definition.
        options: of the command line.
        artifacts: by alias, the result of a build or a folder.
        after: the result of the build that starts the release by its trigger.
        approve: stages whose approvals are given.
        reject: stages whose approvals are refused.

    Raises:
        TriggerError: the build of ``after`` starts no release.
        AgentError: anything else that is wrong.
    """
    setup = RunSetup.find(options)
    variable_groups = setup.variable_groups(options.groups)
    release = read_release(
        file, environment=setup.environment, overrides=options.variables, groups=variable_groups
    )
    variable_groups.check_all_read()
    selection = select(release, artifacts=artifacts, after=after)
    pipeline = selection.pipeline
    approvals = read_approvals(pipeline.stages, approve=approve, reject=reject)
    predefined = _release_predefined(pipeline, selection, 0)
    plan = make_plan(
        pipeline,
        setup.tasks,
        setup.connections,
        predefined,
        callbacks=setup.organization is not None,
    )
    node = setup.node(plan)
    setup.end_abandoned()
    joined = setup.organization
    builds = {alias: one.facts for alias, one in selection.sources.items() if one.is_build}
    request = joined.release(pipeline.name, file, builds) if joined is not None else None
    own = request.number if request is not None else setup.numbers.next("Release.ReleaseId")
    predefined = _release_predefined(pipeline, selection, own)
    if request is not None:
        predefined = request.completed(predefined)
    counters = setup.counters(pipeline)
    predefined["Release.ReleaseName"] = setup.number(pipeline, predefined, counters)
    if request is not None and request.stages is not None:
        request.stages.rename(predefined["Release.ReleaseName"])
    session = setup.session(pipeline, predefined, node, request, counters=counters, label=f"{own}r")
    session.release = ReleaseRun(sources=selection.sources)
    session.approvals = approvals
    return Prepared(pipeline=pipeline, plan=plan, session=session)


def _release_predefined(
    pipeline: Pipeline, selection: Selection, release_id: int
) -> dict[str, str]:
    found = release_variables(
        pipeline.name, release_id, identity=pipeline.identity, alias=selection.triggered_by
    )
    for stage in pipeline.stages:
        found[f"Release.Environments.{stage.name}.status"] = "NotStarted"
    for position, (alias, source) in enumerate(selection.sources.items()):
        found.update(artifact_variables(alias, source))
        if position == 0:
            found["Release.PrimaryArtifactSourceAlias"] = alias
            found.update(primary_variables(source))
    return found
