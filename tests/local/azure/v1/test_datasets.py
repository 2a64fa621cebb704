"""Data sets that azureml-core registers and finds again, and that its native client reads."""

from pathlib import Path
from typing import Any

import pytest


def test_versions_of_a_data_set(aml_workspace: Any, dataset: Any, tmp_path: Path) -> None:
    datastore = aml_workspace.get_default_datastore()
    made = []
    for number in (1, 2):
        (tmp_path / f"{number}.csv").write_text(f"x\n{number}\n")
        datastore.upload_files(
            [str(tmp_path / f"{number}.csv")], target_path="sets", show_progress=False
        )
        table = dataset.Tabular.from_delimited_files((datastore, f"sets/{number}.csv"))
        made.append(table.register(aml_workspace, "table", create_new_version=True))
    assert [one.version for one in made] == [1, 2]
    with pytest.raises(Exception, match="already a dataset registered"):
        table.register(aml_workspace, "table")
    newest = dataset.get_by_name(aml_workspace, "table")
    assert (newest.id, newest.version) == (made[1].id, 2)
    first = dataset.get_by_name(aml_workspace, "table", version=1)
    assert first.to_pandas_dataframe().to_dict("list") == {"x": [1]}
    assert newest.to_pandas_dataframe().to_dict("list") == {"x": [2]}
    with pytest.raises(Exception, match="Cannot find dataset registered with name"):
        dataset.get_by_name(aml_workspace, "table", version=3)


def test_files_of_a_data_set(aml_workspace: Any, dataset: Any, tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("hello")
    datastore = aml_workspace.get_default_datastore()
    datastore.upload_files([str(tmp_path / "note.txt")], target_path="notes", show_progress=False)
    files = dataset.File.from_files((datastore, "notes"))
    files.register(aml_workspace, "notes", description="greetings", tags={"kind": "text"})
    found = dataset.get_by_name(aml_workspace, "notes")
    assert (found.description, found.tags) == ("greetings", {"kind": "text"})
    (copy,) = found.download(str(tmp_path / "down"), overwrite=True)
    assert Path(copy).read_text() == "hello"


def test_an_older_data_flow_is_refused(aml_workspace: Any, azure_http: Any) -> None:
    scope = aml_workspace.get_details()["id"]
    answer = azure_http.post(
        f"https://eastus.api.azureml.ms/dataset/v1.0{scope}/datasets",
        json={"name": "old", "latest": {"dataflow": '{"blocks": [], "meta": {}}'}},
    )
    assert (answer.status_code, "RsDataflow" in answer.text) == (501, True)


def test_what_is_not_there(aml_workspace: Any, azure_http: Any) -> None:
    api = "https://eastus.api.azureml.ms"
    scope = aml_workspace.get_details()["id"]
    for path in ("dataset/v1.0{}/datasets/nobody", "data/v1.0{}/dataversion/nobody/versions/1"):
        answer = azure_http.get(f"{api}/{path.format(scope)}")
        assert (answer.status_code, "'nobody'" in answer.text) == (404, True)
    pending = azure_http.post(
        f"{api}/dataset/v1.0{scope}/datasets?registerAsPending=true",
        json={"name": "pending", "latest": {"dataflow": "{}"}},
    )
    assert (pending.status_code, "registerAsPending" in pending.text) == (501, True)
