"""The built tab in a real Chromium, inside a stand-in for the portal that speaks xdm.

No server listens: the browser believes to be at Azure DevOps, and every request it makes is answered
here, the files of the tab from the .vsix, the REST calls by `Service`. What is not known gets 501.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
from playwright.sync_api import Browser, Frame, FrameLocator, Page, Route, sync_playwright

ROOT = Path(__file__).resolve().parents[3]
PORTAL = "https://dev.azure.com"
GALLERY = "https://amltasks.gallerycdn.vsassets.io"
BUILD_AREA = "965220d5-5bb9-42cf-8d67-9b146df2a5a4"
RELEASE_AREA = "efc2f575-36ef-48e9-b672-0c6fb4a48ac5"
PROJECT = "6ce954b1-ce1f-45d1-b94d-e6bf2464ba2c"
TOKEN = "token-of-the-signed-in-user"
LIGHT = {
    "background-color": "rgba(255, 255, 255, 1)",
    "callout-background-color": "rgba(255, 255, 255, 1)",
    "communication-foreground": "rgba(0, 90, 158, 1)",
    "palette-black-alpha-20": "rgba(0, 0, 0, .20)",
    "text-primary-color": "rgba(0, 0, 0, .9)",
    "text-secondary-color": "rgba(0, 0, 0, .6)",
}
DARK = {
    "background-color": "rgba(32, 31, 30, 1)",
    "callout-background-color": "rgba(45, 44, 43, 1)",
    "communication-foreground": "rgba(108, 184, 246, 1)",
    "palette-black-alpha-20": "rgba(255, 255, 255, .20)",
    "text-primary-color": "rgba(255, 255, 255, 1)",
    "text-secondary-color": "rgba(255, 255, 255, .7)",
}


@dataclass
class Attached:
    """One attachment of a step."""

    kind: str
    name: str
    content: str
    record: str = "0e4b0b86-9b2a-4d6c-9f4e-4a8a4d7f2a01"


@dataclass
class Service:
    """What the REST API of Azure DevOps answers: builds and releases with their attachments.

    `faults`: by a part of the path, the status to answer with instead; 0 drops the connection.
    """

    builds: dict[int, dict[str, Any]] = field(default_factory=dict)
    releases: dict[int, dict[str, Any]] = field(default_factory=dict)
    attached: dict[str, list[Attached]] = field(default_factory=dict)
    faults: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def add_build(self, number: str, *attached: Attached, **fields: Any) -> int:
        """A completed build of definition 7 on main, unless `fields` say otherwise."""
        identity = len(self.builds) + 101
        self.builds[identity] = {
            "id": identity,
            "buildNumber": number,
            "definition": {"id": 7, "name": "compliance-classifier"},
            "project": {"id": PROJECT},
            "sourceBranch": "refs/heads/main",
            "finishTime": "/Date(1764000000000)/",
            "_links": {"web": {"href": f"{PORTAL}/contoso/_build/results?buildId={identity}"}},
            **fields,
        }
        self.attached[f"build/{identity}"] = list(attached)
        return identity

    def answer(self, route: Route) -> None:
        """Answer one REST call of the page."""
        request = route.request
        path = unquote(urlsplit(request.url).path)
        self.asked.append(path)
        for part, status in self.faults.items():
            if part in path:
                if status:
                    route.fulfill(status=status, json={"message": "by request of the test"})
                else:
                    route.abort("connectionrefused")
                return
        found: object = None
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            route.fulfill(status=401, body="")
            return
        segments = path.removeprefix(f"/contoso/{PROJECT}/_apis/").split("/")
        match segments:
            case ["build", "builds"]:
                found = self._list(parse_qs(urlsplit(request.url).query))
            case ["build", "builds", identity]:
                found = self.builds.get(int(identity))
            case ["build", "builds", identity, "attachments", kind]:
                found = [
                    {"name": one.name, "_links": {"self": {"href": self._address(identity, one)}}}
                    for one in self.attached[f"build/{identity}"]
                    if one.kind == kind
                ]
            case ["build", "builds", identity, _, record, "attachments", kind, *name]:
                found = self._content(f"build/{identity}", record, kind, "/".join(name))
            case ["Release", "releases", identity]:
                found = self.releases.get(int(identity))
            case [*_, "plan", plan, "attachments", kind]:
                found = [
                    {"name": one.name, "type": kind, "timelineId": plan, "recordId": one.record}
                    for one in self.attached[plan]
                    if one.kind == kind
                ]
            case [*_, "plan", plan, "timelines", _, "records", record, "attachments", kind, name]:
                found = self._content(plan, record, kind, name)
            case _:
                self.unknown.append(path)
                route.fulfill(status=501, json={"message": f"{path} is not known"})
                return
        if found is None:
            route.fulfill(status=404, json={"message": "not found"})
        elif isinstance(found, str):
            route.fulfill(body=found.encode(), content_type="application/octet-stream")
        else:
            route.fulfill(json=found)

    def _list(self, query: Mapping[str, list[str]]) -> list[dict[str, Any]]:
        assert query["queryOrder"] == ["4"], "newest first"
        found = [
            one
            for one in reversed(self.builds.values())
            if str(one["definition"]["id"]) in query["definitions"]
            and one["sourceBranch"] in query["branchName"]
        ]
        return found[: int(query["$top"][0])]

    @staticmethod
    def _address(identity: str, one: Attached) -> str:
        timeline = "b5d8f6b0-2f0b-4a55-8d6c-111111111111"
        base = f"{PORTAL}/contoso/{PROJECT}/_apis/build/builds/{identity}"
        return f"{base}/{timeline}/{one.record}/attachments/{one.kind}/{quote(one.name, safe='')}"

    def _content(self, owner: str, record: str, kind: str, name: str) -> str | None:
        for one in self.attached[owner]:
            if (one.record, one.kind, one.name) == (record, kind, name):
                return one.content
        return None


@dataclass
class Tab:
    """The tab in the browser."""

    page: Page
    service: Service

    @property
    def frame(self) -> FrameLocator:
        """Where to look for what the tab shows."""
        return self.page.frame_locator("iframe")

    @property
    def document(self) -> Frame:
        """The tab's document, to run scripts in."""
        return next(frame for frame in self.page.frames if frame.url.startswith(GALLERY))

    def text(self) -> str:
        """All that a person can read in the tab."""
        return self.frame.locator("main").inner_text()

    def ready(self) -> None:
        """Wait until nothing is being loaded."""
        self.frame.locator("#status", has_not_text="Loading").wait_for(state="attached")
        self.frame.get_by_text("Loading").first.wait_for(state="detached")


OpenTab = Callable[..., Tab]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("no Chromium on this machine (CI installs it, see .ci/run)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="session")
def pages(built_vsix: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the browser can load, by address: the tab from the .vsix, and the portal."""
    script = tmp_path_factory.mktemp("portal") / "portal.js"
    esbuild = ROOT / "node_modules" / "esbuild" / "bin" / "esbuild"
    source = Path(__file__).with_name("portal.js")
    subprocess.run(
        [str(esbuild), str(source), "--bundle", f"--outfile={script}", "--log-level=warning"],
        check=True,
    )
    with zipfile.ZipFile(built_vsix) as archive:
        served = {
            f"{GALLERY}/{name}": archive.read(name)
            for name in archive.namelist()
            if name.startswith("extension/tab/")
        }
    style = "body{margin:0}iframe{width:100vw;height:100vh;border:0;display:block}"
    served[f"{PORTAL}/"] = (
        f'<!doctype html><html lang="en"><title>Portal</title><style>{style}</style><body>'
        f"<script>{script.read_text(encoding='utf-8')}</script></body></html>"
    ).encode()
    return served


@pytest.fixture
def open_tab(browser: Browser, pages: Mapping[str, bytes]) -> Iterator[OpenTab]:
    """`open_tab(service, Build=id)` shows the tab on a build, `Release=id` on a release."""
    opened = []

    def open_one(
        service: Service,
        *,
        theme: Mapping[str, str] | None = LIGHT,
        width: int = 1280,
        sandbox: str | None = None,
        **subject: int,
    ) -> Tab:
        context = browser.new_context(viewport={"width": width, "height": 900})
        opened.append((context, service))
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"a script failed: {error}"))

        def answer(route: Route) -> None:
            url = route.request.url
            if url in pages:
                kind = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
                route.fulfill(
                    body=pages[url], content_type=kind.get(url.rpartition(".")[2], "text/html")
                )
            elif "/_apis/" in url:
                service.answer(route)
            else:
                service.unknown.append(url)
                route.fulfill(status=501, body="")

        context.route("**/*", answer)
        page.goto(f"{PORTAL}/")
        ((kind, identity),) = subject.items()
        options = {
            "address": f"{GALLERY}/extension/tab/index.html",
            "contribution": f"amltasks.azure-machine-learning-tasks.{kind.lower()}-report",
            "kind": kind,
            "project": {"id": PROJECT, "name": "cars"},
            "sandbox": sandbox,
            "services": {
                BUILD_AREA: f"{PORTAL}/contoso/",
                RELEASE_AREA: "https://vsrm.dev.azure.com/contoso/",
            },
            "subject": {"id": identity},
            "theme": theme,
            "token": TOKEN,
        }
        page.evaluate("options => openTab(options)", options)
        return Tab(page=page, service=service)

    yield open_one
    for context, service in opened:
        context.close()
        assert service.unknown == []


def verdict(model: str, *, value: float = 0.91, passed: bool = True, **fields: Any) -> Attached:
    """The gate's verdict with two checks."""
    reason = "PASSED" if passed else "BELOW_FLOOR"
    check = {
        "metric": "accuracy",
        "scope": "overall",
        "direction": "higher",
        "candidate": value,
        "baseline": 0.9,
        "gain": value - 0.9,
        "low": value - 0.91,
        "high": value - 0.89,
        "reason": reason,
        "severity": "fail",
        "passed": passed,
    }
    document = {
        "schema": 1,
        "model": model,
        "verdict": "passed" if passed else "rejected",
        "reason": reason,
        "detail": f"accuracy is {value}" + ("" if passed else ", below 0.9"),
        "checks": [
            check,
            {**check, "metric": "log loss", "direction": "lower", "candidate": 1 - value},
            {**check, "scope": "age = old", "candidate": value - 0.05, "low": None, "high": None},
        ],
        "baseline": {"label": f"the model in service, {model}:3", "model": model, "version": 3},
        **fields,
    }
    return Attached("aml.gate.verdict", model, json.dumps(document))


def deployment(service: str, state: str = "Healthy") -> Attached:
    """What a deployment came to."""
    document = {
        "schema": 1,
        "service": service,
        "state": state,
        "model": "compliance-classifier",
        "version": 4,
        "scoringUri": "https://scoring.eastus.inference.ml.azure.com/score",
        "revision": f"{service}-20261125-1",
    }
    return Attached("aml.deploy.result", service, json.dumps(document))


def report(kind: str, name: str, body: str = "<p>What the report says.</p>") -> Attached:
    """A report: HTML that stands alone."""
    page = f'<!doctype html><html lang="en"><title>{kind}</title><body>{body}</body></html>'
    return Attached(f"aml.{kind}.report", name, page)
