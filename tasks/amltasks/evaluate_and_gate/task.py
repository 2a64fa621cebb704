"""EvaluateAndGate: judge a candidate by written rules; register or promote it if it passes."""

from __future__ import annotations

import dataclasses
import logging

from amltasks import errors
from amltasks.azure_pipelines import (
    attempts,
    connection,
    inputs,
)
from amltasks.azure_pipelines.agent import Job, WithIssues
from amltasks.evaluate_and_gate import (
    anchors,
    baselines,
    candidates,
    copying,
    promotion,
    registering,
    rescoring,
)
from amltasks.evaluate_and_gate.candidates import Judged
from amltasks.evaluate_and_gate.given import GateInputs
from amltasks.evaluate_and_gate.predictions.layout import Layout
from amltasks.evaluate_and_gate.results import Results, clear
from amltasks.gate import rules as gate_rules
from amltasks.gate.judge import Candidate, judge
from amltasks.gate.rows import Pair, paired
from amltasks.gate.rules import Rules
from amltasks.gate.verdict import Baseline, Reason, Verdict
from amltasks.workspace.port import Model, Place, RegistryPlace, Workspace, WorkspacePlace

log = logging.getLogger("amltasks")

NOT_JUDGED = "NOT_JUDGED"
"""The output ``reason`` until there is a better one."""


def run(job: Job) -> str:
    """Perform the task; returns what was done, in a sentence."""
    # Should anything end it before the verdict, no later step may take silence for a pass.
    job.channel.output("passed", "false")
    job.channel.output("reason", NOT_JUDGED)
    try:
        return _run(job)
    except errors.TaskError as error:
        job.channel.output("reason", error.cause.code)
        raise


def _run(job: Job) -> str:
    given = inputs.parse(GateInputs, job.handover.inputs, job.handover.variables)
    rules = _rules(job, given)
    folder = inputs.made_folder("outputDirectory", job.folder(given.output_directory))
    clear(folder)
    workspace = connection.open_workspace(
        job, resource_group=given.resource_group, workspace=given.workspace, sdk=given.sdk
    )
    destination = _destination(given, workspace)
    candidate = _candidate(job, given, rules, workspace)
    before = promotion.standing(workspace.models, given.model_name)
    baseline = _baseline(job, given, candidate, rules, workspace)
    over = promotion.incumbent(before, _key(baseline))
    earlier = _earlier(job, given, candidate, rules, baseline, workspace)
    verdict = judge(
        Candidate(metrics=candidate.metrics, rows=candidate.rows),
        baseline,
        rules,
        anchor=earlier.anchor,
        looks=earlier.looks,
    )
    verdict = dataclasses.replace(verdict, past=earlier.past)
    for check in verdict.checks:
        log.info("%s: %s", "pass" if check.passed else check.reason.value, check.detail)
    for note in verdict.notes:
        log.info("Note: %s", note)

    results = Results(job=job, given=given, candidate=candidate, baseline=baseline, folder=folder)
    model, copy, registered = candidate.model, "", ""
    if not verdict.passed and given.mode == "promote":
        _quarantine(job, candidate, verdict, workspace)
    elif verdict.passed and given.mode == "promote":
        model, verdict = _promoted(job, given, candidate, rules, over, verdict, results, workspace)
        registered = f"{model.name}:{model.version}"
        if verdict.passed and destination is not None:
            results.write(destination.waiting(verdict, model), None, registered)
            copy, verdict = destination.copied(job, verdict, model)
    passed = model if verdict.passed else None
    results.publish(verdict, results.write(verdict, passed, registered, copy))
    return _conclusion(job, given, verdict, model)


def _promoted(
    job: Job,
    given: GateInputs,
    candidate: Judged,
    rules: Rules,
    over: promotion.Incumbent,
    verdict: Verdict,
    results: Results,
    workspace: Workspace,
) -> tuple[Model, Verdict]:
    """Promote the candidate. The report is written first: it is there when promoting fails."""
    waiting = dataclasses.replace(
        verdict,
        reason=Reason.NOT_REGISTERED,
        detail=f"{verdict.detail}; the gate wrote this before it registered the model, and did not "
        "get beyond that",
    )
    files = results.write(waiting, None)
    try:
        plan = registering.Plan(
            model_name=given.model_name,
            model_path=given.model_path,
            model_description=given.model_description,
            model_tags=given.model_tags,
            promote_tags=given.promote_tags,
            attempt=_attempt(job, given),
            metrics=rules.metrics,
        )
        return registering.promote(job, plan, candidate, over, verdict, workspace)
    except errors.TaskError:
        results.publish(waiting, files)
        raise


def _destination(given: GateInputs, workspace: Workspace) -> copying.Destination | None:
    """Where a model that passes is copied to; opened first, so that a wrong name is told early."""
    place: Place
    if given.copy_to == "none" or given.mode == "judge":
        return None
    if given.copy_to == "registry":
        place = RegistryPlace(name=given.registry_name)
    else:
        place = WorkspacePlace(
            subscription_id=given.target_subscription_id,
            resource_group=given.target_resource_group,
            name=given.target_workspace,
        )
    return copying.Destination(place=place, elsewhere=workspace.models.elsewhere(place))


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
    wanted = candidates.Wanted(
        model_name=given.model_name,
        run_id=given.candidate_run_id,
        version=given.candidate_model_version if given.candidate == "model" else 0,
        model_path=given.model_path,
        predictions_path=given.predictions_path,
    )
    return candidates.find(wanted, rules, _attempt(job, given), workspace)


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
        layout=Layout.of(rules).like(candidate.rows),
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
        return dataclasses.replace(found, rescoring=f"{error.cause.code}: {error.happened}")
    return dataclasses.replace(found, rows=rows)


def _earlier(
    job: Job,
    given: GateInputs,
    candidate: Judged,
    rules: Rules,
    baseline: Baseline | None,
    workspace: Workspace,
) -> anchors.Earlier:
    wanted = anchors.Wanted(
        model_name=given.model_name,
        own_version=candidate.model.version if candidate.model else 0,
        predictions_path=given.predictions_path,
        rules=rules,
        rows=candidate.rows,
    )
    return anchors.find(job, wanted, baseline, workspace)


def _key(baseline: Baseline | None) -> str:
    """What is promoted over: the incumbent, or the place that is empty yet."""
    if baseline is not None and baseline.model:
        return f"{baseline.model}:{baseline.version}"
    return "nothing"


def _attempt(job: Job, given: GateInputs) -> dict[str, str]:
    """Tags that tell this step, and which attempt of it this is."""
    return attempts.tags(job.handover, {"gate": given.model_name})


def _quarantine(job: Job, candidate: Judged, verdict: Verdict, workspace: Workspace) -> None:
    """Mark what was rejected, so that nobody takes it for good."""
    tags = {promotion.STATE: promotion.REJECTED, promotion.REASON: verdict.reason.value}
    if candidate.rows is not None:
        tags[promotion.EVALUATION] = candidate.rows.digest
    try:
        if candidate.model:
            workspace.models.tag(candidate.model, tags)
        else:
            workspace.runs.tag(candidate.run_id, tags)
    except errors.TaskError as error:
        job.warn("QUARANTINE_FAILED", f"what was rejected could not be tagged: {error.happened}")


def _conclusion(job: Job, given: GateInputs, verdict: Verdict, model: Model | None) -> str:
    if verdict.passed and given.mode == "judge":
        done = f"Passed, and nothing was registered ({verdict.detail})"
        return WithIssues(done) if verdict.warnings else done
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
