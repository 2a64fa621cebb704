"""What a killed server left running is ended at the next start, and told in the run."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.local.azure.conftest import open_workspace
from tests.patience import PATIENCE_S
from tests.running_azure import RunningAzure

SCORE = "def init():\n    pass\n\n\ndef run(raw):\n    return 'still here'\n"


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "nothing happened for 60 s"
        time.sleep(0.1)


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE  # which nobody may collect in a container
    except psutil.NoSuchProcess:
        return False


# The SDK's own noise; the fixtures that silence it elsewhere belong to the shared server.
@pytest.mark.filterwarnings("ignore")
def test_a_killed_server(
    start_local_azure: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/score.py").write_text(SCORE)
    (tmp_path / "source/sleep.py").write_text(
        "import time\nprint('up', flush=True)\ntime.sleep(600)"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    with start_local_azure(tmp_path / "state") as azure:
        workspace = open_here(azure, monkeypatch)
        run, service = start_work(workspace)
        until(lambda: refreshed_state(service) == "Healthy")
        until(lambda: run.get_status() == "Running")
        processes = psutil.Process(azure.process.pid).children(recursive=True)
        azure.process.kill()
        azure.process.wait()
        azure.state.with_suffix(".env").unlink()
    left = [process for process in processes if is_alive(process)]
    assert len(left) >= 2, "the step and the service outlive a server that was killed"
    with start_local_azure(tmp_path / "state") as azure:
        assert not any(is_alive(process) for process in left)
        workspace = open_here(azure, monkeypatch)
        assert_work(workspace, run.id)
        children = psutil.Process(azure.process.pid).children(recursive=True)
    assert children
    assert not any(is_alive(child) for child in children)


def open_here(azure: RunningAzure, monkeypatch: pytest.MonkeyPatch) -> Any:
    for name, value in azure.environment.items():
        monkeypatch.setenv(name, value)
    return open_workspace(azure.environment)


def refreshed_state(service: Any) -> str:
    service.update_deployment_state()
    return str(service.state)


def start_work(workspace: Any) -> tuple[Any, Any]:
    from azureml.core import Environment, Experiment, ScriptRunConfig
    from azureml.core.compute import AksCompute, AmlCompute, ComputeTarget
    from azureml.core.model import InferenceConfig, Model
    from azureml.core.webservice import AksWebservice

    nodes = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=1)
    cluster = ComputeTarget.create(workspace, "cpu", nodes)
    agents = AksCompute.provisioning_configuration(agent_count=1, cluster_purpose="DevTest")
    aks = ComputeTarget.create(workspace, "aks", agents)
    until(lambda: AksCompute(workspace, "aks").provisioning_state == "Succeeded")
    environment = Environment("own")
    environment.python.user_managed_dependencies = True
    environment.python.interpreter_path = sys.executable
    run = Experiment(workspace, "killed").submit(
        ScriptRunConfig("source", "sleep.py", compute_target=cluster, environment=environment)
    )
    service = Model.deploy(
        workspace,
        "survivor",
        [],
        InferenceConfig("score.py", source_directory="source", environment=environment),
        AksWebservice.deploy_configuration(cpu_cores=0.5, memory_gb=1),
        aks,
    )
    return run, service


def assert_work(workspace: Any, run_id: str) -> None:
    from azureml.core import Run
    from azureml.core.webservice import Webservice

    run = Run.get(workspace, run_id)
    assert run.status == "Failed"
    assert (
        "local Azure ended while this was running" in run.get_details()["error"]["error"]["message"]
    )
    until(lambda: Webservice(workspace, "survivor").state == "Healthy")
    assert Webservice(workspace, "survivor").run("[]") == "still here"
