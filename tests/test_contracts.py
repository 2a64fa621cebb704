"""Each import contract of pyproject.toml breaks when its forbidden import is planted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tomllib

ROOT = Path(__file__).parents[1]

# Contract -> (module that gets the import, what it must not import).
FORBIDDEN = {
    "The rooms meet only over the wire": ("local/agent/errors.py", "local.azure.kernel.store"),
    "Tasks: dependencies point one way": (
        "tasks/amltasks/workspace/logs.py",
        "amltasks.azure_pipelines.inputs",
    ),
    "Admin: a verb knows its helpers, and they only what is below them": (
        "tasks/amltasks/admin/causes.py",
        "amltasks.admin.doctor",
    ),
    "The gate computes: it reads no workspace and no network": (
        "tasks/amltasks/gate/verdict.py",
        "requests",
    ),
    "Tasks, gate and report know the port, never an adapter": (
        "tasks/amltasks/report/text.py",
        "amltasks.workspace.sdk_v2.runs",
    ),
    "The two adapters know nothing of each other": (
        "tasks/amltasks/workspace/sdk_v1/runs.py",
        "amltasks.workspace.sdk_v2.runs",
    ),
    "Local Azure: a folder is a service, and imports only from folders below it": (
        "local/azure/kernel/store.py",
        "local.azure.v2.resources",
    ),
    "Local agent: read the file, order it, carry out a job, tell others": (
        "local/agent/host/process.py",
        "local.agent.run.run",
    ),
    "No module imports what imports it": ("extension/digests.py", "extension.versions"),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What import-linter says of a copy of the sources with every forbidden import planted."""
    copy = tmp_path_factory.mktemp("planted")
    ignored = shutil.ignore_patterns("__pycache__", "node_modules")
    for name in ("local", "tasks", "extension", "bench"):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", copy)
    for file, module in FORBIDDEN.values():
        path = copy / file
        path.write_text(f"{path.read_text(encoding='utf-8')}\nimport {module}\n", encoding="utf-8")
    program = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [str(program), "--no-cache"],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": "tasks", "COLUMNS": "400", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert result.returncode == 1, result.stdout
    return result.stdout


def test_every_contract_has_a_planted_import() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    assert {contract["name"] for contract in contracts} == set(FORBIDDEN)


@pytest.mark.parametrize("contract", FORBIDDEN)
def test_the_contract_breaks(told: str, contract: str) -> None:
    assert re.search(rf"^{re.escape(contract)}\s+BROKEN", told, re.MULTILINE), told
    file, module = FORBIDDEN[contract]
    importer = file.removeprefix("tasks/").removesuffix(".py").replace("/", ".")
    details = told.partition("Broken contracts")[2]
    # Circles are told by the folder in which they are.
    circle = f"No cycles are allowed in {importer.partition('.')[0]}."
    assert f"{importer} -> {module}" in details or circle in details, details
