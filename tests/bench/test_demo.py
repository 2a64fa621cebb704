"""The benchmark of the demo: what it adds up. The demo itself has tests of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import demo
from bench.measure import Spent


def test_packaging_counts_for_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    took = {"extension.package": 2.0, "local.demo": 6.0}

    def spent(commands: list[list[str]], folder: Path) -> Spent:
        (command, *more) = commands
        if "extension.package" in command:
            (Path(command[-1]) / "a.vsix").touch()
        seconds = 4.0 if more else took[command[1]]
        assert (folder == demo.ROOT) is not bool(more)
        return Spent(wall_s=seconds * 2, cpu_s=seconds)

    monkeypatch.setattr(demo, "spent", spent)
    found = demo.run(rounds=2)
    assert found["demo, packaging included (CPU)"].ratio == pytest.approx(4 / 8)
    assert found["demo, without packaging (CPU)"].ratio == pytest.approx(4 / 6)
    assert found["demo, packaging included (wall)"].ours_s == pytest.approx(16)


def test_what_children_of_children_take_is_counted(tmp_path: Path) -> None:
    busy = "import time\nwhile time.process_time() < 0.5: pass"
    starts = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    assert demo.spent([["-c", starts]], tmp_path).cpu_s > 0.4
    with pytest.raises(RuntimeError, match="ended with 3"):
        demo.spent([["-c", "raise SystemExit(3)"]], tmp_path)


def test_the_bare_scripts_are_those_of_the_sample() -> None:
    (train, *rows), (evaluate, *model), (_, served) = demo.scripts(4000)
    assert Path(train).is_file()
    assert Path(evaluate).is_file()
    assert rows == ["--rows", "4000"]
    assert model == ["--model", demo.MODEL]
    compile(served, "served", "exec")
