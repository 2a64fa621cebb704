"""The local Azure and the local agent as installed tools, used from a user's own repository."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[1]
PIPELINE = """
steps:
  - script: echo "in $(pwd) with $AML_WORKSPACE_NAME"
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the commands are, installed as local/README.md says: by hash, then the checkout."""
    folder = tmp_path_factory.mktemp("tools") / "aml-local"
    uv = str(Path(sys.executable).with_name("uv"))
    pip = [uv, "pip", "install", "--quiet", "--python", str(folder)]
    lock = ROOT / "requirements" / "local.txt"
    for command in (
        [uv, "venv", "--quiet", "--no-project", "--python", sys.executable, str(folder)],
        [*pip, "--require-hashes", "--requirement", str(lock)],
        [*pip, "--no-deps", str(ROOT)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return folder / "bin"


IMPORTS_ALL = """
import importlib, pkgutil, local
# Programs, and what runs in the environments of jobs and services.
LEFT_OUT = ("__main__", "run_script", "mlflow_score")
for found in pkgutil.walk_packages(local.__path__, "local."):
    if not found.name.endswith(LEFT_OUT):
        importlib.import_module(found.name)
        print(found.name)
"""


def test_every_import_is_a_dependency(tools: Path) -> None:
    command = [str(tools / "python"), "-I", "-c", IMPORTS_ALL]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert {"local.agent.job.step", "local.azure.server"} <= set(done.stdout.split())


@pytest.mark.parametrize("tool", ["aml-local-azure", "aml-local-agent"])
def test_each_tool_has_help(tools: Path, tool: str) -> None:
    done = subprocess.run([tools / tool, "-h"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"Usage: {tool} ")


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_a_pipeline_of_the_users_own_repository_runs(tools: Path, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    repository.mkdir()
    (repository / "azure-pipelines.yml").write_text(PIPELINE)
    # Nothing of the repository takes the place of a module of the tools.
    (repository / "types.py").write_text("raise SystemExit('the wrong module')")
    (repository / "local.py").write_text("raise SystemExit('the wrong module')")
    bare = {"PATH": os.environ["PATH"], "HOME": str(tmp_path / "home")}
    (tmp_path / "home").mkdir()
    azure = subprocess.Popen(
        [tools / "aml-local-azure", "--state", "state", "--env-file", "azure.env"],
        cwd=repository,
        env=bare,
        stdout=subprocess.DEVNULL,
    )
    try:
        env_file = repository / "azure.env"
        end = time.monotonic() + PATIENCE_S
        while not env_file.exists():
            assert azure.poll() is None
            assert time.monotonic() < end
            time.sleep(0.1)
        words = shlex.split(env_file.read_text())
        environment = bare | dict(word.split("=", 1) for word in words)
        with requests.Session() as session:
            session.trust_env = False
            page = session.get(environment["HTTPS_PROXY"])
        done = subprocess.run(
            [tools / "aml-local-agent", "run", "azure-pipelines.yml", "--json", "result.json"],
            cwd=repository,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        azure.send_signal(signal.SIGINT)
        azure.wait(PATIENCE_S)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "with ws-local" in done.stdout
    assert (repository / "result.json").exists()
    assert "<title>Local Azure</title>" in page.text
    assert (repository / "state").is_dir()


def test_the_wheel_holds_the_two_tools_and_no_more(tools: Path) -> None:
    (package,) = tools.parent.glob("lib/python3*/site-packages/local")
    names = {path.name for path in package.iterdir()} - {"__pycache__"}
    assert names == {"__init__.py", "agent", "azure"}
    assert {path.name for path in tools.glob("aml-*")} == {"aml-local-agent", "aml-local-azure"}
