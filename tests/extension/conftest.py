"""Fixtures: the extension as it is built, and a copy of its sources to damage."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.azure.conftest import Starter, start_local_azure
from tests.running_azure import RunningAzure

ROOT = Path(__file__).resolve().parents[2]
__all__ = ["start_local_azure"]  # a fixture


@pytest.fixture(scope="session")
def built_vsix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The .vsix, built by the command line that everybody uses."""
    out = tmp_path_factory.mktemp("vsix")
    done = subprocess.run(
        [sys.executable, "-m", "extension.package", "--out", str(out)],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return Path(done.stdout.splitlines()[-1])


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of what the extension is made from, but for the programs."""
    for name in ("vss-extension.json", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    for name in ("tasks", "extension", "docs"):
        shutil.copytree(
            ROOT / name,
            tmp_path / name,
            ignore=shutil.ignore_patterns("*.py", "*.ts", "__pycache__", "amltasks", "launcher"),
        )
    return tmp_path


@pytest.fixture(scope="session")
def azure(
    start_local_azure: Starter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningAzure]:
    """A local Azure for what the portal and the service ask."""
    with start_local_azure(tmp_path_factory.mktemp("azure") / "state") as running:
        yield running
