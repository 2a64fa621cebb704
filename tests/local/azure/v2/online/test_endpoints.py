"""azure-ai-ml deploys models behind online endpoints, which are real processes."""

from __future__ import annotations

import json
import sys
import threading
import time
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from local.azure.v2.online.bodies import seconds
from local.azure.v2.online.traffic import Splitter
from tests.patience import PATIENCE_S

SCORE = """
import json, os, time

def init():
    global word
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.txt")) as file:
        word = file.read()

def run(raw):
    rows = json.loads(raw)["data"]
    if rows == "sleep":
        time.sleep(30)
    if rows == "second":
        time.sleep(1)
    return {"color": os.environ["COLOR"], "word": word, "rows": len(rows)}
"""
BROKEN = "def init():\n    raise RuntimeError('there are no weights')\ndef run(raw): ...\n"
COLLECTING = """
import json
import pandas
from azureml.ai.monitoring import Collector

def init():
    global inputs, outputs
    inputs, outputs = Collector(name="model_inputs"), Collector(name="model_outputs")
    Collector(name="audit", on_error=print)

def run(raw):
    sizes = json.loads(raw)["data"]
    context = inputs.collect(pandas.DataFrame({"size": sizes}))
    outputs.collect(pandas.DataFrame({"double": [2 * size for size in sizes]}), context)
    return [2 * size for size in sizes]
"""
ROWS = {"data": [1, 2]}

Deploy = Callable[..., Any]


@pytest.fixture(scope="module")
def this_python(ml_client: Any, azure_http: requests.Session, local_azure: Any) -> str:
    """An environment that is this very Python, registered as v1 registers it."""
    answer = azure_http.put(
        "https://eastus.api.azureml.ms/environment/v1.0"
        + local_azure.scope
        + "/environments/this-python/versions/1",
        json={"python": {"userManagedDependencies": True, "interpreterPath": sys.executable}},
    )
    assert answer.ok, answer.text
    assert ml_client.environments.get("this-python", version="1").name == "this-python"
    return "this-python:1"


@pytest.fixture(scope="module")
def word_model(ml_client: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from azure.ai.ml.entities import Model

    path = tmp_path_factory.mktemp("word") / "model.txt"
    path.write_text("hello")
    return ml_client.models.create_or_update(Model(name="word-v2", path=str(path)))


@pytest.fixture(scope="module")
def endpoint(ml_client: Any) -> Iterator[str]:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    asked = ManagedOnlineEndpoint(name="colors", auth_mode="key", tags={"team": "red"})
    made = ml_client.online_endpoints.begin_create_or_update(asked).result()
    assert made.provisioning_state == "Succeeded"
    assert made.scoring_uri == "https://colors.eastus.inference.ml.azure.com/score"
    yield "colors"
    ml_client.online_endpoints.begin_delete(name="colors").result()
    assert "colors" not in [one.name for one in ml_client.online_endpoints.list()]


@pytest.fixture(scope="module")
def deploy(
    ml_client: Any, this_python: str, word_model: Any, tmp_path_factory: pytest.TempPathFactory
) -> Deploy:
    """Deploy a score script; the SDK's poller."""
    from azure.ai.ml.entities import CodeConfiguration, ManagedOnlineDeployment

    def make(endpoint: str, name: str, script: str = SCORE, **more: Any) -> Any:
        folder = tmp_path_factory.mktemp("serving")
        (folder / "score.py").write_text(script)
        asked = ManagedOnlineDeployment(
            name=name,
            endpoint_name=endpoint,
            model=word_model,
            environment=this_python,
            code_configuration=CodeConfiguration(code=str(folder), scoring_script="score.py"),
            environment_variables={"COLOR": name},
            **{"instance_type": "Standard_DS3_v2", "instance_count": 1, **more},
        )
        return ml_client.online_deployments.begin_create_or_update(asked)

    return make


@pytest.fixture(scope="module")
def colors(endpoint: str, deploy: Deploy) -> str:
    """Two deployments, neither of which takes traffic yet."""
    for name in ("blue", "green"):
        made = deploy(endpoint, name).result()
        assert (made.name, made.provisioning_state) == (name, "Succeeded")
    return endpoint


@pytest.fixture
def score(
    ml_client: Any, anonymous_http: requests.Session, colors: str
) -> Callable[..., requests.Response]:
    """Score with a key and headers."""

    def ask(body: Any = ROWS, *, key: str | None = None, **headers: str) -> requests.Response:
        key = key or ml_client.online_endpoints.get_keys(colors).primary_key
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return anonymous_http.post(
            f"https://{colors}.eastus.inference.ml.azure.com/score",
            json=body,
            headers={"Authorization": f"Bearer {key}", **named},
        )

    return ask


def set_traffic(ml_client: Any, name: str, traffic: dict[str, int]) -> Any:
    endpoint = ml_client.online_endpoints.get(name)
    endpoint.traffic = traffic
    return ml_client.online_endpoints.begin_create_or_update(endpoint).result()


def test_traffic_is_split_exactly(ml_client: Any, colors: str, tmp_path: Path) -> None:
    from azure.core.exceptions import HttpResponseError

    assert set_traffic(ml_client, colors, {"blue": 90, "green": 10}).traffic["blue"] == 90
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    answers = [
        json.loads(ml_client.online_endpoints.invoke(colors, request_file=tmp_path / "rows.json"))
        for _ in range(20)
    ]
    assert Counter(answer["color"] for answer in answers) == {"blue": 18, "green": 2}
    assert answers[0]["word"] == "hello"
    with pytest.raises(HttpResponseError, match="is 90; it must be 0 or 100"):
        set_traffic(ml_client, colors, {"blue": 90})
    with pytest.raises(HttpResponseError, match=r"'red' in the traffic .* does not exist"):
        set_traffic(ml_client, colors, {"red": 100})
    with pytest.raises(HttpResponseError, match="takes 90 % of the traffic"):
        ml_client.online_deployments.begin_delete("blue", colors).result()


def test_traffic_and_mirror_are_exact_under_load(
    ml_client: Any, colors: str, deploy: Deploy, score: Callable[..., requests.Response]
) -> None:
    def copies() -> int:
        log = ml_client.online_deployments.get_logs("mirror", colors, lines=5000)
        return str(log).count('"POST /score')

    deploy(colors, "mirror").result()
    endpoint = ml_client.online_endpoints.get(colors)
    endpoint.traffic, endpoint.mirror_traffic = {"blue": 70, "green": 30}, {"mirror": 25}
    ml_client.online_endpoints.begin_create_or_update(endpoint).result()
    key = ml_client.online_endpoints.get_keys(colors).primary_key
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: score(key=key).json()["color"], range(40)))
    assert Counter(answers) == {"blue": 28, "green": 12}
    endpoint = ml_client.online_endpoints.get(colors)
    endpoint.traffic, endpoint.mirror_traffic = {"blue": 100, "green": 0}, {"mirror": 0}
    ml_client.online_endpoints.begin_create_or_update(endpoint).result()
    deadline = time.monotonic() + PATIENCE_S
    while copies() < 10:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    # Its one worker answers in turn: a further copy would come before this call.
    assert score(key=key, azureml_model_deployment="mirror").json()["color"] == "mirror"
    assert copies() == 11
    ml_client.online_deployments.begin_delete("mirror", colors).result()


def test_a_header_picks_a_deployment(score: Callable[..., requests.Response]) -> None:
    answer = score(azureml_model_deployment="green")
    assert answer.json()["color"] == "green"
    assert answer.headers["azureml-model-deployment"] == "green"
    assert score(azureml_model_deployment="red").status_code == 404


def test_only_keys_score(
    ml_client: Any, colors: str, score: Callable[..., requests.Response]
) -> None:
    assert score(key="wrong", azureml_model_deployment="blue").status_code == 401
    before = ml_client.online_endpoints.get_keys(colors)
    ml_client.online_endpoints.begin_regenerate_keys(colors, key_type="primary").result()
    after = ml_client.online_endpoints.get_keys(colors)
    assert after.primary_key != before.primary_key
    assert after.secondary_key == before.secondary_key
    assert score(key=before.primary_key, azureml_model_deployment="blue").status_code == 401
    assert score(key=before.secondary_key, azureml_model_deployment="blue").status_code == 200


def test_a_deployment_that_crashes_says_why(
    ml_client: Any, colors: str, deploy: Deploy, score: Callable[..., requests.Response]
) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="there are no weights") as caught:
        deploy(colors, "red", BROKEN).result()
    assert caught.value.error is not None
    assert caught.value.error.code == "ResourceNotReady"
    found = ml_client.online_deployments.get("red", colors)
    assert found.provisioning_state == "Failed"
    log = ml_client.online_deployments.get_logs("red", colors, lines=50)
    assert "there are no weights" in log
    with pytest.raises(HttpResponseError, match="is not ready, so it can take no traffic"):
        set_traffic(ml_client, colors, {"red": 100})
    # A change that does not come up leaves what is in service there.
    with pytest.raises(HttpResponseError, match="there are no weights"):
        deploy(colors, "green", BROKEN).result()
    assert score(azureml_model_deployment="green").json()["color"] == "green"
    ml_client.online_deployments.begin_delete("red", colors).result()
    assert "red" not in [one.name for one in ml_client.online_deployments.list(colors)]


def test_scaling_keeps_the_process(
    ml_client: Any, colors: str, score: Callable[..., requests.Response]
) -> None:
    deployment = ml_client.online_deployments.get("blue", colors)
    deployment.instance_count = 3
    deployment.request_settings.request_timeout_ms = 300
    changed = ml_client.online_deployments.begin_create_or_update(deployment).result()
    assert (changed.instance_count, changed.provisioning_state) == (3, "Succeeded")
    log = ml_client.online_deployments.get_logs("blue", colors, lines=5000)
    assert log.count("Booting worker") == 1
    assert score({"data": "sleep"}, azureml_model_deployment="blue").status_code == 408


def test_storage_initializer_logs_what_it_placed(ml_client: Any, colors: str) -> None:
    log = ml_client.online_deployments.get_logs(
        "green", colors, lines=10, container_type="storage-initializer"
    )
    assert log == "Downloaded azureml-models/word-v2/1/model.txt\n"


def test_a_share_of_mirrored_traffic_counts_beside_one_of_traffic(
    ml_client: Any, endpoint: str, deploy: Deploy
) -> None:
    from azure.core.exceptions import HttpResponseError

    with pytest.raises(HttpResponseError, match="there are no weights"):
        deploy(endpoint, "unready", BROKEN).result()
    found = ml_client.online_endpoints.get(endpoint)
    for traffic, mirror in (
        ({"unready": 0}, {"unready": 10}),
        ({"unready": 100}, {"unready": 0}),
        ({}, {"unready": 10}),
    ):
        found.traffic, found.mirror_traffic = traffic, mirror
        with pytest.raises(HttpResponseError, match=r"'unready' .* is not ready"):
            ml_client.online_endpoints.begin_create_or_update(found).result()
    ml_client.online_deployments.begin_delete("unready", endpoint).result()


def test_calls_under_way_are_answered_before_a_deployment_ends(
    ml_client: Any, colors: str, deploy: Deploy, score: Callable[..., requests.Response]
) -> None:
    deploy(colors, "leaving").result()
    key = ml_client.online_endpoints.get_keys(colors).primary_key
    with ThreadPoolExecutor(4) as pool:
        # One worker: one call is answered, and three wait in its backlog.
        calls = [
            pool.submit(score, {"data": "second"}, key=key, azureml_model_deployment="leaving")
            for _ in range(4)
        ]
        while not any(call.done() for call in calls):
            time.sleep(0.01)
        ml_client.online_deployments.begin_delete("leaving", colors).result()
        assert [call.result().status_code for call in calls] == [200] * 4
    assert score(key=key, azureml_model_deployment="leaving").status_code == 404


def test_tokens_score_where_keys_do_not(
    ml_client: Any, azure_http: requests.Session, anonymous_http: requests.Session
) -> None:
    from azure.ai.ml.entities import ManagedOnlineEndpoint

    codes = {}
    for mode in ("aml_token", "aad_token"):
        name = mode.replace("_", "-")
        asked = ManagedOnlineEndpoint(name=name, auth_mode=mode)
        made = ml_client.online_endpoints.begin_create_or_update(asked).result()
        token = ml_client.online_endpoints.get_keys(name).access_token
        for which, bearer in (("own", token), ("none", "")):
            answer = anonymous_http.post(
                made.scoring_uri, json=ROWS, headers={"Authorization": f"Bearer {bearer}"}
            )
            codes[name, which] = answer.status_code
        other = azure_http.post(made.scoring_uri, json=ROWS)  # a token for Resource Manager
        codes[name, "arm"] = other.status_code
        ml_client.online_endpoints.begin_delete(name).result()
    # 404: whoever is let in finds that no deployment takes traffic.
    assert codes["aml-token", "own"] == codes["aad-token", "own"] == 404
    assert codes["aml-token", "none"] == codes["aad-token", "none"] == 401
    assert codes["aml-token", "arm"] == 401


def test_azureml_mlflow_changes_an_endpoint_and_a_deployment(
    ml_client: Any,
    colors: str,
    deploy: Deploy,
    score: Callable[..., requests.Response],
    azure_variables: Mapping[str, str],
    tmp_path: Path,
) -> None:
    deploy(colors, "flowing").result()
    with warnings.catch_warnings():
        # mlflow's integrations warn at import of what pydantic and others will deprecate.
        warnings.simplefilter("ignore")
        import mlflow
        from mlflow.deployments import get_deploy_client

        workspace = ml_client.workspaces.get(azure_variables["AML_WORKSPACE_NAME"])
        # Without one, mlflow makes a database in the current folder.
        mlflow.set_tracking_uri(workspace.mlflow_tracking_uri)
        client = get_deploy_client(workspace.mlflow_tracking_uri)
        (tmp_path / "endpoint.json").write_text('{"traffic": {"flowing": 100}}')
        # It sends the workspace's location along.
        client.update_endpoint(
            colors, config={"endpoint-config-file": str(tmp_path / "endpoint.json")}
        )
        assert ml_client.online_endpoints.get(colors).traffic["flowing"] == 100
        (tmp_path / "deployment.json").write_text('{"environment_variables": {"COLOR": "lime"}}')
        client.update_deployment(
            "flowing",
            endpoint=colors,
            model_uri="models:/word-v2/1",
            config={"deploy-config-file": str(tmp_path / "deployment.json")},
        )
        mlflow.set_tracking_uri("")
    assert score().json()["color"] == "lime"
    found = ml_client.online_deployments.get("flowing", colors)
    assert found.code_configuration.scoring_script == "score.py", "what is not given stays"
    set_traffic(ml_client, colors, {"blue": 100})
    ml_client.online_deployments.begin_delete("flowing", colors).result()


def test_what_the_script_collects_is_in_the_datastore(
    ml_client: Any, colors: str, deploy: Deploy, score: Callable[..., requests.Response]
) -> None:
    from azure.ai.ml.entities import DataCollector, DeploymentCollection
    from azure.core.exceptions import HttpResponseError
    from azure.storage.blob import ContainerClient

    def collected(**more: str) -> Any:
        names = {"model_inputs": "true", "model_outputs": "true", "audit": "false"}
        found = {one: DeploymentCollection(enabled=on, **more) for one, on in names.items()}
        return DataCollector(collections=found)

    with pytest.raises(HttpResponseError, match="does not support 'clientId' of the collection"):
        deploy(colors, "collects", COLLECTING, data_collector=collected(client_id="x"))
    deploy(colors, "collects", COLLECTING, data_collector=collected()).result()
    assert score(azureml_model_deployment="collects").json() == [2, 4]
    datastore = ml_client.datastores.get("workspaceblobstore")
    container = ContainerClient(
        f"https://{datastore.account_name}.blob.core.windows.net",
        datastore.container_name,
        credential=ml_client._credential,
    )
    at, deadline = f"modelDataCollector/{colors}/collects/", time.monotonic() + PATIENCE_S
    while len(names := list(container.list_blob_names(name_starts_with=at))) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    lines = {
        name.removeprefix(at).split("/")[0]: container.download_blob(name).readall().splitlines()
        for name in names
    }
    (inputs,), (outputs,) = (map(json.loads, lines[f"model_{what}puts"]) for what in ("in", "out"))
    assert set(lines) == {"model_inputs", "model_outputs"}, "what is off is not collected"
    assert inputs["data"] == [{"size": 1}, {"size": 2}]
    assert outputs["data"] == [{"double": 2}, {"double": 4}]
    assert inputs["correlationid"] == outputs["correlationid"]
    assert inputs["type"] == "azureml.inference.model_inputs"
    assert inputs["source"].endswith(f"/onlineEndpoints/{colors}/deployments/collects")
    found = ml_client.online_deployments.get("collects", colors)
    assert found.data_collector.collections["model_inputs"].enabled
    ml_client.online_deployments.begin_delete("collects", colors).result()


def test_what_the_service_refuses(
    ml_client: Any, azure_http: requests.Session, local_azure: Any, deploy: Deploy, colors: str
) -> None:
    from azure.ai.ml.entities import KubernetesOnlineEndpoint
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    url = f"https://management.azure.com{local_azure.scope}/onlineEndpoints/strict-one"
    body = {"location": "eastus", "properties": {"authMode": "Key", "color": "red"}}
    answer = azure_http.put(url, json=body, params={"api-version": "2022-02-01-preview"})
    assert answer.status_code == 400
    assert "Could not find member 'color' on object of type 'OnlineEndpoint'" in answer.text
    with pytest.raises(ResourceNotFoundError):
        ml_client.online_endpoints.get("strict-one")
    with pytest.raises(HttpResponseError, match="'nowhere' was not found"):
        ml_client.online_endpoints.begin_create_or_update(
            KubernetesOnlineEndpoint(
                name="on-nothing", compute=f"{local_azure.scope}/computes/nowhere"
            )
        )
    with pytest.raises(HttpResponseError, match="'Standard_XXL' of 'huge' is not supported"):
        deploy(colors, "huge", instance_type="Standard_XXL")


def test_only_mlflow_models_need_no_code(ml_client: Any, word_model: Any, colors: str) -> None:
    from azure.ai.ml.entities import ManagedOnlineDeployment
    from azure.core.exceptions import HttpResponseError

    asked = ManagedOnlineDeployment(
        name="bare",
        endpoint_name=colors,
        model=word_model,
        instance_type="Standard_DS3_v2",
        instance_count=1,
    )
    with pytest.raises(HttpResponseError, match="'word-v2' is no MLflow model"):
        ml_client.online_deployments.begin_create_or_update(asked)


def test_kubernetes_endpoint(
    ml_client: Any, local_azure: Any, this_python: str, word_model: Any, tmp_path: Path
) -> None:
    from azure.ai.ml.entities import (
        CodeConfiguration,
        KubernetesCompute,
        KubernetesOnlineDeployment,
        KubernetesOnlineEndpoint,
    )

    cluster = local_azure.scope.partition("/providers/")[0] + (
        "/providers/Microsoft.ContainerService/managedClusters/aks1"
    )
    ml_client.compute.begin_create_or_update(
        KubernetesCompute(name="attached", resource_id=cluster, namespace="default")
    ).result()
    asked = KubernetesOnlineEndpoint(name="on-aks", compute="attached", auth_mode="key")
    made = ml_client.online_endpoints.begin_create_or_update(asked).result()
    assert type(made) is KubernetesOnlineEndpoint
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "score.py").write_text(SCORE)
    deployment = KubernetesOnlineDeployment(
        name="blue",
        endpoint_name="on-aks",
        model=word_model,
        environment=this_python,
        code_configuration=CodeConfiguration(
            code=str(tmp_path / "code"), scoring_script="score.py"
        ),
        environment_variables={"COLOR": "blue"},
        instance_count=1,
    )
    ml_client.online_deployments.begin_create_or_update(deployment).result()
    set_traffic(ml_client, "on-aks", {"blue": 100})
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    answer = ml_client.online_endpoints.invoke("on-aks", request_file=tmp_path / "rows.json")
    assert json.loads(answer) == {"color": "blue", "word": "hello", "rows": 2}
    ml_client.online_endpoints.begin_delete("on-aks").result()


def test_a_split_gives_each_its_share_in_every_order() -> None:
    splitter = Splitter()
    turns: Counter[str | None] = Counter()
    lock = threading.Lock()

    def take() -> None:
        for _ in range(50):
            turn = splitter.next("endpoint", {"a": 60, "b": 30, "c": 10, "d": 0})
            with lock:
                turns[turn] += 1

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert turns == {"a": 120, "b": 60, "c": 20}
    # Other shares begin anew: what one had too much or too little of before does not count.
    splitter.next("endpoint", {"a": 50, "b": 50})
    after = Counter(splitter.next("endpoint", {"a": 90, "b": 10}) for _ in range(10))
    assert after == {"a": 9, "b": 1}
    assert splitter.next("endpoint", {"a": 0}) is None


@pytest.mark.parametrize(
    ("duration", "value"), [("PT5S", 5), ("PT0.5S", 0.5), ("P1DT1M", 86460), ("soon", 0)]
)
def test_durations(duration: str, value: float) -> None:
    assert seconds(duration) == value
