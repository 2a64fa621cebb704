"""EvaluateAndGate: judge a candidate against the model in service; register it if it passes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from amltasks import builds, connection, errors, inputs, metrics
from amltasks.agent import Job
from amltasks.gate import rules as gate_rules
from amltasks.gate.judge import judge
from amltasks.report import eval_info, markdown
from amltasks.verdict import Baseline, Verdict
from amltasks.workspace.port import COMPLETED, Model, Run, Workspace

log = logging.getLogger("amltasks")

_ACCURACY = ("accuracy", "acc")


@dataclass(frozen=True, kw_only=True)
class GateInputs:
    """The task's inputs; ``task.json`` describes them."""

    resource_group: str = inputs.text(required=True)
    workspace: str = inputs.text(required=True)
    candidate: str = inputs.choice("run", "model")
    candidate_run_id: str = inputs.text(
        required=True, shown=inputs.Shown(input="candidate", value="run")
    )
    candidate_model_version: str = inputs.text(
        required=True, shown=inputs.Shown(input="candidate", value="model")
    )
    model_name: str = inputs.text(required=True)
    rules: str = inputs.text(default="- metric: accuracy\n  direction: higher\n  min_gain: 0")
    baseline: str = inputs.choice("service", "latest", "none")
    service_name: str = inputs.text(
        required=True, shown=inputs.Shown(input="baseline", value="service")
    )
    model_path: str = inputs.text(default="outputs/model")
    model_description: str = inputs.text()
    model_tags: Mapping[str, str] = inputs.texts()
    output_directory: str = inputs.text(default="$(System.DefaultWorkingDirectory)/aml-gate")
    sdk: str = inputs.choice("v2", "v1")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """What is judged. ``holder_id`` is the run or step with the model's files, ``model`` the
    version when it is registered already.
    """

    metrics: Mapping[str, float]
    run_id: str
    holder_id: str = ""
    model: Model | None = None


def run(job: Job) -> str:
    """Perform the task; returns what was done, in a sentence."""
    given = inputs.parse(GateInputs, job.handover.inputs, job.handover.variables)
    rules = gate_rules.read(inputs.load_yaml("rules", given.rules, as_written=False))
    version = _version(given)
    workspace = connection.open_workspace(
        job, resource_group=given.resource_group, workspace=given.workspace, sdk=given.sdk
    )

    needed = {rule.metric for rule in rules.rules}
    candidate = _candidate(given, version, needed, workspace)
    baseline = _baseline(given, candidate, needed, workspace)
    verdict = judge(candidate.metrics, baseline, rules)
    for check in verdict.checks:
        log.info("%s: %s", "pass" if check.passed else check.reason.value, check.detail)

    # Registering comes last: all that can fail has been done, but for two local files.
    registered = candidate.model
    if verdict.passed:
        registered = _promote(job, given, candidate, workspace)
    _report(job, given, candidate, verdict, registered)
    if not verdict.passed:
        raise getattr(errors, verdict.reason.value).error(detail=verdict.detail)
    assert registered is not None  # noqa: S101 - promoted above
    return f"Passed: model {registered.name}:{registered.version} ({verdict.detail})"


def _version(given: GateInputs) -> int:
    if given.candidate == "run":
        return 0
    if not given.candidate_model_version.isdecimal():
        raise errors.INPUT_INVALID.error(
            name="candidateModelVersion",
            value=given.candidate_model_version,
            expected="a version number such as 3",
        )
    return int(given.candidate_model_version)


def _candidate(
    given: GateInputs, version: int, needed: set[str], workspace: Workspace
) -> Candidate:
    if given.candidate == "model":
        model = workspace.models.get(given.model_name, version)
        return Candidate(
            metrics=_model_metrics(workspace, model, needed),
            run_id=model.tags.get("run_id") or model.run_id,
            model=model,
        )
    run = workspace.runs.get(given.candidate_run_id)
    steps = workspace.runs.steps(run.id)
    log.info("The candidate is run %s (%s) with %d steps", run.id, run.status, len(steps))
    if run.status not in COMPLETED:
        raise errors.CANDIDATE_NOT_COMPLETED.error(run=run.id, status=run.status, url=run.url)
    holders = [each for each in (run, *steps) if _has(workspace, each.id, given.model_path)]
    if not holders:
        raise errors.MODEL_FILES_NOT_FOUND.error(run=run.id, path=given.model_path)
    if len(holders) > 1:
        raise errors.MODEL_FILES_AMBIGUOUS.error(
            run=run.id, path=given.model_path, holders=", ".join(each.name for each in holders)
        )
    return Candidate(metrics=_run_metrics(workspace, run), run_id=run.id, holder_id=holders[0].id)


def _has(workspace: Workspace, run_id: str, path: str) -> bool:
    wanted = path.strip("/")
    return any(f == wanted or f.startswith(wanted + "/") for f in workspace.runs.files(run_id))


def _model_metrics(workspace: Workspace, model: Model, needed: set[str]) -> dict[str, float]:
    """A registered model's metrics: its tags', and its run's for what the tags do not say."""
    tagged = metrics.from_tags(model.tags)
    # The tag first: it names the pipeline's run, the model itself only the step that saved it.
    run_id = model.tags.get("run_id") or model.run_id
    if needed <= tagged.keys() or not run_id:
        return tagged
    try:
        return {**_run_metrics(workspace, workspace.runs.get(run_id)), **tagged}
    except errors.TaskError as error:
        if error.cause is errors.RUN_NOT_FOUND:  # deleted since: then there are none
            return tagged
        raise


def _run_metrics(workspace: Workspace, run: Run) -> dict[str, float]:
    steps = workspace.runs.steps(run.id)
    return metrics.merged(
        workspace.runs.metrics(run.id),
        [(step.name, workspace.runs.metrics(step.id)) for step in steps],
    )


def _baseline(
    given: GateInputs, candidate: Candidate, needed: set[str], workspace: Workspace
) -> Baseline | None:
    """What to compare with; that one could not look is a result here, not an error."""
    if given.baseline == "none":
        return None
    label = (
        f"service {given.service_name}"
        if given.baseline == "service"
        else f"the latest {given.model_name}"
    )
    try:
        model = (
            _served(given, workspace)
            if given.baseline == "service"
            else _latest(given, candidate, workspace)
        )
        if model is None:
            return Baseline(label=label)
        label = f"{label}, model {model.name}:{model.version}"
        return Baseline(label=label, metrics=_model_metrics(workspace, model, needed))
    except errors.TaskError as error:
        return Baseline(label=label, unreachable=f"{error.cause.code}: {error.happened}")


def _served(given: GateInputs, workspace: Workspace) -> Model | None:
    """The model behind that very service, None when there is no such service.

    Raises:
        TaskError: ``REFUSED`` when the service does not say which one of its models it is.
    """
    service = workspace.services.find(given.service_name)
    if service is None:
        return None
    named = [model for model in service.models if model.name == given.model_name]
    behind = named or list(service.models)
    if len(behind) != 1:
        raise errors.REFUSED.error(
            doing=f"looking at the service '{service.name}'",
            detail=f"it runs {len(behind)} models, so the incumbent is not known",
        )
    # A service lists its models without their tags.
    return workspace.models.get(behind[0].name, behind[0].version)


def _latest(given: GateInputs, candidate: Candidate, workspace: Workspace) -> Model | None:
    """The newest registered version other than the candidate itself."""
    own = candidate.model.version if candidate.model else None
    versions = workspace.models.versions(given.model_name)
    return next((model for model in versions if model.version != own), None)


def _promote(job: Job, given: GateInputs, candidate: Candidate, workspace: Workspace) -> Model:
    """Register the run's model, or tag the registered one."""
    tags = {
        **given.model_tags,
        "run_id": candidate.run_id,
        **builds.model_tags(job.handover),
        **metrics.as_tags(candidate.metrics),
    }
    if candidate.model:
        return workspace.models.tag(candidate.model, tags)
    model = workspace.models.register(
        run_id=candidate.holder_id,
        path=given.model_path.strip("/"),
        name=given.model_name,
        tags=tags,
        description=given.model_description,
    )
    log.info("Registered model %s:%d", model.name, model.version)
    return model


def _report(
    job: Job, given: GateInputs, candidate: Candidate, verdict: Verdict, model: Model | None
) -> None:
    """Write eval_info.json and the summary, and set the output variables."""
    folder = job.folder(given.output_directory)
    version = str(model.version) if model else ""
    main = _main_metric(verdict)
    info = eval_info.write(
        eval_info.EvalInfo(
            model_name=given.model_name,
            model_version=version,
            model_path=given.model_path,
            model_acc=eval_info.accuracy(candidate.metrics.get(main)),
            deployed_model_acc=eval_info.accuracy((verdict.baseline.metrics or {}).get(main)),
            deploy_model=verdict.passed,
            train_run_id=candidate.holder_id or candidate.run_id,
            eval_run_id=candidate.run_id,
            model_description=given.model_description or (model.description if model else ""),
        ),
        folder,
    )
    summary = folder / "gate.md"
    facts = {
        "model": f"{given.model_name}:{version}"
        if version
        else f"{given.model_name} (not registered)",
        "run": candidate.run_id,
        "build": job.handover.variable("build.buildnumber"),
        "commit": job.handover.variable("build.sourceversion"),
    }
    summary.write_text(
        markdown.gate(verdict, title=given.model_name, facts=facts), encoding="utf-8"
    )
    job.channel.summary(summary)
    for name, value in {
        "passed": str(verdict.passed).lower(),
        "reason": verdict.reason.value,
        "modelName": given.model_name,
        "modelVersion": version,
        "evalInfoPath": str(info),
        "reportPath": str(summary),
    }.items():
        job.channel.output(name, value)


def _main_metric(verdict: Verdict) -> str:
    """The seed's file has one accuracy: the rule on it if there is one, else the first rule."""
    ruled = [check.metric for check in verdict.checks]
    return next((name for name in ruled if name in _ACCURACY), ruled[0])
