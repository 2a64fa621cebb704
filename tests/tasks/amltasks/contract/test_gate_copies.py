"""A model that passed is copied: to a registry with v2, to another workspace with v1."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ..conftest import FIRST_MAY_PASS, Azure, Ended, Started, Starter, start_task
from .conftest import asked

Copies = Callable[[str], list[dict[str, Any]]]
"""The versions of a model in the other place, as the SDK shows them, the oldest first."""

TO = {
    "v2": {"copyTo": "registry", "registryName": "registry-local"},
    "v1": {
        "copyTo": "workspace",
        "targetResourceGroup": "rg-local",
        "targetWorkspace": "ws-second",
    },
}
_OPEN = {
    "v2": """
from azure.ai.ml import MLClient
from azure.identity import EnvironmentCredential
registry = MLClient(EnvironmentCredential(), registry_name=given["AML_REGISTRY_NAME"])
""",
    "v1": """
from azureml.core import Workspace
from azureml.core.authentication import ServicePrincipalAuthentication
from azureml.core.model import Model
import tempfile, os.path
auth = ServicePrincipalAuthentication(
    given["AZURE_TENANT_ID"], given["AZURE_CLIENT_ID"], given["AZURE_CLIENT_SECRET"]
)
ws = Workspace.get("ws-second", auth, given["AML_SUBSCRIPTION_ID"], given["AML_RESOURCE_GROUP"])
def files(model):
    with tempfile.TemporaryDirectory() as folder:
        path = model.download(folder, exist_ok=True)
        return sorted(os.listdir(path)) if os.path.isdir(path) else [os.path.basename(path)]
""",
}
_COPIES = {
    "v2": "[{{'version': m.version, 'tags': m.tags, 'text': m.description or ''}} for m in sorted("
    "registry.models.list({name!r}), key=lambda m: int(m.version))]",
    "v1": "[{{'version': str(m.version), 'tags': m.tags, 'text': m.description or '', "
    "'files': files(m)}} for m in sorted(Model.list(ws, {name!r}), key=lambda m: m.version)]",
}


@pytest.fixture(scope="session")
def copies(
    aml_azure: Azure, sdk: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Copies]:
    with asked(aml_azure, _OPEN[sdk], tmp_path_factory.mktemp("copies")) as ask:
        yield lambda name: ask(_COPIES[sdk].format(name=name))


def begin(azure: Azure, trained: Ended, sdk: str, folder: Path, **changed: str) -> Started:
    inputs = {
        "candidateRunId": trained.outputs["runId"],
        "baseline": "latest",
        "rules": FIRST_MAY_PASS,
        "outputDirectory": str(folder / "gate"),
        **TO[sdk],
        **changed,
    }
    variables = {"build.buildid": changed.pop("build", "4711")}
    inputs.pop("build", None)
    return start_task(
        "EvaluateAndGate",
        {**azure.place, "sdk": sdk, **inputs},
        folder=folder,
        connection=azure.connection,
        environment=azure.client_environment,
        variables=variables,
    )


def test_a_passed_model_is_copied_once_with_lineage_tags_and_verdict(
    aml_azure: Azure, trained: Ended, sdk: str, copies: Copies, tmp_path: Path
) -> None:
    name = f"copied-{sdk}"
    more = {"modelName": name, "modelDescription": "parts", "promoteTags": "stage: production"}
    first = begin(aml_azure, trained, sdk, tmp_path, **more).end()
    assert first.result == "Succeeded", first.log
    assert first.outputs["copyId"].endswith(f"/models/{name}/versions/1")
    (copy,) = copies(name)
    assert (copy["version"], copy["text"]) == ("1", "parts")
    wanted = {
        "run_id": trained.outputs["runId"],
        "build_id": "4711",
        "metric.accuracy": "0.9",
        "gate": "promoted",
        "stage": "production",
    }
    assert copy["tags"].items() >= wanted.items()
    assert "weights.txt" in copy.get("files", ["weights.txt"])
    verdict = json.loads((tmp_path / "gate" / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["facts"]["copy"] == first.outputs["copyId"]

    # The same version again: judged, promoted by tags, and not copied twice. Two at once.
    again = {**more, "candidate": "model", "candidateModelVersion": "1"}
    both = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        both.append(begin(aml_azure, trained, sdk, folder, **again, baseline="none"))
    for each in both:
        ended = each.end()
        assert ended.outputs["reason"] in ("PASSED", "STEPPED_BACK"), ended.log
        assert ended.outputs["copyId"] in ("", first.outputs["copyId"])
    assert [each["version"] for each in copies(name)] == ["1"]
    # Another version is another copy.
    second = begin(aml_azure, trained, sdk, tmp_path, **more).end()
    assert second.outputs["copyId"].endswith(f"/models/{name}/versions/2"), second.log
    assert [each["version"] for each in copies(name)] == ["1", "2"]


def test_two_first_copies_at_once_leave_one(
    aml_azure: Azure, trained: Ended, sdk: str, copies: Copies, tmp_path: Path
) -> None:
    name = f"raced-{sdk}"
    plain = begin(aml_azure, trained, sdk, tmp_path, modelName=name, copyTo="none").end()
    assert (plain.result, plain.outputs["copyId"]) == ("Succeeded", ""), plain.log
    both = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        inputs = {"candidate": "model", "candidateModelVersion": "1", "baseline": "none"}
        both.append(begin(aml_azure, trained, sdk, folder, modelName=name, **inputs))
    ended = [each.end() for each in both]
    assert {each.outputs["reason"] for each in ended} <= {"PASSED", "STEPPED_BACK"}
    assert len(copies(name)) == 1
    assert any(each.outputs["copyId"] for each in ended)


def test_the_wrong_place_is_told_before_anything_is_judged(
    aml_azure: Azure, trained: Ended, sdk: str, tmp_path: Path, start_in_azure: Starter
) -> None:
    other = {"v2": "v1", "v1": "v2"}[sdk]
    ended = begin(aml_azure, trained, sdk, tmp_path, modelName="never", **TO[other]).end()
    assert list(ended.issues) == ["COPY_UNSUPPORTED"]
    wrong = {"v2": {"registryName": "nowhere"}, "v1": {"targetWorkspace": "nowhere"}}[sdk]
    ended = begin(aml_azure, trained, sdk, tmp_path, modelName="never", **wrong).end()
    code = {"v2": "REGISTRY_NOT_FOUND", "v1": "WORKSPACE_NOT_FOUND"}[sdk]
    assert (list(ended.issues), ended.outputs["reason"]) == ([code], code)
    assert not (tmp_path / "gate" / "verdict.json").exists()
