"""The history in the tab: links, older builds, sorting, filtering, two builds side by side."""

from __future__ import annotations

import pytest

from tests.extension.tab.frame import OpenTab
from tests.extension.tab.samples import STUDIO, check, deployed, result, verdict
from tests.extension.tab.service import Service
from tests.extension.tab.test_tab import MODEL, NASTY, judged, rows


def add_builds(service: Service, count: int) -> int:
    """Builds with numbers 1 to count whose accuracy rises; returns the id of the last."""
    last = 0
    for number in range(1, count + 1):
        last = service.add_build(judged(0.5 + number / 1000, 0.505, 0.4), number=str(number))
    return last


def test_every_number_leads_to_its_page(open_tab: OpenTab, service: Service) -> None:
    build = service.add_build(judged(0.923, 0.91, 0.3), result(deployed("cars-live")), number="9")
    tab = open_tab(Build=build)
    tab.text()
    assert rows(tab.frame.get_by_role("region", name=f"Checks of {MODEL}"))

    def leads(name: str, *, within: str) -> list[str]:
        found = tab.frame.locator(within).get_by_role("link", name=name, exact=True).all()
        return [str(one.get_attribute("href")).partition("?")[0] for one in found]

    gate, deployment = ".card:has(h3:text('Gate'))", ".card:has(h3:text('Deployment'))"
    run, model = f"{STUDIO}/runs/quiet_river_1", f"{STUDIO}/model/{MODEL}:4/details"
    assert leads("0.923", within=gate) == [run]
    assert leads("0.91", within=gate) == [f"{STUDIO}/model/{MODEL}:3/details"]
    assert leads("Run quiet_river_1", within=gate) == [run]
    assert leads(f"Model {MODEL}:4", within=gate) == [model]
    assert leads("Build", within=gate) == ["https://dev.azure.com/contoso/cars/_build/results"]
    assert leads("Endpoint", within=deployment) == [f"{STUDIO}/endpoints/realtime/cars-live/detail"]
    assert leads(f"Model {MODEL}:4", within=deployment) == [model]
    tab.frame.get_by_text("as a table").click()
    assert leads("0.923", within=".history") == [run]
    assert leads("version 4", within=".history") == [model]
    (place,) = leads("9", within=".history")
    assert place.startswith(service.url)


@pytest.mark.parametrize(
    "links", [{}, None, [], "x", {"run": "javascript:top.owned = 1"}, {"run": 7}]
)
def test_without_a_page_a_number_is_text(
    open_tab: OpenTab, service: Service, links: object
) -> None:
    """Also where a verdict is from a task that wrote no addresses, or a hostile one."""
    attached = verdict(MODEL, check("accuracy", 0.923, 0.91), links=links, facts=None)
    tab = open_tab(Build=service.add_build(attached))
    assert "0.923" in tab.text()
    assert tab.frame.locator(".card").first.get_by_role("link").count() == 0


def test_older_builds_come_page_by_page(open_tab: OpenTab, service: Service) -> None:
    tab = open_tab(Build=add_builds(service, 45))
    tab.text()
    tab.frame.get_by_text("as a table").click()
    history = tab.frame.get_by_role("region", name=f"History of {MODEL}", exact=True)
    more = tab.frame.get_by_role("button", name="Show 20 older builds")
    for count in (20, 40):
        assert [row[0] for row in rows(history)] == [str(45 - back) for back in range(count)]
        more.press("Enter")
        tab.text()
    assert [row[0] for row in rows(history)] == [str(45 - back) for back in range(45)]
    assert more.count() == 0, "there are no older ones"
    assert tab.frame.locator("svg").first.locator(".disc, .cross").count() == 45


def test_a_page_of_older_builds_that_fails_can_be_asked_for_again(
    open_tab: OpenTab, service: Service
) -> None:
    tab = open_tab(Build=add_builds(service, 21))
    tab.text()
    service.faults = {"_apis/build": 503}
    tab.frame.get_by_role("button", name="Show 20 older builds").click()
    assert "Reading the last builds failed with the answer 503. Next: try again" in tab.text()
    tab.frame.get_by_text("as a table").click()
    history = tab.frame.get_by_role("region", name=f"History of {MODEL}", exact=True)
    assert len(rows(history)) == 20, "what was there stays"
    service.faults = {}
    tab.frame.get_by_role("button", name="Try again").click()
    tab.text()
    assert len(rows(history)) == 21


def test_the_history_is_sorted_and_filtered(open_tab: OpenTab, service: Service) -> None:
    tab = open_tab(Build=add_builds(service, 9))
    tab.text()
    tab.frame.get_by_text("as a table").click()
    history = tab.frame.get_by_role("region", name=f"History of {MODEL}", exact=True)

    def numbers() -> list[str]:
        return [row.split()[0] for row in history.locator("tbody tr:visible").all_inner_texts()]

    heading = history.get_by_role("columnheader", name="accuracy", exact=True)
    for direction, first in (("ascending", "1"), ("descending", "9")):
        heading.get_by_role("button").press("Enter")
        assert heading.get_attribute("aria-sort") == direction
        assert numbers()[0] == first
    history.get_by_role("columnheader", name="Verdict").get_by_role("button").click()
    assert heading.get_attribute("aria-sort") is None
    assert set(numbers()[:5]) == {"5", "6", "7", "8", "9"}, "those that passed"
    field = tab.frame.get_by_role("searchbox", name=f"Filter History of {MODEL}")
    field.fill("REJECTED 0.5")
    assert sorted(numbers()) == ["1", "2", "3", "4"]
    assert tab.frame.get_by_text("4 of 9 rows").is_visible()
    field.fill("nothing like it")
    assert numbers() == []
    field.fill("")
    assert len(numbers()) == 9


def test_any_two_builds_are_compared(open_tab: OpenTab, service: Service) -> None:
    for number, (accuracy, loss) in enumerate([(0.9, 0.3), (0.8, 0.2), (0.9, 0.5)], 1):
        service.add_build(judged(accuracy, 0.85, loss), number=f"b{number}")
    last = service.add_build(verdict(MODEL, check("recall", 0.7, None)), number=NASTY)
    tab = open_tab(Build=last)
    tab.text()
    tab.frame.get_by_text(f"Compare two builds of {MODEL}").click()
    older, newer = (tab.frame.get_by_label(f"{one} build") for one in ("From", "To"))
    assert older.locator("option:checked").inner_text() == "b3"
    assert newer.locator("option:checked").inner_text() == NASTY
    older.select_option(label="b1")
    newer.select_option(label="b2")
    table = tab.frame.get_by_role("region", name=f"b1 and b2, {MODEL}")
    assert rows(table) == [
        ["recall", "-", "-", "-"],
        ["accuracy", "0.9", "0.8", "✕ -0.1, worse"],
        ["log loss", "0.3", "0.2", "✓ -0.1, better"],
        ["accuracy (age = old)", "0.87", "0.77", "✕ -0.1, worse"],
    ]
    newer.select_option(label="b3")
    table = tab.frame.get_by_role("region", name=f"b1 and b3, {MODEL}")
    assert rows(table)[1] == ["accuracy", "0.9", "0.9", "the same"]


def test_a_build_alone_is_compared_with_nothing(open_tab: OpenTab, service: Service) -> None:
    tab = open_tab(Build=service.add_build(judged(0.9, None, 0.3)))
    assert "Compare two builds" not in tab.text()
