"""Runs pipeline jobs: every node as a child run, nested pipelines as children with children."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from local.azure.history import runs
from local.azure.history.records import Run
from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.running import executor, job
from local.azure.running.job import Outcome
from local.azure.running.schedule import outcome_of, run_in_order
from local.azure.v2.jobs import commands, job_io, reuse
from local.azure.v2.jobs.commands import Command
from local.azure.v2.jobs.job_io import Input, Output
from local.azure.v2.jobs.pipeline_graph import (
    Node,
    inner_outputs,
    read_graph,
    resolve_input,
)

logger = logging.getLogger(__name__)

# Modules, which are what components become in a run, have ids that follow from their names.
_MODULES = uuid.UUID("6f8d1e0e-2f0b-4b5a-9a57-3c2f6d7f1c11")

EXECUTION_LOG = "logs/azureml/executionlogs.txt"


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A pipeline that runs: its run in history, what it was given, and defaults for its nodes."""

    run: Mapping[str, Any]
    jobs: Mapping[str, Any]
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Output]
    target: str
    store: str | None
    continue_on_failure: bool
    force_rerun: bool


def run_pipeline(cloud: Cloud, pipeline: Pipeline, stop: Stop) -> Outcome:
    """Run a pipeline to its end and write that into run history."""
    run_id = pipeline.run["runId"]
    log = job.append_log(cloud, run_id, EXECUTION_LOG)
    runs.update_run(cloud, run_id, status="Running", startTimeUtc=cloud.ml_timestamp())
    try:
        outcome = _run_nodes(cloud, pipeline, stop, log)
    except ServiceError as error:
        outcome = Outcome(status="Failed", code=error.code, message=error.message)
    log(
        f"[{cloud.ml_timestamp()}] Pipeline run {run_id} ended: {outcome.status}. {outcome.message}"
    )
    stages = json.dumps({"Execution": {"EndTime": cloud.ml_timestamp(), "Status": outcome.status}})
    runs.update_run(
        cloud, run_id, status="Finalizing", properties={"azureml.pipelines.stages": stages}
    )
    job.finish(cloud, run_id, outcome)
    return outcome


def _run_nodes(cloud: Cloud, pipeline: Pipeline, stop: Stop, log: Any) -> Outcome:
    run_id = pipeline.run["runId"]
    nodes = read_graph(cloud, pipeline.jobs, pipeline.inputs, pipeline.outputs, pipeline.target)
    done: dict[str, dict[str, Output]] = {}
    own: dict[str, Output] = {}

    def work(name: str) -> Outcome:
        node = nodes[name]
        child = _create_child(cloud, pipeline, node)
        log(f"[{cloud.ml_timestamp()}] Node '{name}' is run {child['runId']}.")
        try:
            outputs = _outputs(pipeline, node, child["runId"])
            with cloud.background.cancelable(child["runId"], stop) as child_stop:
                outcome, outputs = _run_node(
                    cloud, pipeline, node, child, outputs, done, child_stop
                )
        except ServiceError as error:
            outcome = Outcome(status="Failed", code=error.code, message=error.message)
            job.finish(cloud, child["runId"], outcome)
        except Exception:
            logger.exception("node %s of run %s broke off", name, run_id)
            outcome = executor.BROKEN
            job.finish(cloud, child["runId"], outcome)
        log(f"[{cloud.ml_timestamp()}] Node '{name}' ended: {outcome.status}. {outcome.message}")
        if outcome.status == "Completed":
            done[name] = outputs
            for port, output in node.outputs.items():
                if isinstance(output, str):
                    own[output] = outputs[port]
            job_io.keep_outputs(cloud, run_id, own)
        return outcome

    outcomes = run_in_order(
        {name: node.after for name, node in nodes.items()},
        work,
        stop=stop,
        continue_on_failure=pipeline.continue_on_failure,
    )
    return outcome_of({name: name for name in nodes}, outcomes, stop)


def _run_node(
    cloud: Cloud,
    pipeline: Pipeline,
    node: Node,
    child: Mapping[str, Any],
    outputs: dict[str, Output],
    done: Mapping[str, Mapping[str, Output]],
    stop: Stop,
) -> tuple[Outcome, dict[str, Output]]:
    """Run a node, or take what an earlier one left; returns its end and where its outputs lie."""
    resolved = {
        port: resolve_input(value, pipeline.inputs, done) for port, value in node.inputs.items()
    }
    inputs = {port: value for port, value in resolved.items() if value is not None}
    target = node.target(pipeline.inputs, pipeline.target)
    if node.is_pipeline:
        inner = Pipeline(
            run=child,
            jobs=node.component["jobs"],
            inputs=inputs,
            outputs=outputs,
            target=target,
            store=pipeline.store,
            continue_on_failure=pipeline.continue_on_failure,
            force_rerun=pipeline.force_rerun,
        )
        return run_pipeline(cloud, inner, stop), outputs
    job_io.keep_outputs(cloud, child["runId"], outputs)
    spec, given = node.component, node.given
    limits = given.get("limits") or spec.get("limits") or {}
    command = Command(
        command=str(spec["command"]),
        code=spec.get("code"),
        environment=str(given.get("environment") or spec.get("environment") or ""),
        target=target,
        inputs=inputs,
        outputs=outputs,
        variables={
            **(spec.get("environment_variables") or {}),
            **(given.get("environment_variables") or {}),
        },
        timeout_s=job_io.read_timeout(limits.get("timeout")),
    )
    own = any(output.uri or output.asset_name for output in _asked(pipeline, node).values())
    key = None if own else reuse.key_of(cloud, spec, command)
    if key and not pipeline.force_rerun and (taken := reuse.take(cloud, key, child)):
        return taken
    outcome = executor.run_on(cloud, commands.make_job(cloud, command, child), target, stop)
    if key and outcome.status == "Completed":
        reuse.keep(cloud, key, child, outputs)
    return outcome, outputs


def _asked(pipeline: Pipeline, node: Node) -> dict[str, Output]:
    """The outputs of a node as they are asked for, by itself or by the pipeline."""
    return {
        port: pipeline.outputs[output] if isinstance(output, str) else output
        for port, output in node.outputs.items()
    }


def _outputs(pipeline: Pipeline, node: Node, run_id: str) -> dict[str, Output]:
    """Where the outputs of a node go. A nested pipeline hands on only what has a place already."""
    declared = inner_outputs(node)
    wanted: dict[str, Output] = {}
    job_name = {}
    for port, output in node.outputs.items():
        if isinstance(output, str):
            parent = pipeline.outputs[output]
            # What the component declares stays; place, mode and asset are the pipeline's to say.
            wanted[port] = replace(parent, type=declared[port].type)
            job_name[port] = str(pipeline.run["runId"])
        else:
            wanted[port] = output
            job_name[port] = run_id
    placed: dict[str, Output] = {}
    for port, output in wanted.items():
        placed |= job_io.place_outputs(
            {port: output}, job_name=job_name[port], run_id=run_id, store=pipeline.store
        )
    return placed


def _create_child(cloud: Cloud, pipeline: Pipeline, node: Node) -> Run:
    parent = str(pipeline.run["runId"])
    run_id = str(uuid.uuid4())
    experiment = str(pipeline.run["experimentName"])
    target = node.target(pipeline.inputs, pipeline.target)
    cancel = executor.cancel_uri(cloud, experiment, run_id)
    name, version = (str(node.component.get(key)) for key in ("name", "version"))
    return runs.create_run(
        cloud,
        experiment=experiment,
        run_id=run_id,
        parentRunId=parent,
        status="NotStarted",
        name=node.name,
        displayName=str(node.given.get("display_name") or node.name),
        runType="azureml.PipelineRun" if node.is_pipeline else "azureml.StepRun",
        target=target,
        cancelUri=cancel,
        diagnosticsUri=cancel.removesuffix("cancel") + "diagnostics",
        tags={
            **(node.given.get("tags") or {}),
            "azureml.nodeid": node.name,
            "azureml.pipeline": parent,
        },
        properties={
            "azureml.DevPlatv2": "true",
            "azureml.DatasetAccessMode": "Asset",
            "StepType": "PipelineComponent" if node.is_pipeline else "PythonScriptStep",
            "ComputeTargetType": "AmlCompute",
            "azureml.moduleid": str(uuid.uuid5(_MODULES, f"{name}:{version}")),
            "azureml.moduleFamilyId": str(uuid.uuid5(_MODULES, name)),
            "azureml.moduleName": name,
            "azureml.moduleVersion": version,
            "azureml.runsource": "azureml.StepRun",
            "azureml.nodeid": node.name,
            "azureml.pipelinerunid": parent,
            "azureml.pipeline": parent,
            "azureml.rootpipelinerunid": str(pipeline.run["rootRunId"]),
            "azureml.pipelineComponent": "masterescloud",
            "_azureml.ComputeTargetType": "amlctrain",
            "_azureml.ClusterName": target,
            "ProcessInfoFile": "azureml-logs/process_info.json",
            "ProcessStatusFile": "azureml-logs/process_status.json",
        },
    )
