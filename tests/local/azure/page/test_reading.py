"""The page as its readers use it, in Chromium: links, charts, filter, and that it stays fresh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import pytest
import requests
from playwright.sync_api import Browser, ConsoleMessage, Page

from tests.extension.tab.service import Service
from tests.extension.tab.test_tab import violations
from tests.running_azure import RunningAzure

LONG = "a-name-that-is-much-longer-than-a-narrow-page-" * 3


@dataclass
class Filled:
    """A local Azure with a build, its two runs and a model."""

    azure: RunningAzure
    http: requests.Session
    build: int = 0
    runs: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        return self.azure.environment["HTTPS_PROXY"]

    def mlflow(self, path: str, **body: object) -> dict[str, Any]:
        api = f"https://eastus.api.azureml.ms/mlflow/v2.0{self.azure.scope}/api/2.0/mlflow"
        answer = self.http.post(f"{api}/{path}", json=body)
        assert answer.ok, answer.text
        return dict(answer.json())

    def add_run(self, name: str, accuracy: float) -> str:
        tags = [{"key": "build_id", "value": str(self.build)}, {"key": "note", "value": LONG}]
        run = self.mlflow("runs/create", run_name=name, tags=tags)["run"]
        run_id = str(run["info"]["run_id"])
        for step in range(3):
            value = {"key": "accuracy", "value": accuracy + step / 100, "step": step}
            self.mlflow(
                "runs/log-metric", run_id=run_id, timestamp=1_764_547_200_000 + step, **value
            )
        return run_id

    def add_file(self, run_id: str, path: str) -> None:
        api = f"https://eastus.api.azureml.ms/artifact/v2.0{self.azure.scope}/artifacts"
        place = f"batch/metadata/ExperimentRun/dcid.{run_id}"
        made = self.http.post(f"{api}/{place}", json={"paths": [{"path": path}]}).json()
        address = made["artifactContentInformation"][path]["contentUri"]
        block = {"x-ms-blob-type": "BlockBlob", "x-ms-version": "2020-10-02"}
        assert self.http.put(address, data=b"log line\n" * 200, headers=block).ok


@pytest.fixture(scope="module")
def filled(local_azure: RunningAzure, azure_http: requests.Session) -> Filled:
    made = Filled(local_azure, azure_http)
    service = Service(local_azure.environment)
    made.build = service.add_build(number="20261201.7")
    service.session.close()
    made.runs = (made.add_run("reading-first", 0.8), made.add_run(f"reading-{LONG}", 0.9))
    made.add_file(made.runs[1], "model/MLmodel")
    made.mlflow("registered-models/create", name="reading-model")
    made.mlflow(
        "model-versions/create",
        name="reading-model",
        run_id=made.runs[1],
        source=f"runs:/{made.runs[1]}/model",
        tags=[{"key": "build_id", "value": str(made.build)}, {"key": "stage", "value": "good"}],
    )
    return made


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 500})
    context.set_default_timeout(20_000)
    opened = context.new_page()
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))

    def said(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(message.text)

    opened.on("console", said)
    opened.clock.install()
    yield opened
    context.close()
    assert [error for error in errors if "ERR_" not in error] == []


def wait(page: Page) -> None:
    """Until the page has fetched itself again."""
    with page.expect_response(lambda answer: answer.request.resource_type == "fetch"):
        page.clock.run_for(5_100)


def test_build_run_and_model_lead_to_each_other(page: Page, filled: Filled) -> None:
    page.goto(filled.url)
    build = page.locator(f"#build-{filled.build}")
    build.get_by_role("link", name="reading-first").click()
    assert page.url == f"{filled.url}/runs/{filled.runs[0]}"
    page.get_by_role("link", name=f"build {filled.build}").first.click()
    assert page.url == f"{filled.url}/#build-{filled.build}"
    assert build.evaluate("row => row.matches(':target')")
    build.get_by_role("link", name="reading-model:1").click()
    model = page.locator("tr:target")
    assert model.locator("td").first.inner_text() == "reading-model"
    assert model.get_by_role("link", name=f"build {filled.build}").count() == 1
    model.get_by_text("2 tags").click()
    assert model.get_by_role("row", name="stage good").is_visible(), "tags are a table"
    model.get_by_role("link", name=filled.runs[1]).click()
    page.locator("#facts").get_by_role("link", name="reading-model:1").click()
    assert page.url.endswith("#model-reading-model-1")


def test_metrics_are_charts(page: Page, filled: Filled) -> None:
    page.goto(f"{filled.url}/runs/{filled.runs[0]}")
    chart = page.get_by_role("img", name="accuracy: 3 values, lowest 0.8, highest 0.82, last 0.82")
    assert chart.locator("circle").count() == 3
    assert page.locator("#tags").get_by_role("row", name=f"build_id {filled.build}").is_visible()
    page.goto(filled.url)
    charts = page.locator("#charts").get_by_role("img", name="accuracy")
    assert charts.count() >= 1


def test_the_page_stays_fresh_and_the_reader_in_place(page: Page, filled: Filled) -> None:
    page.goto(filled.url)
    model = page.locator("#model-reading-model-1")
    model.get_by_text("2 tags").click()
    page.get_by_label("Filter rows").fill("reading")
    model.scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.querySelector('#model-reading-model-1').offsetTop - 30)")
    link = model.get_by_role("link").first
    link.focus()
    place = model.bounding_box()
    name = f"reading-{len(filled.runs)}-{filled.add_run('reading-new', 0.5)}"
    filled.add_run(name, 0.7)
    wait(page)
    page.get_by_role("link", name=name).first.wait_for()
    now = model.bounding_box()
    assert place
    assert now
    assert abs(now["y"] - place["y"]) < 2, "what is read stays where it is"
    assert model.locator("details").evaluate("one => one.open")
    assert page.get_by_label("Filter rows").input_value() == "reading"
    assert link.evaluate("one => one === document.activeElement")
    shown = page.locator("main [data-row]:visible").all_inner_texts()
    assert shown
    assert all("reading" in text.lower() for text in shown)
    page.get_by_label("Filter rows").fill("")
    assert page.locator("#count").inner_text() == ""


def test_a_section_that_is_new_comes_to_its_place(page: Page, filled: Filled) -> None:
    run = filled.mlflow("runs/create", run_name="reading-later")["run"]["info"]["run_id"]
    page.goto(f"{filled.url}/runs/{run}")
    assert page.locator("#parameters").count() == 0
    filled.mlflow("runs/log-parameter", run_id=run, key="depth", value="7")
    wait(page)
    page.get_by_role("row", name="depth 7").wait_for()
    order = page.locator("main > section").evaluate_all("all => all.map(({ id }) => id)")
    assert order.index("parameters") < order.index("charts") < order.index("logs")


def test_who_copies_text_keeps_the_selection(page: Page, filled: Filled) -> None:
    page.goto(f"{filled.url}/runs/{filled.runs[0]}")
    page.locator("h1").select_text()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(11_000)
    assert asked == []
    page.evaluate("document.getSelection().removeAllRanges()")
    wait(page)


def test_a_server_that_has_ended_is_told(page: Page, filled: Filled) -> None:
    page.goto(filled.url)
    page.route("**/*", lambda route: route.abort("connectionrefused"))
    page.clock.run_for(5_100)
    page.get_by_text("The local Azure cannot be read").wait_for()
    assert page.locator("#runs").is_visible(), "what was there stays"
    page.unroute("**/*")
    wait(page)
    page.get_by_text("The local Azure cannot be read").wait_for(state="hidden")


@pytest.mark.parametrize("width", [400, 800, 830, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_themes_and_widths_are_accessible(
    page: Page, filled: Filled, scheme: Literal["light", "dark"], width: int
) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    for path, words in (("/", "reading"), (f"/runs/{filled.runs[1]}", "accuracy")):
        page.goto(filled.url + path)
        page.get_by_label("Filter rows").fill(words)
        for details in page.locator("details:visible").all():
            details.evaluate("one => { one.open = true }")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page.main_frame) == []
        cell = page.locator("main [data-row]:visible td").nth(1)
        label = cell.evaluate("one => getComputedStyle(one, '::before').content")
        assert (label == "none") == (width > 820), "a narrow page names each cell"
