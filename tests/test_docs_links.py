"""Relative links in the pages lead to files that git has, and to headings that are there."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"(?:\]\(|<img src=\")(?![a-z]+:)([^)\s\"]+)")


def tracked() -> list[Path]:
    """What git has, and what it would take."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return [ROOT / line for line in done.stdout.splitlines() if (ROOT / line).is_file()]


def prose(path: Path) -> str:
    """A page without its blocks of code and its inline code, where brackets are no links."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub and Azure Repos make of the headings."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.M)
    headings = re.findall(r"^#+ (.+)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def packaged() -> dict[str, Path]:
    """The files of the .vsix that the gallery serves, by their paths there."""
    manifest = json.loads((ROOT / "vss-extension.json").read_text(encoding="utf-8"))
    return {
        file.get("packagePath", file["path"]): ROOT / file["path"] for file in manifest["files"]
    }


def problem(page: Path, link: str, files: set[Path]) -> str:
    """What is wrong with a link, empty when nothing is."""
    name, _, anchor = unquote(link).partition("#")
    target = (page.parent / name).resolve() if name else page
    if page == ROOT / "extension/overview.md" and name in (served := packaged()):
        target = served[name]  # the gallery shows this page from the root of the .vsix
    if target not in files and not any(target in file.parents for file in files):
        return f"{page.relative_to(ROOT)}: there is no {link}"
    if anchor and anchor not in anchors(target):
        return f"{page.relative_to(ROOT)}: there is no heading {link}"
    return ""


def test_every_relative_link_leads_somewhere() -> None:
    files = set(tracked())
    links = [
        (page, link)
        for page in sorted(files)
        if page.suffix == ".md"
        for link in LINK.findall(prose(page))
    ]
    assert len(links) > 60
    assert [told for page, link in links if (told := problem(page, link, files))] == []
