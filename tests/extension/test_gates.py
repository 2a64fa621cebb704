"""What is wrong with a task that the service runs by itself."""

from __future__ import annotations

from typing import Any

import pytest

from extension.gates import ORGANISATION, gate_problems

REQUEST = {
    "EndpointUrl": f"{ORGANISATION}$(system.teamProjectId)/_apis/build?model=$(modelName)",
    "Method": "GET",
    "Body": "",
    "Headers": '{"Authorization": "Bearer $(system.AccessToken)"}',
    "WaitForCompletion": "false",
    "Expression": "eq(root['passed'], 'true')",
}


def gate(inputs: tuple[str, ...] = ("modelName",), **changed: str) -> dict[str, Any]:
    return {
        "runsOn": ["ServerGate"],
        "inputs": [{"name": name} for name in inputs],
        "execution": {"HttpRequest": {"Execute": {**REQUEST, **changed}}},
    }


def test_a_gate_that_asks_the_organisation_is_right() -> None:
    assert list(gate_problems(gate())) == []


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({**gate(), "runsOn": ["Agent"]}, "it is no gate"),
        ({**gate(), "execution": {"ServiceBus": {}}}, "it is no gate"),
        (gate(Method="POST"), "HttpRequest is no GET that is answered at once"),
        (gate(WaitForCompletion="true"), "HttpRequest is no GET that is answered at once"),
        (
            gate(EndpointUrl="https://example.com/$(modelName)"),
            f"EndpointUrl does not start with {ORGANISATION}",
        ),
        (
            gate(EndpointUrl=f"https://example.com/?{ORGANISATION}$(modelName)"),
            f"EndpointUrl does not start with {ORGANISATION}",
        ),
        (gate(Headers="Bearer"), "Headers is not JSON"),
        (gate(Body="$(other)"), "HttpRequest names $(other), which is no input"),
        (gate(("modelName", "spare")), "input spare: HttpRequest does not use it"),
    ],
)
def test_one_fault_is_told_alone(task: dict[str, Any], said: str) -> None:
    (problem,) = gate_problems(task)
    assert said in problem


def test_what_is_missing_is_named() -> None:
    task = gate()
    del task["execution"]["HttpRequest"]["Execute"]["Body"]
    del task["execution"]["HttpRequest"]["Execute"]["Expression"]
    assert list(gate_problems(task)) == ["HttpRequest has no Body, Expression"]


def test_every_fault_is_told() -> None:
    task = gate(("a",), EndpointUrl="https://x", Headers="{", Method="PUT")
    assert len(list(gate_problems(task))) == 4
