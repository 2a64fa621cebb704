"""A pipeline graph, as the SDK submits it, read into steps in the order in which they may run.

Protocol: azureml.pipeline.core._restclients.aeva (GraphEntity, ModuleEntity, EntityInterface).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

_STEP_TYPES = ("PythonScriptStep", "CommandStep", "EstimatorStep")


class GraphError(Exception):
    """A graph that cannot run: `code` and a text for the user."""

    def __init__(self, code: str, message: str) -> None:
        """`code`: stable, in PascalCase; `message`: for the user."""
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class DataPath:
    """A path on a datastore."""

    datastore: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Port:
    """An output of another step."""

    node: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """One node of the graph, with parameters and sources resolved."""

    node: str
    module: str
    name: str
    step_type: str
    snapshot: str
    target: str
    script: str | None
    command: str | None
    arguments: tuple[tuple[str, str], ...]
    parameters: Mapping[str, str]
    variables: Mapping[str, str]
    inputs: Mapping[str, Port | DataPath]
    outputs: Mapping[str, str]
    after: frozenset[str]
    run_configuration: Mapping[str, Any]

    def command_line(self, paths: Mapping[str, str]) -> list[str]:
        """The arguments of the script. paths: where each input and output lies, by port name."""
        values = {"Literal": lambda value: value, "Parameter": self.parameters.__getitem__}
        return [values.get(kind, paths.__getitem__)(value) for kind, value in self.arguments]


def plan(
    graph: Mapping[str, Any],
    interface: Mapping[str, Any],
    *,
    modules: Mapping[str, Mapping[str, Any]],
    data_sources: Mapping[str, DataPath],
    assignments: Mapping[str, str],
    data_paths: Mapping[str, DataPath],
) -> list[Step]:
    """The steps in an order that respects edges. Raises GraphError.

    modules, data_sources: by the id that nodes refer to. assignments, data_paths: the values of
    graph parameters that the caller gave; the interface has the defaults of the others.
    """
    values = {
        parameter["Name"]: parameter.get("DefaultValue")
        for parameter in interface.get("Parameters") or []
    }
    unknown = sorted(set(assignments) - set(values))
    if unknown:
        raise GraphError(
            "UnknownParameter",
            f"The pipeline has no parameter '{unknown[0]}'. It has: "
            f"{', '.join(sorted(values)) or 'none'}.",
        )
    values.update(assignments)
    paths = {
        parameter["Name"]: _data_path(parameter.get("DefaultValue") or {})
        for parameter in interface.get("DataPathParameters") or []
    }
    paths.update(data_paths)
    data = {
        node["Id"]: _data_node(node, data_sources, paths)
        for node in graph.get("DatasetNodes") or []
    }
    edges = [edge for edge in graph.get("Edges") or [] if _node(edge, "Destination")]
    steps = {}
    for node in graph.get("ModuleNodes") or []:
        module = modules.get(node["ModuleId"])
        if module is None:
            raise GraphError("ModuleNotFound", f"There is no module '{node['ModuleId']}'.")
        steps[node["Id"]] = _step(node, module, values, edges, data)
    if not steps:
        raise GraphError("EmptyGraph", "The pipeline has no steps.")
    try:
        order = TopologicalSorter({id: step.after for id, step in steps.items()}).static_order()
        return [steps[id] for id in order]
    except CycleError as error:
        names = " -> ".join(steps[id].name for id in error.args[1])
        raise GraphError("CyclicGraph", f"The steps wait for each other: {names}.") from None


def pipeline_outputs(graph: Mapping[str, Any]) -> dict[str, Port]:
    """The step outputs that are named as outputs of the whole pipeline."""
    return {
        edge["DestinationInputPort"]["GraphPortName"]: Port(
            node=_node(edge, "Source"), name=edge["SourceOutputPort"]["PortName"]
        )
        for edge in graph.get("Edges") or []
        if edge["DestinationInputPort"].get("GraphPortName")
    }


def _node(edge: Mapping[str, Any], end: str) -> str:
    port = edge["SourceOutputPort" if end == "Source" else "DestinationInputPort"]
    return str(port.get("NodeId") or "")


def _data_path(value: Mapping[str, Any]) -> DataPath:
    return DataPath(
        datastore=value.get("DataStoreName") or "",
        path=(value.get("RelativePath") or "").strip("/"),
    )


def _data_node(
    node: Mapping[str, Any],
    data_sources: Mapping[str, DataPath],
    paths: Mapping[str, DataPath],
) -> DataPath:
    found = paths.get(node.get("DataPathParameterName") or "")
    found = found or data_sources.get(node.get("DatasetId") or "")
    if found is not None:
        return found
    raise GraphError(
        "NotImplemented",
        "The pipeline reads a Dataset, which the local Azure does not cover. Read the files "
        "through a DataReference or DataPath on a datastore.",
    )


def _step(
    node: Mapping[str, Any],
    module: Mapping[str, Any],
    values: Mapping[str, Any],
    edges: Iterable[Mapping[str, Any]],
    data: Mapping[str, DataPath],
) -> Step:
    name = module["Name"]
    step_type = module.get("StepType") or "PythonScriptStep"
    if step_type not in _STEP_TYPES:
        raise GraphError(
            "NotImplemented",
            f"Step '{name}' is a {step_type}, which the local Azure does not run. It runs: "
            f"{', '.join(_STEP_TYPES)}.",
        )
    face = module["StructuredInterface"]
    parameters = _parameters(name, node, face, values)
    run_configuration = json.loads(node.get("Runconfig") or module.get("Runconfig") or "{}")
    _check_run_configuration(name, run_configuration, node)
    inputs: dict[str, Port | DataPath] = {}
    after = set()
    for edge in edges:
        if _node(edge, "Destination") != node["Id"]:
            continue
        source, port = _node(edge, "Source"), edge["DestinationInputPort"]["PortName"]
        if source in data:
            inputs[port] = data[source]
        else:
            after.add(source)
            inputs[port] = Port(node=source, name=edge["SourceOutputPort"]["PortName"])
    orderings = {face_input["Name"] for face_input in face["Inputs"] if _only_orders(face_input)}
    return Step(
        node=node["Id"],
        module=node["ModuleId"],
        name=name,
        step_type=step_type,
        snapshot=(module.get("DataLocation") or {}).get("StorageId") or "",
        target=parameters.get("Target") or run_configuration.get("target") or "",
        script=parameters.get("Script"),
        command=parameters.get("Command"),
        arguments=tuple(
            (_KINDS.get(str(argument["ValueType"]), str(argument["ValueType"])), argument["Value"])
            for argument in face.get("Arguments") or []
        ),
        parameters=parameters,
        variables={
            parameter.get("EnvironmentVariableOverride") or parameter["Name"]: value
            for parameter in face.get("Parameters") or []
            if parameter.get("SetEnvironmentVariable")
            and (value := parameters.get(parameter["Name"])) is not None
        },
        inputs={port: source for port, source in inputs.items() if port not in orderings},
        outputs={
            output["Name"]: output.get("DataStoreName") or ""
            for output in face["Outputs"]
            if not _only_orders(output)
        },
        after=frozenset(after),
        run_configuration=run_configuration,
    )


# The service accepts the number of the enumeration as well as its name.
_KINDS = {"0": "Literal", "1": "Parameter", "2": "Input", "3": "Output"}


def _only_orders(port: Mapping[str, Any]) -> bool:
    """Whether a port is there for run_after and carries no data."""
    return bool(port.get("SkipProcessing"))


def _parameters(
    name: str, node: Mapping[str, Any], face: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, str]:
    resolved = {
        parameter["Name"]: parameter["DefaultValue"]
        for parameter in face.get("Parameters") or []
        if parameter.get("DefaultValue") is not None
    }
    for given in node.get("ModuleParameters") or []:
        value = given.get("Value")
        if str(given.get("ValueType")) in ("1", "GraphParameterName"):
            if value not in values:
                raise GraphError(
                    "UnknownParameter", f"Step '{name}' uses the unknown parameter '{value}'."
                )
            value = values[value]
        if value is not None:
            resolved[given["Name"]] = value
    return {key: str(value) for key, value in resolved.items()}


def _check_run_configuration(
    name: str, configuration: Mapping[str, Any], node: Mapping[str, Any]
) -> None:
    if (configuration.get("nodeCount") or 1) > 1:
        raise GraphError(
            "NotImplemented",
            f"Step '{name}' asks for {configuration['nodeCount']} nodes, and the local Azure runs "
            "a step on one.",
        )
    for output in node.get("ModuleOutputSettings") or []:
        if output.get("DatasetOutputOptions"):
            raise GraphError(
                "NotImplemented",
                f"Step '{name}' writes the Dataset '{output['Name']}', which the local Azure does "
                "not cover. Use PipelineData.",
            )
