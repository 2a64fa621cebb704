"""RunAmlPipeline: submit a pipeline, follow it to its end, hand on what it produced."""

from __future__ import annotations

import json
import logging
import math
import re
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from amltasks import core_yaml, errors, metrics, waiting
from amltasks.azure_pipelines import attempts, connection, inputs
from amltasks.azure_pipelines.agent import Job, number_text
from amltasks.azure_pipelines.builds import build_tags
from amltasks.report.markdown import plain_table
from amltasks.run_aml_pipeline import cancelling, submitting
from amltasks.run_aml_pipeline.cancelling import UnderWay
from amltasks.workspace import port
from amltasks.workspace.port import COMPLETED, Run, Submission, Workspace

log = logging.getLogger("amltasks")

POLL_SECONDS = 2.0
LOG_TAIL_LINES = 30
_EXCEPTION = re.compile(r"^[\w.]*(?:Error|Exception|Exit|Interrupt)\b")
# What the SDK prints inside a step after the script has ended.
_EPILOGUE = re.compile(
    r"^(?:Cleaning up all outstanding Run operations|\d+ items cleaning up|Cleanup took )"
)
# What makes a step the same one when its job is tried again.
_IDENTIFYING = ("pipelineFile", "experimentName", "parameters", "tags", "displayName")
_BEFORE_RUNNING = frozenset({"NotStarted", "Queued", "Preparing", "Starting", "Provisioning"})


@dataclass(frozen=True, kw_only=True)
class RunInputs:
    """The task's inputs; ``task.json`` describes them."""

    resource_group: str = inputs.text(required=True, alias="resourceGroupName")
    workspace: str = inputs.text(required=True, alias="workspaceName")
    pipeline_file: str = inputs.text(required=True)
    experiment_name: str = inputs.text(required=True)
    parameters: Mapping[str, port.Scalar] = inputs.values()
    tags: Mapping[str, str] = inputs.texts()
    display_name: str = inputs.text()
    download_outputs: tuple[str, ...] = inputs.lines()
    download_path: str = inputs.text(default="$(System.DefaultWorkingDirectory)/aml-outputs")
    wait_for_completion: bool = inputs.boolean(default=True)
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
    )
    under_way = UnderWay()
    try:
        submitted = submitting.submit(job, workspace, submission, under_way)
        if not given.wait_for_completion:
            job.channel.output("runStatus", submitted.status)
            return f"Run {submitted.id} is {submitted.status}; the task does not wait for it"
        ended, steps, tails = follow(job, workspace, submitted, minutes=given.timeout_minutes)
    except KeyboardInterrupt:
        under_way.cancel(job, workspace.runs)
        raise

    job.channel.output("runStatus", ended.status)
    for line in plain_table(["step", "status", "time"], [_row(step) for step in steps]):
        log.info("%s", line)
    _raise_if_failed(ended, steps, tails)
    found = all_metrics(workspace, ended, steps)
    _hand_on(job, found)
    folder = job.folder(given.download_path)
    folder.mkdir(parents=True, exist_ok=True)  # a later step may publish it, even if empty
    for step_name, path in wanted:
        _download(workspace, steps, step_name, path, folder)
    job.channel.output("outputsPath", str(folder))
    return f"Run {ended.id} is {ended.status} with {len(steps)} steps"


def follow(
    job: Job, workspace: Workspace, submitted: Run, *, minutes: float
) -> tuple[Run, tuple[Run, ...], dict[str, deque[str]]]:
    """Show the run's logs and states until it ends.

    Args:
        job: for the pauses.
        workspace: where it runs.
        submitted: the run.
        minutes: it is canceled when it ran longer, from its first step's Running on; 0 for no
            limit.

    Returns:
        The run and its steps as they ended, and the last log lines by step id.

    Raises:
        TaskError: ``RUN_TIMEOUT``
    """
    said: dict[str, str] = {}
    tails: dict[str, deque[str]] = {}
    read_to_end: set[str] = set()
    begun = heard = time.monotonic()
    running_since: float | None = None
    while True:
        # The run before its steps: once it has ended, they are final.
        run, steps = waiting.patiently(
            lambda: (workspace.runs.get(submitted.id), workspace.runs.steps(submitted.id)),
            job.cancellation.pause,
        )
        for step in steps:
            # Of two steps that reuse the same one, both are told.
            key = f"{step.name} {step.id}"
            if not step.ended:
                _say(said, key, f"[{step.name}] is {step.status}")
            if step.id not in read_to_end and (step.ended or step.status not in _BEFORE_RUNNING):
                tail = tails.setdefault(step.id, deque(maxlen=LOG_TAIL_LINES))
                for line in _new_lines(job, workspace, step):
                    log.info("[%s] %s", step.name, line)
                    tail.append(line)
                    heard = time.monotonic()
            if step.ended:
                read_to_end.add(step.id)
                _say(said, key, f"[{step.name}] is {_status(step)}")
        _say(said, run.id, f"Run is {run.status}")
        now = time.monotonic()
        if run.ended:
            return run, steps, tails
        # A pipeline says Running while its first step still waits for a machine.
        if running_since is None and any(s.status not in _BEFORE_RUNNING for s in steps):
            running_since = now
        if minutes and running_since is not None and now - running_since > minutes * 60:
            cancelling.stop(workspace.runs, submitted.id, submitted.url)
            raise errors.RUN_TIMEOUT.error(run=run.id, minutes=minutes, url=run.url)
        if now - heard >= waiting.HEARTBEAT_SECONDS:
            states = ", ".join(f"{s.name} {s.status}" for s in steps if not s.ended)
            log.info(
                "Run is %s (%s)%s", run.status, waiting.clock(now - begun), states and f": {states}"
            )
            heard = now
        job.cancellation.pause(POLL_SECONDS)


def _new_lines(job: Job, workspace: Workspace, step: Run) -> list[str]:
    return waiting.patiently(
        lambda: workspace.runs.new_log_lines(step.id, last=step.ended), job.cancellation.pause
    )


def all_metrics(workspace: Workspace, run: Run, steps: tuple[Run, ...]) -> dict[str, float]:
    """The run's metrics and its steps', as :func:`amltasks.metrics.merged` joins them."""
    return metrics.merged(
        workspace.runs.metrics(run.id),
        [(step.name, workspace.runs.metrics(step.id)) for step in steps],
    )


def _say(said: dict[str, str], key: str, text: str) -> None:
    if said.get(key) != text:
        log.info("%s", text)
        said[key] = text


def _status(step: Run) -> str:
    return f"{step.status}, reused" if step.reused else step.status


def _row(step: Run) -> list[object]:
    return [step.name, _status(step), waiting.clock(step.seconds) if step.seconds else "-"]


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
    raised = [line for line in told if _EXCEPTION.match(line)]
    return (raised or told or [""])[-1].strip()


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
    workspace: Workspace, steps: tuple[Run, ...], name: str, path: str, folder: Path
) -> None:
    step = next((step for step in steps if step.name == name), None)
    if step is None:
        known = ", ".join(sorted({step.name for step in steps})) or "none"
        raise errors.OUTPUT_NOT_FOUND.error(
            output=f"{name}/{path}", detail=f"the run has no step '{name}'; its steps are {known}"
        )
    count = 0
    if "/" not in path:
        count = workspace.runs.download_output(step.id, path, folder / name / path)
    count = count or workspace.runs.download_files(step.id, path, folder / name)
    if not count:
        raise errors.OUTPUT_NOT_FOUND.error(
            output=f"{name}/{path}", detail="the step has no such output and no such files"
        )
    log.info("Downloaded %d files of %s/%s to %s", count, name, path, folder / name)
