"""The built tab in a real Chromium, inside a stand-in for the portal that speaks xdm.

The browser believes to be at Azure DevOps: every request it makes is answered by this process, the
tab's files from the .vsix and the REST calls by `Service`. Anything else fails the test.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Frame, FrameLocator, Page, Route

from tests.extension.tab.service import RELEASE_HOST, Service

ROOT = Path(__file__).resolve().parents[3]
PORTAL = "https://dev.azure.com/"
GALLERY = "https://amltasks.gallerycdn.vsassets.io/"
BUILD_AREA = "965220d5-5bb9-42cf-8d67-9b146df2a5a4"
RELEASE_AREA = "efc2f575-36ef-48e9-b672-0c6fb4a48ac5"
TYPES = {"css": "text/css", "js": "text/javascript"}
# The variables of the portal's themes that the tab uses.
LIGHT = {
    "background-color": "rgba(248, 248, 248, 1)",
    "callout-background-color": "rgba(255, 255, 255, 1)",
    "communication-foreground": "rgba(0, 90, 158, 1)",
    "palette-black-alpha-20": "rgba(0, 0, 0, .20)",
    "text-primary-color": "rgba(0, 0, 0, .9)",
    "text-secondary-color": "rgba(0, 0, 0, .63)",
}
DARK = {
    "background-color": "rgba(32, 31, 30, 1)",
    "callout-background-color": "rgba(45, 44, 43, 1)",
    "communication-foreground": "rgba(108, 184, 246, 1)",
    "palette-black-alpha-20": "rgba(255, 255, 255, .20)",
    "text-primary-color": "rgba(255, 255, 255, 1)",
    "text-secondary-color": "rgba(255, 255, 255, .7)",
}


@dataclass(frozen=True)
class Tab:
    """The tab in the browser."""

    page: Page

    @property
    def frame(self) -> FrameLocator:
        """Where to look for what the tab shows."""
        return self.page.frame_locator("body > iframe")

    @property
    def document(self) -> Frame:
        """The tab's document, to run scripts in."""
        return next(one for one in self.page.frames if one.url.startswith(GALLERY))

    def text(self) -> str:
        """All that a person can read in the tab when nothing is being loaded any more."""
        self.frame.locator("main", has_not_text="Loading").wait_for()
        self.frame.get_by_text("Loading").first.wait_for(state="detached")
        return self.frame.locator("main").inner_text()

    def ask(self, method: str, *given: object) -> dict[str, Any]:
        """What a dashboard calls of a widget or of its configuration, and the answer."""
        answer = self.page.evaluate("([method, given]) => ask(method, ...given)", [method, given])
        return dict(answer)

    def notified(self) -> list[dict[str, Any]]:
        """What the widget's configuration told its host: what it would keep, each time."""
        told = self.page.evaluate("host.notified")
        assert {event for event, _ in told} <= {"ms.vss-dashboards-web.configurationChange"}
        return [json.loads(kept["data"]) for _, kept in told]


OpenTab = Callable[..., Tab]
PAGES = {
    "Widget": ("gate-widget", "widget.html"),
    "Configuration": ("gate-widget.configuration", "configuration.html"),
}
"""Contribution and page of what is no tab."""


def pages_of(vsix: Path, folder: Path) -> dict[str, bytes]:
    """What the browser can load, by address: the tab from the .vsix, and the portal."""
    script = folder / "portal.js"
    source = Path(__file__).with_name("portal.js")
    esbuild = ROOT / "node_modules" / "esbuild" / "bin" / "esbuild"
    subprocess.run(
        [str(esbuild), str(source), "--bundle", f"--outfile={script}", "--log-level=warning"],
        check=True,
    )
    with zipfile.ZipFile(vsix) as archive:
        served = {
            GALLERY + name: archive.read(name)
            for name in archive.namelist()
            if name.startswith("extension/tab/")
        }
    style = "body{margin:0}iframe{width:100vw;height:100vh;border:0;display:block}"
    head = f'<!doctype html><html lang="en"><title>Portal</title><style>{style}</style>'
    code = script.read_text(encoding="utf-8")
    served[PORTAL] = f"{head}<body><script>{code}</script></body></html>".encode()
    return served


@contextlib.contextmanager
def opening(browser: Browser, pages: Mapping[str, bytes], service: Service) -> Iterator[OpenTab]:
    """`open_tab(Build=id)` shows the tab on a build, `Release=id` on a release.

    `Widget=0` and `Configuration=0` open these; a test then speaks with them by `Tab.ask`.
    """
    contexts = []

    def answer(route: Route) -> None:
        url = route.request.url
        if url in pages:
            kind = TYPES.get(url.rpartition(".")[2], "text/html")
            route.fulfill(body=pages[url], content_type=kind)
        elif "/_apis/" in url:
            service.answer(route)
        else:
            service.unknown.append(url)
            route.fulfill(status=501, body="")

    def open_one(
        *,
        theme: Mapping[str, str] = LIGHT,
        width: int = 1280,
        height: int = 900,
        sandbox: str | None = None,
        **subject: int,
    ) -> Tab:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="null",  # as a person has it, not as playwright would have it
        )
        context.set_default_timeout(20_000)
        contexts.append(context)
        context.route("**/*", answer)
        page = context.new_page()
        page.on("pageerror", lambda error: service.unknown.append(str(error)))
        page.goto(PORTAL)
        ((kind, identity),) = subject.items()
        contribution, file = PAGES.get(kind, (f"{kind.lower()}-report", "index.html"))
        options = {
            "address": f"{GALLERY}extension/tab/{file}",
            "contribution": f"amltasks.azure-machine-learning-tasks.{contribution}",
            "kind": kind,
            "project": {"id": service.project["id"], "name": service.project["name"]},
            "sandbox": sandbox,
            "services": {
                BUILD_AREA: f"{service.url}/",
                RELEASE_AREA: f"https://{RELEASE_HOST}/{service.organisation}/",
            },
            "subject": {"id": identity},
            "theme": theme,
            "token": service.token,
        }
        page.evaluate("options => openTab(options)", options)
        return Tab(page)

    try:
        yield open_one
    finally:
        for context in contexts:
            context.close()
    assert service.unknown == []
