"""Single scripts (ScriptRunConfig) in environments that are really built."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.local.azure.conftest import provisioned
from tests.patience import PATIENCE_S


@pytest.fixture(scope="module")
def script_cluster(aml_workspace: Any) -> Any:
    from azureml.core.compute import AmlCompute, ComputeTarget

    size = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=1)
    return provisioned(ComputeTarget.create(aml_workspace, "script-cpu", size))


@pytest.fixture
def run_script(aml_workspace: Any, script_cluster: Any, tmp_path: Path) -> Callable[..., Any]:
    """Submit a script of one file; `environment` None: in a Python without azureml-core."""
    from azureml.core import Environment, Experiment, ScriptRunConfig

    def submit(text: str, *, environment: Any = None, **options: Any) -> Any:
        if environment is None:
            environment = Environment("own")
            environment.python.user_managed_dependencies = True
            environment.python.interpreter_path = sys._base_executable  # type: ignore[attr-defined]
        (tmp_path / "script.py").write_text(text)
        what = {} if "command" in options else {"script": "script.py"}
        return Experiment(aml_workspace, "scripts").submit(
            ScriptRunConfig(
                source_directory=str(tmp_path),
                environment=environment,
                **what,
                **{"compute_target": script_cluster, **options},
            )
        )

    return submit


def finish(run: Any) -> dict[str, Any]:
    """Wait as wait_for_completion does, only with shorter pauses. Returns the details."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        details: dict[str, Any] = run.get_details()
        if details["status"] in ("Completed", "Failed", "Canceled"):
            return details
        time.sleep(0.2)
    raise AssertionError(f"run {run.id} does not end")


def test_a_script_in_an_environment_made_from_a_conda_specification(run_script: Any) -> None:
    from azureml.core import Environment
    from azureml.core.conda_dependencies import CondaDependencies

    environment = Environment("tiny")
    environment.python.conda_dependencies = CondaDependencies.create(
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
        conda_packages=["six"],
        pip_packages=["azureml-core"],
    )
    environment.environment_variables = {"COLOUR": "blue"}
    text = """
import os, sys, six
from azureml.core import Run
run = Run.get_context()
run.log("arguments", len(sys.argv))
run.tag("colour", os.environ["COLOUR"])
run.tag("prefix", sys.prefix)
with open("outputs/result.txt", "w") as file:
    file.write("result")
"""
    run = run_script(text, environment=environment, arguments=["--a", 1])
    assert finish(run)["status"] == "Completed"
    assert run.get_metrics() == {"arguments": 3}
    assert run.get_tags()["colour"] == "blue"
    assert run.get_tags()["prefix"] not in (sys.prefix, sys.base_prefix)
    assert "outputs/result.txt" in run.get_file_names()
    log = run.get_details_with_logs()["logFiles"]["azureml-logs/20_image_build_log.txt"]
    assert "Environment 'tiny' is ready" in log


def test_an_environment_that_cannot_be_built_fails_the_run(run_script: Any) -> None:
    from azureml.core import Environment
    from azureml.core.conda_dependencies import CondaDependencies

    environment = Environment("impossible")
    environment.python.conda_dependencies = CondaDependencies.create(
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
        pip_packages=["six==0.0.99"],
    )
    details = finish(run_script("print(1)", environment=environment))
    assert details["status"] == "Failed"
    assert details["error"]["error"]["code"] == "ImageBuildFailure"
    assert "six==0.0.99" in details["error"]["error"]["message"]


def test_files_of_a_script_that_fails_are_kept(run_script: Any) -> None:
    text = "open('outputs/half.txt', 'w').write('half'); import os; os._exit(3)"
    run = run_script(text)
    details = finish(run)
    assert "status code 3" in details["error"]["error"]["message"]
    assert "outputs/half.txt" in run.get_file_names()


def test_a_run_over_its_time_is_ended(run_script: Any) -> None:
    details = finish(run_script("import time; time.sleep(600)", max_run_duration_seconds=1))
    assert details["status"] == "Failed"
    assert details["error"]["error"]["code"] == "JobTimedOut"


def test_a_waiting_and_a_running_script_are_canceled(run_script: Any) -> None:
    first = run_script("import time; time.sleep(600)")
    second = run_script("import time; time.sleep(600)")  # the cluster has one node
    second.cancel()
    assert finish(second)["status"] == "Canceled"
    first.cancel()
    assert finish(first)["status"] == "Canceled"


@pytest.mark.skipif(sys.platform == "win32", reason="the command is one of a POSIX shell")
def test_a_command(run_script: Any) -> None:
    run = run_script("", command=["echo", "$AZUREML_RUN_ID", "&&", "exit", "0"])
    assert finish(run)["status"] == "Completed"
    assert run.id in run.get_details_with_logs()["logFiles"]["azureml-logs/70_driver_log.txt"]


def test_an_unknown_compute_target_is_refused(aml_workspace: Any, run_script: Any) -> None:
    from azureml.exceptions import ExperimentExecutionException

    with pytest.raises(ExperimentExecutionException, match="Unknown compute target 'nowhere'"):
        run_script("print(1)", compute_target="nowhere")
