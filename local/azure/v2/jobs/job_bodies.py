"""Shapes of job bodies (CommandJob, PipelineJob), and the kinds of jobs that are refused by name.

Shapes: Microsoft.MachineLearningServices 2024-01-01-preview and 2025-01-01-preview, mfe.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from local.azure.kernel import bodies
from local.azure.kernel.bodies import (
    DESCRIBED,
    TAGS,
    Choice,
    Object,
    Shape,
    boolean,
    number,
    text,
)
from local.azure.kernel.http import ServiceError

_DATA_INPUTS = {
    "uri_file": "UriFileJobInput",
    "uri_folder": "UriFolderJobInput",
    "mltable": "MLTableJobInput",
    "custom_model": "CustomModelJobInput",
    "mlflow_model": "MLFlowModelJobInput",
    "triton_model": "TritonModelJobInput",
}
_INPUT = Choice(
    by="jobInputType",
    choices={
        "literal": Object(
            name="LiteralJobInput",
            members={"description": text, "jobInputType": text, "value": text},
            required=("value",),
        ),
        **{
            kind: Object(
                name=name,
                members={
                    **dict.fromkeys(("description", "jobInputType", "mode", "uri"), text),
                    "pathOnCompute": text,
                },
                required=("uri",),
            )
            for kind, name in _DATA_INPUTS.items()
        },
    },
)
_OUTPUT = Choice(
    by="jobOutputType",
    choices={
        kind: Object(
            name=name.replace("Input", "Output"),
            members={
                **dict.fromkeys(("description", "jobOutputType", "mode", "uri"), text),
                **dict.fromkeys(("assetName", "pathOnCompute"), text),
                "autoDeleteSetting": bodies.anything,
            },
        )
        for kind, name in _DATA_INPUTS.items()
    },
)
_SERVICE = Object(
    name="JobService",
    members={
        **dict.fromkeys(("endpoint", "errorMessage", "jobServiceType", "status"), text),
        "nodes": bodies.anything,
        "port": number,
        "properties": TAGS,
    },
)
_JOB: dict[str, Shape] = {
    **DESCRIBED,
    **dict.fromkeys(("componentId", "computeId", "displayName", "experimentName"), text),
    **dict.fromkeys(("jobType", "status", "parentJobName"), text),
    "identity": bodies.anything,
    "isArchived": boolean,
    "notificationSetting": bodies.anything,
    "secretsConfiguration": bodies.anything,
    "services": bodies.map_of(_SERVICE),
    "inputs": bodies.map_of(_INPUT),
    "outputs": bodies.map_of(_OUTPUT),
}
_COMMAND = Object(
    name="CommandJob",
    members={
        **_JOB,
        **dict.fromkeys(("codeId", "command", "environmentId"), text),
        "autologgerSettings": bodies.anything,
        "distribution": bodies.anything,
        "environmentVariables": TAGS,
        "limits": Object(name="CommandJobLimits", members={"jobLimitsType": text, "timeout": text}),
        "parameters": bodies.anything,
        "queueSettings": Object(
            name="QueueSettings", members={"jobTier": text, "priority": bodies.anything}
        ),
        "resources": Object(
            name="JobResourceConfiguration",
            members={
                **dict.fromkeys(("dockerArgs", "instanceType", "shmSize"), text),
                **dict.fromkeys(("instanceCount", "maxInstanceCount"), number),
                "dockerArgsList": bodies.list_of(text),
                "locations": bodies.list_of(text),
                "properties": bodies.anything,
            },
        ),
    },
    required=("command", "environmentId"),
)
_PIPELINE = Object(
    name="PipelineJob",
    members={
        **_JOB,
        "jobs": bodies.map_of(bodies.map_of(bodies.anything)),
        # Free in the service too: it passes over members that it does not know.
        "settings": bodies.map_of(bodies.anything),
        "sourceJobId": text,
    },
)
JOB = bodies.resource(Choice(by="jobType", choices={"Command": _COMMAND, "Pipeline": _PIPELINE}))

_OTHERS = ("Sweep", "AutoML", "Spark", "Labeling", "FineTuning", "Distillation", "Import", "Data")


def check_job(body: Any) -> dict[str, Any]:
    """The properties of a job body. Raises ServiceError 400, or 501 for a kind that is not here."""
    given = body.get("properties") if isinstance(body, dict) else None
    kind = str((given or {}).get("jobType"))
    if kind in _OTHERS:
        raise refusal(f"Jobs of type '{kind}' are", "command and pipeline jobs")
    properties: dict[str, Any] = bodies.check(JOB, body)["properties"]
    if properties.get("sourceJobId"):
        raise refusal("A copy of another job (sourceJobId) is", "jobs that are given in full")
    if kind == "Pipeline" and properties.get("componentId"):
        raise refusal(
            f"A pipeline job of the component '{properties['componentId']}' is",
            "pipeline jobs whose nodes are given, one of which may be that component",
        )
    settings = properties.get("settings") or {}
    if settings.get("on_init") or settings.get("on_finalize"):
        raise refusal("on_init and on_finalize are", "the other nodes of a pipeline")
    check_resources("The job", properties)
    return properties


def check_resources(what: str, given: Mapping[str, Any]) -> None:
    """Raises ServiceError 501 for what takes more than one process on one node.

    given: a job or a node of a pipeline, whose members are in snake_case.
    """
    resources = given.get("resources") or {}
    count = resources.get("instanceCount") or resources.get("instance_count") or 1
    if int(count) > 1 or given.get("distribution"):
        raise refusal(
            f"{what} asks for several nodes or processes (instance count, distribution): that is",
            "a command on one node",
        )


def refusal(what: str, instead: str) -> ServiceError:
    """501: what is refused, in words that end in a verb, and what there is."""
    return ServiceError(501, "NotImplemented", f"{what} not in the local Azure. It runs {instead}.")
