"""The benchmark of new agents: what they lack, what counts; a wrong end is no measurement."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from bench import cold_start
from bench.cold_start import STARTS, Start, cold, environment_bytes, measured, new_agent


def test_a_new_agent_has_no_uv_and_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "uv").touch()
    (tools / "uv").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{tmp_path}")
    monkeypatch.setenv("UV_OFFLINE", "1")
    found = new_agent(tmp_path)
    assert found["PATH"] == str(tmp_path)
    assert shutil.which("uv", path=found["PATH"]) is None
    assert "UV_OFFLINE" not in found
    assert not Path(found["UV_CACHE_DIR"]).exists()


def test_the_size_is_of_what_was_installed(tmp_path: Path) -> None:
    packages = tmp_path / cold_start.OURS / "0123456789abcdef" / "lib"
    for path, size in (("a.py", 10), ("a.so", 20), ("__pycache__/a.pyc", 40)):
        (packages / path).parent.mkdir(parents=True, exist_ok=True)
        (packages / path).write_bytes(b"x" * size)
    (packages / "link").symlink_to("a.so")
    uv = tmp_path / cold_start.OURS / "uv" / "0.13.9"
    uv.mkdir(parents=True)
    (uv / "uv").write_bytes(b"x" * 80)
    assert environment_bytes(tmp_path) == 30


def test_a_task_that_ends_otherwise_is_not_measured(tmp_path: Path) -> None:
    folder = tmp_path / "FakeV1"
    folder.mkdir()
    (folder / "launcher.js").write_text("console.log('resourceGroup is empty')")
    fake = Start(task="Fake", sdk="v2", module="json")
    with pytest.raises(RuntimeError, match=r"Fake v2 ended otherwise:\nresourceGroup is"):
        cold(fake, tmp_path, tmp_path)


def test_each_start_is_compared_with_pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    monkeypatch.setattr(cold_start, "pip_install", lambda: begun.append("pip"))
    monkeypatch.setattr(cold_start, "cold", lambda start, _tasks, _at: begun.append(start.name))
    monkeypatch.setattr(cold_start, "environment_bytes", lambda _tools: 24_000_000)
    monkeypatch.setattr(cold_start, "first_import", lambda start, _at: begun.append(start.module))
    found = measured(tmp_path)
    assert list(found) == [f"{each.name}{more}" for each in STARTS for more in ("", " and import")]
    each_round = ["pip", *(told for start in STARTS for told in (start.name, start.module))]
    assert begun == each_round * cold_start.ROUNDS
    assert "installs 24 MB" in found["cold start ProvisionAmlCompute v2"].claim
