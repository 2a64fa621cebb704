"""The tab on builds and on classic releases, as people see it."""

from __future__ import annotations

import re
from typing import Literal

import pytest
from playwright.sync_api import Browser, Frame, Locator

from tests.extension.tab.frame import DARK, LIGHT, ROOT, OpenTab, Tab
from tests.extension.tab.samples import (
    Attached,
    check,
    deploy_report,
    deployed,
    gate_report,
    result,
    verdict,
)
from tests.extension.tab.service import Service

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
NASTY = '"><img src=x onerror="top.owned = 1"><script>top.owned = 1</script>'
MODEL = "compliance-classifier"


def judged(accuracy: float, baseline: float | None, loss: float) -> Attached:
    """A verdict with a metric that must rise, one that must fall and one on a slice."""
    passed = baseline is None or accuracy >= baseline
    why = {"passed": passed, "reason": "PASSED" if passed else "NOT_BETTER"}
    low_high = {} if baseline is None else {"low": -0.004, "high": 0.011}
    return verdict(
        MODEL,
        check("accuracy", accuracy, baseline, **why, **low_high),
        check("log loss", loss, None, direction="lower"),
        check("accuracy", accuracy - 0.03, None, scope="age = old"),
    )


def add_history(service: Service) -> int:
    """Four weeks on main, one build elsewhere, one without a verdict; returns the newest."""
    baseline = None
    for day in range(1, 24):
        accuracy = round(0.88 + day / 700 + (0.006 if day % 5 else -0.012), 4)
        service.add_build(judged(accuracy, baseline, 0.4 - day / 200), number=f"202611{day:02}.1")
        baseline = max(baseline or 0, accuracy)
    service.add_build(judged(0.1, None, 9), number="elsewhere", sourceBranch="refs/heads/other")
    service.add_build(number="20261124.1")
    return service.add_build(
        judged(0.923, baseline, 0.27),
        gate_report(MODEL),
        result(deployed("cars-live")),
        deploy_report(deployed("cars-live")),
        number="20261125.1",
    )


def rows(table: Locator) -> list[list[str]]:
    """The cells of a table."""
    return [
        [cell.strip() for cell in row.locator("th, td").all_inner_texts()]
        for row in table.locator("tbody tr").all()
    ]


def picture(tab: Tab, name: str) -> None:
    """Keep what is seen, for the docs: build/<name>.png."""
    folder = ROOT / "build"
    folder.mkdir(exist_ok=True)
    tab.page.screenshot(path=folder / f"{name}.png")


def test_a_build_shows_verdict_deployment_history_and_reports(
    open_tab: OpenTab, service: Service
) -> None:
    tab = open_tab(Build=add_history(service))
    text = tab.text()
    assert "Model report of build 20261125.1" in text
    assert f"Gate: {MODEL} ✓ passed" in text
    assert "Compared with the model in service (version 3)." in text
    checks = tab.frame.get_by_role("region", name=f"Checks of {MODEL}")
    assert rows(checks) == [
        ["accuracy", "0.923", "0.9189", "0.0041 [-0.004, 0.011]", "✓ passed"],
        ["log loss", "0.27", "-", "-", "✓ passed"],
        ["accuracy (age = old)", "0.893", "-", "-", "✓ passed"],
    ]
    assert "Deployment: cars-live ✓ Healthy" in text
    assert "compliance-classifier:4" in text

    charts = [one.get_attribute("aria-label") for one in tab.frame.locator("svg").all()]
    assert [str(one).partition(",")[0] for one in charts] == [
        "accuracy",
        "log loss",
        "accuracy (age = old)",
    ]
    # The last twenty builds of the branch, less the one that was not judged.
    assert re.match(
        r"accuracy, higher is better: 19 builds from 20261106\.1 to 20261125\.1, lowest 0\.8\d+, "
        r"highest 0\.923, last 0\.923 \(passed\)\.",
        str(charts[0]),
    )
    tab.frame.get_by_text(f"History of {MODEL} as a table").click()
    history = rows(tab.frame.get_by_role("region", name=f"History of {MODEL}", exact=True))
    assert len(history) == 19
    assert history[0] == ["20261125.1", "✓ passed", "version 4", "0.923", "0.27", "0.893"]
    assert [row[0] for row in history if row[1] == "✕ rejected"] == [
        "20261120.1",
        "20261115.1",
        "20261110.1",
    ]
    assert tab.frame.locator("svg").first.locator(".rejected .cross").count() == 3
    assert tab.frame.locator("svg").first.locator(".current").count() == 1
    link = tab.frame.get_by_role("link", name="20261123.1")
    assert str(link.get_attribute("href")).startswith(service.url)
    assert link.get_attribute("rel") == "noopener noreferrer"

    shown = tab.frame.frame_locator(f'iframe[title="Gate report: {MODEL}"]')
    assert shown.get_by_role("heading", name="Why it passed").is_visible()
    assert not any("aml.deploy.report/cars" in path for path in service.asked), "not opened yet"
    tab.frame.get_by_text("Deployment report: cars-live").click()
    shown = tab.frame.frame_locator('iframe[title="Deployment report: cars-live"]')
    shown.get_by_text("Smoke test: 2 of 2 rows as expected").wait_for()
    assert tab.page.evaluate("host.loaded") is True


def test_a_rejected_model_says_why(open_tab: OpenTab, service: Service) -> None:
    tab = open_tab(Build=service.add_build(judged(0.8, 0.9, 0.5), number="20261125.2"))
    text = tab.text()
    assert f"Gate: {MODEL} ✕ rejected" in text
    assert "NOT_BETTER accuracy is 0.8, which is not better than 0.9" in text
    assert "✕ NOT_BETTER, fail" in text


def test_charts_of_one_build_and_of_odd_numbers(open_tab: OpenTab, service: Service) -> None:
    numbers = {"zero": 0.0, "tiny": 3e-12, "huge": -4.2e15, "half": 0.5}
    checks = [check(name, value, None) for name, value in numbers.items()]
    build = service.add_build(verdict(MODEL, *checks, check("missing", None, None)))
    tab = open_tab(Build=build)
    assert "-4200000000000000" in tab.text()
    charts = tab.frame.locator("figure")
    assert [one.locator("figcaption").inner_text() for one in charts.all()] == list(numbers)
    for chart in charts.all():
        assert chart.locator(".disc").count() == 1
        assert chart.locator(".tick").count() > 1
        assert "NaN" not in chart.inner_html()
        assert "Infinity" not in chart.inner_html()


def test_a_release_shows_its_stages_and_the_build_it_deploys(
    open_tab: OpenTab, service: Service
) -> None:
    build = service.add_build(judged(0.92, 0.91, 0.3), gate_report(MODEL))
    release = service.add_release(
        {
            "Test": [result(deployed("cars-test")), deploy_report(deployed("cars-test"))],
            "Production": [result(deployed("cars", state="Failed", problem="SMOKE_FAILED: 2."))],
        },
        build,
    )
    tab = open_tab(Release=release)
    tab.text()
    headings = tab.frame.get_by_role("heading").all_inner_texts()
    assert headings[:6] == [
        "Model report of release Release-1",
        "Stage Test: Results",
        "Deployment: cars-test ✓ Healthy",
        "Stage Production: Results",
        "Deployment: cars ✕ Failed",
        "Build 20261125.1: Results",
    ]
    assert tab.frame.get_by_text("SMOKE_FAILED: 2.").is_visible()
    assert "Stage Test: Reports" in headings
    assert tab.frame.get_by_role("heading", name="History of cars on main").is_visible()
    shown = tab.frame.frame_locator('iframe[title="Deployment report: cars-test"]')
    shown.get_by_role("heading", name="Deployment of cars-test").wait_for()


def test_a_release_is_shown_even_when_its_build_may_not_be_read(
    open_tab: OpenTab, service: Service
) -> None:
    release = service.add_release({"Test": [result(deployed("cars-test"))]}, service.add_build())
    service.faults = {"_apis/build": 403}
    text = open_tab(Release=release).text()
    assert "Deployment: cars-test ✓ Healthy" in text
    assert "You may not read build 20261125.1, which this release deploys. Next: ask" in text


NETWORK = (
    "Azure DevOps could not be reached for this build. Next: check your connection and try again."
)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({}, "This build has no report of a gate or a deployment. Next: open one that ran"),
        ({"/builds/": 403}, "You may not read this build. Next: ask a project administrator"),
        ({"/builds/": 401}, "You may not read this build. Next: ask a project administrator"),
        ({"/builds/": 404}, "Azure DevOps no longer has this build. Next: look at a newer run"),
        ({"attachments": 500}, "Reading this build failed with the answer 500. Next: try again"),
        ({"/builds/": 0}, NETWORK),
    ],
    ids=str,
)
def test_nothing_to_show_is_one_sentence_that_says_what_to_do(
    open_tab: OpenTab, service: Service, fault: dict[str, int], said: str
) -> None:
    service.faults = fault
    tab = open_tab(Build=service.add_build())
    assert said in tab.text()
    status = tab.frame.get_by_role("status")
    assert said in status.inner_text()
    if fault:
        service.faults = {}
        tab.frame.get_by_role("button", name="Try again").press("Enter")
        status.get_by_text("has no report").wait_for()


def test_a_portal_that_names_nothing_is_told(open_tab: OpenTab) -> None:
    text = open_tab(Nothing=0).text()
    assert "The portal names no build and no release. Next: reload the page." in text


def test_a_running_build_fills_up_without_a_reload(open_tab: OpenTab, service: Service) -> None:
    build = service.add_build(running=True)
    tab = open_tab(Build=build)
    assert "has no report yet. Next: wait for the gate or the deployment to end." in tab.text()

    service.attach(build, judged(0.92, 0.91, 0.3), gate_report(MODEL))
    tab.page.evaluate("id => changeSubject({ id })", build)
    tab.frame.get_by_role("heading", name=f"Gate: {MODEL}").wait_for()
    assert "The build is still running; more may come." in tab.text()

    # The host tells of every change of a running build; what is read must not jump away.
    tab.document.evaluate("document.querySelector('.card').dataset.mark = 'same'")
    before = len(service.asked)
    tab.page.evaluate("id => changeSubject({ id })", build)
    while len(service.asked) < before + 5:
        tab.page.wait_for_timeout(20)
    tab.page.wait_for_timeout(400)  # long enough to be drawn again, which must not happen
    assert tab.frame.locator("[data-mark=same]").count() == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "The attachment 'cars' is damaged. Next: look at the step's log, or run it again."),
        ("[]", "The attachment 'cars' is of another version than this tab. Next: update"),
        ('{"schema": 2}', "The attachment 'cars' is of another version than this tab. Next: upd"),
        ('{"schema": 1, "checks": [null, 7]}', "Gate: cars ✕ rejected"),
    ],
)
def test_what_cannot_be_understood_hides_nothing_else(
    open_tab: OpenTab, service: Service, content: str, said: str
) -> None:
    build = service.add_build(
        Attached("aml.gate.verdict", "cars", content), result(deployed("live"))
    )
    text = open_tab(Build=build).text()
    assert said in text
    assert "Deployment: live ✓ Healthy" in text


def test_a_failing_history_hides_nothing_else(open_tab: OpenTab, service: Service) -> None:
    build = service.add_build(judged(0.92, 0.91, 0.3), gate_report(MODEL))
    service.add_build()
    service.faults = {f"builds/{build + 1}/attachments": 500}
    tab = open_tab(Build=build)
    text = tab.text()
    assert f"Gate: {MODEL} ✓ passed" in text
    assert "Reading the last builds failed with the answer 500. Next: try again" in text
    service.faults = {}
    tab.frame.get_by_role("button", name="Try again").click()
    tab.frame.get_by_text("as a table").wait_for()


def test_a_report_that_cannot_be_read_says_so_in_its_place(
    open_tab: OpenTab, service: Service
) -> None:
    build = service.add_build(result(deployed("live")), deploy_report(deployed("live")))
    service.faults = {"aml.deploy.report/live": 404}
    text = open_tab(Build=build).text()
    assert "Azure DevOps no longer has the report 'live'. Next: look at a newer run" in text


def test_names_are_text_and_reports_can_do_nothing(open_tab: OpenTab, service: Service) -> None:
    """The fixture fails on every request that is not the tab's own, and so on every way out."""
    hostile = gate_report(
        NASTY,
        "<base target=_top><p id=told>told</p><script>top.owned = 1; told.remove()</script>"
        '<img src="https://evil.example/pixel" onerror="top.owned = 1">'
        "<link rel=stylesheet href=https://evil.example/style>"
        '<meta http-equiv="refresh" content="0; url=https://evil.example/refresh">'
        "<iframe src=https://evil.example/frame></iframe>"
        '<form action="https://evil.example/form"><button>send</button></form>'
        '<a target=_self href="https://evil.example/self">here</a>'
        '<a target=_top href="https://evil.example/top">up</a>'
        '<a target=_blank href="https://evil.example/new">out</a>'
        '<a target=_self href="javascript:top.owned=1">js</a>',
    )
    bad = check(NASTY, 0.9, 0.8, scope=NASTY, reason=NASTY, passed=False, severity=NASTY)
    build = service.add_build(
        verdict(NASTY, bad, detail=NASTY, baseline={"label": NASTY}),
        result(deployed(NASTY, state=NASTY, scoring_uri="javascript:top.owned=1")),
        hostile,
        number=NASTY,
    )
    tab = open_tab(Build=build)
    text = tab.text()
    assert text.count("<script>top.owned = 1</script>") > 8
    content = tab.frame.locator("main")
    assert content.locator("img, script").count() == 0
    assert content.locator("a[href^=javascript]").count() == 0

    inside = tab.document.child_frames[0]
    for name in ("up", "out", "js", "send"):
        inside.get_by_text(name, exact=True).click()
    tab.page.wait_for_timeout(300)
    assert inside.url == "about:srcdoc"
    assert inside.locator("#told").inner_text() == "told", "no script ran"
    inside.get_by_text("here", exact=True).click()
    tab.page.wait_for_timeout(300)
    assert "evil" not in inside.url
    assert tab.page.evaluate("window.owned") is None
    assert len(tab.page.context.pages) == 1


@pytest.mark.parametrize("width", [400, 800, 1400])
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_themes_and_widths_are_accessible(
    open_tab: OpenTab, service: Service, theme: dict[str, str], width: int
) -> None:
    build = add_history(service)
    name = f"tab-{'dark' if theme is DARK else 'light'}-{width}"
    tab = open_tab(Build=build, theme=theme, width=width)
    tab.text()
    picture(tab, name)
    tab.frame.get_by_text("as a table").click()
    scheme = "dark" if theme is DARK else "light"
    root = "getComputedStyle(document.documentElement)"
    assert tab.document.evaluate(f"{root}.colorScheme") == scheme
    prefers = f"matchMedia('(prefers-color-scheme: {scheme})').matches"
    assert tab.document.child_frames[0].evaluate(prefers), "reports follow the theme"
    assert tab.document.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(32, 31, 30)" if theme is DARK else "rgb(248, 248, 248)"
    )
    assert tab.document.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(tab.document) == []
    checks = tab.frame.get_by_role("region", name=f"Checks of {MODEL}")
    first = checks.get_by_role("row").nth(1)
    result, number = (first.get_by_text(text).bounding_box() for text in ("passed", "0.923"))
    assert result
    assert number
    assert (result["x"] < number["x"]) == (width <= 600), "on a narrow page, the result is first"
    assert checks.evaluate("one => one.scrollWidth <= one.clientWidth"), "nothing is out of sight"
    other = LIGHT if theme is DARK else DARK
    tab.page.evaluate("theme => changeTheme(theme)", other)
    tab.frame.locator(f"html[data-scheme={'light' if other is LIGHT else 'dark'}]").wait_for()
    assert violations(tab.document) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_deployments_report_is_accessible(
    browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    """On a page of its own: in the tab's frame no script runs, and so axe does not."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": 390, "height": 800})
    try:
        shown = context.new_page()
        shown.set_content(deploy_report(deployed("cars-live", problem="It is late.")).content)
        assert violations(shown.main_frame) == []
        assert shown.evaluate("document.documentElement.scrollWidth") <= 390
    finally:
        context.close()


def violations(document: Frame) -> list[str]:
    """What axe finds in a document, by WCAG 2.2 AA and its own best practices."""
    document.evaluate(AXE.read_text(encoding="utf-8"))
    found = document.evaluate(
        "async () => (await axe.run(document, { iframes: false })).violations"
    )
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found]


def test_the_keyboard_reaches_everything_in_the_order_it_is_read(
    open_tab: OpenTab, service: Service
) -> None:
    tab = open_tab(Build=add_history(service))
    tab.text()
    tab.document.evaluate("document.body.focus()")
    tab.frame.locator("h1").click()

    def focused() -> str:
        return str(
            tab.document.evaluate(
                "(({ ariaLabel, title, textContent }) => ariaLabel || textContent || title)"
                "(document.activeElement)"
            )
        )

    def walk(keys: int) -> list[str]:
        found = []
        for _ in range(keys):
            tab.page.keyboard.press("Tab")
            found.append(focused())
        return found

    pages = ["Run quiet_river_1", f"Model {MODEL}:4", "Build"]
    heads = ["Metric", "Candidate", "Baseline", "Gain", "Result"]
    row = ["0.923", "0.9189", "0.27", "0.893"]
    assert walk(14) == [
        *("the model in service (version 3)", *pages, f"Checks of {MODEL}", *heads, *row),
    ]
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert tab.document.evaluate(outline) == "solid"
    assert walk(5)[-1] == f"History of {MODEL} as a table"
    tab.page.keyboard.press("Enter")
    assert walk(3) == [
        f"Filter History of {MODEL}",
        f"History of {MODEL}",
        "Build",
    ]
    tab.page.keyboard.press("Enter")
    heading = tab.frame.get_by_role("columnheader", name="Build")
    assert heading.get_attribute("aria-sort") == "ascending"
    history = tab.frame.get_by_role("region", name=f"History of {MODEL}", exact=True)
    assert rows(history)[0][0] == "20261106.1"

    while focused() != f"Gate report: {MODEL}":
        tab.page.keyboard.press("Tab")
    tab.page.keyboard.press("Enter")
    assert not tab.frame.locator("details.report").first.evaluate("one => one.open")
    assert walk(1) == ["Deployment report: cars-live"]


def test_in_the_sandboxed_frame_of_a_server_of_ones_own(
    open_tab: OpenTab, service: Service
) -> None:
    """Azure DevOps Server gives extensions a frame without an origin (XDM.ts, `owns`)."""
    build = service.add_build(judged(0.92, 0.91, 0.3), gate_report(MODEL))
    tab = open_tab(Build=build, sandbox="allow-scripts allow-popups allow-forms")
    assert f"Gate: {MODEL} ✓ passed" in tab.text()
    shown = tab.frame.frame_locator(f'iframe[title="Gate report: {MODEL}"]')
    shown.get_by_role("heading", name="Why it passed").wait_for()
