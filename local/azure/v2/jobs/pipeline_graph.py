"""Pipeline jobs read as graphs: nodes, their components, bindings and order, checked up front.

Bindings: learn.microsoft.com/azure/machine-learning/reference-yaml-job-pipeline:
${{parent.inputs.x}}, ${{parent.jobs.n.outputs.x}}, and ${{parent.outputs.x}} for outputs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.running import executor
from local.azure.v2.assets import kinds, plain_assets
from local.azure.v2.jobs.commands import target_of
from local.azure.v2.jobs.job_bodies import check_resources, refusal
from local.azure.v2.jobs.job_io import (
    LITERAL,
    Input,
    Output,
    read_input,
    read_output,
)
from local.azure.v2.resources import parse_asset_id

_PARENT_INPUT = re.compile(r"\$\{\{\s*parent\.inputs\.([\w.\-]+)\s*\}\}")
_NODE_OUTPUT = re.compile(r"\$\{\{\s*parent\.jobs\.([\w\-]+)\.outputs\.([\w\-]+)\s*\}\}")
_PARENT_OUTPUT = re.compile(r"\$\{\{\s*parent\.outputs\.([\w\-]+)\s*\}\}")
_PARENT = re.compile(r"\$\{\{\s*parent\.")


@dataclass(frozen=True, kw_only=True)
class Node:
    """A node: its component, what it was given, and the node whose outputs it takes.

    inputs: texts with bindings, or data. outputs: an Output, or the name of the parent's output.
    """

    name: str
    given: Mapping[str, Any]
    component: Mapping[str, Any]
    inputs: Mapping[str, Input]
    outputs: Mapping[str, Output | str]
    after: frozenset[str]

    @property
    def is_pipeline(self) -> bool:
        """Whether the component is a graph of its own."""
        return bool(self.component["type"] == "pipeline")

    def target(self, inputs: Mapping[str, Input], default: str) -> str:
        """Where a command node runs, when the pipeline has these inputs."""
        compute = self.given.get("computeId") or self.given.get("compute")
        return target_of(bind_parent(str(compute), inputs)) if compute else default


def read_graph(
    cloud: Cloud,
    jobs: Mapping[str, Any],
    inputs: Mapping[str, Input],
    outputs: Mapping[str, Output],
    default_target: str,
) -> dict[str, Node]:
    """The nodes of a pipeline. Raises ServiceError 400 or 501, naming the node that cannot run."""
    nodes = {name: _node(cloud, name, given) for name, given in jobs.items()}
    for node in nodes.values():
        for port, value in node.inputs.items():
            _check_binding(nodes, inputs, node.name, port, value)
        for port, output in node.outputs.items():
            if isinstance(output, str) and output not in outputs:
                raise _wrong(
                    node.name,
                    f"its output '{port}' is bound to parent.outputs.{output}, which is not there",
                )
        if not node.is_pipeline:
            target = node.target(inputs, default_target)
            problem = target != executor.SERVERLESS and executor.check_target(cloud, target)
            if problem:
                raise ServiceError(400, "UserError", f"Node '{node.name}': {problem}")
        else:
            _read_inner(cloud, node, inputs, default_target)
    try:
        order = list(TopologicalSorter({n.name: n.after for n in nodes.values()}).static_order())
    except CycleError as error:
        raise ServiceError(
            400, "UserError", f"The nodes wait for each other: {', '.join(error.args[1])}."
        ) from None
    return {name: nodes[name] for name in order}


def _read_inner(cloud: Cloud, node: Node, inputs: Mapping[str, Input], default_target: str) -> None:
    """Check the graph inside a node as far as it can be before it runs."""
    known = {
        name: value if not _PARENT.search(value.value) else Input(type=LITERAL, value="")
        for name, value in node.inputs.items()
    }
    for name, value in node.inputs.items():
        found = _PARENT_INPUT.fullmatch(value.value)
        if found:
            known[name] = inputs[found[1]]
    read_graph(cloud, node.component["jobs"], known, inner_outputs(node), default_target)


def inner_outputs(node: Node) -> dict[str, Output]:
    """The outputs that the graph inside a node can be bound to."""
    return {
        name: read_output({}, type_=declared.get("type"))
        for name, declared in (node.component.get("outputs") or {}).items()
    }


def bind_parent(text: str, inputs: Mapping[str, Input]) -> str:
    """Text with ${{parent.inputs.x}} replaced. Raises ServiceError 400."""

    def bound(match: re.Match[str]) -> str:
        if match[1] not in inputs:
            raise ServiceError(400, "UserError", f"The pipeline has no input '{match[1]}'.")
        return inputs[match[1]].value

    return _PARENT_INPUT.sub(bound, text)


def resolve_input(
    value: Input, inputs: Mapping[str, Input], done: Mapping[str, Mapping[str, Output]]
) -> Input | None:
    """The value of a node's input when the nodes it waits for are done; None: it has none.

    An optional input of the pipeline that was not given leaves the node's input out.
    """
    found = _PARENT_INPUT.fullmatch(value.value)
    if found:
        bound = inputs.get(found[1])
        return (
            Input(type=bound.type, value=bound.value, mode=value.mode or bound.mode)
            if bound
            else None
        )
    found = _NODE_OUTPUT.fullmatch(value.value)
    if found:
        output = done[found[1]][found[2]]
        return Input(type=output.type, value=str(output.uri), mode=value.mode)
    return Input(type=value.type, value=bind_parent(value.value, inputs), mode=value.mode)


def _node(cloud: Cloud, name: str, given: dict[str, Any]) -> Node:
    kind = str(given.get("type") or "command")
    if kind not in ("command", "pipeline"):
        raise refusal(
            f"The node '{name}' is of type '{kind}': that is", "command and pipeline nodes"
        )
    check_resources(f"The node '{name}'", given)
    component_id = given.get("componentId")
    if not component_id:
        raise _wrong(name, "it has no componentId")
    id_name, version, label = parse_asset_id(str(component_id), "components")
    record = kinds.find(cloud, plain_assets.COMPONENTS, id_name, version, label)
    if record is None:
        absent = plain_assets.COMPONENTS.missing(id_name, version or label)
        raise ServiceError(404, "NotFound", f"key: {component_id}, Message: {absent.message}")
    spec = record["properties"]["componentSpec"]
    check_resources(f"The component of node '{name}'", spec)
    inputs = _inputs(name, spec, given)
    outputs = _outputs(spec, given)
    after = {found[1] for value in inputs.values() for found in _NODE_OUTPUT.finditer(value.value)}
    return Node(
        name=name,
        given=given,
        component=spec,
        inputs=inputs,
        outputs=outputs,
        after=frozenset(after),
    )


def _inputs(name: str, spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Input]:
    asked = given.get("inputs") or {}
    declared = _flat(spec.get("inputs") or {})
    unknown = set(asked) - set(declared)
    if unknown:
        raise _wrong(name, f"it has inputs that its component lacks: {', '.join(sorted(unknown))}")
    inputs = {}
    for port, declaration in declared.items():
        if port in asked:
            inputs[port] = read_input(asked[port])
        elif declaration.get("default") is not None:
            inputs[port] = Input(type=LITERAL, value=str(declaration["default"]))
        elif str(declaration.get("optional")).lower() != "true":
            raise _wrong(name, f"it lacks the input '{port}'")
    return inputs


def _flat(declared: Mapping[str, Any], prefix: str = "") -> dict[str, Mapping[str, Any]]:
    """Inputs with those of groups as `group.name`."""
    flat: dict[str, Mapping[str, Any]] = {}
    for name, declaration in declared.items():
        if declaration.get("type") == "group":
            flat |= _flat(declaration.get("values") or {}, f"{prefix}{name}.")
        else:
            flat[prefix + name] = declaration
    return flat


def _outputs(spec: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Output | str]:
    outputs: dict[str, Output | str] = {}
    asked = given.get("outputs") or {}
    for port, declaration in (spec.get("outputs") or {}).items():
        one = asked.get(port)
        text = one.get("value") if isinstance(one, dict) else one
        found = _PARENT_OUTPUT.fullmatch(str(text or ""))
        kind = (declaration or {}).get("type")
        outputs[port] = found[1] if found else read_output(one or {}, type_=kind)
    return outputs


def _check_binding(
    nodes: Mapping[str, Node], inputs: Mapping[str, Input], name: str, port: str, value: Input
) -> None:
    text = value.value
    for found in _PARENT_INPUT.finditer(text):
        whole = found[0] == text
        if found[1] not in inputs and not whole:
            raise _wrong(name, f"its input '{port}' uses {found[0]}, which is not there")
    for found in _NODE_OUTPUT.finditer(text):
        if found[1] not in nodes or found[2] not in nodes[found[1]].outputs:
            raise _wrong(name, f"its input '{port}' is bound to {found[0]}, which is not there")
        if found[0] != text:
            raise _wrong(name, f"its input '{port}' puts {found[0]} inside other text")
    rest = _NODE_OUTPUT.sub("", _PARENT_INPUT.sub("", text))
    if _PARENT.search(rest):
        raise _wrong(name, f"its input '{port}' is '{text}', a binding that is not known")


def _wrong(name: str, what: str) -> ServiceError:
    return ServiceError(400, "UserError", f"The node '{name}' cannot run: {what}.")
