"""azureml-sdk deploys, updates, calls and deletes web services, which are real processes."""

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.local.azure.conftest import provisioned
from tests.patience import PATIENCE_S

SCORE = """
import json, os

def init():
    global word
    models = os.path.join(os.environ["AML_APP_ROOT"], "azureml-models")  # as get_model_path has it
    assert os.path.dirname(os.environ["AZUREML_MODEL_DIR"]) == os.path.join(models, "word")
    with open(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model.txt")) as file:
        word = file.read()

def run(raw):
    return {"word": word, "rows": len(json.loads(raw)["data"])}
"""
BROKEN = """
def init():
    raise RuntimeError("there are no weights")

def run(raw):
    return None
"""
ROWS = json.dumps({"data": [1, 2]})


@pytest.fixture(scope="module")
def aks(aml_workspace: Any) -> Any:
    from azureml.core.compute import AksCompute, ComputeTarget

    size = AksCompute.provisioning_configuration(agent_count=1, cluster_purpose="DevTest")
    return provisioned(ComputeTarget.create(aml_workspace, "serving-aks", size))


@pytest.fixture(scope="module")
def inference(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """An InferenceConfig for a score script, in this very Python."""
    from azureml.core import Environment
    from azureml.core.model import InferenceConfig

    def make(text: str) -> Any:
        folder = tmp_path_factory.mktemp("service")
        (folder / "score.py").write_text(text)
        environment = Environment("serving")
        environment.python.user_managed_dependencies = True
        environment.python.interpreter_path = sys.executable
        return InferenceConfig(
            entry_script="score.py", source_directory=str(folder), environment=environment
        )

    return make


@pytest.fixture(scope="module")
def words(aml_workspace: Any, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """Two versions of a model."""
    from azureml.core.model import Model

    folder = tmp_path_factory.mktemp("model")
    versions = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # the SDK takes models below the working directory only
        for word in ("first", "second"):
            Path("model.txt").write_text(word)
            versions.append(Model.register(aml_workspace, "model.txt", "word"))
    return versions


def configuration(**options: Any) -> Any:
    from azureml.core.webservice import AksWebservice

    return AksWebservice.deploy_configuration(
        cpu_cores=0.5, memory_gb=1, autoscale_enabled=False, num_replicas=1, **options
    )


@pytest.fixture(scope="module")
def service(aml_workspace: Any, aks: Any, inference: Any, words: list[Any]) -> Any:
    from azureml.core.model import Model

    deployed = Model.deploy(
        aml_workspace,
        "words",
        [words[0]],
        inference(SCORE),
        configuration(tags={"build": "1"}),
        aks,
    )
    assert deployed.state == "Transitioning"
    deployed.wait_for_deployment(show_output=True)
    return deployed


def settle(workspace: Any, name: str) -> Any:
    """The service when it is no longer in transition; quicker than the SDK's pauses of 5 s."""
    from azureml.core.webservice import Webservice

    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        found = Webservice(workspace, name)
        if found.state != "Transitioning":
            return found
        time.sleep(0.2)
    raise AssertionError(f"service {name} does not settle")


def test_a_service_answers_under_azures_own_name(service: Any, aks: Any) -> None:
    assert service.state == "Healthy"
    assert service.scoring_uri == (
        "https://serving-aks.eastus.cloudapp.azure.com/api/v1/service/words/score"
    )
    assert service.run(ROWS) == {"word": "first", "rows": 2}
    swagger = service.scoring_uri.replace("score", "swagger.json")
    key = {"Authorization": f"Bearer {service.get_keys()[1]}"}
    assert requests.get(swagger, headers=key, timeout=PATIENCE_S).status_code == 200


def test_calls_need_a_key(service: Any) -> None:
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic x"}):
        answer = requests.post(service.scoring_uri, data=ROWS, headers=headers, timeout=PATIENCE_S)
        assert answer.status_code == 401
    unknown = service.scoring_uri.replace("words", "other")
    assert requests.post(unknown, data=ROWS, timeout=PATIENCE_S).status_code == 404


def test_what_the_sdk_reads_of_a_service(aml_workspace: Any, service: Any, words: Any) -> None:
    from azureml.core.webservice import AksWebservice, Webservice

    found = Webservice(aml_workspace, "words")
    assert isinstance(found, AksWebservice)
    assert [model.id for model in found.models] == [words[0].id]
    assert found.environment.name == "serving"
    assert (found.compute_name, found.num_replicas) == ("serving-aks", 1)
    listed = Webservice.list(aml_workspace, model_name="word", tags=[["build", "1"]])
    assert [each.name for each in listed] == ["words"]
    assert Webservice.list(aml_workspace, tags=[["build", "2"]]) == []
    assert Webservice.list(aml_workspace, compute_type="ACI") == []
    assert "POST /score 200" in found.get_logs()


def test_the_old_revision_answers_until_the_new_one_does(
    aml_workspace: Any, service: Any, inference: Any, words: Any
) -> None:
    keys = service.get_keys()
    answers: list[str] = []
    done = threading.Event()

    def call() -> None:
        key = {"Authorization": f"Bearer {keys[0]}"}
        while not done.is_set():
            answer = requests.post(service.scoring_uri, data=ROWS, headers=key, timeout=PATIENCE_S)
            answers.append(answer.json()["word"] if answer.ok else str(answer.status_code))

    caller = threading.Thread(target=call)
    caller.start()
    try:
        service.update(models=[words[1]], inference_config=inference(SCORE), tags={"build": "2"})
        found = settle(aml_workspace, "words")
        time.sleep(0.5)
    finally:
        done.set()
        caller.join()
    assert (found.state, found.tags) == ("Healthy", {"build": "2"})
    assert [model.id for model in found.models] == [words[1].id]
    assert found.get_keys() == keys
    assert answers[0] == "first"
    assert answers[-1] == "second"
    assert answers == sorted(answers), "an answer failed, or the old revision came back"


def test_a_revision_that_crashes_leaves_the_old_one_in_service(
    aml_workspace: Any, service: Any, inference: Any, words: Any
) -> None:
    from azureml.exceptions import WebserviceException

    service.update(models=[words[0]], inference_config=inference(BROKEN))
    with pytest.raises(WebserviceException, match="there are no weights") as caught:
        service.wait_for_deployment()
    assert "CrashLoopBackOff" in str(caught.value)
    found = settle(aml_workspace, "words")
    assert found.state == "Failed"
    assert found.error["details"][0]["code"] == "CrashLoopBackOff"
    assert "there are no weights" in found.get_logs()
    assert [model.id for model in found.models] == [words[1].id]
    assert found.run(ROWS)["word"] == "second"
    with pytest.raises(WebserviceException, match="already exists"):
        deploy_again(aml_workspace, inference, words, overwrite=False)
    deploy_again(aml_workspace, inference, words, overwrite=True)
    found = settle(aml_workspace, "words")
    assert (found.state, found.run(ROWS)["word"]) == ("Healthy", "first")


def deploy_again(workspace: Any, inference: Any, words: Any, *, overwrite: bool) -> Any:
    from azureml.core.compute import AksCompute
    from azureml.core.model import Model

    return Model.deploy(
        workspace,
        "words",
        [words[0]],
        inference(SCORE),
        configuration(),
        AksCompute(workspace, "serving-aks"),
        overwrite=overwrite,
    )


def test_tags_and_keys_change_without_a_new_revision(aml_workspace: Any, service: Any) -> None:
    primary, secondary = service.get_keys()
    service.update(tags={"colour": "blue"}, description="two words")
    found = settle(aml_workspace, "words")
    assert (found.tags, found.description) == ({"colour": "blue"}, "two words")
    service.regen_key("Primary", set_key="chosen")
    assert service.get_keys() == ("chosen", secondary)
    assert primary != "chosen"
    assert found.run(ROWS)["rows"] == 2


def test_a_process_that_dies_is_started_again(local_azure: Any, service: Any) -> None:
    import psutil

    folder = str(local_azure.state / "services" / "words")
    processes = [
        process
        for process in psutil.Process(local_azure.process.pid).children()
        if any(folder in word for word in process.cmdline())
    ]
    assert len(processes) == 1
    processes[0].kill()
    while processes[0].is_running() and processes[0].status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.02)
    assert service.run(ROWS)["rows"] == 2


def test_what_cannot_be_deployed_is_refused_before_anything_starts(
    aml_workspace: Any, aks: Any, inference: Any, words: Any
) -> None:
    from azureml.core.model import Model
    from azureml.core.webservice import Webservice
    from azureml.exceptions import WebserviceException

    def deploy(name: str, models: list[Any], **options: Any) -> None:
        config = configuration(**options)
        Model.deploy(aml_workspace, name, models, inference(SCORE), config, aks)

    with pytest.raises(WebserviceException, match="target 'nowhere' was not found"):
        deploy("elsewhere", [words[0]], compute_target_name="nowhere")
    absent = Model(aml_workspace, id=words[0].id)
    absent.id = "word:99"
    with pytest.raises(WebserviceException, match="Model with id word:99 was not found"):
        deploy("modelless", [absent])
    with pytest.raises(WebserviceException):
        deploy("Wrong_Name", [words[0]])
    assert [each.name for each in Webservice.list(aml_workspace)] == ["words"]


def test_a_first_deployment_that_crashes_fails_and_can_be_deleted(
    aml_workspace: Any, aks: Any, inference: Any, words: Any
) -> None:
    from azureml.core.model import Model
    from azureml.core.webservice import Webservice
    from azureml.exceptions import WebserviceException

    Model.deploy(aml_workspace, "broken", words, inference(BROKEN), configuration(), aks)
    found = settle(aml_workspace, "broken")
    assert (found.state, found.scoring_uri) == ("Failed", None)
    found.delete()
    with pytest.raises(WebserviceException, match="WebserviceNotFound"):
        Webservice(aml_workspace, "broken")


def test_container_instances(aml_workspace: Any, inference: Any, words: Any) -> None:
    from azureml.core.model import Model
    from azureml.core.webservice import AciWebservice

    small = AciWebservice.deploy_configuration(cpu_cores=1, memory_gb=1, auth_enabled=True)
    Model.deploy(aml_workspace, "on-aci", [words[1]], inference(SCORE), small)
    found = settle(aml_workspace, "on-aci")
    assert found.scoring_uri == "https://on-aci.eastus.azurecontainer.io/score"
    assert found.run(ROWS) == {"word": "second", "rows": 2}
    assert requests.post(found.scoring_uri, data=ROWS, timeout=PATIENCE_S).status_code == 401
    found.delete()


def test_a_model_in_service_cannot_be_deleted(service: Any, words: Any) -> None:
    from azureml.exceptions import WebserviceException

    used = service.image.models if service.image else service.models
    with pytest.raises(WebserviceException, match="Response Code: 409"):  # all that the SDK tells
        used[0].delete()


def test_zz_delete_ends_the_process(aml_workspace: Any, service: Any, local_azure: Any) -> None:
    from azureml.core.webservice import Webservice

    address = service.scoring_uri
    service.delete()
    assert requests.post(address, data=ROWS, timeout=PATIENCE_S).status_code == 404
    assert Webservice.list(aml_workspace) == []
    deadline = time.monotonic() + PATIENCE_S
    while (local_azure.state / "services" / "words").exists():  # until its calls are answered
        assert time.monotonic() < deadline
        time.sleep(0.05)
