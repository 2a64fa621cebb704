"""Every code that a log can show has its anchor on one page, with the words of the code itself."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from amltasks import errors
from amltasks.gate.verdict import Reason
from extension import docs, troubleshooting
from tests.extension.test_docs import known_codes

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """What the page is written from, and the page, to change."""
    for name in ("docs", "tasks/amltasks", "tasks/launcher"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_every_code_and_every_reason_has_its_anchor() -> None:
    headings = re.findall(r"^### ([A-Z_]+)$", (ROOT / troubleshooting.PAGE).read_text(), re.M)
    assert len(headings) == len(set(headings)) > 80
    assert set(headings) == known_codes()
    assert {reason.value for reason in Reason} - {"PASSED"} <= set(headings)


def test_the_page_says_what_the_errors_say() -> None:
    page = (ROOT / troubleshooting.PAGE).read_text()
    entry = page.split("### COMPUTE_TIMEOUT\n")[1].split("###")[0]
    cause = errors.COMPUTE_TIMEOUT
    assert cause.happened.endswith("was still {state} after {minutes:g} minutes")
    assert "> the compute '*name*' was still *state* after *minutes* minutes." in entry
    assert f"> **Next:** {cause.next_step}." in entry


def test_a_changed_sentence_is_found_and_written(root: Path) -> None:
    replaced(root / "tasks/amltasks/errors.py", "check the model's name", "read the model's name")
    assert docs.outdated_codes(root, write=False) == [
        "docs/troubleshooting.md is out of date. Next: run python -m extension.docs"
    ]
    assert docs.outdated_codes(root, write=True) == []
    assert "read the model's name" in (root / troubleshooting.PAGE).read_text()
    assert docs.outdated_codes(root, write=False) == []


@pytest.mark.parametrize(
    ("path", "old", "new"),
    [
        ("tasks/amltasks/errors.py", 'code="TIE"', 'code="TIED_NOW"'),
        ("tasks/amltasks/deploy_to_aks/revisions.py", '"CANDIDATE_LEFT"', '"TIED_NOW"'),
        ("tasks/launcher/errors.ts", "'TASK_DIED',", "'TIED_NOW',"),
        ("docs/troubleshooting.yml", "TIE:", "TIED_NOW:"),
    ],
)
def test_a_code_without_a_place_fails_the_lint(root: Path, path: str, old: str, new: str) -> None:
    replaced(root / path, old, new)
    found = docs.outdated_codes(root, write=True)
    assert len(found) == 2
    assert all("TIED_NOW" in line or old.strip("\"',:").split('"')[-1] in line for line in found)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "    TASK_DIED: |",
            "    TASK_DIED:\n    X_Y: |",
            "TASK_DIED has no sentence",
        ),
        ("    NOT_FOUND:", "    TIE:\n    NOT_FOUND:", "TIE stands there twice"),
    ],
)
def test_what_is_said_twice_or_not_at_all_fails_the_lint(
    root: Path, old: str, new: str, problem: str
) -> None:
    replaced(root / troubleshooting.SOURCE, old, new)
    assert any(problem in line for line in docs.outdated_codes(root, write=False))
