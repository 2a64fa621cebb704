"""The tab on builds of a local Azure that all tests here share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.extension.tab.frame import OpenTab, opening, pages_of
from tests.extension.tab.service import Service
from tests.local.azure.conftest import local_azure
from tests.running_azure import RunningAzure

__all__ = ["local_azure"]


@pytest.fixture(scope="session")
def pages(built_vsix: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return pages_of(built_vsix, tmp_path_factory.mktemp("portal"))


@pytest.fixture
def service(local_azure: RunningAzure) -> Iterator[Service]:
    opened = Service(local_azure.environment)
    yield opened
    opened.session.close()


@pytest.fixture
def open_tab(browser: Browser, pages: Mapping[str, bytes], service: Service) -> Iterator[OpenTab]:
    with opening(browser, pages, service) as open_one:
        yield open_one
