"""Runs submitted work in threads: pipelines step by step as their edges allow, and single scripts.

Steps that do not wait for each other run side by side, as many as the cluster has nodes at most and
never more than two. Every step runs every time: outputs of earlier runs are not reused, which
`allow_reuse=True` permits and does not promise.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from local.azure import blob, compute, datastore, history, job
from local.azure.azure import Azure
from local.azure.graph import DataPath, Port, Step
from local.azure.job import Job, Outcome
from local.azure.processes import Stop
from local.azure.schedule import outcome_of, run_in_order
from local.azure.web import ServiceError

logger = logging.getLogger(__name__)

# Codes of the pipeline service, for a pipeline run and for a node of its graph.
RUN_CODES = {"NotStarted": "0", "Running": "1", "Failed": "2", "Completed": "3", "Canceled": "4"}
NODE_CODES = {"NotStarted": "0", "Queued": "1", "Running": "2", "Failed": "3", "Completed": "4"}
NODE_CODES["Canceled"] = "5"

KIND = "pipelinerun"

# v2 runs jobs without a compute target of their own by this name.
SERVERLESS = "serverless"

_AT_ONCE = 2
BROKEN = Outcome(
    status="Failed",
    code="ServiceError",
    message="The local Azure failed to run this; its log says why.",
)
_STOPPED = "The local Azure was stopped while this was running. Start it and submit again."

_lock = threading.Lock()
_stops: dict[str, Stop] = {}
_threads: set[threading.Thread] = set()
_slots: dict[tuple[Path, str, int], threading.Semaphore] = {}


def start_pipeline(azure: Azure, run_id: str, steps: list[Step]) -> None:
    """Run the steps of a stored pipeline run in the background."""
    start(
        run_id,
        lambda stop: _run_pipeline(azure, run_id, steps, stop),
        broken=lambda: _end_pipeline(azure, run_id, BROKEN),
    )


def start_job(azure: Azure, work: Job, target: str) -> None:
    """Run a single job in the background."""
    start(
        work.run_id,
        lambda stop: run_on(azure, work, target, stop),
        broken=lambda: job.finish(azure, work.run_id, BROKEN),
    )


def cancel(run_id: str) -> bool:
    """Ask a pipeline, step or script that is under way to end; whether there was one."""
    with _lock:
        stop = _stops.get(run_id)
    if stop is None:
        return False
    stop.ask("Canceled")
    return True


def check_target(azure: Azure, target: str) -> str | None:
    """Why nothing can run on a compute target; None when it can."""
    found = compute.get_compute(azure, target)
    if found is None:
        return f"Unknown compute target '{target}'."
    kind = found["properties"]["computeType"]
    if kind != "AmlCompute":
        return f"Compute target '{target}' is of type {kind}, and only AmlCompute runs jobs."
    return None


def stop_all() -> None:
    """End everything under way; called when the server ends."""
    with _lock:
        threads = list(_threads)
        for stop in _stops.values():
            stop.ask(_STOPPED)
    for thread in threads:
        thread.join(timeout=20)


def fail_interrupted(azure: Azure) -> None:
    """At start: fail the runs that were under way when a server was killed."""
    job.fail_interrupted(azure)
    for record in azure.store.list(KIND):
        if record["status"] == "Running":
            for node, state in record["nodes"].items():
                if state["status"] in ("Queued", "Running"):
                    _set_node(azure, record["id"], node, status="Failed")
            _end_pipeline(azure, record["id"], job.interrupted())


def start(run_id: str, work: Callable[[Stop], object], *, broken: Callable[[], None]) -> None:
    """Do `work` in a thread; `broken` writes the end when it breaks off by a fault of ours.

    work: gets a stop that `cancel` and the server's end ask.
    """
    stop = Stop()

    def body() -> None:
        try:
            work(stop)
        except Exception:
            logger.exception("run %s broke off", run_id)
            broken()
        finally:
            with _lock:
                _stops.pop(run_id, None)
                _threads.discard(threading.current_thread())

    thread = threading.Thread(target=body, name=run_id, daemon=True)
    with _lock:
        _stops[run_id] = stop
        _threads.add(thread)
    thread.start()


def _run_pipeline(azure: Azure, run_id: str, steps: list[Step], stop: Stop) -> None:
    record = azure.store.update(KIND, run_id, lambda value: value.update(status="Running"))
    history.update_run(azure, run_id, status="Running", startTimeUtc=azure.timestamp())
    by_node = {step.node: step for step in steps}
    outcomes = run_in_order(
        {step.node: step.after for step in steps},
        lambda node: _run_step(azure, record, by_node[node], stop),
        stop=stop,
        continue_on_failure=record["continue_on_failure"],
    )
    names = {step.node: step.name for step in steps}
    _end_pipeline(azure, run_id, outcome_of(names, outcomes, stop))


def _end_pipeline(azure: Azure, run_id: str, outcome: Outcome) -> None:
    # Run history first: the SDK reads the error as soon as the pipeline's status is an end.
    job.finish(azure, run_id, outcome)

    def change(record: dict[str, Any]) -> None:
        record.update(status=outcome.status, detail=outcome.message, ended=azure.timestamp())

    azure.store.update(KIND, run_id, change)


def _run_step(azure: Azure, record: dict[str, Any], step: Step, pipeline_stop: Stop) -> Outcome:
    step_run = str(uuid.uuid4())
    outputs = {
        port: DataPath(datastore=name or datastore.DEFAULT, path=f"azureml/{step_run}/{port}")
        for port, name in step.outputs.items()
    }
    _create_step_run(azure, record, step, step_run)
    _set_node(
        azure,
        record["id"],
        step.node,
        status="Queued",
        run_id=step_run,
        outputs={port: vars(path) for port, path in outputs.items()},
    )
    try:
        with cancelable(step_run, pipeline_stop) as stop:
            work = _job(azure, record, step, step_run, outputs)
            _set_node(azure, record["id"], step.node, status="Running", started=azure.timestamp())
            outcome = run_on(azure, work, step.target, stop)
    except ServiceError as error:  # an input or output that cannot be
        outcome = Outcome(status="Failed", code=error.code, message=error.message)
        job.finish(azure, step_run, outcome)
    except Exception:
        logger.exception("step %s of run %s broke off", step.name, record["id"])
        outcome = BROKEN
        job.finish(azure, step_run, outcome)
    _set_node(azure, record["id"], step.node, status=outcome.status, ended=azure.timestamp())
    return outcome


@contextlib.contextmanager
def cancelable(run_id: str, parent: Stop) -> Iterator[Stop]:
    """A stop for a child, which `cancel` finds by its run and the parent's stop sets too."""
    stop = _ChildStop(parent)
    with _lock:
        _stops[run_id] = stop
    try:
        yield stop
    finally:
        with _lock:
            _stops.pop(run_id, None)


class _ChildStop(Stop):
    """A step's own stop, which the pipeline's stop sets too."""

    def __init__(self, parent: Stop) -> None:
        super().__init__()
        self.parent = parent

    def is_set(self) -> bool:
        if self.parent.is_set():
            self.reason = self.reason or self.parent.reason
            return True
        return super().is_set()

    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set() or super().wait(timeout)


def _create_step_run(azure: Azure, record: dict[str, Any], step: Step, step_run: str) -> None:
    identifiers = {"azureml.nodeid": step.node, "azureml.pipelinerunid": record["id"]}
    history.create_run(
        azure,
        experiment=record["experiment"],
        run_id=step_run,
        parentRunId=record["id"],
        rootRunId=record["id"],
        status="Queued",
        name=step.name,
        displayName=step.name,
        runType="azureml.StepRun",
        scriptName=step.script,
        target=step.target,
        cancelUri=cancel_uri(azure, record["experiment"], step_run),
        runDefinition={
            **step.run_configuration,
            "script": step.script,
            "command": step.command or "",
            "target": step.target,
        },
        tags={**identifiers, "azureml.pipeline": record["id"]},
        properties={
            **identifiers,
            "azureml.runsource": "azureml.StepRun",
            "azureml.moduleid": step.module,
            "azureml.moduleName": step.name,
            "runSource": "StepRun",
            "runType": "SDK",
            "StepType": step.step_type,
            "ComputeTargetType": "AmlCompute",
            "ContentSnapshotId": step.snapshot,
        },
    )


def cancel_uri(azure: Azure, experiment: str, run_id: str) -> str:
    """Where the SDK asks for the end of a single run."""
    return (
        f"{azure.base_url}/execution/v1.0{azure.workspace_scope}"
        f"/experiments/{quote(experiment, safe='')}/runs/{run_id}/cancel"
    )


def _job(
    azure: Azure,
    record: dict[str, Any],
    step: Step,
    step_run: str,
    outputs: dict[str, DataPath],
) -> Job:
    sources = {port: _source(azure, record["id"], source) for port, source in step.inputs.items()}
    places = {port: _place(azure, path) for port, path in {**sources, **outputs}.items()}
    for port in outputs:
        # The datastore is mounted, so the folder of the run is there; the output itself is not.
        Path(places[port]).parent.mkdir(parents=True, exist_ok=True)
    described = job.describe(step.run_configuration)
    references = {f"AZUREML_DATAREFERENCE_{port}": place for port, place in places.items()}
    variables = {**described.pop("variables"), **step.variables, **references}
    return Job(
        run_id=step_run,
        root_run_id=record["id"],
        experiment=record["experiment"],
        experiment_id=record["experiment_id"],
        snapshot=step.snapshot,
        script=step.script,
        command=step.command,
        arguments=tuple(step.command_line(places)),
        variables=variables,
        **described,
    )


def _place(azure: Azure, path: DataPath) -> str:
    """Where a path on a datastore lies; the empty path is the whole container."""
    container = datastore.container_of(azure, path.datastore)
    return str(blob.path_of(azure, container, f"{path.path}/-").parent)


def _source(azure: Azure, run_id: str, source: Port | DataPath) -> DataPath:
    if isinstance(source, DataPath):
        return replace(source, datastore=source.datastore or datastore.DEFAULT)
    record = azure.store.get(KIND, run_id)
    if record is None:
        raise KeyError(run_id)
    return DataPath(**record["nodes"][source.node]["outputs"][source.name])


def run_on(azure: Azure, work: Job, target: str, stop: Stop) -> Outcome:
    """Wait for a free node of the cluster, then run there."""
    job.remember(azure, work.run_id)
    nodes = _nodes(azure, target)
    with _lock:
        slots = _slots.setdefault((azure.root, target.lower(), nodes), threading.Semaphore(nodes))
    while not slots.acquire(timeout=0.2):
        if stop.is_set():
            outcome = Outcome(
                status="Canceled" if stop.reason == "Canceled" else "Failed",
                code="ServiceInterrupted",
                message=stop.reason,
            )
            job.finish(azure, work.run_id, outcome)
            return outcome
    try:
        return job.run(azure, work, stop)
    finally:
        slots.release()


def _nodes(azure: Azure, target: str) -> int:
    found = compute.get_compute(azure, target)
    if found is None:
        return _AT_ONCE if target == SERVERLESS else 1
    maximum = found["properties"]["properties"]["scaleSettings"]["maxNodeCount"]
    return max(1, min(int(maximum), _AT_ONCE))


def _set_node(azure: Azure, pipeline_run: str, node: str, **fields: Any) -> None:
    azure.store.update(
        KIND, pipeline_run, lambda record: record["nodes"].setdefault(node, {}).update(fields)
    )
