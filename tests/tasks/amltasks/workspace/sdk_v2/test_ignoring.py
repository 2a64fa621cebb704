"""Which files travel: the same that git would leave out by the same patterns."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from amltasks.workspace.sdk_v2.ignoring import travelling_files

FILES = (
    *("score.py", "data/rows.csv", "data/deep/rows.csv", "data/keep.csv", "notes.txt"),
    *("build/out.bin", "sub/build/out.bin", "a b.txt", "x1.log", "x2.log", "sub/x1.log", "#file"),
)


def made(folder: Path) -> None:
    for name in FILES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def travelling(folder: Path) -> set[str]:
    return {name for name, _ in travelling_files(folder)} - {".amlignore", ".gitignore"}


@pytest.mark.parametrize(
    "patterns",
    [
        "",
        "# only a comment",
        "*.csv\n!keep.csv",
        "build/",
        "/build/",
        "data/*.csv",
        "data/**/rows.csv",
        "**/build",
        "x[12].log",
        "x[!1].log",
        "sub/*",
        "a b.txt",
        "\\#file",
        "notes.txt   ",
        "?1.log",
        "data/**",
    ],
)
def test_patterns_mean_what_git_means(patterns: str, tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / ".gitignore").write_text(patterns)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    command = ["git", "ls-files", "-z", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    kept = {name for name in listed.stdout.split("\0") if name} - {".gitignore"}
    assert travelling(tmp_path) == kept


def test_the_file_of_azure_ml_wins_and_what_python_leaves_never_travels(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "score.pyc").write_text("x")
    (tmp_path / ".gitignore").write_text("score.py")
    (tmp_path / ".amlignore").write_text("notes.txt")
    assert travelling(tmp_path) == set(FILES) - {"notes.txt"}
