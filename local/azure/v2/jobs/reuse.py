"""Reuse of a node's earlier outputs, by the rules that Azure ML publishes.

learn.microsoft.com/azure/machine-learning/how-to-debug-pipeline-reuse-issues: a node is reused when
its component is deterministic, the pipeline does not force a rerun, and the code, the command, the
environment, the inputs and the settings of the outputs are those of a node that has completed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypedDict

from local.azure.history import runs
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.tables import Table
from local.azure.running import job
from local.azure.running.job import Outcome
from local.azure.v2.assets import environments, uris
from local.azure.v2.jobs import job_io
from local.azure.v2.jobs.commands import Command, plain_mode
from local.azure.v2.jobs.job_io import LITERAL, Input, Output


class KeptOutput(TypedDict):
    """An Output as it is kept."""

    type: str
    uri: str | None
    mode: str
    asset_name: str | None


class Reusable(TypedDict):
    """What a completed node left: its outputs by port."""

    runId: str
    pipelineRunId: str | None
    outputs: dict[str, KeptOutput]


# By `key_of`.
_REUSABLE: Table[Reusable] = Table("v2-reusable")


def key_of(cloud: Cloud, component: Mapping[str, Any], command: Command) -> str | None:
    """What must be equal for two nodes to have the same outputs; None: it is not to be reused.

    An output with a place or a name of its own is not reused: it must be written there again.
    Raises ServiceError for an environment or an input that does not exist.
    """
    if str(component.get("is_deterministic", True)).lower() == "false":
        return None
    definition, _ = environments.definition(cloud, command.environment)
    inputs = {
        name: [given.type, plain_mode(given.mode), _place(cloud, given)]
        for name, given in command.inputs.items()
    }
    told = {
        "code": command.code,
        "command": command.command,
        "environment": definition,
        "inputs": inputs,
        "outputs": {name: [one.type, one.mode] for name, one in command.outputs.items()},
        "target": command.target,
        "timeout_s": command.timeout_s,
        "variables": dict(command.variables),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def keep(cloud: Cloud, key: str, run: Mapping[str, Any], outputs: Mapping[str, Output]) -> None:
    """Remember what a node that has completed left."""
    kept: dict[str, KeptOutput] = {
        name: {"type": one.type, "uri": one.uri, "mode": one.mode, "asset_name": one.asset_name}
        for name, one in outputs.items()
    }
    parent = run["parentRunId"]
    _REUSABLE.put(cloud, key, {"runId": run["runId"], "pipelineRunId": parent, "outputs": kept})


def take(
    cloud: Cloud, key: str, run: Mapping[str, Any]
) -> tuple[Outcome, dict[str, Output]] | None:
    """End a node with what an earlier one left; None when there is none, or it was deleted."""
    found = _REUSABLE.get(cloud, key)
    if found is None or runs.get_run(cloud, found["runId"]) is None:
        return None
    outputs = {name: Output(**kept) for name, kept in found["outputs"].items()}
    if not all(uris.locate(cloud, str(output.uri)).exists() for output in outputs.values()):
        return None
    properties = {
        "azureml.isreused": "true",
        "azureml.reusedrunid": found["runId"],
        "azureml.reusedpipelinerunid": found["pipelineRunId"],
    }
    now = cloud.ml_timestamp()
    runs.update_run(cloud, run["runId"], startTimeUtc=now, properties=properties)
    job_io.keep_outputs(cloud, run["runId"], outputs)
    outcome = Outcome(status="Completed")
    job.finish(cloud, run["runId"], outcome)
    return outcome, outputs


def _place(cloud: Cloud, given: Input) -> str:
    """A literal as it is, and where data lies: its own or its asset's place."""
    if given.type == LITERAL or plain_mode(given.mode) == "direct":
        return given.value
    return uris.resolve(cloud, given.value)
