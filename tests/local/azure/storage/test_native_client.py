"""azureml-dataprep's native client (Rust), which azureml-core's `Dataset` reads with."""

import subprocess
from collections.abc import Callable
from typing import Any

Run = Callable[[str], subprocess.CompletedProcess[str]]


def test_it_reads_by_the_proxy(in_own_process: Run) -> None:
    done = in_own_process(
        """
(folder / "a.csv").write_text("x,y\\n1,2\\n")
datastore.upload(str(folder), "native", show_progress=False)
found = Dataset.Tabular.from_delimited_files((datastore, "native/a.csv"))
assert found.to_pandas_dataframe().to_dict("list") == {"x": [1], "y": [2]}
print("read")
"""
    )
    assert (done.returncode, done.stdout[-5:]) == (0, "read\n"), done.stderr


def test_another_account_is_refused_in_seconds(
    in_own_process: Run, local_azure: Any, anonymous_http: Any
) -> None:
    address = "https://otheraccount.blob.core.windows.net/demo/a.csv"
    done = in_own_process(f"Dataset.Tabular.from_delimited_files({address!r})")
    assert (done.returncode, "The requested stream was not found" in done.stderr) == (1, True)
    assert "InteractiveBrowserCredential" not in done.stdout + done.stderr
    assert "no storage account otheraccount.blob.core.windows.net" in local_azure.log.read_text()
    container = "https://otheraccount.blob.core.windows.net/demo"
    assert anonymous_http.get(f"{container}/a.csv").status_code == 404
    assert anonymous_http.head(container, headers={"Authorization": "Bearer x"}).status_code == 404
