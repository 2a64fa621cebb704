"""azureml-sdk builds, submits, watches, cancels and publishes pipelines against the local Azure."""

import contextlib
import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.local.azure.conftest import provisioned
from tests.patience import PATIENCE_S

SOURCES = {
    "train.py": """
import argparse, os
from azureml.core import Run
parser = argparse.ArgumentParser()
parser.add_argument("--rate", type=float)
parser.add_argument("--out")
options = parser.parse_args()
run = Run.get_context()
print("rate is", options.rate)
os.makedirs(options.out)
with open(os.path.join(options.out, "weights.txt"), "w") as file:
    file.write(str(options.rate))
os.makedirs("outputs/model")
with open("outputs/model/model.txt", "w") as file:
    file.write("model")
run.log("loss", 0.5)
run.log("loss", 0.25)
run.parent.log("accuracy", 0.9)
run.tag("colour", "blue")
""",
    "evaluate.py": """
import sys, os
from azureml.core import Run
with open(os.path.join(sys.argv[1], "weights.txt")) as file:
    Run.get_context().log("weights", float(file.read()))
print(os.environ["GREETING"])
""",
    "boom.py": "raise ValueError('the data is bad')",
    "ok.py": "print('fine')",
    "look.py": "import os, sys; print(os.listdir(sys.argv[1]))",
    "sleep.py": """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("child", child.pid, flush=True)
time.sleep(600)
""",
}


@pytest.fixture(scope="module")
def cluster(aml_workspace: Any) -> Any:
    from azureml.core.compute import AmlCompute, ComputeTarget

    size = AmlCompute.provisioning_configuration(vm_size="STANDARD_D2_V2", max_nodes=2)
    return provisioned(ComputeTarget.create(aml_workspace, "pipeline-cpu", size))


@pytest.fixture(scope="module")
def make_step(cluster: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """PythonScriptStep(name, script) in this very Python, without a build.

    plain: in the Python behind it, which has no azureml-core and so starts at once.
    """
    from azureml.core.runconfig import RunConfiguration
    from azureml.pipeline.steps import PythonScriptStep

    folder = tmp_path_factory.mktemp("source")
    for name, text in SOURCES.items():
        (folder / name).write_text(text)

    def configuration(interpreter: str) -> Any:
        made = RunConfiguration()
        made.environment.python.user_managed_dependencies = True
        made.environment.python.interpreter_path = interpreter
        made.environment_variables = {"GREETING": "hello from the environment"}
        return made

    def make(name: str, script: str, *, plain: bool = False, **options: Any) -> Any:
        return PythonScriptStep(
            name=name,
            script_name=script,
            source_directory=str(folder),
            compute_target=cluster,
            # The interpreter behind the virtual environment, which typeshed leaves out.
            runconfig=configuration(getattr(sys, "_base_executable") if plain else sys.executable),  # noqa: B009
            allow_reuse=False,
            **options,
        )

    return make


@pytest.fixture(scope="module")
def submit(aml_workspace: Any) -> Callable[..., Any]:
    from azureml.core import Experiment
    from azureml.pipeline.core import Pipeline

    def run(*steps: Any, **options: Any) -> Any:
        pipeline = Pipeline(aml_workspace, list(steps))
        return Experiment(aml_workspace, "pipelines").submit(pipeline, **options)

    return run


@pytest.fixture(scope="module")
def training(aml_workspace: Any, make_step: Any, submit: Any, streamed: io.StringIO) -> Any:
    """A finished run of two steps, the second reading what the first wrote."""
    from azureml.pipeline.core import PipelineData
    from azureml.pipeline.core.graph import PipelineParameter

    data = PipelineData("weights", datastore=aml_workspace.get_default_datastore())
    rate = PipelineParameter(name="rate", default_value=0.1)
    train = make_step(
        "train", "train.py", arguments=["--rate", rate, "--out", data], outputs=[data]
    )
    evaluate = make_step("evaluate", "evaluate.py", arguments=[data], inputs=[data])
    run = submit(train, evaluate, pipeline_parameters={"rate": 0.7}, tags={"commit": "abc"})
    with contextlib.redirect_stdout(streamed):
        run.wait_for_completion(show_output=True)
    return run


@pytest.fixture(scope="module")
def streamed() -> io.StringIO:
    """What the SDK prints while it streams logs."""
    return io.StringIO()


def step_of(run: Any, name: str) -> Any:
    (step,) = run.find_step_run(name)
    return step


def test_logs_are_streamed_to_the_client(training: Any, streamed: io.StringIO) -> None:
    text = streamed.getvalue()
    assert "Streaming azureml-logs/70_driver_log.txt" in text
    assert "rate is 0.7" in text
    assert "StepRun( evaluate ) Status: Finished" in text


def test_the_run_and_its_steps_have_ended_well(training: Any) -> None:
    assert (training.get_status(), training.status) == ("Finished", "Completed")
    assert training.get_tags() == {"commit": "abc"}
    assert training.get_metrics() == {"accuracy": 0.9}
    steps = {step.name: step.get_status() for step in training.get_steps()}
    assert steps == {"train": "Finished", "evaluate": "Finished"}


def test_a_step_run_found_by_name_has_metrics_tags_and_files(training: Any, tmp_path: Path) -> None:
    from azureml.pipeline.core import StepRun

    train = step_of(training, "train")
    assert isinstance(train, StepRun)
    assert train.get_metrics() == {"loss": [0.5, 0.25]}
    assert train.tags["colour"] == "blue"
    assert train.parent.id == training.id
    assert "outputs/model/model.txt" in train.get_file_names()
    train.download_file("outputs/model/model.txt", str(tmp_path / "model.txt"))
    assert (tmp_path / "model.txt").read_text() == "model"
    train.download_files(prefix="outputs/", output_directory=str(tmp_path))
    assert (tmp_path / "outputs/model/model.txt").read_text() == "model"
    assert step_of(training, "evaluate").get_metrics() == {"weights": 0.7}


def test_the_logs_of_a_step(training: Any) -> None:
    evaluate = step_of(training, "evaluate")
    assert "hello from the environment" in evaluate.get_stdout_log()
    assert "used as it is" in evaluate.get_job_log()
    logs = evaluate.get_details_with_logs()["logFiles"]
    assert "hello from the environment" in logs["azureml-logs/70_driver_log.txt"]


def test_pipeline_data_is_downloaded(training: Any, tmp_path: Path) -> None:
    data = step_of(training, "train").get_output_data("weights")
    data.download(str(tmp_path))
    assert (tmp_path / data.path_on_datastore / "weights.txt").read_text() == "0.7"


def test_a_failing_step_is_named_with_the_end_of_its_log(make_step: Any, submit: Any) -> None:
    from azureml.exceptions import ActivityFailedException

    boom, later = make_step("boom", "boom.py", plain=True), make_step("later", "ok.py", plain=True)
    later.run_after(boom)
    run = submit(boom, later)
    with pytest.raises(ActivityFailedException, match=r"Failed: 'boom'\."):
        run.wait_for_completion(show_output=False)
    assert [step.name for step in run.get_steps()] == ["boom"]
    error = step_of(run, "boom").get_details()["error"]["error"]
    assert error["code"] == "UserError"
    assert "exited with status code 1" in error["message"]
    assert error["message"].endswith("ValueError: the data is bad")
    assert "azureml-core is not in this environment" in step_of(run, "boom").get_stdout_log()


def test_other_steps_run_on_when_asked_to(make_step: Any, submit: Any) -> None:
    boom, side, after_side = (
        make_step("boom", "boom.py", plain=True),
        make_step("side", "ok.py", plain=True),
        make_step("after side", "ok.py", plain=True),
    )
    after_side.run_after(side)
    run = submit(boom, side, after_side, continue_on_step_failure=True)
    assert run.wait_for_completion(show_output=False, raise_on_error=False) == "Failed"
    steps = {step.name: step.get_status() for step in run.get_steps()}
    assert steps == {"boom": "Failed", "side": "Finished", "after side": "Finished"}


def test_cancel_ends_the_processes(make_step: Any, submit: Any) -> None:
    run = submit(make_step("sleep", "sleep.py", plain=True))
    deadline = time.monotonic() + PATIENCE_S
    log = ""
    while "child" not in log and time.monotonic() < deadline:
        time.sleep(0.2)
        steps = list(run.get_steps())
        log = steps[0].get_stdout_log() if steps else ""
    child = psutil.Process(int(log.split("child", 1)[1].split()[0]))
    run.cancel()
    assert run.wait_for_completion(show_output=False) == "Canceled"
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert run.status == "Canceled"
    assert step_of(run, "sleep").get_status() == "Canceled"


def test_files_of_a_datastore_are_an_input(
    aml_workspace: Any, make_step: Any, submit: Any, tmp_path: Path
) -> None:
    from azureml.data.data_reference import DataReference

    (tmp_path / "rows.csv").write_text("1,2")
    store = aml_workspace.get_default_datastore()
    store.upload(str(tmp_path), target_path="looked/at", show_progress=False)
    data = DataReference(store, data_reference_name="data", path_on_datastore="looked/at")
    run = submit(make_step("look", "look.py", plain=True, arguments=[data], inputs=[data]))
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert "['rows.csv']" in step_of(run, "look").get_stdout_log()


def test_a_published_pipeline_runs_again(aml_workspace: Any, training: Any, make_step: Any) -> None:
    from azureml.pipeline.core import Pipeline, PipelineRun, PublishedPipeline
    from azureml.pipeline.core.graph import PipelineParameter

    word = PipelineParameter(name="word", default_value="nothing")
    step = make_step("say", "ok.py", plain=True, arguments=[word])
    published = Pipeline(aml_workspace, [step]).publish(name="say", description="", version="1")
    run = published.submit(aml_workspace, "published", pipeline_parameters={"word": "something"})
    assert run.wait_for_completion(show_output=False) == "Finished"
    assert [each.id for each in PipelineRun.get_pipeline_runs(aml_workspace, published.id)] == [
        run.id
    ]
    published.disable()
    assert published.id not in [each.id for each in PublishedPipeline.list(aml_workspace)]
    again = training.publish_pipeline(name="again", description="", version="2")
    assert PublishedPipeline.get(aml_workspace, again.id).name == "again"
