"""Experiments, runs, metrics and artifacts through azureml-core."""

from __future__ import annotations

import uuid

import pytest


@pytest.fixture(scope="module")
def core(aml_workspace):
    import azureml.core

    return azureml.core


@pytest.fixture
def experiment(core, aml_workspace, request):
    name = f"{request.node.name[:60].strip('_').replace('[', '-').replace(']', '')}"
    return core.Experiment(aml_workspace, name)


@pytest.fixture
def run(experiment):
    run = experiment.start_logging(snapshot_directory=None)
    yield run
    if run.get_status() == "Running":
        run.complete()


def ids(runs):
    return [run.id for run in runs]


def test_a_run_goes_from_start_to_completion(core, experiment, aml_workspace):
    run = experiment.start_logging(snapshot_directory=None, display_name="shown")
    assert run.get_status() == "Running"
    run.complete()
    found = core.Run(experiment, run.id)
    assert found.get_status() == "Completed"
    assert found.display_name == "shown"
    assert found.get_details()["startTimeUtc"] <= found.get_details()["endTimeUtc"]
    assert aml_workspace.get_run(run.id).experiment.name == experiment.name


def test_a_failed_run_says_why(run):
    run.fail(error_details="boom", error_code="E1")
    assert run.get_status() == "Failed"
    assert run.get_details()["error"]["error"]["message"] == "boom"


def test_an_ended_run_does_not_start_again(run, azure_http, local_azure, experiment):
    run.complete()
    answer = azure_http.post(
        f"https://eastus.api.azureml.ms/history/v1.0{local_azure.scope}"
        f"/experiments/{experiment.name}/runs/{run.id}/events",
        json={"name": "Microsoft.MachineLearning.Run.Start", "data": {"RunId": run.id}},
    )
    assert answer.status_code == 200
    assert run.get_status() == "Completed"


def test_metrics_of_every_kind_come_back(run):
    run.log("accuracy", 0.5)
    run.log("accuracy", 0.75)
    run.log("loss", 0.1)
    run.log("note", "text")
    run.log_list("list", [1, 2, 3])
    run.log_row("row", x=1, y=2)
    run.log_table("table", {"a": [1, 2], "b": [3.5, 4.5]})
    run.flush()
    assert run.get_metrics() == {
        "accuracy": [0.5, 0.75],
        "loss": 0.1,
        "note": "text",
        "list": [1, 2, 3],
        "row": {"x": 1, "y": 2},
        "table": {"a": [1, 2], "b": [3.5, 4.5]},
    }
    assert run.get_metrics("loss") == {"loss": 0.1}
    assert run.get_metrics("absent") == {}


def test_many_metrics_arrive_complete_and_in_order(run):
    for number in range(200):
        run.log("series", number)
    run.flush()
    assert run.get_metrics()["series"] == list(range(200))


def test_metrics_of_one_run_are_not_those_of_another(run, experiment):
    child = run.child_run("child")
    child.log("inner", 1)
    child.complete()
    run.log("outer", 2)
    run.flush()
    assert run.get_metrics() == {"outer": 2}
    assert child.get_metrics() == {"inner": 1}


def test_runs_are_found_by_tags_and_properties(experiment):
    runs = [experiment.start_logging(snapshot_directory=None) for _ in range(3)]
    for number, one in enumerate(runs):
        one.set_tags({"build number": str(number), "even": str(number % 2 == 0)})
        one.add_properties({"number": str(number)})
        one.complete()
    runs[0].tag("first")
    newest_first = ids(runs)[::-1]
    assert ids(experiment.get_runs()) == newest_first
    assert ids(experiment.get_runs(tags={"build number": "1"})) == [runs[1].id]
    assert ids(experiment.get_runs(tags={"even": "True"})) == [runs[2].id, runs[0].id]
    assert ids(experiment.get_runs(tags={"even": "True", "build number": "2"})) == [runs[2].id]
    assert ids(experiment.get_runs(tags={"build number": "9"})) == []
    assert ids(experiment.get_runs(tags="first")) == [runs[0].id]
    assert ids(experiment.get_runs(tags="absent")) == []
    assert ids(experiment.get_runs(properties={"number": "2"})) == [runs[2].id]
    assert ids(experiment.get_runs(type="azureml.PipelineRun")) == []


def test_children_are_separate_from_the_runs_of_the_experiment(experiment, run):
    child = run.child_run("child")
    grandchild = child.child_run("grandchild")
    grandchild.complete()
    child.complete()
    created = run.create_children(count=2)
    for one in created:
        one.cancel()
    assert ids(experiment.get_runs()) == [run.id]
    assert len(list(experiment.get_runs(include_children=True))) == 5
    assert set(ids(run.get_children())) == {child.id, *ids(created)}
    assert set(ids(run.get_children(recursive=True))) == {child.id, grandchild.id, *ids(created)}
    assert ids(run.get_children(status="Completed")) == [child.id]
    assert grandchild.parent.id == child.id


def test_tags_are_changed_and_removed(core, experiment, run):
    run.set_tags({"a": "1", "b": "2"})
    run.tag("a", "3")
    run.remove_tags(["b"])
    assert core.Run(experiment, run.id).get_tags() == {"a": "3"}


def test_properties_are_added(run):
    run.add_properties({"p": "1"})
    assert run.get_properties()["p"] == "1"


def test_files_of_a_run_go_up_and_come_down(run, tmp_path):
    source = tmp_path / "up"
    (source / "sub").mkdir(parents=True)
    (source / "a.txt").write_text("a")
    (source / "sub" / "b c.txt").write_text("b")
    run.upload_file("outputs/one.txt", str(source / "a.txt"))
    run.upload_folder("outputs/folder", str(source))
    assert sorted(run.get_file_names()) == [
        "outputs/folder/a.txt",
        "outputs/folder/sub/b c.txt",
        "outputs/one.txt",
    ]
    run.download_file("outputs/one.txt", str(tmp_path / "one.txt"))
    run.download_files("outputs/folder", str(tmp_path / "down"))
    assert (tmp_path / "one.txt").read_text() == "a"
    assert (tmp_path / "down" / "outputs" / "folder" / "sub" / "b c.txt").read_text() == "b"


def test_a_file_that_is_not_there_is_named(run, tmp_path):
    from azureml.exceptions import UserErrorException

    with pytest.raises(UserErrorException, match="File with path absent was not found"):
        run.download_file("absent", str(tmp_path / "x"))


def test_log_files_are_linked_in_the_details(run, tmp_path):
    log = tmp_path / "log.txt"
    log.write_text("a line\n")
    run.upload_file("azureml-logs/70_driver_log.txt", str(log))
    run.upload_file("outputs/no_log.txt", str(log))
    details = run.get_details_with_logs()
    assert details["logFiles"] == {"azureml-logs/70_driver_log.txt": "a line\n"}


def test_an_unknown_run_is_not_found(core, experiment):
    with pytest.raises(Exception, match=r"Run absent in experiment .* was not found"):
        core.Run(experiment, "absent")


def test_a_run_is_not_found_in_another_experiment(core, aml_workspace, run):
    other = core.Experiment(aml_workspace, "another-experiment")
    with pytest.raises(Exception, match="was not found"):
        core.Run(other, run.id)


def test_experiments_are_listed_tagged_and_archived(core, aml_workspace):
    name = f"listed-{uuid.uuid4().hex[:8]}"
    experiment = core.Experiment(aml_workspace, name)
    experiment.set_tags({"team": "a"})

    def names(**filters):
        return [one.name for one in core.Experiment.list(aml_workspace, **filters)]

    assert core.Experiment(aml_workspace, name).tags == {"team": "a"}
    assert name in names()
    assert names(tags={"team": "a"}) == [name]
    experiment.archive()
    assert name not in names()
    assert name in names(view_type="ArchivedOnly")
    core.Experiment.delete(aml_workspace, experiment.id)
    assert name not in names(view_type="All")


def test_pages_hold_all_runs(azure_http, local_azure, experiment):
    runs = [experiment.start_logging(snapshot_directory=None) for _ in range(5)]
    url = (
        f"https://eastus.api.azureml.ms/history/v1.0{local_azure.scope}"
        f"/experiments/{experiment.name}/runs:query"
    )
    found, token = [], None
    while True:
        body = {"top": 2, "orderby": "RunNumber asc", "continuationToken": token}
        page = azure_http.post(url, json=body).json()
        assert len(page["value"]) <= 2
        found += [run["runId"] for run in page["value"]]
        token = page.get("continuationToken")
        if not token:
            break
    assert found == ids(runs)


def test_a_bad_filter_and_a_bad_body_are_refused(azure_http, local_azure, experiment):
    url = (
        f"https://eastus.api.azureml.ms/history/v1.0{local_azure.scope}"
        f"/experiments/{experiment.name}/runs:query"
    )
    assert azure_http.post(url, json={"filter": "nonsense"}).status_code == 400
    assert azure_http.post(url, data="{").status_code == 400
    assert azure_http.post(url, json=[]).status_code == 400
    assert azure_http.post(url, json={"top": "many"}).status_code == 400


def test_a_metric_keeps_its_columns(azure_http, local_azure, run):
    url = f"https://eastus.api.azureml.ms/metric/v2.0{local_azure.scope}/runs/{run.id}"

    def post(columns, data):
        metric = {"name": "m", "columns": columns, "value": [{"data": data}]}
        return azure_http.post(f"{url}/batch", json={"values": [metric]})

    assert post({"m": "Double"}, {"m": 1}).status_code == 200
    refused = post({"m": "String"}, {"m": "x"})
    assert refused.status_code == 207
    assert len(refused.json()["errors"]) == 1
    values = azure_http.post(f"{url}/full", json={"metricName": "m"}).json()["value"]
    assert [value["data"] for value in values] == [{"m": 1}]
