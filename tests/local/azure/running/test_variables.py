"""The environment of a run."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

from local.azure.running.variables import of_run

JOB = SimpleNamespace(run_id="r", root_run_id="root", experiment="e", experiment_id="7")


def test_nothing_of_this_process_reaches_the_run_but_what_it_needs(fresh_azure, monkeypatch):
    monkeypatch.setenv("A_SECRET_OF_OURS", "hunter22")
    monkeypatch.setenv("LANG", "C.UTF-8")
    found = of_run(fresh_azure, JOB, Path("/jobs/r"), Path("/env/bin/python"))
    assert "hunter22" not in str(found)
    assert fresh_azure.client_secret not in found.values()
    assert found["LANG"] == "C.UTF-8"
    assert found["PATH"].split(os.pathsep)[0] == str(Path("/env/bin"))
    assert found["HOME"] == str(Path("/jobs/r/home"))


def test_the_run_knows_who_it_is_and_where_to_tell(fresh_azure):
    found = of_run(fresh_azure, JOB, Path("/jobs/r"), Path("/env/bin/python"))
    assert found["AZUREML_RUN_ID"] == "r"
    assert found["AZUREML_ROOT_RUN_ID"] == "root"
    assert found["AZUREML_EXPERIMENT_SCOPE"].endswith("/experiments/e")
    assert found["HTTPS_PROXY"] == fresh_azure.proxy_url
    assert found["AZUREML_RUN_TOKEN"].count(".") == 2
