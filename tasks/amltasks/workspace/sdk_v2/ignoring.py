"""Which files of a source folder are uploaded: all that .amlignore, or else .gitignore, allows.

The patterns are Git's. As in azure-ai-ml, only the file at the folder's root counts, and the last
pattern that matches decides.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

IGNORE_FILES = (".amlignore", ".gitignore")
# No service needs them, and they would make equal sources differ.
_NEVER = frozenset({".git", "__pycache__"})


def travelling_files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each file's path below the folder (with slashes) and the file, sorted by path."""
    rules = [rule for line in _lines(folder) if (rule := _rule(line)) is not None]
    for path in sorted(folder.rglob("*"), key=lambda path: path.relative_to(folder).as_posix()):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not _NEVER & set(name.split("/")) and not ignored(name, rules):
            yield name, path


Rule = tuple[re.Pattern[str], bool]


def ignored(name: str, rules: list[Rule]) -> bool:
    """Whether the last rule that matches a path leaves the file out."""
    return next((leave for pattern, leave in reversed(rules) if pattern.match(name)), False)


def _lines(folder: Path) -> list[str]:
    found = next((p for n in IGNORE_FILES if (p := folder / n).is_file()), None)
    return found.read_text(encoding="utf-8").splitlines() if found else []


def _rule(line: str) -> Rule | None:
    """The pattern of a line, and whether it leaves files out or takes them back."""
    text = line if line.endswith("\\ ") else line.rstrip()
    if not text or text.startswith("#"):
        return None
    leave = not text.startswith("!")
    text = text.removeprefix("!").removeprefix("\\")
    anchored = "/" in text.rstrip("/")
    parts = text.strip("/").split("/")
    pattern = "" if anchored else "(?:.*/)?"
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            pattern += ".*" if last else "(?:.*/)?"
        else:
            pattern += _segment(part) + ("" if last else "/")
    # A folder includes all that is in it; "name/" does not match a file of that name.
    return re.compile(pattern + ("/.*" if text.endswith("/") else "(?:/.*)?") + r"\Z"), leave


def _segment(part: str) -> str:
    pattern, at = "", 0
    while at < len(part):
        char = part[at]
        at += 1
        if char == "*":
            pattern += "[^/]*"
        elif char == "?":
            pattern += "[^/]"
        elif char == "[" and (end := part.find("]", at + 1)) > 0:
            inside = part[at:end].replace("\\", "\\\\")
            pattern += "[" + ("^" + inside[1:] if inside[0] in "!^" else inside) + "]"
            at = end + 1
        elif char == "\\" and at < len(part):
            pattern += re.escape(part[at])
            at += 1
        else:
            pattern += re.escape(char)
    return pattern
