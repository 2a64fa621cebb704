"""The widget of a dashboard and its configuration, as people see them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.extension.tab.frame import DARK, LIGHT, OpenTab
from tests.extension.tab.samples import STUDIO, check, verdict
from tests.extension.tab.service import Service
from tests.extension.tab.test_tab import (
    MODEL,
    NASTY,
    add_history,
    judged,
    picture,
    rows,
    violations,
)

SUCCESS, UNCONFIGURED = 0, 2
"""WidgetStatusType of azure-devops-extension-api."""


def settings(pipeline: int, **chosen: str) -> dict[str, Any]:
    """What a dashboard hands to a widget."""
    data = {"pipeline": pipeline, "branch": "main", "model": "", "metric": "", **chosen}
    return {
        "name": "Is the classifier good?",
        "size": {"rowSpan": 2, "columnSpan": 2},
        "customSettings": {"data": json.dumps(data)},
    }


def test_the_last_verdict_and_the_history_of_a_metric(open_tab: OpenTab, service: Service) -> None:
    add_history(service)
    widget = open_tab(Widget=0, width=330, height=330)
    assert widget.ask("load", settings(service.definition))["statusType"] == SUCCESS
    text = widget.text()
    assert "Is the classifier good?" in text
    assert f"✓ passed 20261125.1 {MODEL}" in text
    assert "0.923 accuracy (higher is better, baseline 0.9189)" in text
    links = widget.frame.get_by_role("link")
    assert str(links.nth(0).get_attribute("href")).startswith(service.url)
    assert str(links.nth(1).get_attribute("href")).startswith(f"{STUDIO}/runs/quiet_river_1")
    chart = widget.frame.locator("svg")
    assert str(chart.get_attribute("aria-label")).startswith(
        "accuracy, higher is better: 19 builds from 20261106.1 to 20261125.1"
    )
    assert chart.locator(".current").count() == 1
    place = chart.bounding_box()
    assert place
    assert place["y"] + place["height"] <= 330, "a widget has no scroll bar"

    asked = settings(service.definition, metric="log loss")
    assert widget.ask("reload", asked)["statusType"] == SUCCESS
    assert "0.27 log loss (lower is better)" in widget.text()
    assert widget.ask("lightbox", asked)["statusType"] == SUCCESS
    assert "as a table" in widget.text()
    assert widget.frame.locator("svg").count() == 3


def test_a_rejected_model_on_another_branch(open_tab: OpenTab, service: Service) -> None:
    service.add_build(judged(0.9, 0.8, 0.2), number="good")
    service.add_build(judged(0.8, 0.9, 0.2), number="bad", sourceBranch="refs/heads/team/x")
    other = verdict("other", check("recall", None, None, passed=False, reason="NO_METRIC"))
    service.add_build(other, number="newest", sourceBranch="refs/heads/team/x")
    widget = open_tab(Widget=0)
    for chosen, said in [
        ({"branch": "team/x", "model": MODEL}, f"✕ rejected: NOT_BETTER bad {MODEL}"),
        ({"branch": "refs/heads/team/x"}, "✕ rejected: NO_METRIC newest other"),
        ({"branch": ""}, "The last builds measured nothing."),
        ({"branch": "main"}, f"✓ passed good {MODEL}"),
        ({"branch": "main", "metric": "f1"}, "The last builds did not measure f1."),
    ]:
        widget.ask("reload", settings(service.definition, **chosen))
        assert said in widget.text()


def test_a_build_with_a_verdict_is_found_behind_many_without(
    open_tab: OpenTab, service: Service
) -> None:
    service.add_build(judged(0.9, 0.8, 0.2), number="judged")
    for _ in range(21):
        service.add_build()
    widget = open_tab(Widget=0)
    widget.ask("load", settings(service.definition))
    assert f"✓ passed judged {MODEL}" in widget.text()


@pytest.mark.parametrize("data", [None, "", "{", "null", '"x"', '{"pipeline": "7"}', "[]"])
def test_a_widget_that_is_not_configured_says_so(open_tab: OpenTab, data: str | None) -> None:
    widget = open_tab(Widget=0)
    given = {**settings(0), "customSettings": data and {"data": data}}
    assert widget.ask("load", given)["statusType"] == UNCONFIGURED
    assert "No pipeline is chosen. Next: choose one in the widget's configuration" in widget.text()


def test_what_cannot_be_shown_is_one_sentence(open_tab: OpenTab, service: Service) -> None:
    service.add_build()
    widget = open_tab(Widget=0)
    widget.ask("load", settings(service.definition))
    none = "None of the last builds on main has a verdict of the gate. Next: run the gate, or"
    assert none in widget.text()
    service.faults = {"_apis/build": 403}
    widget.ask("reload", settings(service.definition))
    assert "You may not read the builds of this pipeline. Next: ask a project" in widget.text()
    service.faults = {}
    service.add_build(judged(0.9, None, 0.2), number="7")
    widget.frame.get_by_role("button", name="Try again").press("Enter")
    widget.frame.get_by_text("✓ passed").wait_for()
    widget.ask("reload", settings(service.definition, model="gone"))
    assert "None of the last builds on main judged gone. Next:" in widget.text()


def test_names_are_text(open_tab: OpenTab, service: Service) -> None:
    bad = check(NASTY, 0.9, 0.8, scope=NASTY, reason=NASTY, passed=False)
    links = {"run": "javascript:top.owned = 1"}
    service.add_build(verdict(NASTY, bad, links=links), number=NASTY)
    widget = open_tab(Widget=0)
    given = {**settings(service.definition), "name": NASTY}
    widget.ask("load", given)
    assert widget.text().count("<script>top.owned = 1</script>") >= 5
    assert widget.frame.locator("img, main script, a[href^=javascript]").count() == 0
    assert widget.page.evaluate("window.owned") is None


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 800, 1400])
def test_themes_and_widths_are_accessible(
    open_tab: OpenTab, service: Service, theme: dict[str, str], width: int
) -> None:
    add_history(service)
    scheme = "dark" if theme is DARK else "light"
    for method, height in (("load", 160), ("load", 330), ("lightbox", 900)):
        widget = open_tab(Widget=0, theme=theme, width=width, height=height)
        widget.ask(method, settings(service.definition))
        widget.text()
        picture(widget, f"widget-{method}-{height}-{scheme}-{width}")
        root = "document.documentElement"
        assert widget.document.evaluate(f"getComputedStyle({root}).colorScheme") == scheme
        assert widget.document.evaluate(f"{root}.scrollWidth") <= width
        if method == "load":
            assert widget.document.evaluate(f"{root}.scrollHeight") <= height
        assert violations(widget.document) == []
    page = open_tab(Configuration=0, theme=theme, width=width)
    page.ask("load", settings(service.definition))
    page.text()
    assert page.document.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page.document) == []


def test_the_configuration_offers_what_the_builds_have(open_tab: OpenTab, service: Service) -> None:
    add_history(service)
    service.add_build(verdict("other", check("recall", 0.5, None)))
    page = open_tab(Configuration=0)
    page.ask("load", {**settings(0), "customSettings": None})
    page.text()
    assert page.notified() == []
    refused = page.ask("onSave")["refused"]
    assert refused["isValid"] is False
    assert "No pipeline is chosen. Next: choose one." in page.text()

    pipeline, branch, model, metric = (
        page.frame.get_by_label(name, exact=True)
        for name in ("Pipeline", "Branch", "Model", "Metric")
    )
    assert branch.input_value() == "main"
    pipeline.select_option(str(service.definition))
    page.text()
    assert model.locator("option").all_inner_texts() == [
        "The one that was judged last",
        "other",
        MODEL,
    ]
    assert metric.locator("option").all_inner_texts() == ["The first one", "recall"]
    model.select_option(MODEL)
    assert metric.locator("option").all_inner_texts()[1:] == [
        "accuracy",
        "log loss",
        "accuracy (age = old)",
    ]
    metric.select_option("log loss")
    expected = {
        "pipeline": service.definition,
        "branch": "main",
        "model": MODEL,
        "metric": "log loss",
    }
    assert page.notified()[-1] == expected, "the dashboard shows a preview"
    saved = page.ask("onSave")
    assert saved["isValid"] is True
    assert json.loads(saved["customSettings"]["data"]) == expected


def test_the_configuration_keeps_what_is_no_longer_there(
    open_tab: OpenTab, service: Service
) -> None:
    service.add_build()
    page = open_tab(Configuration=0)
    kept = settings(service.definition, branch="refs/pull/7/merge", model="gone", metric="f1")
    page.ask("load", kept)
    assert "None of the last builds has a verdict of the gate." in page.text()
    model = page.frame.get_by_label("Model", exact=True)
    assert model.locator("option:checked").inner_text() == "gone (not found)"
    saved = page.ask("onSave")["customSettings"]["data"]
    assert json.loads(saved) == json.loads(kept["customSettings"]["data"])


def test_the_configuration_says_what_it_cannot_read(open_tab: OpenTab, service: Service) -> None:
    service.faults = {"definitions": 403}
    page = open_tab(Configuration=0)
    page.ask("load", settings(service.definition))
    assert "You may not read the pipelines of this project. Next: ask" in page.text()
    service.faults = {}
    page.frame.get_by_role("button", name="Try again").click()
    page.frame.get_by_text("None of the last builds").wait_for()
    service.faults = {"_apis/build/builds": 503}
    page.frame.get_by_label("Branch").fill("other")
    page.frame.get_by_label("Branch").press("Enter")
    page.frame.get_by_text("failed with the answer 503. Next: try again").wait_for()


def test_in_the_sandboxed_frame_of_a_server_of_ones_own(
    open_tab: OpenTab, service: Service
) -> None:
    add_history(service)
    widget = open_tab(Widget=0, sandbox="allow-scripts allow-popups allow-forms")
    widget.ask("load", settings(service.definition))
    assert "0.923 accuracy" in widget.text()
    assert rows(widget.frame.locator("table")) == []
