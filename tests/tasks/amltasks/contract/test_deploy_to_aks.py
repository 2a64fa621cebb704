"""DeployToAks against the local Azure, on both SDKs: real inference servers, scored for real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.tasks.amltasks.conftest import (
    FIRST_MAY_PASS,
    VARIABLES,
    Azure,
    Ended,
    Starter,
    start_task,
)
from tests.tasks.amltasks.contract.conftest import Seen

TASK = "DeployToAks"
SERVICE = "compliance"
# What stands beside the live service while a build with the id 4711 proves its revision.
BESIDE = {"v1": "compliance-c4711", "v2": "compliance/build-4711"}
REMOVED = {"v1": "Removed service compliance-c4711", "v2": "Removed deployment build-4711"}
WHERE = {
    "serviceName": SERVICE,
    "modelVersion": "1",
    "entryScript": "scoring/score.py",
    "environmentFile": "scoring/conda.yml",
    "smokeFile": "smoke.json",
    "bakeSeconds": "0",
    "createIfMissing": "true",
}

Deploy = Callable[..., Ended]


@pytest.fixture(scope="module")
def model(
    aml_azure: Azure, sdk: str, trained: Ended, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """A registered model, through the gate."""
    name = f"served-{sdk}"
    ended = start_task(
        "EvaluateAndGate",
        {
            **aml_azure.place,
            "sdk": sdk,
            "candidateRunId": trained.outputs["runId"],
            "modelName": name,
            "baseline": "none",
            "rules": FIRST_MAY_PASS,
        },
        folder=tmp_path_factory.mktemp("gate"),
        connection=aml_azure.connection,
        environment=aml_azure.client_environment,
    ).end()
    assert ended.result == "Succeeded", ended.message
    return name


@pytest.fixture
def where(model: str, kubernetes: str, consumer: Path) -> dict[str, str]:
    """The inputs of a deployment; the sources are in the folder of the test."""
    return {**WHERE, "modelName": model, "aksName": kubernetes}


@pytest.fixture
def deployed(start_in_azure: Starter, where: dict[str, str]) -> Deploy:
    """Deploy, with some inputs changed."""
    return lambda **changed: start_in_azure(TASK, {**where, **changed}).end()


@pytest.fixture
def live(deployed: Deploy, seen: Seen) -> None:
    """A service is live, whichever test comes first."""
    if SERVICE not in seen.services():
        ended = deployed()
        assert ended.result == "Succeeded", ended.log


def reported(ended: Ended) -> tuple[dict[str, Any], str]:
    """The deployment's result and report, as they are attached to the step."""
    found = {one["kind"]: one for one in ended.of("attachment")}
    assert {(kind, one["name"]) for kind, one in found.items()} == {
        ("aml.deploy.result", SERVICE),
        ("aml.deploy.report", SERVICE),
    }
    files = (Path(found[f"aml.deploy.{kind}"]["path"]) for kind in ("result", "report"))
    result, report = (path.read_text(encoding="utf-8") for path in files)
    return json.loads(result), report


def test_the_first_deployment_makes_the_service(
    deployed: Deploy, sdk: str, model: str, kubernetes: str, seen: Seen
) -> None:
    ended = deployed(exportKey="true", tags="team: parts")
    assert ended.result == "Succeeded", ended.log
    assert ended.issues == {}
    if sdk == "v1":
        assert f"AKS cluster {kubernetes} is Creating" in ended.log
    assert f"Creating service {SERVICE} with model {model}:1" in ended.log
    assert ended.outputs["serviceState"] == "Healthy"
    ending = {
        "v1": "/api/v1/service/compliance/score",
        "v2": "https://compliance.eastus.inference.ml.azure.com/score",
    }
    assert ended.outputs["scoringUri"].endswith(ending[sdk])
    result, page = reported(ended)
    links = {what: page.partition("?")[0] for what, page in result.pop("links").items()}
    trained_by = links.pop("run").removeprefix("https://ml.azure.com/runs/")
    assert links == {
        "model": f"https://ml.azure.com/model/{model}:1/details",
        "endpoint": f"https://ml.azure.com/endpoints/realtime/{SERVICE}/detail",
    }
    assert result == {
        "schema": 1,
        "service": SERVICE,
        "state": "Healthy",
        "problem": "",
        "model": model,
        "version": 1,
        "revision": {"v1": "compliance", "v2": "compliance/build-4711"}[sdk],
        "scoringUri": ended.outputs["scoringUri"],
    }
    assert "2 of 2 rows as expected" in page
    assert "Deployment&#x27;s build number" in page
    told = seen.service(SERVICE)
    assert (told["tags"]["team"], told["tags"]["model"]) == ("parts", f"{model}:1")
    assert told["tags"]["build_number"] == VARIABLES["build.buildnumber"]
    assert (told["tags"]["run_id"], told["tags"]["gate"]) == (trained_by, "promoted")
    assert seen.call(SERVICE, '{"data": ["made of plastic"]}') == {"predictions": [1]}


def test_the_key_is_a_secret_and_nowhere_else(deployed: Deploy, live: None, seen: Seen) -> None:
    ended = deployed(exportKey="true")
    key = ended.outputs["primaryKey"]
    assert key == seen.service(SERVICE)["key"]
    (secret,) = [c for c in ended.of("variable") if c["secret"]]
    assert secret["name"] == "primaryKey"
    kinds = [c["type"] for c in ended.commands if key in str(c.get("value"))]
    assert kinds == ["secret", "variable"]
    assert key not in ended.log


def test_a_running_service_is_rolled_over_after_the_proof_beside_it(
    deployed: Deploy, live: None, start_in_azure: Starter, where: dict[str, str], seen: Seen
) -> None:
    before, key = seen.revisions(SERVICE), seen.service(SERVICE)["key"]
    variables = {"build.buildid": "4712"}
    inputs = {**where, "description": "second"}
    # The version by the build that registered it, as for going back.
    inputs |= {"modelVersion": f"build:{VARIABLES['build.buildnumber']}"}
    ended = start_in_azure(TASK, inputs, variables=variables).end()
    assert ended.result == "Succeeded", ended.log
    assert ended.log.count("registered version 1 of model") == 1
    assert "primaryKey" not in ended.outputs
    order = [
        ended.log.index(words)
        for words in (
            f"Service {SERVICE} exists; trying the new revision beside it as {SERVICE}",
            "All 2 smoke rows are answered as expected",
            f"Rolling service {SERVICE} over",
            f"Deployment of {SERVICE} is Succeeded",
            "Removed ",
        )
    ]
    assert order == sorted(order)
    assert ended.log.count("All 2 smoke rows are answered as expected") == 2
    assert len(seen.revisions(SERVICE)) == len(before) == 1
    told = seen.service(SERVICE)
    assert (told["text"], told["key"]) == ("second", key)


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"smokeFile": "wrong_smoke.json"}, "SMOKE_FAILED", '"made of steel"): expected 1, got 0'),
        (
            {"smokeMaxSeconds": "5", "smokeMalformed": "true"},
            "SMOKE_FAILED",
            "a malformed request got HTTP 500, and must get a 4xx",
        ),
        (
            {"entryScript": "scoring/broken.py"},
            "DEPLOYMENT_FAILED",
            "RuntimeError: the vocabulary is not beside the model",
        ),
    ],
)
def test_a_bad_revision_never_reaches_the_running_service(
    deployed: Deploy, live: None, seen: Seen, changed: dict[str, str], code: str, words: str
) -> None:
    before = seen.revisions(SERVICE)
    ended = deployed(**changed)
    assert list(ended.issues) == [code]
    assert words in ended.message
    assert "the live service was not touched" in ended.message
    result, page = reported(ended)
    assert (result["state"], result["problem"]) == ("Failed", ended.issues[code])
    assert ("1 of 2 rows as expected" in page) == ("smokeFile" in changed)
    assert f"lines of the container's log of {SERVICE}" in ended.log
    assert "serviceState" not in ended.outputs
    assert seen.revisions(SERVICE) == before
    assert seen.call(SERVICE, '{"data": ["made of plastic"]}') == {"predictions": [1]}


@pytest.mark.parametrize("sdk", ["v2"], indirect=True)  # v1 has nothing to go back to
def test_what_fails_in_service_gives_the_requests_back(
    deployed: Deploy, live: None, seen: Seen
) -> None:
    before = seen.revisions(SERVICE)
    ended = deployed(entryScript="scoring/moody.py")
    assert list(ended.issues) == ["SMOKE_FAILED"]
    assert "the old revision got its requests back" in ended.message
    assert "Giving the requests of compliance back" in ended.log
    assert seen.revisions(SERVICE) == before
    assert seen.call(SERVICE, '{"data": ["made of plastic"]}') == {"predictions": [1]}


@pytest.mark.parametrize("sdk", ["v2"], indirect=True)
def test_a_managed_endpoint_needs_no_cluster(deployed: Deploy, model: str, seen: Seen) -> None:
    managed = {"serviceName": "managed", "target": "managed", "aksName": ""}
    ended = deployed(**managed, instanceType="Standard_F2s_v2", instanceCount="2")
    assert ended.result == "Succeeded", ended.log
    assert "AKS" not in ended.log
    size = seen.ask(
        "[(d.type, d.instance_type, d.instance_count)"
        " for d in ml.online_deployments.list('managed')]"
    )
    assert size == [["Managed", "Standard_F2s_v2", 2]]
    refused = {
        "public_network_access: disabled": "live service 'managed', enabled",
        "identity: {user_assigned_identities: [mine]}": "live service 'managed', system_assigned",
    }
    for settings, words in refused.items():
        ended = deployed(**managed, settings=settings)
        assert words in ended.issues["SETTING_INVALID"]
    ended = deployed(serviceName="managed")
    assert "runs on machines that Azure ML runs" in ended.issues["SERVICE_WRONG_TARGET"]


def test_nothing_lands_elsewhere(
    deployed: Deploy, live: None, sdk: str, kubernetes: str, seen: Seen
) -> None:
    ended = deployed(aksName="aks-far", aksRegion="westeurope")
    assert list(ended.issues) == ["SERVICE_WRONG_TARGET"]
    words = f"runs on the AKS target '{kubernetes}', not on the AKS target 'aks-far'"
    assert words in ended.message
    assert "aks-far" not in seen.targets()
    ended = deployed(serviceName="elsewhere", aksName="cpu-cluster-" + sdk)
    assert list(ended.issues) == ["COMPUTE_WRONG_TYPE"]
    assert "elsewhere" not in seen.services()


def test_a_cluster_that_is_not_there(deployed: Deploy, sdk: str, seen: Seen) -> None:
    ended = deployed(serviceName="far", aksName="aks-far", createIfMissing="false")
    assert list(ended.issues) == [{"v1": "AKS_NOT_FOUND", "v2": "KUBERNETES_NOT_ATTACHED"}[sdk]]
    assert "aks-far" not in seen.targets()
    ended = deployed(serviceName="far", aksName="aks-far", aksRegion="westeurope", smokeFile="")
    if sdk == "v2":
        assert "KUBERNETES_NOT_ATTACHED" in ended.issues
        assert "far" not in seen.services()
    else:
        assert ended.result == "Succeeded", ended.log
        assert "copied across regions" in ended.issues["AKS_IN_OTHER_REGION"]


def test_a_model_that_is_not_there_is_named(deployed: Deploy) -> None:
    assert list(deployed(modelVersion="99").issues) == ["MODEL_NOT_FOUND"]
    assert list(deployed(modelVersion="build:1.1").issues) == ["MODEL_OF_BUILD_NOT_FOUND"]


def test_a_cancel_removes_the_revision_beside(
    live: None, sdk: str, start_in_azure: Starter, where: dict[str, str], seen: Seen
) -> None:
    before = seen.revisions(SERVICE)
    # Another build: in v2 the live revision may have the name of this one.
    started = start_in_azure(TASK, where, variables={"build.buildid": "4799"})
    words = f"Deployment of {BESIDE[sdk].replace('4711', '4799')} is"
    started.wait_for(lambda s: any(words in line for line in s.lines))
    started.say("cancel")
    ended = started.end()
    assert ended.result == "Canceled"
    assert REMOVED[sdk].replace("4711", "4799") in ended.log
    assert seen.revisions(SERVICE) == before


KEPT = "kept"


@pytest.mark.parametrize("sdk", ["v2"], indirect=True)
def test_it_goes_back_to_a_kept_revision(
    start_in_azure: Starter, where: dict[str, str], seen: Seen
) -> None:
    def build(number: int, **changed: str) -> Ended:
        variables = {"build.buildid": str(number), "build.buildnumber": f"2026.{number}"}
        inputs = {**where, "serviceName": KEPT, "ramp": "100", **changed}
        return start_in_azure(TASK, inputs, variables=variables).end()

    def back(number: int, to: str = "") -> Ended:
        return build(number, mode="rollback", rollbackTo=to)

    for number in (1, 2, 3):
        ended = build(number, keepRevisions="1")
        assert ended.result == "Succeeded", ended.log
    assert seen.revisions(KEPT) == ["build-2", "build-3"]
    key = seen.service(KEPT)["key"]
    missed = back(4, "2026.1")
    assert "no revision or build '2026.1' to go back to" in missed.issues["REVISION_NOT_KEPT"]
    assert "build-2 (build 2026.2)" in missed.message
    refused = build(4, mode="rollback", smokeFile="wrong_smoke.json")
    assert list(refused.issues) == ["SMOKE_FAILED"]
    shares = f"ml.online_endpoints.get('{KEPT}').traffic.items()"
    traffic = f"{{name: share for name, share in {shares} if share}}"
    assert seen.ask(traffic) == {"build-3": 100}
    for _ in ("first attempt", "second attempt"):
        ended = back(5)
        assert ended.result == "Succeeded", ended.log
        assert ended.outputs["revision"] == "build-2"
        assert seen.ask(traffic) == {"build-2": 100}
    assert ended.outputs["rolledBack"] == "false", "the first attempt did"
    assert list(back(6).issues) == ["REVISION_NOT_KEPT"]  # not forward to the one that was left
    ended = back(7, "2026.3")
    assert (ended.outputs["revision"], ended.outputs["previousRevision"]) == ("build-3", "build-2")
    assert ended.outputs["rolledBack"] == "true"
    assert seen.service(KEPT)["key"] == key
    assert seen.call(KEPT, '{"data": ["made of plastic"]}') == {"predictions": [1]}
    ended = build(8, mode="delete")
    assert ended.result == "Succeeded", ended.log
    assert KEPT not in seen.services()


def test_a_review_environment_is_deleted_and_no_other(
    deployed: Deploy, sdk: str, model: str, kubernetes: str, seen: Seen
) -> None:
    ended = deployed(serviceName="review")
    assert ended.result == "Succeeded", ended.log
    for said in ("Service review is deleted.", "There is no service review; nothing was deleted."):
        ended = deployed(serviceName="review", mode="delete", modelName="", entryScript="")
        assert (ended.result, ended.message) == ("Succeeded", said)
        assert ended.outputs["serviceState"] == "Deleted"
        assert "review" not in seen.services()
    seen.make_service("foreign", model, kubernetes)
    ended = deployed(serviceName="foreign", mode="delete")
    assert list(ended.issues) == ["SERVICE_NOT_OURS"]
    assert "foreign" in seen.services()


def test_a_model_that_bypassed_its_gate_is_refused(
    deployed: Deploy, model: str, seen: Seen
) -> None:
    number = seen.register_again(model)
    ended = deployed(serviceName="bypass", modelVersion=str(number))
    assert "a gate judged other versions, such as 1" in ended.issues["MODEL_NOT_PASSED"]
    assert "bypass" not in seen.services()


def test_a_registered_environment_and_limits(deployed: Deploy, seen: Seen, kubernetes: str) -> None:
    seen.register_environment("ready-made")
    ended = deployed(
        serviceName="ready",
        environmentFile="",
        environment="ready-made@latest",
        environmentVariables="SPEED: 1.10",
        requestTimeout="20",
        maxConcurrentRequests="2",
        maxQueueWait="2",
    )
    assert ended.result == "Succeeded", ended.log
    assert seen.call("ready", '{"data": ["made of plastic"]}') == {"predictions": [1]}
    assert seen.limits("ready") == {"timeout_ms": 20000, "concurrent": 2, "wait_ms": 2000}
    ended = deployed(serviceName="none", environmentFile="", environment="nowhere:7")
    assert list(ended.issues) == ["ENVIRONMENT_NOT_FOUND"]
    assert "nowhere:7" in ended.message
    assert "none" not in seen.services()


@pytest.mark.parametrize("sdk", ["v2"], indirect=True)  # azureml-sdk needs a script
def test_an_mlflow_model_needs_no_script(deployed: Deploy, model: str, seen: Seen) -> None:
    assert seen.ask(f"ml.models.get('{model}', '1').type") == "mlflow_model", "by the gate"
    bare = {"entryScript": "", "environmentFile": ""}
    ended = deployed(**bare, serviceName="flow")
    assert ended.result == "Succeeded", ended.log
    assert ended.log.count("All 2 smoke rows are answered as expected") == 2
    assert seen.call("flow", '{"input_data": ["made of plastic"]}') == [1]
    number = seen.register_again(model)
    ended = deployed(**bare, serviceName="bare", modelVersion=str(number), requireGate="false")
    assert list(ended.issues) == ["MODEL_NEEDS_SCRIPT"]
    assert "bare" not in seen.services()


@pytest.mark.parametrize("sdk", ["v2"], indirect=True)  # azureml-sdk knows no registries
def test_a_model_of_a_registry(deployed: Deploy, model: str, seen: Seen) -> None:
    seen.ask(
        f"ml.models.share('{model}', '1', share_with_name='central', share_with_version='3',"
        " registry_name='registry-local').name"
    )
    shared = {"modelName": "azureml://registries/registry-local/models/central"}
    managed = {"serviceName": "central", "target": "managed", "aksName": "", "ramp": "100"}
    ended = deployed(**managed, **shared, modelVersion="3")
    assert ended.result == "Succeeded", ended.message
    told = "ml.online_deployments.list('central')"
    assert seen.ask(f"[d.model for d in {told}]") == [shared["modelName"] + "/versions/3"]
    ended = deployed(**managed, **shared, modelVersion="4")
    assert list(ended.issues) == ["MODEL_NOT_FOUND"]


ENDPOINT = """
$schema: https://azuremlschemas.azureedge.net/latest/kubernetesOnlineEndpoint.schema.json
name: written
auth_mode: aml_token
tags: {owner: parts}
"""
DEPLOYMENT = """
$schema: https://azuremlschemas.azureedge.net/latest/kubernetesOnlineDeployment.schema.json
name: blue
endpoint_name: written
type: kubernetes
model: azureml:MODEL:1
code_configuration: {code: scoring, scoring_script: score.py}
environment:
  conda_file: scoring/conda.yml
  image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04
instance_count: 2
request_settings: {request_timeout_ms: 9000, max_concurrent_requests_per_instance: 3}
liveness_probe: {period: 7}
readiness_probe: {initial_delay: 1, period: 2, timeout: 3, failure_threshold: 99}
scale_settings:
  type: target_utilization
  min_instances: 1
  max_instances: 3
  target_utilization_percentage: 60
  polling_interval: 5
resources:
  requests: {cpu: 250m, memory: 512Mi, nvidia.com/gpu: "1"}
  limits: {cpu: "3", memory: 5Gi, nvidia.com/gpu: "1"}
environment_variables: {SPEED: 1}
"""
INFERENCE = '{"entryScript": "score.py", "sourceDirectory": "scoring", "condaFile": "conda.yml"}'
DEPLOYMENT_V1 = """{
  "computeType": "AKS", "tokenAuthEnabled": true, "authEnabled": false, "namespace": "parts",
  "autoScaler": {"autoscaleEnabled": true, "minReplicas": 1, "maxReplicas": 3,
                 "targetUtilization": 60, "refreshPeriodInSeconds": 5},
  "containerResourceRequirements": {
    "cpu": 0.25, "memoryInGB": 0.5, "cpuLimit": 3, "memoryInGBLimit": 5
  },
  "gpuCores": 1, "scoringTimeoutMs": 9000, "maxConcurrentRequestsPerContainer": 3,
  "livenessProbeRequirements": {"periodSeconds": 7}
}"""


def test_the_files_of_azure_ml_are_taken_and_overridden(
    deployed: Deploy, sdk: str, model: str, consumer: Path, seen: Seen
) -> None:
    if sdk == "v2":
        files = {"endpoint.yml": ENDPOINT, "blue.yml": DEPLOYMENT.replace("MODEL", model)}
        named = {"modelName": "", "modelVersion": ""}
    else:
        files = {"inference.json": INFERENCE, "deployment.json": DEPLOYMENT_V1}
        named = {}
    for name, text in files.items():
        (consumer / name).write_text(text)
    ended = deployed(
        **named,
        serviceName="written",
        entryScript="",
        environmentFile="",
        deploymentFiles="\n".join(files),
        settings="liveness_probe: {timeout: 4}",
        maxConcurrentRequests="5",
        ramp="100",
    )
    assert ended.result == "Succeeded", ended.log
    assert ended.log.count("All 2 smoke rows are answered as expected") == {"v1": 1, "v2": 2}[sdk]
    assert seen.serving("written") == {
        "auth": "aml_token",
        "scaling": [1, 3, 60, 5],
        "resources": ["0.25", "0.5", "1"],
        "limits": ["3", "5"],
        "liveness": [7, 4],
        "requests": [9000, 5],
    }
    assert seen.call("written", '{"data": ["made of plastic"]}') == {"predictions": [1]}
    ended = deployed(serviceName="written", settings="auth_mode: key")
    assert list(ended.issues) == ["SERVICE_AUTH_DIFFERENT"]
    ended = deployed(serviceName="written", settings="", ramp="100")
    assert ended.result == "Succeeded", ended.log
    assert seen.call("written", '{"data": ["made of plastic"]}') == {"predictions": [1]}
