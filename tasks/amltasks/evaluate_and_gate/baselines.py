"""What a candidate is compared with. That one could not look is a result here, not an error."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from amltasks import errors, metrics
from amltasks.azure_pipelines import devops, inputs
from amltasks.azure_pipelines.agent import Job
from amltasks.evaluate_and_gate import evidence, promotion
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.gate.verdict import Baseline
from amltasks.workspace.port import Model, Workspace

log = logging.getLogger("amltasks")

KINDS = ("service", "latest", "tag", "version", "build", "file", "none")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which baseline is asked for; ``own_version`` is the candidate's, 0 when it has none yet.

    ``tag`` is ``name=value``. ``metrics`` are those that the rules name, ``layout`` is
    what to read of predictions.
    """

    kind: str
    model_name: str
    own_version: int = 0
    service: str = ""
    tag: str = ""
    version: int = 0
    file: str = ""
    predictions_path: str = ""
    metrics: Set[str]
    layout: Layout


def find(job: Job, wanted: Wanted, workspace: Workspace) -> Baseline | None:
    """Look for the baseline; None when none is wanted.

    A baseline that is not there has no metrics; one that could not be looked at says why.
    """
    if wanted.kind == "none":
        return None
    label = _label(job, wanted)
    try:
        if wanted.kind == "file":
            return _file(
                label, inputs.existing_file("baselineFile", wanted.file, job.sources), wanted
            )
        model = _FINDERS[wanted.kind](job, wanted, workspace)
        if model is None:
            return Baseline(label=label)
        label = f"{label}, model {model.name}:{model.version}"
        found = evidence.trail_of(workspace, model)
        return Baseline(
            label=label,
            model=model.name,
            version=str(model.version),
            metrics=evidence.model_metrics(workspace, model, found, wanted.metrics),
            rows=evidence.rows_of(workspace, found, wanted.predictions_path, wanted.layout)
            if found
            else None,
        )
    except errors.TaskError as error:
        return Baseline(label=label, unreachable=f"{error.cause.code}: {error.happened}")


def _label(job: Job, wanted: Wanted) -> str:
    name = wanted.model_name
    return {
        "service": f"service {wanted.service}",
        "latest": f"the latest {name}",
        "tag": f"the newest {name} tagged {wanted.tag}",
        "version": f"version {wanted.version} of {name}",
        "build": "the previous successful build of "
        + (job.handover.variable("build.definitionname") or "this definition"),
        "file": f"the file {Path(wanted.file).name}",
    }[wanted.kind]


def _served(_job: Job, wanted: Wanted, workspace: Workspace) -> Model | None:
    """The model behind that very service, None when there is no such service."""
    service = workspace.services.find(wanted.service)
    if service is None:
        return None
    named = [model for model in service.models if model.name == wanted.model_name]
    behind = named or list(service.models)
    if len(behind) != 1:
        raise errors.BASELINE_AMBIGUOUS.error(
            detail=f"the service '{service.name}' runs {len(behind)} models "
            f"({', '.join(f'{m.name}:{m.version}' for m in behind) or 'none that is registered'})"
        )
    # A service lists its models without their tags.
    return workspace.models.get(behind[0].name, behind[0].version)


def _latest(_job: Job, wanted: Wanted, workspace: Workspace) -> Model | None:
    """The newest registered version but the candidate itself and those a gate turned away."""
    return next(_others(wanted, workspace), None)


def _tagged(_job: Job, wanted: Wanted, workspace: Workspace) -> Model | None:
    name, _, value = wanted.tag.partition("=")
    return next((m for m in _others(wanted, workspace) if m.tags.get(name) == value), None)


def _pinned(_job: Job, wanted: Wanted, workspace: Workspace) -> Model | None:
    return workspace.models.get(wanted.model_name, wanted.version)


def _built(job: Job, wanted: Wanted, workspace: Workspace) -> Model | None:
    """The model that was passed by the last successful build of this definition that passed one.

    With ``onReject: continue`` a build whose gate said no succeeds as well.
    """
    client = devops.connect(job)
    if client is None:
        raise errors.DEVOPS_UNREACHABLE.error(
            doing="looking for the previous build", detail="the job has no access token"
        )
    found = client.previous_successful_builds(*_line(job))
    key = f"AmlGate.{wanted.model_name}.ModelVersion"
    for build in found:
        version = client.properties(build.id).get(key, "")
        if version.isdecimal():
            log.info("The previous successful build is %s", build.number)
            return workspace.models.get(wanted.model_name, int(version))
    if found:
        raise errors.BASELINE_AMBIGUOUS.error(
            detail=f"of the last {len(found)} successful builds, back to {found[-1].number}, none "
            f"has a property {key}, so their gates passed no such model"
        )
    return None


def _line(job: Job) -> tuple[int, str]:
    """The definition and the branch whose builds come before this one.

    In a release ``System.DefinitionId`` is the release's own, and a pull request is built on a
    branch of its own, on which nothing was passed: what it wants to go into counts.
    """
    variable = job.handover.variable
    released = variable("release.releaseid")
    definition = variable("build.definitionid" if released else "system.definitionid")
    target = variable("system.pullrequest.targetbranch")
    if target and not target.startswith("refs/"):
        target = f"refs/heads/{target}"  # so GitHub's are called
    return int(definition or 0), target or variable("build.sourcebranch")


_FINDERS: Mapping[str, Callable[[Job, Wanted, Workspace], Model | None]] = {
    "service": _served,
    "latest": _latest,
    "tag": _tagged,
    "version": _pinned,
    "build": _built,
}


def _others(wanted: Wanted, workspace: Workspace) -> Iterator[Model]:
    for model in workspace.models.versions(wanted.model_name):
        if model.version != wanted.own_version and not promotion.turned_away(model):
            yield model


def _file(label: str, path: Path, wanted: Wanted) -> Baseline:
    """A file of metrics (JSON) or of predictions (CSV, parquet)."""
    if path.suffix != ".json":
        from amltasks.evaluate_and_gate.predictions import reader

        rows = reader.read(path, wanted.layout)
        return Baseline(label=label, metrics={}, rows=rows)
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as cause:  # the latter where it is nested very deep
        raise errors.BASELINE_AMBIGUOUS.error(detail=f"{path.name} is no JSON: {cause}") from None
    if not isinstance(document, dict):
        raise errors.BASELINE_AMBIGUOUS.error(
            detail=f"{path.name} holds no JSON object of metrics, name -> number"
        )
    return Baseline(label=label, metrics=metrics.numbers(document))
