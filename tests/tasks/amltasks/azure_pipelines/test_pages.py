"""Addresses of pages, as people meet them in the browser."""

from __future__ import annotations

import pytest

from amltasks.azure_pipelines import pages
from amltasks.azure_pipelines.agent import Connection, Handover

BUILD = {
    "system.collectionuri": "https://dev.azure.com/contoso/",
    "system.teamproject": "parts & cars",
    "build.buildid": "7",
}
SCOPE = (
    "/subscriptions/0b/resourceGroups/rg%20one/providers/Microsoft.MachineLearningServices"
    "/workspaces/ws"
)


def handover(*, cloud: str = "", tenant: str = "t1", **variables: str) -> Handover:
    connection = Connection(
        id="1",
        name="azure",
        url="https://management.azure.com/",
        scheme="ServicePrincipal",
        parameters={"tenantid": tenant},
        data={"subscriptionid": "0b", "environment": cloud},
    )
    return Handover(task="T", inputs={}, connection=connection, variables=variables)


def studio(**options: str) -> pages.Studio:
    return pages.studio(handover(**options), resource_group="rg one", workspace="ws")


def test_runs_models_and_endpoints_lead_to_the_studio() -> None:
    found = studio()
    assert found.run("quiet_river_1") == (
        f"https://ml.azure.com/runs/quiet_river_1?wsid={SCOPE}&tid=t1"
    )
    assert found.model("a b/c", 4) == (
        f"https://ml.azure.com/model/a%20b%2Fc:4/details?wsid={SCOPE}&tid=t1"
    )
    assert found.endpoint("cars-live") == (
        f"https://ml.azure.com/endpoints/realtime/cars-live/detail?wsid={SCOPE}&tid=t1"
    )


def test_what_is_not_known_has_no_page() -> None:
    found = studio(tenant="")
    assert found.run("r").endswith("/workspaces/ws")
    assert [found.run(""), found.model("", 4), found.model("m", ""), found.endpoint("")] == [""] * 4
    assert pages.build(handover(**{**BUILD, "build.buildid": ""})) == ""


@pytest.mark.parametrize(
    ("cloud", "site"),
    [
        ("AzureCloud", "https://ml.azure.com"),
        ("azurechinacloud", "https://studio.ml.azure.cn"),
        ("AzureUSGovernment", "https://ml.azure.us"),
    ],
)
def test_each_cloud_has_its_studio(cloud: str, site: str) -> None:
    assert studio(cloud=cloud).site == site


def test_a_build_has_its_page() -> None:
    assert pages.build(handover(**BUILD)) == (
        "https://dev.azure.com/contoso/parts%20%26%20cars/_build/results?buildId=7"
    )
