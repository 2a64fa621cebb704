"""Fixtures: a staged task with the real bundled launcher; see harness.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from extension.package import bundle_launcher
from tests.tasks.launcher.harness import Launcher, make_launcher


@pytest.fixture(scope="session")
def launcher_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the bundled launcher, as the packaging makes it."""
    folder = tmp_path_factory.mktemp("bundle")
    bundle_launcher(folder)
    return folder


@pytest.fixture(scope="session")
def launcher_tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tool directory for all tests that do not look at it, so that it is filled once."""
    return tmp_path_factory.mktemp("tools")


@pytest.fixture
def launcher(tmp_path: Path, launcher_bundle: Path, launcher_tools: Path) -> Launcher:
    """A task whose environment is there after its first use."""
    return make_launcher(tmp_path, launcher_bundle, launcher_tools)


@pytest.fixture
def fresh_launcher(tmp_path: Path, launcher_bundle: Path) -> Launcher:
    """A task with a tool directory of its own."""
    return make_launcher(tmp_path, launcher_bundle, tmp_path / "tools")
