"""Every list of the classic editor, filled from a running local Azure as the portal fills it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from extension import pickers
from local.azure.resources.regions import REGIONS, VM_SIZES
from tests.extension import portal
from tests.local.azure.conftest import get_token, http_session
from tests.running_azure import RunningAzure

ROOT = Path(__file__).resolve().parents[2]
ARM = "https://management.azure.com"
VERSION = "?api-version=2024-10-01"
TASKS = {
    path.parent.name: json.loads(path.read_text())
    for path in sorted(ROOT.glob("tasks/*/task.json"))
}
BINDINGS = [
    pytest.param(task, binding, id=f"{name}-{binding['target']}")
    for name, task in TASKS.items()
    for binding in task.get("dataSourceBindings", [])
]
AML_SIZE = "Standard_DS3_v2 (4 CPUs, 0 GPUs, 14.0 GB)"
AKS_SIZE = "Standard_DS3_v2 (4 CPUs, 14336 MB)"


@dataclass(frozen=True, kw_only=True)
class Portal:
    """The portal with a service connection to a local Azure, and what was chosen so far."""

    http: requests.Session
    endpoint: Mapping[str, str]
    chosen: Mapping[str, str]

    def ask(self, binding: Mapping[str, Any], **instead: str) -> requests.Response:
        """The answer that fills a list."""
        url = portal.address(binding, {**self.chosen, **instead}, self.endpoint)
        return self.http.get(url)


@pytest.fixture(scope="module")
def editor(azure: RunningAzure) -> Iterator[Portal]:
    """A workspace with computes, two versions of a model and an endpoint, and the portal."""
    env = azure.environment
    with http_session(azure) as http:
        http.headers["Authorization"] = f"Bearer {get_token(http, azure)}"
        place = f"{ARM}{azure.scope}"
        put(http, f"{place}/computes/cpu-cluster", cluster())
        for version in ("1", "2"):
            upload = http.post(
                f"{place}/models/parts/versions/{version}/startPendingUpload{VERSION}"
            )
            blob = upload.json()["blobReferenceForConsumption"]
            _, _, signature = blob["credential"]["sasUri"].partition("?")
            address = f"{blob['blobUri']}/model.txt"
            made = requests.Request(
                "PUT", f"{address}?{signature}", data=b"m", headers={"x-ms-blob-type": "BlockBlob"}
            )
            assert http.send(made.prepare()).status_code == 201
            put(http, f"{place}/models/parts/versions/{version}", {"modelUri": address})
        put(http, f"{place}/onlineEndpoints/parts-service", {"authMode": "Key"}, location="eastus")
        yield Portal(
            http=http,
            # As a connection has it: with a slash at the end.
            endpoint={"url": f"{ARM}/", "subscriptionId": env["AML_SUBSCRIPTION_ID"]},
            chosen={
                "resourceGroup": env["AML_RESOURCE_GROUP"],
                "workspace": env["AML_WORKSPACE_NAME"],
                "targetResourceGroup": env["AML_RESOURCE_GROUP"],
                "location": "westeurope",
                "aksRegion": "westeurope",
                "modelName": "parts",
            },
        )


def cluster() -> dict[str, Any]:
    """The properties of a cluster."""
    scale = {"minNodeCount": 0, "maxNodeCount": 1}
    inner = {"vmSize": "STANDARD_DS3_V2", "scaleSettings": scale}
    return {"computeType": "AmlCompute", "properties": inner}


def put(http: requests.Session, address: str, properties: Mapping[str, Any], **more: str) -> None:
    """Make a resource."""
    answer = http.put(address + VERSION, json={"properties": properties, **more})
    assert answer.ok, answer.text


def expected(editor: Portal, target: str) -> Mapping[str, str]:
    """What a list must hold."""
    names = {
        "resourceGroup": [editor.chosen["resourceGroup"]],
        "workspace": [editor.chosen["workspace"]],
        "targetResourceGroup": [editor.chosen["resourceGroup"]],
        "targetWorkspace": [editor.chosen["workspace"]],
        "registryName": ["registry-local"],
        "computeName": ["cpu-cluster"],
        "dedicatedCompute": ["k8s-cluster", "cpu-cluster"],  # a run may be on either
        "aksName": ["k8s-cluster"],
        "serviceName": ["parts-service"],
        "modelName": ["parts"],
        "modelVersion": ["2", "1"],
        "candidateModelVersion": ["2", "1"],
        "baselineVersion": ["2", "1"],
    }
    if target in names:
        return {name: name for name in names[target]}
    if target in ("location", "aksRegion"):
        return {name: f"{shown} ({name})" for name, shown in REGIONS.items()}
    cores = {"vmSize": AML_SIZE, "aksVmSize": AKS_SIZE}[target]
    return {size.name: cores for size in VM_SIZES.values() if size.name == "Standard_DS3_v2"}


@pytest.mark.parametrize(("task", "binding"), BINDINGS)
def test_a_list_holds_what_azure_has(
    editor: Portal, task: dict[str, Any], binding: dict[str, Any]
) -> None:
    target = binding["target"]
    answer = editor.ask(binding)
    assert answer.status_code == 200, answer.text
    assert len(answer.content) < 2_000_000  # the portal's limit
    shown = portal.entries(
        binding, editor.chosen, editor.endpoint, lambda url: editor.http.get(url).json()
    )
    if target in ("vmSize", "aksVmSize"):
        assert len(shown) == len(VM_SIZES)
        shown = {name: text for name, text in shown.items() if name == "Standard_DS3_v2"}
    assert list(shown.items()) == list(expected(editor, target).items())
    (item,) = (item for item in task["inputs"] if item["name"] == target)
    assert pickers.editable(item)


def test_lists_are_those_of_the_chosen_group(editor: Portal) -> None:
    """Nothing is offered from elsewhere when another group is chosen: the list stays empty."""
    dependent = [
        binding
        for task in TASKS.values()
        for binding in task.get("dataSourceBindings", [])
        if "resourceGroup" in pickers.INPUT.findall(binding["endpointUrl"])
    ]
    answers = {editor.ask(binding, resourceGroup="other").status_code for binding in dependent}
    assert answers == {404}


def test_the_portal_filters_by_what_a_compute_is(editor: Portal) -> None:
    """The selectors, on an answer with every kind of compute that Azure ML has."""
    kinds = ("AmlCompute", "AKS", "Kubernetes", "ComputeInstance", "VirtualMachine", "DataFactory")
    answer = {"value": [{"name": kind, "properties": {"computeType": kind}} for kind in kinds]}
    found = {
        binding["target"]: list(portal.choices(binding, answer))
        for task in TASKS.values()
        for binding in task.get("dataSourceBindings", [])
        if binding["target"] in ("computeName", "aksName")
    }
    assert found == {"computeName": ["AmlCompute"], "aksName": ["AKS", "Kubernetes"]}


@pytest.mark.parametrize(("task", "binding"), BINDINGS)
def test_a_long_list_is_whole(task: dict[str, Any], binding: dict[str, Any]) -> None:
    """Azure ML's links have `$skip`, Resource Manager's `$skiptoken`, escaped or not."""
    if pickers.WHOLE.search(binding["endpointUrl"]):
        assert portal.next_context(binding, {"nextLink": "https://x/?$skip=1"}) is None
        return
    kinds = {"computeName": "AmlCompute", "aksName": "AKS"}
    kind = {"computeType": kinds.get(binding["target"], "")}
    for key in ("$skip", "%24skip", "$skiptoken", "%24skiptoken", "skipToken"):
        asked: list[str] = []

        def ask(url: str, key: str = key, asked: list[str] = asked) -> dict[str, Any]:
            asked.append(url)
            page = len(asked)
            name = {"name": f"n{page}", "properties": kind}
            link = f"{url.partition('?')[0]}?{key}=a%2B{page}%3D%3D&api-version=2024-10-01"
            return {"value": [name], "nextLink": link} if page < 4 else {"value": [name]}

        given = dict.fromkeys(pickers.INPUT.findall(binding["endpointUrl"]), "x")
        endpoint = {"url": "https://management.azure.com", "subscriptionId": "s"}
        assert list(portal.entries(binding, given, endpoint, ask)) == ["n1", "n2", "n3", "n4"]
        assert [url.count("api-version=") for url in asked] == [1] * 4
        assert f"&{key}=" not in asked[0]
        assert [url.endswith(f"&{key}=a%2B{at}%3D%3D") for at, url in enumerate(asked[1:], 1)] == (
            [True] * 3
        )


def test_the_portal_gives_up_after_five_pages() -> None:
    """Its limit, which holds also against a list that never ends."""
    (binding,) = (
        b for b in TASKS["RunAmlPipelineV1"]["dataSourceBindings"] if b["target"] == "workspace"
    )
    asked: list[str] = []

    def ask(url: str) -> dict[str, Any]:
        asked.append(url)
        return {"value": [], "nextLink": "https://x/?$skip=1"}

    assert portal.entries(binding, {"resourceGroup": "x"}, {}, ask) == {}
    assert len(asked) == portal.MOST_CALLS


@pytest.mark.parametrize(
    ("task", "target", "region"),
    [("ProvisionAmlComputeV1", "vmSize", "location"), ("DeployToAksV1", "aksVmSize", "aksRegion")],
)
def test_sizes_are_offered_before_a_region_is_chosen(
    editor: Portal, task: str, target: str, region: str
) -> None:
    found = TASKS[task]
    (binding,) = (one for one in found["dataSourceBindings"] if one["target"] == target)
    (item,) = (one for one in found["inputs"] if one["name"] == target)
    assert portal.waits_for(binding, {region: ""}) == [region]
    assert portal.waits_for(binding, {region: "westeurope"}) == []
    assert len(item["options"]) >= 5
    for name, text in item["options"].items():
        size = VM_SIZES.get(name.lower())
        assert size, f"{name} is no size that Azure has"
        assert text.startswith(f"{name} ({size.cpus} CPUs, ")
        assert text.endswith(f"{size.memory_gb:g} GB)")
        assert ("GPU" in text) == (size.gpus > 0)
