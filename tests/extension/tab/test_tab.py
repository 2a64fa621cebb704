"""The tab on builds and on classic releases, as people see it."""

from __future__ import annotations

from tests.extension.tab.conftest import OpenTab, Service, deployment, report, verdict


def test_a_build(open_tab: OpenTab) -> None:
    service = Service()
    for day in range(1, 25):
        service.add_build(
            f"202611{day:02}.1", verdict("cars", value=0.88 + day / 500, passed=day > 6)
        )
    build = service.add_build(
        "20261125.1",
        verdict("cars"),
        report("gate", "cars"),
        deployment("cars-live"),
        report("deploy", "cars-live"),
    )
    tab = open_tab(service, Build=build)
    tab.ready()
    print(tab.text())
    tab.page.screenshot(path="/tmp/tab/shot.png")
    assert 0
