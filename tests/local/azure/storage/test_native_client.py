"""azureml-dataprep's native client (Rust), which azureml-core's `Dataset` reads with."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_SCRIPT = """
from azureml.core import Dataset
Dataset.Tabular.from_delimited_files("https://otheraccount.blob.core.windows.net/demo/a.csv")
"""


def test_it_reads_by_the_proxy(aml_workspace: Any, dataset: Any, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    datastore = aml_workspace.get_default_datastore()
    datastore.upload(str(tmp_path), "native", show_progress=False)
    found = dataset.Tabular.from_delimited_files((datastore, "native/a.csv"))
    assert found.to_pandas_dataframe().to_dict("list") == {"x": [1], "y": [2]}


def test_another_account_is_refused_in_seconds(local_azure: Any, anonymous_http: Any) -> None:
    # In a process of its own: the client cannot be interrupted where it tries again and again.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _SCRIPT],
        env={**os.environ, **local_azure.environment},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert (done.returncode, "The requested stream was not found" in done.stderr) == (1, True)
    assert "InteractiveBrowserCredential" not in done.stdout + done.stderr
    assert "no storage account otheraccount.blob.core.windows.net" in local_azure.log.read_text()
    container = "https://otheraccount.blob.core.windows.net/demo"
    assert anonymous_http.get(f"{container}/a.csv").status_code == 404
    assert anonymous_http.head(container, headers={"Authorization": "Bearer x"}).status_code == 404
