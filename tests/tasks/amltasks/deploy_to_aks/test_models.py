"""The gate's verdict on a model that is to be deployed."""

from __future__ import annotations

import dataclasses
from typing import cast

import pytest

from amltasks import errors
from amltasks.azure_pipelines.agent import Job
from amltasks.deploy_to_aks import models
from amltasks.workspace.port import Model
from tests.tasks.amltasks.fakes import FakeModels, fake_workspace


class FakeJob:
    def __init__(self) -> None:
        self.warned: list[str] = []

    def warn(self, code: str, message: str) -> None:
        self.warned.append(f"{code}: {message}")


class Registry(FakeModels):
    def __init__(self, *found: Model) -> None:
        self.found = found

    def shared(self, registry: str, name: str) -> tuple[Model, ...]:
        return self.found if (registry, name) == ("central", "m") else ()

    def versions(self, name: str) -> tuple[Model, ...]:
        return self.found


def version(number: int, **tags: str) -> Model:
    return Model(name="m", version=number, run_id="", description="", tags=tags)


def check(model: Model, required: str, *others: Model) -> list[str]:
    job = FakeJob()
    workspace = fake_workspace(models=Registry(model, *others))
    models.check_gate(cast(Job, job), workspace, model, required)
    return job.warned


@pytest.mark.parametrize("required", ["auto", "true", "false"])
def test_a_promoted_version_is_deployed(required: str) -> None:
    assert check(version(2, gate="promoted"), required) == []


@pytest.mark.parametrize("required", ["auto", "true"])
@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ({"gate": "rejected", "gate_reason": "WORSE"}, r"a gate rejected it \(WORSE\)"),
        ({"gate": "stepped-back"}, "another build was promoted first"),
        ({"gate": "claimed"}, "has not decided yet"),
        ({"gate": "of another kind"}, "says 'of another kind'"),
    ],
)
def test_a_version_that_did_not_pass_is_refused(
    required: str, tags: dict[str, str], words: str
) -> None:
    with pytest.raises(errors.TaskError, match=words) as raised:
        check(version(2, **tags), required)
    assert raised.value.cause is errors.MODEL_NOT_PASSED


def test_a_version_that_bypassed_the_gate_is_refused() -> None:
    with pytest.raises(errors.TaskError, match="a gate judged other versions, such as 1"):
        check(version(2), "auto", version(1, gate="rejected"))
    with pytest.raises(errors.TaskError, match="requireGate is true"):
        check(version(2), "true")


def test_a_model_without_any_gate_is_deployed_unless_one_is_required() -> None:
    assert check(version(2), "auto", version(1)) == []
    assert check(version(2), "false", version(1, gate="promoted")) == []


def test_an_override_is_told() -> None:
    (warned,) = check(version(2, gate="rejected", gate_reason="WORSE"), "false")
    assert warned.startswith("GATE_NOT_REQUIRED: the model 'm:2' is deployed although a gate rej")


def test_a_version_of_a_registry_is_found_and_judged_there() -> None:
    name = "azureml://registries/central/models/m"
    first, second = (
        dataclasses.replace(version(number, **tags), address=f"{name}/versions/{number}")
        for number, tags in ((1, {"gate": "rejected"}), (2, {"build_number": "7"}))
    )
    workspace = fake_workspace(models=Registry(second, first))
    assert models.find(workspace, name, 1) == first
    assert models.find(workspace, name, "7") == second
    for absent in (3, "8"):
        with pytest.raises(errors.TaskError, match=r"MODEL(_OF_BUILD)?_NOT_FOUND"):
            models.find(workspace, name, absent)
    with pytest.raises(errors.TaskError, match="a gate judged other versions, such as 1"):
        models.check_gate(cast(Job, FakeJob()), workspace, second, "auto")
