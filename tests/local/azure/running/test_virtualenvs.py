"""Environments are really built, once, and what cannot be built is said."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud, open_cloud
from local.azure.kernel.store import Store
from local.azure.running import virtualenvs
from local.azure.running.conda import EnvironmentFailure, EnvironmentSpec

SPEC = EnvironmentSpec(
    name="tiny",
    variables={},
    python=f"{sys.version_info.major}.{sys.version_info.minor}",
    requirements=("six",),
    conda_names=("six",),
)


@pytest.fixture
def building_azure(tmp_path: Path) -> Iterator[Cloud]:
    store = Store(tmp_path / "state.db")
    yield open_cloud(tmp_path, store=store, proxy_url="http://127.0.0.1:9", ca_file=tmp_path)
    store.close()


def build(cloud: Cloud, spec: EnvironmentSpec, log: list[str], stop: Stop | None = None) -> Path:
    return virtualenvs.ensure(
        cloud,
        spec,
        key="build",
        log=log.append,
        stop=stop or Stop(),
        cache=cloud.root / "cache",
    )


def test_two_builders_at_once_build_one_environment(building_azure: Cloud) -> None:
    logs: list[list[str]] = [[], []]
    threads = [threading.Thread(target=build, args=(building_azure, SPEC, log)) for log in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    built = [log for log in logs if any(line.startswith("Building") for line in log)]
    assert len(built) == 1
    assert any("asked of the package index: six" in line for line in built[0])
    python = build(building_azure, SPEC, [])
    # As beside every Python of conda; older packages import pkg_resources and ask not.
    imports = "import six, pip, pkg_resources"
    subprocess.run([python, "-W", "ignore", "-c", imports], check=True)


def test_a_half_built_environment_is_built_again(building_azure: Cloud) -> None:
    home = building_azure.root / "cache" / SPEC.digest
    (home / "venv" / "lib").mkdir(parents=True)
    (home / "venv" / "pyvenv.cfg").write_text("home = nowhere\n")
    python = build(building_azure, SPEC, [])
    subprocess.run([python, "-c", "import six"], check=True)


def test_a_package_that_only_conda_has_is_named(building_azure: Cloud) -> None:
    name = "no-such-package-anywhere-at-all"
    with pytest.raises(EnvironmentFailure, match=f"asks conda for {name}"):
        build(building_azure, replace(SPEC, requirements=(name,), conda_names=(name,)), [])


def test_versions_that_cannot_be_are_told_in_uvs_words(building_azure: Cloud) -> None:
    with pytest.raises(EnvironmentFailure, match=r"six==0\.0\.99"):
        build(building_azure, replace(SPEC, requirements=("six==0.0.99",)), [])


def test_a_python_that_is_not_there(building_azure: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(EnvironmentFailure, match=r"needs Python 3\.99, which is not on this"):
        build(building_azure, replace(SPEC, python="3.99"), [])


def test_an_interpreter_that_is_not_there(building_azure: Cloud) -> None:
    with pytest.raises(EnvironmentFailure, match="'/no/such/python'"):
        build(building_azure, replace(SPEC, interpreter="/no/such/python"), [])


def test_waiting_for_another_builder_can_be_stopped(building_azure: Cloud) -> None:
    home = building_azure.root / "cache" / SPEC.digest
    home.mkdir(parents=True)
    stop, log = Stop(), list[str]()
    with virtualenvs.locked(home / "lock", log.append, stop):
        threading.Timer(0.2, stop.ask, ["Canceled"]).start()
        with pytest.raises(EnvironmentFailure, match="Canceled"):
            build(building_azure, SPEC, log, stop)
    assert log == ["Another run is building this environment; waiting for it."]


def test_builds_never_go_through_the_server_itself(
    building_azure: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", building_azure.proxy_url)
    monkeypatch.setenv("SSL_CERT_FILE", str(building_azure.ca_file))
    monkeypatch.setenv("UV_FIND_LINKS", "/wheels")
    environment = virtualenvs.own_environment(building_azure)
    assert "HTTPS_PROXY" not in environment
    assert "SSL_CERT_FILE" not in environment
    assert environment["UV_FIND_LINKS"] == "/wheels"
