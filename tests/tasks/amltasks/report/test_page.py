"""The page in a real browser: at home in a sandbox, on a phone, in the dark, and for a reader."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page, Route

from amltasks.gate.verdict import Reason
from amltasks.report import html
from tests.tasks.amltasks.report import kinds, samples

ROOT = Path(__file__).resolve().parents[4]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
HOST = "https://portal.example/"
SCHEMES = ("light", "dark")
WIDTHS = (400, 800, 1400)


class Shown:
    """A report in an iframe as the tab shows it, or by itself, and what it asked for."""

    def __init__(self, browser: Browser) -> None:
        self.context = browser.new_context()
        self.page: Page = self.context.new_page()
        self.asked: list[str] = []
        self.pages: dict[str, str] = {}
        self.page.route("**/*", self._answer)

    def _answer(self, route: Route) -> None:
        body = self.pages.get(route.request.url)
        if body is None:
            self.asked.append(route.request.url)
            route.abort()
        else:
            route.fulfill(body=body, content_type="text/html; charset=utf-8")

    def open(self, text: str, scheme: str = "light", width: int = 1200) -> Page:
        self.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        self.page.set_viewport_size({"width": width, "height": 900})
        self.pages = {HOST: text}
        self.page.goto(HOST)
        return self.page

    def framed(self, text: str) -> Frame:
        """In an empty sandbox within another page."""
        self.open("<!doctype html><title>Portal</title><iframe sandbox style=width:900px></iframe>")
        with self.page.expect_event("framenavigated"):
            self.page.evaluate("text => { document.querySelector('iframe').srcdoc = text }", text)
        frame = self.page.frames[-1]
        frame.wait_for_load_state()
        return frame


@pytest.fixture(scope="module")
def shown(browser: Browser) -> Iterator[Shown]:
    opened = Shown(browser)
    yield opened
    opened.context.close()


@pytest.fixture(scope="module")
def rejected() -> str:
    verdict = samples.judged(worse_on="iron")
    return html.gate(verdict, title=samples.TITLE, facts=samples.FACTS)


@pytest.fixture(scope="module")
def hostile() -> str:
    verdict = samples.made(Reason.SLICE_GAP, text=samples.HOSTILE)
    facts = {samples.HOSTILE: samples.HOSTILE}
    return html.gate(verdict, title=samples.HOSTILE, facts=facts)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_in_either_scheme_or_on_a_phone(
    shown: Shown, rejected: str, scheme: str
) -> None:
    for width in WIDTHS:
        page = shown.open(rejected, scheme, width)
        # The page's policy keeps scripts out, so axe comes in through the debugger.
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document)")
        assert {"color-contrast", "svg-img-alt", "heading-order"} <= {
            one["id"] for one in found["passes"]
        }
        wrong = [
            (one["id"], [node["html"] for node in one["nodes"]]) for one in found["violations"]
        ]
        assert wrong == []


def test_dark_is_dark_and_so_are_the_pictures(shown: Shown, rejected: str) -> None:
    script = """() => {
        const of = (one, what) => getComputedStyle(one)[what];
        const line = [...document.querySelectorAll('.plot path')].find(
            path => path.getAttribute('style')?.includes('--candidate'));
        return [of(document.body, 'backgroundColor'), of(document.body, 'color'),
            of(document.querySelector('.plot text'), 'fill'), of(line, 'stroke')];
    }"""
    light, dark = (shown.open(rejected, scheme).evaluate(script) for scheme in SCHEMES)
    assert light == ["rgb(255, 255, 255)", "rgb(27, 31, 36)", "rgb(27, 31, 36)", "rgb(10, 95, 180)"]
    ink, line = "rgb(230, 233, 238)", "rgb(108, 182, 255)"
    assert dark == ["rgb(22, 25, 29)", ink, ink, line]
    shown.page.emulate_media(media="print")
    assert shown.page.evaluate(script)[0] == "rgb(255, 255, 255)"
    shown.page.emulate_media(media="screen")


@pytest.mark.parametrize("width", [360, 1072, *WIDTHS])
def test_nothing_is_wider_than_the_window(
    shown: Shown, rejected: str, hostile: str, width: int
) -> None:
    for text in (rejected, hostile, rejected.replace("material=iron", "m" * 300)):
        page = shown.open(text, width=width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("model_type", kinds.RULES)
def test_the_pictures_of_each_kind_fit_and_take_the_pages_colours(
    shown: Shown, model_type: str
) -> None:
    text = html.gate(kinds.judged(model_type), title="m", facts=samples.FACTS)
    script = """() => [...document.querySelectorAll('.plot')].map(plot => {
        const box = plot.getBoundingClientRect();
        return [box.left >= 0 && box.right <= innerWidth, box.width > 200 && box.height > 40,
            getComputedStyle(plot.querySelector('text')).fill];
    })"""
    for scheme, ink in zip(SCHEMES, ("rgb(27, 31, 36)", "rgb(230, 233, 238)"), strict=True):
        for width in WIDTHS:
            page = shown.open(text, scheme, width)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            found = page.evaluate(script)
            assert found
            assert all(each == [True, True, ink] for each in found), (scheme, width, found)


def test_a_screen_reader_finds_the_table_and_the_numbers(shown: Shown, rejected: str) -> None:
    page = shown.open(rejected, width=360)
    table = page.get_by_role("table", name="All rules")
    row = table.get_by_role("row").filter(has_text="material=iron")
    assert row.get_by_role("rowheader").inner_text() == "accuracy"
    assert table.get_by_role("columnheader").count() == row.locator("td, th").count()
    roc = page.get_by_role("img", name="ROC curve")
    assert "candidate 0.97" in (roc.get_attribute("aria-label") or "")
    assert page.get_by_role("img").count() == 6
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_no_name_becomes_markup_and_nothing_is_asked_for(
    shown: Shown, rejected: str, hostile: str
) -> None:
    for text in (rejected, hostile):
        frame = shown.framed(text)
        assert frame.locator("script, img, link, iframe, [onerror]").count() == 0
        assert frame.locator("h1").count() == 1
        assert frame.locator(".plot").count() >= 1
    shown_name = samples.HOSTILE.replace("\x07", "\ufffd")
    assert frame.locator("h1").text_content() == shown_name
    assert frame.locator("dt").text_content() == shown_name
    # Without a sandbox, too, nothing runs.
    page = shown.open(hostile)
    assert page.evaluate("typeof owned + typeof parent.owned") == "undefinedundefined"
    assert shown.asked == []
