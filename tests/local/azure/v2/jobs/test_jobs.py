"""Jobs as users of azure-ai-ml run them: submitted, streamed, looked at, downloaded, cancelled."""

# (No postponed annotations here: the SDK reads those of pipeline functions.)

import contextlib
import io
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_S

TERMINAL = ("Completed", "Failed", "Canceled")


def wait_for(client: Any, name: str, *states: str) -> Any:
    deadline = time.monotonic() + PATIENCE_S
    while (job := client.jobs.get(name)).status not in states:
        assert time.monotonic() < deadline, f"{name} is still {job.status}"
        time.sleep(0.1)
    return job


def error_of(client: Any, name: str) -> str:
    return str(client.jobs._runs_operations.get_run_details(name).error.error.message)


@pytest.fixture(scope="module")
def cluster(ml_client: Any) -> str:
    from azure.ai.ml.entities import AmlCompute

    asked = AmlCompute(name="cpu-v2", size="Standard_DS3_v2", min_instances=0, max_instances=2)
    made = ml_client.compute.begin_create_or_update(asked).result()
    assert (made.name, made.provisioning_state) == ("cpu-v2", "Succeeded")
    return "cpu-v2"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("v2") / "src"
    folder.mkdir()
    (folder / "copy.py").write_text(
        "import os, pathlib, sys\n"
        "text = pathlib.Path(sys.argv[1]).read_text() + sys.argv[2]\n"
        "target = pathlib.Path(sys.argv[3])\n"
        "(target if target.suffix else target / 'out.txt').write_text(text)\n"
        "pathlib.Path('outputs', 'note.txt').write_text(os.environ['GREETING'])\n"
        "print('wrote', repr(text))\n"
    )
    return folder


def copying(name: str, source: Path, environment: Any, **output: Any) -> Any:
    from azure.ai.ml import Input, Output, command

    return command(
        name=name,
        code=str(source),
        command=(
            "python copy.py ${{inputs.text}}/out.txt ${{inputs.suffix}} ${{outputs.result}}"
            " $[[--extra ${{inputs.extra}}]]"
        ),
        environment=environment,
        environment_variables={"GREETING": "hello"},
        inputs={
            "text": Input(type="uri_folder"),
            "suffix": Input(type="string"),
            "extra": Input(type="string", optional=True),
        },
        outputs={"result": Output(**{"type": "uri_folder", **output})},
    )


def test_nested_pipeline(
    ml_client: Any,
    cluster: str,
    source: Path,
    bare_python: Any,
    tmp_path: Path,
) -> None:
    from azure.ai.ml import Input, dsl
    from azure.ai.ml.entities import Model

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "out.txt").write_text("a")
    first = copying("first", source, bare_python, mode="upload")
    second = copying("second", source, bare_python)

    @dsl.pipeline()
    def inner(text: Input(type="uri_folder"), suffix: str):
        step = second(text=text, suffix=suffix)
        return {"result": step.outputs.result}

    @dsl.pipeline(default_compute=cluster)
    def outer(data: Input(type="uri_folder"), suffix: str):
        before = first(text=data, suffix=suffix)
        nested = inner(text=before.outputs.result, suffix="c")
        return {"final": nested.outputs.result}

    asked = outer(data=Input(type="uri_folder", path=str(tmp_path / "data")), suffix="b")
    asked.experiment_name, asked.tags = "nested-experiment", {"team": "red"}
    job = ml_client.jobs.create_or_update(asked)
    with contextlib.redirect_stdout(io.StringIO()) as streamed:
        ml_client.jobs.stream(job.name)

    done = ml_client.jobs.get(job.name)
    assert (done.status, done.tags, done.type) == ("Completed", {"team": "red"}, "pipeline")
    assert f"RunId: {job.name}" in streamed.getvalue()
    children = {one.display_name: one for one in ml_client.jobs.list(parent_job_name=job.name)}
    assert {name: one.status for name, one in children.items()} == {
        "before": "Completed",
        "nested": "Completed",
    }
    grandchildren = list(ml_client.jobs.list(parent_job_name=children["nested"].name))
    assert [one.display_name for one in grandchildren] == ["step"]

    ml_client.jobs.download(job.name, download_path=tmp_path / "all", all=True)
    assert (tmp_path / "all/named-outputs/final/out.txt").read_text() == "abc"
    ml_client.jobs.download(children["before"].name, download_path=tmp_path / "before", all=True)
    artifacts = tmp_path / "before/artifacts"
    assert "wrote 'ab'" in (artifacts / "user_logs/std_log.txt").read_text()
    assert (artifacts / "outputs/note.txt").read_text() == "hello"

    path = f"azureml://jobs/{job.name}/outputs/final"
    model = ml_client.models.create_or_update(Model(path=path, name="nested-model"))
    assert (model.version, model.job_name) == ("1", job.name)
    assert job.name in [one.name for one in ml_client.jobs.list()]
    assert grandchildren[0].name not in [one.name for one in ml_client.jobs.list()]


def test_command_with_files_and_registered_output(
    ml_client: Any, source: Path, bare_python: Any, tmp_path: Path
) -> None:
    from azure.ai.ml import Input, Output, command
    from azure.ai.ml.entities import Data

    (tmp_path / "table.csv").write_text("x")
    data = ml_client.data.create_or_update(
        Data(name="table", path=str(tmp_path / "table.csv"), type="uri_file")
    )
    assert ml_client.data.get("table", label="latest").version == data.version
    job = ml_client.jobs.create_or_update(
        command(
            code=str(source),
            command=(
                "echo $AZURE_ML_INPUT_table ${{inputs.table}}"
                " && python copy.py ${{inputs.table}} y ${{outputs.result}}"
            ),
            environment=bare_python,
            environment_variables={"GREETING": "hi"},
            inputs={"table": Input(type="uri_file", path=f"azureml:table:{data.version}")},
            outputs={
                "result": Output(
                    type="uri_file",
                    path="azureml://datastores/workspaceblobstore/paths/kept/${{name}}/r.txt",
                    name="result-data",
                )
            },
        )
    )
    assert wait_for(ml_client, job.name, *TERMINAL).status == "Completed"
    kept = ml_client.data.get("result-data", label="latest")
    assert kept.path.endswith(f"/datastores/workspaceblobstore/paths/kept/{job.name}/r.txt")
    ml_client.jobs.download(job.name, download_path=tmp_path / "got", output_name="result")
    assert (tmp_path / "got/named-outputs/result/r.txt").read_text() == "xy"


def test_failure_is_told_to_who_streams(ml_client: Any, bare_python: Any) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.exceptions import JobException

    job = ml_client.jobs.create_or_update(
        command(command="echo it broke; exit 3", environment=bare_python)
    )
    with pytest.raises(JobException, match=r"exited with status code 3.*it broke"):
        ml_client.jobs.stream(job.name)
    assert ml_client.jobs.get(job.name).status == "Failed"


def test_failed_node_fails_the_pipeline_and_what_waits_for_it(
    ml_client: Any, cluster: str, source: Path, bare_python: Any
) -> None:
    from azure.ai.ml import Output, command, dsl

    bad = command(
        name="bad",
        command="exit 4",
        environment=bare_python,
        outputs={"result": Output(type="uri_folder")},
    )
    after = copying("after", source, bare_python)

    @dsl.pipeline(default_compute=cluster)
    def pipeline() -> None:
        broken: Any = bad()
        after(text=broken.outputs.result, suffix="b")

    job = ml_client.jobs.create_or_update(pipeline())
    assert wait_for(ml_client, job.name, *TERMINAL).status == "Failed"
    assert "Failed: 'broken'" in error_of(ml_client, job.name)
    children = list(ml_client.jobs.list(parent_job_name=job.name))
    assert [(one.display_name, one.status) for one in children] == [("broken", "Failed")]


@pytest.mark.skipif(sys.platform == "win32", reason="sleep is a command of POSIX shells")
def test_cancel_ends_pipeline_and_node(ml_client: Any, cluster: str, bare_python: Any) -> None:
    from azure.ai.ml import command, dsl

    slow = command(name="slow", command="sleep 60", environment=bare_python)

    @dsl.pipeline(default_compute=cluster)
    def pipeline() -> None:
        slow()

    job = ml_client.jobs.create_or_update(pipeline())
    wait_for(ml_client, job.name, "Running")
    ml_client.jobs.begin_cancel(job.name).result()
    assert wait_for(ml_client, job.name, *TERMINAL).status == "Canceled"
    assert [one.status for one in ml_client.jobs.list(parent_job_name=job.name)] == ["Canceled"]


@pytest.mark.skipif(sys.platform == "win32", reason="sleep is a command of POSIX shells")
def test_timeout(ml_client: Any, bare_python: Any) -> None:
    from azure.ai.ml import command

    asked = command(command="sleep 60", environment=bare_python)
    asked.set_limits(timeout=1)
    job = ml_client.jobs.create_or_update(asked)
    assert wait_for(ml_client, job.name, *TERMINAL).status == "Failed"
    assert "ended after 1 s" in error_of(ml_client, job.name)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ("azureml://registries/azureml/environments/acpt-pytorch-2.2/labels/latest", "sklearn-1.5"),
        ("image", "has no Docker"),
    ],
)
def test_environment_that_cannot_be_is_a_failure_by_name(
    ml_client: Any, environment: str, words: str
) -> None:
    from azure.ai.ml import command
    from azure.ai.ml.entities import Environment

    asked: Any = Environment(image="nvidia/cuda:12") if environment == "image" else environment
    job = ml_client.jobs.create_or_update(command(command="echo hi", environment=asked))
    assert wait_for(ml_client, job.name, *TERMINAL).status == "Failed"
    assert words in error_of(ml_client, job.name)


def test_data_elsewhere_is_a_failure_by_name(ml_client: Any, bare_python: Any) -> None:
    from azure.ai.ml import Input, command

    job = ml_client.jobs.create_or_update(
        command(
            command="cat ${{inputs.table}}",
            environment=bare_python,
            inputs={"table": Input(type="uri_file", path="https://example.com/table.csv")},
        )
    )
    assert wait_for(ml_client, job.name, *TERMINAL).status == "Failed"
    assert "'https://example.com/table.csv' is not on this machine" in error_of(ml_client, job.name)


def test_archive_and_tags(ml_client: Any, bare_python: Any) -> None:
    from azure.ai.ml import command

    job = ml_client.jobs.create_or_update(
        command(command="echo hi", environment=bare_python, tags={"a": "1"})
    )
    wait_for(ml_client, job.name, *TERMINAL)
    changed = ml_client.jobs.update(job.name, tags={"b": "2"}, description="seen")
    assert (changed.tags, changed.description) == ({"a": "1", "b": "2"}, "seen")
    ml_client.jobs.archive(job.name)
    assert job.name not in [one.name for one in ml_client.jobs.list()]
    assert job.name in [one.name for one in ml_client.jobs.list(list_view_type="ArchivedOnly")]
    ml_client.jobs.restore(job.name)
    assert job.name in [one.name for one in ml_client.jobs.list()]


def test_pipeline_job_of_a_registered_component_is_refused_by_name(
    ml_client: Any, tmp_path: Path
) -> None:
    from azure.ai.ml import load_job
    from azure.core.exceptions import HttpResponseError

    file = tmp_path / "job.yml"
    component = (
        f"/subscriptions/{ml_client.subscription_id}/resourceGroups/"
        f"{ml_client.resource_group_name}/providers/Microsoft.MachineLearningServices/workspaces/"
        f"{ml_client.workspace_name}/components/whole/versions/3"
    )
    file.write_text(f"type: pipeline\ncomponent: azureml:{component}\n")
    with pytest.raises(HttpResponseError, match="components/whole/versions/3' is not in") as caught:
        ml_client.jobs.create_or_update(load_job(file))
    assert caught.value.status_code == 501
