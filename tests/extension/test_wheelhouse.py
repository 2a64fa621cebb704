"""The wheels for agents without a network: which, for whom, and that they are enough."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench import cache
from extension import package, wheelhouse
from extension.sources import ROOT, PackagingError
from tests.tasks.launcher.harness import make_launcher


def test_each_lock_that_a_task_ships_is_served() -> None:
    shipped = {
        *package.LOCKS,
        *(name for own in package.OWN_LOCKS.values() for name in own.values()),
    }
    assert {name for names in wheelhouse.LOCKS.values() for name in names} == shipped


def test_each_lock_is_asked_for_once_and_for_the_agents_machine(tmp_path: Path) -> None:
    found = list(wheelhouse.commands(tmp_path, ["v1", "v2"], ["win_amd64"], "3.12"))
    locks = [Path(command[command.index("--requirement") + 1]).name for command in found]
    assert sorted(locks) == sorted(set(locks))
    for command in found:
        assert {"--require-hashes", "--no-deps", "--only-binary=:all:"} <= set(command)
        assert command[command.index("--platform") + 1] == "win_amd64"
        assert command[command.index("--python-version") + 1] == "3.12"


def test_a_wheel_that_there_is_not_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wheelhouse, "LOCKS", {"v2": ("uv.txt",)})
    with pytest.raises(PackagingError, match=r"(?s)not all downloaded:.*uv.*Next: check the"):
        wheelhouse.fill(tmp_path, ["v2"], ["no_such_platform"])


def test_its_options_belong_together() -> None:
    command = [sys.executable, "-m", "extension.package", "--platform", "win_amd64"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--platform and --python-version are for --offline DIR" in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(
    not cache.can_isolate(), reason="this account may not make namespaces of its own"
)
def test_they_are_all_that_a_task_needs_without_a_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheelhouse, "LOCKS", {"v2": ("v2-rest.txt", "uv.txt")})
    told = wheelhouse.fill(tmp_path / "wheels", ["v2"])
    assert re.search(r": \d+ MB in \d\d wheels$", told)
    bundle = tmp_path / "bundle"
    bundle.mkdir()
    package.bundle_launcher(bundle)
    launcher = make_launcher(tmp_path, bundle, tmp_path / "tools")
    locks = launcher.folder / "requirements"
    shutil.copy(ROOT / "requirements" / "v2-rest.txt", locks / "v2.txt")
    shutil.copy(ROOT / "requirements" / "uv.txt", locks)
    code = "import azure.identity, yaml, requests; send(type='result', result='Succeeded')"
    environment = launcher.environment(code, {}, {}) | {
        "PATH": str(Path(shutil.which("node") or "").parent) + os.pathsep + "/usr/bin:/bin",
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "PIP_NO_INDEX": "1",
        "UV_CACHE_DIR": str(tmp_path / "uv-cache"),
    }
    done = subprocess.run(
        [*cache.NO_NETWORK, "node", str(launcher.folder / "launcher.js")],
        cwd=launcher.sources,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "result=Succeeded" in done.stdout, done.stdout + done.stderr
    assert "Installing uv" in done.stdout
