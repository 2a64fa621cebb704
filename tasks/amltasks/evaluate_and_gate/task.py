"""EvaluateAndGate: judge a candidate by written rules; register or promote it if it passes."""

from __future__ import annotations

import dataclasses
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from amltasks import errors, metrics
from amltasks.azure_pipelines import (
    attempts,
    builds,
    connection,
    inputs,
)
from amltasks.azure_pipelines.agent import Job, WithIssues
from amltasks.evaluate_and_gate import (
    baselines,
    evidence,
    promotion,
    rescoring,
    verdict_files,
    verdict_notes,
)
from amltasks.gate import rules as gate_rules
from amltasks.gate.judge import Candidate, judge
from amltasks.gate.rows import Pair, Rows, paired
from amltasks.gate.rules import Rules
from amltasks.gate.verdict import Baseline, Reason, Verdict
from amltasks.workspace.port import COMPLETED, Model, Workspace

log = logging.getLogger("amltasks")


@dataclass(frozen=True, kw_only=True)
class GateInputs:
    """The task's inputs; ``task.json`` describes them."""

    resource_group: str = inputs.text(required=True)
    workspace: str = inputs.text(required=True)
    candidate: str = inputs.choice("run", "model")
    candidate_run_id: str = inputs.text(
        required=True, shown=inputs.Shown(input="candidate", value="run")
    )
    candidate_model_version: int = inputs.required_whole(
        least=1, most=2_000_000_000, shown=inputs.Shown(input="candidate", value="model")
    )
    model_name: str = inputs.text(required=True)
    baseline: str = inputs.choice(*baselines.KINDS)
    service_name: str = inputs.text(
        required=True, shown=inputs.Shown(input="baseline", value="service")
    )
    baseline_tag: str = inputs.text(
        required=True, shown=inputs.Shown(input="baseline", value="tag")
    )
    baseline_version: int = inputs.required_whole(
        least=1, most=2_000_000_000, shown=inputs.Shown(input="baseline", value="version")
    )
    baseline_file: str = inputs.text(
        required=True, shown=inputs.Shown(input="baseline", value="file")
    )
    rules_file: str = inputs.text()
    rules: str = inputs.text()
    on_reject: str = inputs.choice("fail", "warn", "continue")
    model_path: str = inputs.text(default="outputs/model")
    predictions_path: str = inputs.text()
    promote_tags: Mapping[str, str] = inputs.texts()
    model_description: str = inputs.text()
    model_tags: Mapping[str, str] = inputs.texts()
    output_directory: str = inputs.text(default="$(System.DefaultWorkingDirectory)/aml-gate")
    sdk: str = inputs.choice("v2", "v1")


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What is judged. ``holder_id`` is the run or step with the model's files, ``model`` the
    version when it is registered already, ``promoted`` whether an earlier attempt of this very step
    has promoted it.
    """

    metrics: Mapping[str, float]
    run_id: str
    holder_id: str = ""
    model: Model | None = None
    promoted: bool = False
    rows: Rows | None = field(default=None, repr=False)


def run(job: Job) -> str:
    """Perform the task; returns what was done, in a sentence."""
    # Should anything end it before the verdict, no later step may take silence for a pass.
    job.channel.output("passed", "false")
    given = inputs.parse(GateInputs, job.handover.inputs, job.handover.variables)
    rules = _rules(job, given)
    folder = inputs.made_folder("outputDirectory", job.folder(given.output_directory))
    workspace = connection.open_workspace(
        job, resource_group=given.resource_group, workspace=given.workspace, sdk=given.sdk
    )

    candidate = _candidate(job, given, rules, workspace)
    before = promotion.standing(workspace.models, given.model_name)
    baseline = _baseline(job, given, candidate, rules, workspace)
    over = promotion.incumbent(before, _key(baseline))
    verdict = judge(Candidate(metrics=candidate.metrics, rows=candidate.rows), baseline, rules)
    for check in verdict.checks:
        log.info("%s: %s", "pass" if check.passed else check.reason.value, check.detail)

    model = candidate.model
    if verdict.passed:
        model, verdict = _promote(job, given, candidate, over, verdict, workspace)
    else:
        _quarantine(job, candidate, verdict, workspace)
    facts = _facts(job, given, candidate, model if verdict.passed else None)
    files = verdict_files.write(verdict, facts, folder, candidate.metrics)
    verdict_files.hand_on(job, verdict, facts, files)
    verdict_notes.post(job, verdict, facts)
    return _conclusion(job, given, verdict, model)


def _rules(job: Job, given: GateInputs) -> Rules:
    if given.rules_file and given.rules.strip():
        raise errors.INPUT_INVALID.error(
            name="rulesFile", value=given.rules_file, expected="empty, as the input 'rules' is not"
        )
    if not given.rules_file:
        return gate_rules.read(given.rules, source="the input 'rules'")
    path = inputs.existing_file("rulesFile", given.rules_file, job.sources)
    try:
        return gate_rules.read(path.read_text(encoding="utf-8-sig"), source=f"'{path.name}'")
    except UnicodeDecodeError:
        raise errors.RULES_INVALID.error(source=f"'{path.name}'", detail="no UTF-8") from None


def _candidate(job: Job, given: GateInputs, rules: Rules, workspace: Workspace) -> Judged:
    if given.candidate == "model":
        model = workspace.models.get(given.model_name, given.candidate_model_version)
        found = evidence.trail_of(workspace, model)
        return Judged(
            metrics=evidence.model_metrics(workspace, model, found, rules.metrics),
            run_id=found.run.id if found else "",
            model=model,
            rows=_rows(given, found, rules, workspace),
        )
    found = evidence.trail(workspace, given.candidate_run_id)
    run = found.run
    log.info("The candidate is run %s (%s) with %d steps", run.id, run.status, len(found.steps))
    if run.status not in COMPLETED:
        raise errors.CANDIDATE_NOT_COMPLETED.error(run=run.id, status=run.status, url=run.url)
    holders = found.holders(given.model_path)
    if not holders:
        raise errors.MODEL_FILES_NOT_FOUND.error(run=run.id, path=given.model_path)
    if len(holders) > 1:
        raise errors.MODEL_FILES_AMBIGUOUS.error(
            run=run.id, path=given.model_path, holders=", ".join(each.name for each in holders)
        )
    versions = workspace.models.versions(given.model_name)
    earlier = promotion.of_earlier_attempt(versions, run.id, _attempt(job, given))
    return Judged(
        metrics=evidence.run_metrics(workspace, found),
        run_id=run.id,
        holder_id=holders[0].id,
        model=earlier,
        promoted=earlier is not None,
        rows=_rows(given, found, rules, workspace),
    )


def _rows(
    given: GateInputs, found: evidence.Trail | None, rules: Rules, workspace: Workspace
) -> Rows | None:
    """The candidate's predictions, None when it left none and none were asked for by name."""
    rows = (
        evidence.rows_of(workspace, found, given.predictions_path, rules.columns) if found else None
    )
    if rows is None and given.predictions_path:
        where = (
            f"run {found.run.id} and its steps" if found else "the model, whose run is not known,"
        )
        raise errors.PREDICTIONS_INVALID.error(
            path=given.predictions_path, detail=f"{where} left no such file"
        )
    return rows


def _baseline(
    job: Job, given: GateInputs, candidate: Judged, rules: Rules, workspace: Workspace
) -> Baseline | None:
    wanted = baselines.Wanted(
        kind=given.baseline,
        model_name=given.model_name,
        own_version=candidate.model.version if candidate.model else 0,
        service=given.service_name,
        tag=given.baseline_tag,
        version=given.baseline_version,
        file=given.baseline_file,
        predictions_path=given.predictions_path,
        metrics=rules.metrics,
        slices=rules.columns,
    )
    found = baselines.find(job, wanted, workspace)
    if found is None or found.metrics is None or given.baseline != "service":
        return found
    if candidate.rows is None or (
        found.rows and isinstance(paired(candidate.rows, found.rows), Pair)
    ):
        return found
    try:
        rows = rescoring.rescore(workspace.services, given.service_name, candidate.rows)
    except errors.TaskError as error:
        job.warn(error.cause.code, f"{error.happened}. Next: {error.next_step}")
        return found
    return dataclasses.replace(found, rows=rows)


def _key(baseline: Baseline | None) -> str:
    """What is promoted over: the incumbent, or the place that is empty yet."""
    if baseline is not None and baseline.model:
        return f"{baseline.model}:{baseline.version}"
    return "nothing"


def _promote(
    job: Job,
    given: GateInputs,
    candidate: Judged,
    over: promotion.Incumbent,
    verdict: Verdict,
    workspace: Workspace,
) -> tuple[Model, Verdict]:
    """Register the run's model or tag the registered one, unless another build was first."""
    by = job.handover.variable("build.buildid") or uuid.uuid4().hex[:8]
    tags = {
        **given.model_tags,
        "run_id": candidate.run_id,
        **builds.model_tags(job.handover),
        **metrics.as_tags(candidate.metrics),
    }
    if candidate.promoted and candidate.model:
        log.info("An earlier attempt has promoted version %d of this run", candidate.model.version)
        return candidate.model, verdict
    claim = promotion.claim(over.key, by, _attempt(job, given))
    model: Model | None = None
    try:
        with job.cancellation.held():
            if candidate.model:
                model = workspace.models.tag(candidate.model, claim)
            else:
                model = workspace.models.register(
                    run_id=candidate.holder_id,
                    path=given.model_path.strip("/"),
                    name=given.model_name,
                    tags={**tags, **claim},
                    description=given.model_description,
                )
                log.info("Registered model %s:%d", model.name, model.version)
    except KeyboardInterrupt:
        if model is not None:
            promotion.withdraw(workspace.models, model)
        raise
    outcome = promotion.settle(
        workspace.models,
        model,
        over,
        tags={**tags, **given.promote_tags},
        pause=job.cancellation.pause,
    )
    if not outcome.stepped_back:
        return outcome.model, verdict
    stepped_back = dataclasses.replace(
        verdict, reason=Reason.STEPPED_BACK, detail=outcome.stepped_back
    )
    return outcome.model, stepped_back


def _attempt(job: Job, given: GateInputs) -> dict[str, str]:
    """Tags that tell this step, and which attempt of it this is."""
    return attempts.tags(job.handover, {"gate": given.model_name})


def _quarantine(job: Job, candidate: Judged, verdict: Verdict, workspace: Workspace) -> None:
    """Mark what was rejected, so that nobody takes it for good."""
    tags = {promotion.STATE: promotion.REJECTED, "gate_reason": verdict.reason.value}
    try:
        if candidate.model:
            workspace.models.tag(candidate.model, tags)
        else:
            workspace.runs.tag(candidate.run_id, tags)
    except errors.TaskError as error:
        job.warn("QUARANTINE_FAILED", f"what was rejected could not be tagged: {error.happened}")


def _facts(
    job: Job, given: GateInputs, candidate: Judged, model: Model | None
) -> verdict_files.Facts:
    return verdict_files.Facts(
        model=given.model_name,
        version=str(model.version) if model else "",
        path=given.model_path,
        description=given.model_description or (model.description if model else ""),
        run_id=candidate.run_id,
        holder_id=candidate.holder_id or candidate.run_id,
        evaluation=candidate.rows.digest if candidate.rows else "",
        build=builds.build_tags(job.handover),
    )


def _conclusion(job: Job, given: GateInputs, verdict: Verdict, model: Model | None) -> str:
    if verdict.passed:
        assert model is not None  # noqa: S101 - promoted
        done = f"Passed: model {model.name}:{model.version} ({verdict.detail})"
        return WithIssues(done) if verdict.warnings else done
    error = getattr(errors, verdict.reason.value).error(detail=verdict.detail)
    if given.on_reject == "fail":
        raise error
    if given.on_reject == "warn":
        job.warn(verdict.reason.value, error.happened)
        return WithIssues(f"Rejected, as a warning: {verdict.detail}")
    return f"Rejected ({verdict.reason.value}), and the pipeline goes on: {verdict.detail}"
