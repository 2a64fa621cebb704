"""A local Azure started as its users start it, and the unmodified SDK pointed at it.

`local_azure` is one server for the whole session; `start_local_azure` starts others. Tests that ask
for `aml_workspace` drive azureml-core in this process, under the environment variables only.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import requests

from local.azure.kernel.cloud import Cloud, open_cloud
from local.azure.kernel.http import Request
from local.azure.kernel.store import Store
from tests.patience import PATIENCE_S
from tests.running_azure import ROOT, RunningAzure, running_azure

Starter = Callable[..., AbstractContextManager[RunningAzure]]


@pytest.fixture(scope="session")
def start_local_azure() -> Starter:
    """`with start_local_azure(state_folder) as azure:` starts a server and ends it."""
    return running_azure


@pytest.fixture(scope="session")
def local_azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningAzure]:
    with running_azure(tmp_path_factory.mktemp("azure") / "state", "--verbose") as azure:
        yield azure


@pytest.fixture
def fresh_azure(tmp_path: Path) -> Iterator[Cloud]:
    """The object that handlers get, over an empty state, without a server."""
    store = Store(tmp_path / "state.db")
    yield open_cloud(
        tmp_path, store=store, proxy_url="http://127.0.0.1:1", ca_file=tmp_path / "ca.pem"
    )
    store.close()


def asked(body: object = None, *, query: Mapping[str, str] | None = None, **params: str) -> Request:
    """A request as its handler gets it, without a server; `params`: of the route's path."""
    return Request(
        method="POST" if body is not None else "GET",
        host="test",
        path="/test",
        query=query or {},
        headers={},
        body=b"" if body is None else json.dumps(body).encode(),
        params=params,
    )


def http_session(azure: RunningAzure) -> requests.Session:
    """Plain HTTP through the proxy, trusting the local CA only."""
    session = requests.Session()
    session.trust_env = False
    session.proxies = {"https": azure.environment["HTTPS_PROXY"]}
    session.verify = azure.environment["REQUESTS_CA_BUNDLE"]
    return session


def get_token(
    session: requests.Session, azure: RunningAzure, resource: str = "https://management.azure.com"
) -> str:
    env = azure.environment
    answer = session.post(
        f"https://login.microsoftonline.com/{env['AZURE_TENANT_ID']}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": env["AZURE_CLIENT_ID"],
            "client_secret": env["AZURE_CLIENT_SECRET"],
            "scope": f"{resource}/.default",
        },
    )
    answer.raise_for_status()
    token: str = answer.json()["access_token"]
    return token


@pytest.fixture(scope="module")
def anonymous_http(local_azure: RunningAzure) -> Iterator[requests.Session]:
    with http_session(local_azure) as session:
        yield session


@pytest.fixture(scope="module")
def azure_http(local_azure: RunningAzure) -> Iterator[requests.Session]:
    """HTTP with an ARM token, which the data planes take too."""
    with http_session(local_azure) as session:
        session.headers["Authorization"] = f"Bearer {get_token(session, local_azure)}"
        yield session


@pytest.fixture(scope="module")
def azure_variables(
    local_azure: RunningAzure, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, str]]:
    """The env file's variables in this process, with a home of its own: the SDK caches there."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in local_azure.environment.items():
            patch.setenv(name, value)
        patch.setenv("HOME", str(home))
        patch.setenv("USERPROFILE", str(home))
        patch.setenv("AZUREML_LOG_DEPRECATION_WARNING_ENABLED", "False")
        yield os.environ
    # What the SDK leaves running, or to the collector, goes now, while its warnings are ignored.
    _stop_timers()
    gc.collect()


def open_workspace(variables: Mapping[str, str], **replaced: str) -> Any:
    """Workspace.get as a user writes it; `replaced`: tenant, client, secret, subscription, ..."""
    with warnings.catch_warnings():
        # azureml-core and its dependencies warn at import of what Python will deprecate.
        warnings.simplefilter("ignore")
        from azureml.core import Workspace
        from azureml.core.authentication import ServicePrincipalAuthentication
    credential = ServicePrincipalAuthentication(
        replaced.get("tenant", variables["AZURE_TENANT_ID"]),
        replaced.get("client", variables["AZURE_CLIENT_ID"]),
        replaced.get("secret", variables["AZURE_CLIENT_SECRET"]),
    )
    return Workspace.get(
        name=replaced.get("name", variables["AML_WORKSPACE_NAME"]),
        subscription_id=replaced.get("subscription", variables["AML_SUBSCRIPTION_ID"]),
        resource_group=replaced.get("group", variables["AML_RESOURCE_GROUP"]),
        auth=credential,
    )


@pytest.fixture(scope="module")
def aml_workspace(azure_variables: Mapping[str, str]) -> Any:
    return open_workspace(azure_variables)


def pytest_configure(config: pytest.Config) -> None:
    # Timers that runs of azureml-core start tick on in threads, during tests of any kind...
    config.addinivalue_line(
        "filterwarnings", r"ignore:setDaemon\(\) is deprecated:DeprecationWarning"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Iterator[Any]:
    # ... and between two tests.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"setDaemon\(\) is deprecated", DeprecationWarning)
        result = yield
    return result


def _stop_timers() -> None:
    """End the timers that azureml-core leaves behind."""
    for timer in threading.enumerate():
        daemon: Any = getattr(getattr(timer, "function", None), "__self__", None)
        if type(daemon).__module__.startswith("azureml."):
            daemon.stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    noise = (
        # azureml-core, msrest and the vendored storage client use what Python deprecates.
        "ignore::DeprecationWarning",
        "ignore::PendingDeprecationWarning",
        # azureml-core marks its own functions as deprecated and leaves sockets to the collector.
        "ignore::FutureWarning",
        "ignore::ResourceWarning",
        "ignore::pytest.PytestUnraisableExceptionWarning",
    )
    folder = Path(__file__).parent
    for item in items:
        uses_sdk = {"aml_workspace", "azure_variables"} & set(getattr(item, "fixturenames", ()))
        if uses_sdk and folder in item.path.parents:
            for line in noise:
                item.add_marker(pytest.mark.filterwarnings(line))


def provisioned(target: Any) -> Any:
    """Wait for a compute target as wait_for_completion does, without its pauses of 5 s."""
    deadline = time.monotonic() + PATIENCE_S
    while target.provisioning_state in ("Creating", "InProgress"):
        assert time.monotonic() < deadline, "the compute target does not get ready"
        time.sleep(0.1)
        target.refresh_state()
    assert target.provisioning_state == "Succeeded"
    return target


_IN_OWN_PROCESS = """
import os, sys
from pathlib import Path
from tests.local.azure.conftest import open_workspace
workspace, folder = open_workspace(os.environ), Path(sys.argv[1])
from azureml.core import Dataset
datastore = workspace.get_default_datastore()
"""


@pytest.fixture
def in_own_process(
    azure_variables: Mapping[str, str], tmp_path: Path
) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs code that has ``workspace``, its ``datastore``, ``Dataset`` and a ``folder``.

    azureml-dataprep's native client (Rust) has killed processes that had done much else before.
    """

    def run(code: str) -> subprocess.CompletedProcess[str]:
        measured = {name for name in azure_variables if name.startswith("COV")}
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-c", _IN_OWN_PROCESS + code, str(tmp_path)],
            cwd=ROOT,
            env={name: text for name, text in azure_variables.items() if name not in measured},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    return run
