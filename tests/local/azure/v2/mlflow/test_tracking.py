"""mlflow and azureml-mlflow over run history: the same runs, metrics and models for everybody."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from local.azure.kernel.http import ServiceError
from local.azure.v2.mlflow.search import matcher, ordered

MLMODEL = "flavors: {python_function: {loader_module: counting_model, code: code}}"
COUNTING = """
class Counting:
    def predict(self, model_input, params=None):
        return [len(model_input)]


def _load_pyfunc(path):
    return Counting()
"""


@pytest.fixture(scope="module")
def mlflow(ml_client: Any, azure_variables: Mapping[str, str]) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # mlflow's integrations warn at import of what pydantic and others will deprecate.
        warnings.simplefilter("ignore")
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
        import mlflow
        import mlflow.pyfunc

        name = azure_variables["AML_WORKSPACE_NAME"]
        mlflow.set_tracking_uri(ml_client.workspaces.get(name).mlflow_tracking_uri)
        yield mlflow
        mlflow.set_tracking_uri("")


@pytest.fixture(scope="module")
def tracked(mlflow: Any) -> Any:
    """A run with a child, as a notebook on a laptop leaves it."""
    mlflow.set_experiment("from-a-laptop")
    with mlflow.start_run(run_name="parent", tags={"team": "red"}) as run:
        mlflow.log_params({"rate": 0.1, "kind": "forest"})
        for step in range(3):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"accuracy": 0.9, "never": math.nan})
        mlflow.log_text("what we saw", "notes/seen.txt")
        with mlflow.start_run(run_name="child", nested=True):
            mlflow.log_metric("accuracy", 0.5)
    return run


def test_a_run_reads_as_it_was_logged(mlflow: Any, tracked: Any, tmp_path: Path) -> None:
    client = mlflow.MlflowClient()
    run = client.get_run(tracked.info.run_id)
    assert (run.info.status, run.info.run_name) == ("FINISHED", "parent")
    assert run.data.params == {"rate": "0.1", "kind": "forest"}
    assert run.data.metrics["loss"] == pytest.approx(1 / 3)
    assert math.isnan(run.data.metrics["never"])
    assert run.data.tags["team"] == "red"
    history = client.get_metric_history(run.info.run_id, "loss")
    assert [(one.step, round(one.value, 2)) for one in history] == [(0, 1.0), (1, 0.5), (2, 0.33)]
    assert [one.path for one in client.list_artifacts(run.info.run_id)] == ["notes"]
    got = mlflow.artifacts.download_artifacts(
        run_id=run.info.run_id, artifact_path="notes/seen.txt", dst_path=str(tmp_path)
    )
    assert Path(got).read_text() == "what we saw"


@pytest.mark.parametrize("times", [(0, 1, 2), (2, 0, 1)])
def test_the_last_value_of_a_step_is_the_one_of_the_latest_time(
    mlflow: Any, times: tuple[int, ...]
) -> None:
    client = mlflow.MlflowClient()
    experiment = mlflow.set_experiment("small-times").experiment_id
    run_id = client.create_run(experiment).info.run_id
    for time in times:
        client.log_metric(run_id, "loss", float(time), timestamp=time, step=0)
    assert client.get_run(run_id).data.metrics == {"loss": 2.0}
    history = client.get_metric_history(run_id, "loss")
    assert [(one.timestamp, one.value) for one in history] == [(0, 0.0), (1, 1.0), (2, 2.0)]


def test_parameters_never_change(mlflow: Any, tracked: Any) -> None:
    with pytest.raises(mlflow.MlflowException, match="Changing param values is not allowed"):
        mlflow.MlflowClient().log_param(tracked.info.run_id, "rate", 0.2)


def test_search_finds_by_metrics_parameters_tags_and_parents(mlflow: Any, tracked: Any) -> None:
    def found(text: str) -> list[str]:
        names = ["from-a-laptop"]
        runs = mlflow.search_runs(
            experiment_names=names, filter_string=text, output_format="list", order_by=["created"]
        )
        return [run.info.run_name for run in runs]

    assert found("") == ["parent", "child"]
    assert found("metrics.accuracy > 0.6 and params.kind = 'forest'") == ["parent"]
    assert found("tags.team LIKE 're%'") == ["parent"]
    assert found(f"tags.mlflow.parentRunId = '{tracked.info.run_id}'") == ["child"]
    assert found("attributes.status = 'FAILED'") == []
    with pytest.raises(mlflow.MlflowException, match="only AND joins clauses"):
        found("metrics.a > 1 or metrics.b > 1")


def test_run_history_has_the_same_run(tracked: Any, aml_workspace: Any) -> None:
    from azureml.core import Run

    run = Run.get(aml_workspace, tracked.info.run_id)
    assert (run.status, run.display_name, run.tags["team"]) == ("Completed", "parent", "red")
    assert run.get_metrics()["accuracy"] == 0.9
    assert run.get_metrics()["loss"] == pytest.approx([1, 1 / 2, 1 / 3])
    assert [child.display_name for child in run.get_children()] == ["child"]
    assert run.get_file_names() == ["notes/seen.txt"]


def test_a_run_of_v1_is_mlflows(mlflow: Any, aml_workspace: Any) -> None:
    from azureml.core import Experiment

    run = Experiment(aml_workspace, "from-v1").start_logging(snapshot_directory=None)
    run.log("accuracy", 0.75)
    run.log("accuracy", 0.8)
    run.log_row("table", a=1, b=2)
    run.tag("team", "blue")
    run.complete()
    seen = mlflow.get_run(run.id)
    assert seen.info.status == "FINISHED"
    assert seen.data.metrics == {"accuracy": 0.8}
    assert seen.data.tags["team"] == "blue"
    mlflow.MlflowClient().log_metric(run.id, "accuracy", 0.85)
    assert run.get_metrics()["accuracy"] == [0.75, 0.8, 0.85]


def test_a_registered_model_is_v2s_and_loads(mlflow: Any, ml_client: Any, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "code").mkdir(parents=True)
    (folder / "MLmodel").write_text(MLMODEL)
    (folder / "code" / "counting_model.py").write_text(COUNTING)
    mlflow.set_experiment("registering")
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(folder), "model")
    made = mlflow.register_model(f"{run.info.artifact_uri}/model", "length")
    assert (made.version, made.status) == ("1", "READY")
    seen = ml_client.models.get("length", version="1")
    assert seen.type == "mlflow_model"
    assert mlflow.pyfunc.load_model("models:/length/1").predict([1, 2, 3]) == [3]
    again = mlflow.register_model(f"file://{folder}", "length")
    found = mlflow.MlflowClient().search_model_versions("name = 'length'")
    assert [one.version for one in found] == ["1", again.version]
    assert "length" in [one.name for one in mlflow.MlflowClient().search_registered_models()]


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        ({"columns": ["a"], "index": [7, 8], "data": [[1], [2]]}, 2),
        ([[1, 2, 3]], 1),
        ({"a": [1], "b": [2], "c": [3]}, 3),
    ],
    ids=["frame", "list", "map"],
)
@pytest.mark.usefixtures("mlflow")
def test_a_model_without_code_takes_input_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Any, rows: int
) -> None:
    from local.azure.v2.online import mlflow_score

    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "MLmodel").write_text(MLMODEL)
    (tmp_path / "model" / "code" / "counting_model.py").write_text(COUNTING)
    monkeypatch.setenv("AZUREML_MODEL_DIR", str(tmp_path))
    mlflow_score.init()
    assert mlflow_score.run(json.dumps({"input_data": data})) == [rows]


def test_logged_models_are_refused_as_azure_ml_does(mlflow: Any) -> None:
    with pytest.raises(mlflow.MlflowException, match="no logged models"):
        mlflow.MlflowClient().search_logged_models(experiment_ids=["0"])


RECORDS: list[dict[str, Any]] = [{"a": 1, "b": "x"}, {"a": 2, "b": "Xy"}, {"b": None, "a": None}]


def _look_up(record: dict[str, Any], entity: str, name: str) -> Any:
    assert entity == "metrics"
    return record[name]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 3),
        ("metrics.a >= 1 AND metric.a < 2", 1),
        ("metrics.b ILIKE 'x%'", 2),
        ("metrics.b LIKE 'x%'", 1),
        ("metrics.b IN ('x', 'z')", 1),
        ("metrics.b NOT IN ('x')", 1),
        ("metrics.`a` IS NULL", 1),
        ('metrics."a" IS NOT NULL and metrics.b != "x"', 1),
    ],
)
def test_filters(text: str, count: int) -> None:
    matches = matcher(text, _look_up)
    assert sum(matches(record) for record in RECORDS) == count


@pytest.mark.parametrize(
    "text", ["metrics.a", "metrics.a > ", "x.a = 1", "metrics.a = 1 AND", "(("]
)
def test_what_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(ServiceError, match="Invalid filter"):
        matcher(text, _look_up)


def test_orders_put_what_is_absent_last() -> None:
    for order, values in (("metrics.a DESC", [2, 1, None]), ("metrics.a", [1, 2, None])):
        assert [one["a"] for one in ordered(RECORDS, [order], _look_up)] == values


def test_data_sets_are_inputs_of_a_run(mlflow: Any) -> None:
    import pandas as pd

    mlflow.set_experiment("inputs")
    data = mlflow.data.from_pandas(pd.DataFrame({"a": [1]}), name="rows")
    other = mlflow.data.from_pandas(pd.DataFrame({"a": [2]}), name="rows")
    with mlflow.start_run() as run:
        for one in (data, data, other):
            mlflow.log_input(one, context="training")
    kept = mlflow.MlflowClient().get_run(run.info.run_id).inputs.dataset_inputs
    assert [one.dataset.digest for one in kept] == [data.digest, other.digest]
    assert (kept[0].dataset.name, kept[0].tags[0].value) == ("rows", "training")


def test_what_is_said_of_the_name_of_a_model(mlflow: Any) -> None:
    client = mlflow.MlflowClient()
    client.create_registered_model("named", tags={"old": "1"})
    assert client.update_registered_model("named", "what it is").description == "what it is"
    client.set_registered_model_tag("named", "team", "blue")
    client.delete_registered_model_tag("named", "old")
    found = client.get_registered_model("named")
    assert (found.description, found.tags) == ("what it is", {"team": "blue"})
    with pytest.raises(mlflow.exceptions.RestException, match="does not cover POST"):
        client.rename_registered_model("named", "renamed")
    client.delete_registered_model("named")
    for call in (client.get_registered_model, client.delete_registered_model):
        with pytest.raises(mlflow.exceptions.RestException, match="named not found"):
            call("named")


def test_a_name_with_versions_is_not_deleted(mlflow: Any, tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(MLMODEL)
    mlflow.set_experiment("registering")
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(tmp_path), "model")
    mlflow.register_model(f"{run.info.artifact_uri}/model", "kept")
    client = mlflow.MlflowClient()
    client.set_registered_model_tag("kept", "team", "blue")
    with pytest.raises(mlflow.exceptions.RestException, match="'kept' has some"):
        client.delete_registered_model("kept")
    assert client.get_registered_model("kept").tags == {"team": "blue"}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "could not be decoded as JSON"),
        ('{"input_data": [', "could not be decoded as JSON"),
        ("[1]", "should be a JSON dictionary"),
        ('{"data": [1]}', "not provided for the 'input_data' parameter"),
    ],
)
@pytest.mark.usefixtures("mlflow")
def test_a_malformed_body_is_the_clients_error(body: str, message: str) -> None:
    from local.azure.v2.online import mlflow_score

    answer = mlflow_score.run(body)
    assert answer.status_code == 400
    assert message in answer.json["message"]
