"""Where a page has lines for a Unix shell, the same section says them for PowerShell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.test_docs_links import ROOT, tracked

FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
SHELL = re.compile(r"^ *```(?:sh|bash|shell|console|zsh)\b", re.MULTILINE)


def sections(text: str) -> Iterator[str]:
    """The sections of a page, each with its heading; comments in code are no headings."""
    hidden = FENCED.sub(lambda found: found[0].replace("\n#", "\n "), text)
    yield from re.split(r"(?m)^(?=#+ )", hidden)


def unsaid(text: str) -> list[str]:
    """The headings of the sections that have shell lines and never name PowerShell."""
    return [
        section.splitlines()[0]
        for section in sections(text)
        if SHELL.search(section) and "powershell" not in section.lower()
    ]


def pages() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def test_each_section_with_shell_lines_says_them_for_powershell() -> None:
    found = {str(page.relative_to(ROOT)): unsaid(page.read_text("utf-8")) for page in pages()}
    assert {page: headings for page, headings in found.items() if headings} == {}
    assert sum(bool(SHELL.search(page.read_text("utf-8"))) for page in pages()) >= 8


def test_a_section_that_lacks_them_is_found() -> None:
    shell = "```sh\n# a comment\nexport A=1\n```\n"
    assert unsaid(f"# One\n\n{shell}\n## Two\n\nIn PowerShell: …\n\n{shell}") == ["# One"]
    assert unsaid(f"# One\n\n{shell}\nIn PowerShell write `$env:A = 1`.\n") == []
    assert unsaid("# One\n\n```yaml\n# sh\na: 1\n```\n") == []
