"""What all tests share: one browser a module, the marker `slow`, the times of the files."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# A test that asks for one of these starts a server, a browser, a task or the packaging.
_SLOW_FIXTURES = {
    *("aml_azure", "azure", "cloud", "devops", "faulty", "local_azure", "start_local_azure"),
    *("built_vsix", "vsix", "editor", "schema"),
    *("browser", "fresh_launcher", "launcher", "start"),
    *("scripts_with_tensorflow", "building_azure"),
}
_SLOWEST_FILES = 15

# No test measures speed: a slow machine fails none.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for a module: two of playwright cannot run at once in a process.

    Nor can anything that starts an event loop while it runs, so it ends with the module.
    """
    # Takes half a second, which the quick tests need not spend.
    from playwright.sync_api import sync_playwright

    names = ("chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("no Chromium on this machine (CI installs it, see .ci/run)")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts programs, before `-m` is looked at."""
    for item in items:
        if _SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the files that took longest, set-up included: where a faster suite begins."""
    seconds: defaultdict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid.partition("::")[0]] += report.duration
    terminalreporter.section("slowest files")
    slowest = sorted(seconds.items(), key=lambda item: item[1], reverse=True)
    for file, taken in slowest[:_SLOWEST_FILES]:
        terminalreporter.write_line(f"{taken:8.1f} s  {file}")
    _tell_canaries(terminalreporter)


def _tell_canaries(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what the canary suite looked through (tests/tasks/launcher/test_canary.py)."""
    found: Counter[str] = Counter()
    # The end of a test's fixtures is reported last, without a category of its own.
    for report in terminalreporter.getreports(""):
        for name, value in report.user_properties:
            if name.startswith("canary "):
                found[name.removeprefix("canary ")] += int(value)
    if found:
        told = ", ".join(f"{value:,} {name}" for name, value in sorted(found.items()))
        terminalreporter.write_line(f"canaries: no part of one in {told}")
