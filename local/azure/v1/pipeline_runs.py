"""Runs the steps of pipelines submitted by azureml-sdk, as their edges allow.

Every step runs every time: outputs of earlier runs are not reused, which `allow_reuse=True` permits
and does not promise.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from local.azure.history import runs
from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.running import job
from local.azure.running.executor import BROKEN, cancel_uri, run_on
from local.azure.running.job import Job, Outcome
from local.azure.running.schedule import outcome_of, run_in_order
from local.azure.storage import blob, datastores
from local.azure.v1.graph import DataPath, Port, Step
from local.azure.v1.records import PIPELINE_RUNS, NodeState, PipelineRun

logger = logging.getLogger(__name__)


# Codes of the pipeline service, for a pipeline run and for a node of its graph.
RUN_CODES = {"NotStarted": "0", "Running": "1", "Failed": "2", "Completed": "3", "Canceled": "4"}


NODE_CODES = {"NotStarted": "0", "Queued": "1", "Running": "2", "Failed": "3", "Completed": "4"}
NODE_CODES["Canceled"] = "5"


def start_pipeline(cloud: Cloud, run_id: str, steps: list[Step]) -> None:
    """Run the steps of a stored pipeline run in the background."""
    cloud.background.start(
        run_id,
        lambda stop: _run_pipeline(cloud, run_id, steps, stop),
        broken=lambda: _end_pipeline(cloud, run_id, BROKEN),
    )


def fail_interrupted(cloud: Cloud) -> None:
    """At start: fail the runs that were under way when a server was killed."""
    job.fail_interrupted(cloud)
    for record in PIPELINE_RUNS.list(cloud):
        if record["status"] == "Running":
            for node, state in record["nodes"].items():
                if state["status"] in ("Queued", "Running"):
                    _set_node(cloud, record["id"], node, status="Failed")
            _end_pipeline(cloud, record["id"], job.interrupted())


def _run_pipeline(cloud: Cloud, run_id: str, steps: list[Step], stop: Stop) -> None:
    record = PIPELINE_RUNS.update(cloud, run_id, lambda value: value.update({"status": "Running"}))
    runs.update_run(cloud, run_id, status="Running", startTimeUtc=cloud.ml_timestamp())
    by_node = {step.node: step for step in steps}
    outcomes = run_in_order(
        {step.node: step.after for step in steps},
        lambda node: _run_step(cloud, record, by_node[node], stop),
        stop=stop,
        continue_on_failure=record["continue_on_failure"],
    )
    names = {step.node: step.name for step in steps}
    _end_pipeline(cloud, run_id, outcome_of(names, outcomes, stop))


def _end_pipeline(cloud: Cloud, run_id: str, outcome: Outcome) -> None:
    # Run history first: the SDK reads the error as soon as the pipeline's status is an end.
    job.finish(cloud, run_id, outcome)

    def change(record: PipelineRun) -> None:
        record["status"], record["detail"] = outcome.status, outcome.message
        record["ended"] = cloud.ml_timestamp()

    PIPELINE_RUNS.update(cloud, run_id, change)


def _run_step(cloud: Cloud, record: PipelineRun, step: Step, pipeline_stop: Stop) -> Outcome:
    step_run = str(uuid.uuid4())
    outputs = {
        port: DataPath(datastore=name or datastores.DEFAULT, path=f"azureml/{step_run}/{port}")
        for port, name in step.outputs.items()
    }
    _create_step_run(cloud, record, step, step_run)
    _set_node(
        cloud,
        record["id"],
        step.node,
        status="Queued",
        run_id=step_run,
        outputs={
            port: {"datastore": path.datastore, "path": path.path} for port, path in outputs.items()
        },
    )
    try:
        with cloud.background.cancelable(step_run, pipeline_stop) as stop:
            work = _job(cloud, record, step, step_run, outputs)
            _set_node(
                cloud, record["id"], step.node, status="Running", started=cloud.ml_timestamp()
            )
            outcome = run_on(cloud, work, step.target, stop)
    except ServiceError as error:  # an input or output that cannot be
        outcome = Outcome(status="Failed", code=error.code, message=error.message)
        job.finish(cloud, step_run, outcome)
    except Exception:
        logger.exception("step %s of run %s broke off", step.name, record["id"])
        outcome = BROKEN
        job.finish(cloud, step_run, outcome)
    _set_node(cloud, record["id"], step.node, status=outcome.status, ended=cloud.ml_timestamp())
    return outcome


def _create_step_run(cloud: Cloud, record: PipelineRun, step: Step, step_run: str) -> None:
    identifiers = {"azureml.nodeid": step.node, "azureml.pipelinerunid": record["id"]}
    runs.create_run(
        cloud,
        experiment=record["experiment"],
        run_id=step_run,
        parentRunId=record["id"],
        status="Queued",
        name=step.name,
        displayName=step.name,
        runType="azureml.StepRun",
        scriptName=step.script,
        target=step.target,
        cancelUri=cancel_uri(cloud, record["experiment"], step_run),
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


def _job(
    cloud: Cloud,
    record: PipelineRun,
    step: Step,
    step_run: str,
    outputs: dict[str, DataPath],
) -> Job:
    sources = {port: _source(cloud, record["id"], source) for port, source in step.inputs.items()}
    places = {port: _place(cloud, path) for port, path in {**sources, **outputs}.items()}
    for port in outputs:
        # The datastore is mounted, so the folder of the run is there; the output itself is not.
        Path(places[port]).parent.mkdir(parents=True, exist_ok=True)
    references = {f"AZUREML_DATAREFERENCE_{port}": place for port, place in places.items()}
    described = job.describe(step.run_configuration)
    described["variables"] = {**described["variables"], **step.variables, **references}
    return Job(
        run_id=step_run,
        root_run_id=record["id"],
        experiment=record["experiment"],
        experiment_id=record["experiment_id"],
        snapshot=step.snapshot,
        script=step.script,
        command=step.command,
        arguments=tuple(step.command_line(places)),
        **described,
    )


def _place(cloud: Cloud, path: DataPath) -> str:
    """Where a path on a datastore lies; the empty path is the whole container."""
    container = datastores.container_of(cloud, path.datastore)
    return str(blob.path_of(cloud, container, f"{path.path}/-").parent)


def _source(cloud: Cloud, run_id: str, source: Port | DataPath) -> DataPath:
    if isinstance(source, DataPath):
        return replace(source, datastore=source.datastore or datastores.DEFAULT)
    record = PIPELINE_RUNS.get(cloud, run_id)
    if record is None:
        raise KeyError(run_id)
    return DataPath(**record["nodes"][source.node]["outputs"][source.name])


def _set_node(cloud: Cloud, pipeline_run: str, node: str, **state: Unpack[NodeState]) -> None:
    PIPELINE_RUNS.update(
        cloud, pipeline_run, lambda record: record["nodes"].setdefault(node, {}).update(state)
    )
