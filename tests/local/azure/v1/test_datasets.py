"""Data sets that azureml-core registers and finds again, and that its native client reads."""

import subprocess
from collections.abc import Callable
from typing import Any

Run = Callable[[str], subprocess.CompletedProcess[str]]


def test_versions_of_a_data_set(in_own_process: Run) -> None:
    done = in_own_process(
        """
import pytest
made = []
for number in (1, 2):
    file = folder / f"{number}.csv"
    file.write_text(f"x\\n{number}\\n")
    datastore.upload_files([str(file)], target_path="sets", show_progress=False)
    table = Dataset.Tabular.from_delimited_files((datastore, f"sets/{number}.csv"))
    made.append(table.register(workspace, "table", create_new_version=True))
assert [one.version for one in made] == [1, 2]
with pytest.raises(Exception, match="already a dataset registered"):
    table.register(workspace, "table")
newest = Dataset.get_by_name(workspace, "table")
assert (newest.id, newest.version) == (made[1].id, 2)
first = Dataset.get_by_name(workspace, "table", version=1)
assert first.to_pandas_dataframe().to_dict("list") == {"x": [1]}
assert newest.to_pandas_dataframe().to_dict("list") == {"x": [2]}
with pytest.raises(Exception, match="Cannot find dataset registered with name"):
    Dataset.get_by_name(workspace, "table", version=3)
print("done")
"""
    )
    assert (done.returncode, done.stdout[-5:]) == (0, "done\n"), done.stderr


def test_files_of_a_data_set(in_own_process: Run) -> None:
    done = in_own_process(
        """
(folder / "note.txt").write_text("hello")
datastore.upload_files([str(folder / "note.txt")], target_path="notes", show_progress=False)
files = Dataset.File.from_files((datastore, "notes"))
files.register(workspace, "notes", description="greetings", tags={"kind": "text"})
found = Dataset.get_by_name(workspace, "notes")
assert (found.description, found.tags) == ("greetings", {"kind": "text"})
(copy,) = found.download(str(folder / "down"), overwrite=True)
assert Path(copy).read_text() == "hello"
print("done")
"""
    )
    assert (done.returncode, done.stdout[-5:]) == (0, "done\n"), done.stderr


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
