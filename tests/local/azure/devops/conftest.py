"""The unmodified `azure-devops` package, pointed at a local Azure by its environment variables."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.azure.devops.organisation import NAMES, Organisation, connect


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The package reads the variable when it is first imported, and then never again."""
    os.environ["AZURE_DEVOPS_CACHE_DIR"] = str(tmp_path_factory.mktemp("azure-devops"))


@pytest.fixture
def client_environment(local_azure: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in NAMES:
        monkeypatch.setenv(name, local_azure.environment[name])
    yield local_azure
    # What the package leaves to the collector goes now, while its warnings are ignored.
    gc.collect()


@pytest.fixture
def organisation(client_environment: Any) -> Iterator[Organisation]:
    opened = connect(client_environment.environment)
    yield opened
    opened.session.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            # msrest leaves the sockets of calls that failed to the collector.
            for kind in ("ResourceWarning", "pytest.PytestUnraisableExceptionWarning"):
                item.add_marker(pytest.mark.filterwarnings(f"ignore::{kind}"))
