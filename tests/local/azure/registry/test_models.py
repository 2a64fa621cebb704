"""Models through azureml-core: register, find, change, download."""

from __future__ import annotations

import uuid

import pytest

from local.azure.history import artifacts
from local.azure.kernel.http import ServiceError
from local.azure.registry import model_records


@pytest.fixture(scope="module")
def core(aml_workspace):
    import azureml.core

    return azureml.core


@pytest.fixture
def name():
    return f"model-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A folder with a model file and a model folder; the SDK wants them below the current one."""
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "model.pkl").write_text("pickle")
    (tmp_path / "folder" / "a.bin").write_text("a")
    (tmp_path / "folder" / "sub" / "b.bin").write_text("b")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(core, aml_workspace, files):
    run = core.Experiment(aml_workspace, "models").start_logging(snapshot_directory=None)
    run.upload_file("outputs/model/model.pkl", "model.pkl")
    run.upload_folder("outputs/folder", "folder")
    run.upload_file("outputs/folder2/other.txt", "model.pkl")
    run.complete()
    return run


def test_a_file_is_registered_and_comes_down(core, aml_workspace, files, name):
    model = core.Model.register(
        aml_workspace,
        "model.pkl",
        name,
        tags={"build": "1"},
        properties={"p": "q"},
        description="described",
        model_framework=core.Model.Framework.TENSORFLOW,
        model_framework_version="2",
    )
    assert model.id == f"{name}:1"
    found = core.Model(aml_workspace, name)
    assert (found.tags, found.properties, found.description) == (
        {"build": "1"},
        {"p": "q"},
        "described",
    )
    assert found.model_framework == "TensorFlow"
    path = found.download(str(files / "down"))
    assert path == str(files / "down" / "model.pkl")
    assert (files / "down" / "model.pkl").read_text() == "pickle"


def test_a_folder_is_registered_and_comes_down(core, aml_workspace, files, name):
    model = core.Model.register(aml_workspace, "folder", name)
    path = model.download(str(files / "down"))
    assert path == str(files / "down" / "folder")
    assert (files / "down" / "folder" / "sub" / "b.bin").read_text() == "b"


def test_files_of_a_run_become_a_model_that_knows_its_run(core, aml_workspace, files, name, run):
    model = run.register_model(name, "outputs/model/model.pkl", tags={"x": "y"})
    assert model.run_id == run.id
    assert model.run.id == run.id
    assert model.experiment_name == "models"
    assert (files / model.download(str(files / "one"))).read_text() == "pickle"
    folder = run.register_model(name, "outputs/folder")
    assert folder.version == 2
    folder.download(str(files / "two"))
    assert [model.id for model in core.Model.list(aml_workspace, run_id=run.id)] == [
        f"{name}:2",
        f"{name}:1",
    ]


def test_a_path_that_the_run_does_not_have_is_refused(name, run):
    with pytest.raises(Exception, match="Could not locate the provided model_path outputs/none"):
        run.register_model(name, "outputs/none")


def test_models_are_found_by_name_version_and_tags(core, aml_workspace, files, name):
    for number in range(1, 4):
        core.Model.register(
            aml_workspace,
            "model.pkl",
            name,
            tags={"n": str(number), name: "", "odd": str(number % 2)},
        )

    def versions(**filters):
        return [one.version for one in core.Model.list(aml_workspace, **filters)]

    assert versions(name=name) == [3, 2, 1]
    assert versions(name=name, latest=True) == [3]
    assert versions(tags=[[name, ""]]) == [3, 2, 1]
    assert versions(tags=[name]) == [3, 2, 1]
    assert versions(tags=[name, ["odd", "1"]]) == [3, 1]
    assert versions(name=name, tags=[["odd", "1"]], latest=True) == [3]
    assert versions(name=name, tags=[["odd", "0"]], latest=True) == [2]
    assert versions(name=name, tags=[["odd", "7"]]) == []
    assert core.Model(aml_workspace, name).version == 3
    assert core.Model(aml_workspace, name, version=2).version == 2
    assert core.Model(aml_workspace, id=f"{name}:1").version == 1
    assert core.Model(aml_workspace, name, tags=[["n", "2"]]).version == 2


@pytest.mark.parametrize("version", [None, 999])
def test_an_unknown_model_is_not_found(core, aml_workspace, name, version):
    with pytest.raises(Exception, match="ModelNotFound"):
        core.Model(aml_workspace, name, version=version)


def test_tags_properties_and_description_are_changed(core, aml_workspace, files, name):
    model = core.Model.register(aml_workspace, "model.pkl", name, tags={"a": "1", "b": "2"})
    model.add_tags({"c": "3"})
    model.remove_tags("a")
    model.add_properties({"p": "1"})
    model.update(description="new")
    found = core.Model(aml_workspace, name)
    assert found.tags == {"b": "2", "c": "3"}
    assert found.properties == {"p": "1"}
    assert found.description == "new"
    model.update(tags={"only": "this"})
    assert core.Model(aml_workspace, name).tags == {"only": "this"}


def test_a_property_is_not_changed(azure_http, local_azure, core, aml_workspace, files, name):
    core.Model.register(aml_workspace, "model.pkl", name, properties={"p": "1"})
    url = f"https://eastus.api.azureml.ms/modelmanagement/v1.0{local_azure.scope}/models/{name}:1"
    for patch in (
        [{"op": "replace", "path": "/properties", "value": {"p": "2"}}],
        [{"op": "remove", "path": "/properties/p"}],
        [{"op": "replace", "path": "/version", "value": 7}],
        {"op": "replace"},
    ):
        assert azure_http.patch(url, json=patch).status_code == 400
    assert core.Model(aml_workspace, name).properties == {"p": "1"}


def test_a_failed_patch_changes_nothing(azure_http, local_azure, core, aml_workspace, files, name):
    core.Model.register(aml_workspace, "model.pkl", name, tags={"a": "1"})
    url = f"https://eastus.api.azureml.ms/modelmanagement/v1.0{local_azure.scope}/models/{name}:1"
    patch = [
        {"op": "replace", "path": "/kvTags", "value": {"a": "2"}},
        {"op": "replace", "path": "/version", "value": 7},
    ]
    assert azure_http.patch(url, json=patch).status_code == 400
    assert core.Model(aml_workspace, name).tags == {"a": "1"}


def test_a_deleted_version_is_not_given_again(core, aml_workspace, files, name):
    core.Model.register(aml_workspace, "model.pkl", name).delete()
    assert core.Model.list(aml_workspace, name=name) == []
    assert core.Model.register(aml_workspace, "model.pkl", name).version == 2


def test_more_models_than_a_page_holds_are_listed(
    core, aml_workspace, files, name, azure_http, local_azure
):
    first = core.Model.register(aml_workspace, "model.pkl", name)
    url = f"https://eastus.api.azureml.ms/modelmanagement/v1.0{local_azure.scope}/models"
    for _ in range(104):
        answer = azure_http.post(url, json={"name": name, "url": first.url})
        assert answer.status_code == 200
    assert len(core.Model.list(aml_workspace, name=name)) == 105


def test_a_model_without_an_asset_is_refused(azure_http, local_azure):
    base = f"https://eastus.api.azureml.ms/modelmanagement/v1.0{local_azure.scope}"
    model = azure_http.post(f"{base}/models", json={"name": "m", "url": "aml://asset/none"})
    assert model.status_code == 404
    asset = {"name": "a", "artifacts": [{"prefix": "LocalUpload/none/x"}]}
    assert azure_http.post(f"{base}/assets", json=asset).status_code == 400


def test_copied_files_lie_as_in_a_download(fresh_azure, tmp_path):
    for path in ("outputs/folder/a.bin", "outputs/folder/sub/b.bin", "outputs/folder2/c.bin"):
        artifacts.register(fresh_azure, "run", path)
        file = artifacts.file_path(fresh_azure, "run", path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)
    fresh_azure.store.put(
        "asset", "asset", {"artifacts": [{"prefix": "ExperimentRun/dcid.run/outputs/folder"}]}
    )
    fresh_azure.store.put("model", "m:1", {"url": "aml://asset/asset"})
    top = model_records.copy_files(fresh_azure, "m:1", tmp_path / "to")
    assert top == tmp_path / "to" / "folder"
    assert (top / "sub" / "b.bin").read_text() == "outputs/folder/sub/b.bin"
    assert not (tmp_path / "to" / "folder2").exists()
    with pytest.raises(ServiceError, match="'m:2' was not found"):
        model_records.copy_files(fresh_azure, "m:2", tmp_path / "to")
