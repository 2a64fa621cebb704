"""RunAmlPipeline: submit a pipeline, follow it to its end, hand on what it produced."""

from __future__ import annotations

import json
import logging
import math
import re
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from amltasks import core_yaml, errors, metrics, tracebacks, waiting
from amltasks.azure_pipelines import attempts, connection, inputs
from amltasks.azure_pipelines.agent import Job, WithIssues, number_text
from amltasks.azure_pipelines.builds import build_tags
from amltasks.report.markdown import plain_table
from amltasks.run_aml_pipeline import evictions, submitting
from amltasks.run_aml_pipeline.cancelling import UnderWay
from amltasks.run_aml_pipeline.evictions import Policy
from amltasks.run_aml_pipeline.following import Limits, Outcome, follow, status_of
from amltasks.workspace import port
from amltasks.workspace.artifacts import inside
from amltasks.workspace.port import COMPLETED, Run, Submission, Workspace

log = logging.getLogger("amltasks")

# What the SDK prints inside a step after the script has ended.
_EPILOGUE = re.compile(
    r"^(?:Cleaning up all outstanding Run operations|\d+ items cleaning up|Cleanup took )"
)
# What makes a step the same one when its job is tried again.
_IDENTIFYING = ("pipelineFile", "experimentName", "parameters", "overrides", "tags", "displayName")


@dataclass(frozen=True, kw_only=True)
class RunInputs:
    """The task's inputs; ``task.json`` describes them."""

    resource_group: str = inputs.text(required=True, alias="resourceGroupName")
    workspace: str = inputs.text(required=True, alias="workspaceName")
    pipeline_file: str = inputs.file(required=True)
    experiment_name: str = inputs.text(required=True)
    parameters: Mapping[str, port.Scalar] = inputs.values()
    tags: Mapping[str, str] = inputs.texts()
    display_name: str = inputs.text()
    overrides: tuple[str, ...] = inputs.lines()
    force_rerun: bool = inputs.boolean(default=False)
    download_outputs: tuple[str, ...] = inputs.lines()
    download_path: str = inputs.text(default="$(System.DefaultWorkingDirectory)/aml-outputs")
    wait_for_completion: bool = inputs.boolean(default=True)
    eviction_retries: int = inputs.whole(default=0, least=0, most=20)
    dedicated_compute: str = inputs.text()
    queue_timeout: float = inputs.number(default="0", least=0, most=100_000)
    timeout_minutes: float = inputs.number(default="0", least=0, most=100_000)
    sdk: str = inputs.choice("v2", "v1")


def run(job: Job) -> str:
    """Perform the task; returns what was done, in a sentence."""
    given = inputs.parse(RunInputs, job.handover.inputs, job.handover.variables)
    file = inputs.existing_file("pipelineFile", given.pipeline_file, job.sources)
    wanted = [_wanted(line) for line in given.download_outputs]
    if wanted and not given.wait_for_completion:
        raise errors.INPUT_INVALID.error(
            name="downloadOutputs",
            value=given.download_outputs[0],
            expected="empty, though waitForCompletion is false and there will be no outputs yet",
        )
    unattended = given.eviction_retries or given.dedicated_compute
    if unattended and not given.wait_for_completion:
        raise errors.INPUT_INVALID.error(
            name="evictionRetries" if given.eviction_retries else "dedicatedCompute",
            value=unattended,
            expected="left out, because waitForCompletion is false and nobody sees an eviction",
        )
    overrides = _overrides(given, file)
    workspace = connection.open_workspace(
        job, resource_group=given.resource_group, workspace=given.workspace, sdk=given.sdk
    )

    told = {name: job.handover.inputs.get(name, "") for name in _IDENTIFYING}
    submission = Submission(
        file=file,
        experiment=given.experiment_name,
        parameters=given.parameters,
        tags={**build_tags(job.handover), **given.tags, **attempts.tags(job.handover, told)},
        display_name=given.display_name,
        force_rerun=given.force_rerun,
        overrides=overrides,
    )
    policy = Policy(retries=given.eviction_retries, dedicated=given.dedicated_compute)
    policy.check(workspace.compute)
    under_way = UnderWay()
    limits = Limits(queued=given.queue_timeout, running=given.timeout_minutes)

    def perform(wanted: Submission) -> Outcome:
        submitted = submitting.submit(job, workspace, wanted, under_way)
        return follow(job, workspace, submitted, limits)

    try:
        if not given.wait_for_completion:
            submitted = submitting.submit(job, workspace, submission, under_way)
            job.channel.output("runStatus", submitted.status)
            return f"Run {submitted.id} is {submitted.status}; the task does not wait for it"
        outcome = evictions.run_through(submission, policy, perform)
    except KeyboardInterrupt:
        under_way.cancel(job, workspace.runs)
        raise

    return _finish(job, workspace, given, outcome)


def _overrides(given: RunInputs, file: Path) -> dict[str, object]:
    """Values by the paths of settings, from lines such as ``jobs.train.compute=gpu``.

    Raises:
        TaskError: ``INPUT_INVALID``
    """
    found: dict[str, object] = {}
    for line in given.overrides:
        path, equals, text = (part.strip() for part in line.partition("="))
        expected = "path=value, such as jobs.train.compute=gpu-cluster"
        if given.sdk != "v2" or file.suffix.lower() not in (".yml", ".yaml"):
            expected = "left out: only the YAML file of a job with sdk v2 has settings to override"
        elif path in found:
            expected = f"one line for '{path}', not two"
        elif path.startswith("inputs.") and path.split(".")[1] in given.parameters:
            expected = f"left out: the input 'parameters' sets '{path.split('.')[1]}'"
        elif equals and path:
            try:
                found[path] = yaml.load(text, Loader=core_yaml.CoreLoader)  # noqa: S506 - a safe one
                continue
            except (yaml.YAMLError, ValueError):
                expected = "path=value with a value in YAML"
        raise errors.INPUT_INVALID.error(
            name="overrides", value=core_yaml.echo(line), expected=expected
        )
    return found


def _finish(job: Job, workspace: Workspace, given: RunInputs, outcome: Outcome) -> str:
    """Hand on what a run produced; returns what became of it, in a sentence.

    Raises:
        TaskError: ``STEP_FAILED``, ``RUN_FAILED``, ``RUN_CANCELED``, ``OUTPUT_NOT_FOUND``
    """
    ended, steps = outcome.run, outcome.steps
    job.channel.output("runStatus", ended.status)
    for line in plain_table(["step", "status", "time"], [_row(step) for step in steps]):
        log.info("%s", line)
    _raise_if_failed(ended, steps, outcome.tails)
    pause = job.cancellation.pause
    found = waiting.patiently(lambda: all_metrics(workspace, ended, steps), pause)
    _hand_on(job, found)
    folder = job.folder(given.download_path)
    folder.mkdir(parents=True, exist_ok=True)  # a later step may publish it, even if empty
    for step_name, path in map(_wanted, given.download_outputs):
        _download(job, workspace, steps, step_name, path, folder)
    job.channel.output("outputsPath", str(folder))
    done = f"Run {ended.id} is {ended.status} with {len(steps)} steps"
    failed = [step.name for step in steps if step.status == "Failed"]
    if not failed:
        return done
    with_issues = f"{done}, of which {', '.join(failed)} failed, as the pipeline allows"
    job.warn("STEPS_FAILED", f"{with_issues}; see {ended.url}")
    return WithIssues(with_issues)


def all_metrics(workspace: Workspace, run: Run, steps: tuple[Run, ...]) -> dict[str, float]:
    """The run's metrics and its steps', as :func:`amltasks.metrics.merged` joins them."""
    return metrics.merged(
        workspace.runs.metrics(run.id),
        [(step.name, workspace.runs.metrics(step.id)) for step in steps],
    )


def _row(step: Run) -> list[object]:
    return [step.name, status_of(step), waiting.clock(step.seconds) if step.seconds else "-"]


def _raise_if_failed(run: Run, steps: tuple[Run, ...], tails: Mapping[str, deque[str]]) -> None:
    if run.status == "Canceled":
        raise errors.RUN_CANCELED.error(run=run.id, url=run.url)
    if run.status in COMPLETED:
        return
    failed = next((step for step in steps if step.status == "Failed"), None)
    if failed is None:
        detail = run.error or "Azure ML gives no reason"
        raise errors.RUN_FAILED.error(run=run.id, status=run.status, detail=detail, url=run.url)
    tail = tails.get(failed.id) or deque()
    log.info("The last %d lines of step %s:", len(tail), failed.name)
    for line in tail:
        log.info("[%s] %s", failed.name, line)
    told = (core_yaml.shortened(failed.error, 160), core_yaml.shortened(_last_words(tail), 240))
    detail = "; ".join(part for part in told if part) or "it gives no reason"
    raise errors.STEP_FAILED.error(step=failed.name, run=run.id, detail=detail, url=failed.url)


def _last_words(tail: Iterable[str]) -> str:
    """The line of a log that tells most: the last exception, else the last line of the script."""
    told = [line for line in tail if line.strip() and not _EPILOGUE.match(line)]
    return (tracebacks.raised(told) or told or [""])[-1].strip()


def _hand_on(job: Job, found: Mapping[str, float]) -> None:
    for name, value in found.items():
        log.info("metric %s = %s", name, number_text(value))
        job.channel.output(f"metric.{name}", number_text(value))
    # JSON has no NaN: those are in the log and in metric.<name> only.
    finite = {name: value for name, value in found.items() if math.isfinite(value)}
    job.channel.output("metrics", json.dumps(finite))


def _wanted(line: str) -> tuple[str, str]:
    step, slash, path = line.partition("/")
    if not slash or not step.strip() or not path.strip("/ "):
        raise errors.INPUT_INVALID.error(
            name="downloadOutputs", value=line, expected="step/output or step/outputs/path"
        )
    return step.strip(), path.strip().strip("/")


def _download(
    job: Job, workspace: Workspace, steps: tuple[Run, ...], name: str, path: str, folder: Path
) -> None:
    step = next((step for step in steps if step.name == name), None)
    if step is None:
        known = ", ".join(sorted({step.name for step in steps})) or "none"
        raise errors.OUTPUT_NOT_FOUND.error(
            output=f"{name}/{path}", detail=f"the run has no step '{name}'; its steps are {known}"
        )
    pause, runs, count = job.cancellation.pause, workspace.runs, 0
    target = inside(folder, name)  # the name of a step is the pipeline's: it must not lead out
    if "/" not in path:
        whole = inside(target, path)
        count = waiting.patiently(lambda: runs.download_output(step.id, path, whole), pause)
    count = count or waiting.patiently(lambda: runs.download_files(step.id, path, target), pause)
    if not count:
        raise errors.OUTPUT_NOT_FOUND.error(
            output=f"{name}/{path}", detail="the step has no such output and no such files"
        )
    log.info("Downloaded %d files of %s/%s to %s", count, name, path, folder / name)
