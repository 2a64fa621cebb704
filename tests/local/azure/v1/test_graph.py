"""Graphs are read into steps in a runnable order, or refused with the reason."""

from typing import Any

import pytest

from local.azure.v1 import graph
from local.azure.v1.graph import DataPath, GraphError, Port


def module(name: str, **changes: Any) -> dict[str, Any]:
    interface = {
        "Inputs": [{"Name": "data"}, {"Name": "_run_after", "SkipProcessing": True}],
        "Outputs": [{"Name": "out", "DataStoreName": "store"}],
        "Parameters": [
            {"Name": "Script", "DefaultValue": None},
            {
                "Name": "rate",
                "DefaultValue": 1,
                "SetEnvironmentVariable": True,
                "EnvironmentVariableOverride": "AML_PARAMETER_rate",
            },
        ],
        "Arguments": [
            {"ValueType": "Literal", "Value": "--rate"},
            {"ValueType": "Parameter", "Value": "rate"},
            {"ValueType": "3", "Value": "out"},
        ],
    }
    return {
        "Name": name,
        "StructuredInterface": interface,
        "DataLocation": {"StorageId": "snap"},
        "StepType": "PythonScriptStep",
        **changes,
    }


def node(name: str, **parameters: tuple[str, str]) -> dict[str, Any]:
    given = [
        {"Name": key, "Value": value, "ValueType": kind}
        for key, (value, kind) in {"Script": (f"{name}.py", "0"), **parameters}.items()
    ]
    return {"Id": name, "ModuleId": name, "ModuleParameters": given, "Runconfig": "{}"}


def edge(source: str, target: str, port: str = "data") -> dict[str, Any]:
    return {
        "SourceOutputPort": {"NodeId": source, "PortName": "out"},
        "DestinationInputPort": {"NodeId": target, "PortName": port},
    }


def plan(nodes: list[dict[str, Any]], edges: list[dict[str, Any]], **given: Any) -> Any:
    modules = given.pop("modules", {each["Id"]: module(each["Id"]) for each in nodes})
    return graph.plan(
        {"ModuleNodes": nodes, "Edges": edges, "DatasetNodes": given.pop("datasets", [])},
        {"Parameters": [{"Name": "speed", "DefaultValue": 7}]},
        modules=modules,
        data_sources={"source": DataPath(datastore="store", path="in/put")},
        assignments=given.pop("assignments", {}),
        data_paths={},
    )


def test_steps_come_after_what_they_need() -> None:
    nodes = [node("c"), node("b"), node("a")]
    steps = plan(nodes, [edge("a", "b"), edge("b", "c"), edge("a", "c", "_run_after")])
    assert [step.node for step in steps] == ["a", "b", "c"]
    assert steps[2].inputs == {"data": Port(node="b", name="out")}
    assert steps[2].after == {"a", "b"}


def test_parameters_default_and_given_reach_arguments_and_variables() -> None:
    nodes = [node("a", rate=("speed", "1")), node("b")]
    first, second = plan(nodes, [edge("a", "b")], assignments={"speed": "9"})
    assert first.command_line({"out": "/there"}) == ["--rate", "9", "/there"]
    assert first.variables == {"AML_PARAMETER_rate": "9"}
    assert second.command_line({"out": "/there"}) == ["--rate", "1", "/there"]


def test_data_from_a_datastore() -> None:
    (step,) = plan(
        [node("a")],
        [edge("dataset", "a")],
        datasets=[{"Id": "dataset", "DatasetId": "source"}],
    )
    assert step.inputs == {"data": DataPath(datastore="store", path="in/put")}
    assert step.after == frozenset()


@pytest.mark.parametrize(
    ("given", "code", "text"),
    [
        ({"edges": [edge("a", "b"), edge("b", "a")]}, "CyclicGraph", "wait for each other"),
        ({"assignments": {"sped": "1"}}, "UnknownParameter", "no parameter 'sped'.* has: speed"),
        ({"modules": {}}, "ModuleNotFound", "There is no module 'a'"),
        ({"nodes": []}, "EmptyGraph", "no steps"),
        (
            {"modules": {name: module(name, StepType="ParallelRunStep") for name in "ab"}},
            "NotImplemented",
            "'a' is a ParallelRunStep",
        ),
        (
            {"nodes": [{**node("a"), "Runconfig": '{"nodeCount": 4}'}]},
            "NotImplemented",
            "asks for 4 nodes",
        ),
        (
            {"datasets": [{"Id": "d", "DataSetDefinition": {}}]},
            "NotImplemented",
            "reads a Dataset",
        ),
    ],
)
def test_what_cannot_run_is_refused(given: dict[str, Any], code: str, text: str) -> None:
    nodes = given.pop("nodes", [node("a"), node("b")])
    with pytest.raises(GraphError, match=text) as caught:
        plan(nodes, given.pop("edges", []), **given)
    assert caught.value.code == code
