"""The deployment's report: whole, harmless, and readable by the tab."""

from __future__ import annotations

import dataclasses
import json
from html.parser import HTMLParser
from pathlib import Path

from amltasks.report.deployment import Deployment, Phase, SmokeRow, document, page, write

NASTY = "<script>owned()</script>\"'&"
DONE = Deployment(
    service="compliance",
    state="Healthy",
    model="cars",
    version=4,
    revision="compliance/build-7",
    scoring_uri="https://compliance.example/score",
    problem="",
    smoke=[
        SmokeRow(number=1, input='"made of steel"', expected="0", got="0", right=True),
        SmokeRow(number=2, input='"rusty"', expected="1", got="0", right=False),
    ],
    phases=[Phase(name="Deploying compliance/build-7", seconds=61.26)],
    lineage={"Model trained by run": "quiet_river_1"},
)


class Outline(HTMLParser):
    """Tags must close as they opened; keeps the tags and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action")]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data + " "


def test_the_page_tells_all_and_stands_alone() -> None:
    told = Outline(page(DONE))
    for words in (
        "Deployment of compliance",
        "Healthy",
        "cars:4 as compliance/build-7",
        "https://compliance.example/score",
        "Smoke test: 1 of 2 rows as expected",
        "✕ wrong",
        "61.3 s",
        "quiet_river_1",
    ):
        assert words in told.text
    assert told.links == []
    assert "script" not in told.tags


def test_a_failed_deployment_says_why() -> None:
    failed = dataclasses.replace(
        DONE, state="Failed", problem="SMOKE_FAILED: row 2. Next: look.", scoring_uri="", smoke=[]
    )
    told = Outline(page(failed))
    assert "SMOKE_FAILED: row 2. Next: look." in told.text
    assert "No row was scored." in told.text
    assert "answers at" not in told.text
    assert document(failed)["problem"] == "SMOKE_FAILED: row 2. Next: look."


def test_names_are_text_and_never_markup() -> None:
    row = SmokeRow(number=1, input=NASTY, expected=NASTY, got=NASTY, right=False)
    nasty = Deployment(
        **dict.fromkeys(("service", "state", "model", "revision", "scoring_uri", "problem"), NASTY),
        version=1,
        smoke=[row],
        phases=[Phase(name=NASTY, seconds=1)],
        lineage={NASTY: NASTY},
        links={},
    )
    told = Outline(page(nasty))
    assert "script" not in told.tags
    assert told.text.count(NASTY) == 13


def test_both_are_written(tmp_path: Path) -> None:
    result, report = write(DONE, tmp_path)
    assert json.loads(result.read_text(encoding="utf-8")) == document(DONE)
    assert report.read_text(encoding="utf-8") == page(DONE)
