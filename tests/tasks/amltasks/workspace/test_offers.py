"""Sizes and quotas of a region: every page, and fields that are missing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import requests

from amltasks.workspace.offers import Offers
from amltasks.workspace.port import ClientSecret, Principal, Quota, VmSize
from amltasks.workspace.port import Cloud as AzureCloud

CLOUD = AzureCloud(
    name="AzureCloud",
    authority="https://login.microsoftonline.com",
    resource_manager="https://management.azure.com",
    scope="https://management.azure.com/.default",
)
PRINCIPAL = Principal(
    tenant_id="t", client_id="c", proof=ClientSecret(secret="s"), subscription_id="sub", cloud=CLOUD
)


class _Service:
    """Answers each address with the page that it has for it."""

    def __init__(self) -> None:
        self.pages: dict[str, Any] = {}
        self.asked: list[tuple[str, str]] = []

    def get(self, address: str, headers: dict[str, str], timeout: object) -> requests.Response:
        self.asked.append((address, headers["Authorization"]))
        answer = requests.Response()
        page = self.pages.get(address)
        answer.status_code = 200 if page is not None else 404
        answer.json = lambda **_: page  # type: ignore[method-assign]
        return answer


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> _Service:
    found = _Service()
    monkeypatch.setattr("amltasks.workspace.offers.requests.get", found.get)
    return found


@pytest.fixture
def regional() -> Offers:
    sign_in: Any = SimpleNamespace(get_token=lambda scope: SimpleNamespace(token=f"for {scope}"))
    return Offers(PRINCIPAL, sign_in)


def address(region: str, what: str) -> str:
    return (
        "https://management.azure.com/subscriptions/sub/providers"
        f"/Microsoft.MachineLearningServices/locations/{region}/{what}?api-version=2024-10-01"
    )


def test_the_sizes_of_all_pages(service: _Service, regional: Offers) -> None:
    service.pages = {
        address("eastus", "vmSizes"): {
            "value": [
                {
                    "name": "Standard_DS3_v2",
                    "family": "standardDSv2Family",
                    "vCPUs": 4,
                    "lowPriorityCapable": True,
                }
            ],
            "nextLink": "https://management.azure.com/next",
        },
        "https://management.azure.com/next": {
            "value": [{"name": "Standard_NC6", "lowPriorityCapable": False}, {"name": "New"}]
        },
    }
    assert regional.sizes("eastus") == (
        VmSize(name="Standard_DS3_v2", family="standardDSv2Family", cpus=4, low_priority=True),
        VmSize(name="Standard_NC6", family="", cpus=0, low_priority=False),
        VmSize(name="New", family="", cpus=0, low_priority=True),
    )
    tokens = {token for _, token in service.asked}
    assert tokens == {f"Bearer for {CLOUD.scope}"}


def test_the_quotas(service: _Service, regional: Offers) -> None:
    service.pages[address("westeurope", "usages")] = {
        "value": [
            {"name": {"value": "standardDSv2Family"}, "limit": 24, "currentValue": 8},
            {"name": None, "limit": None},
        ]
    }
    # People write a region as the portal shows it.
    assert regional.quotas("West Europe") == (
        Quota(name="standardDSv2Family", limit=24, used=8),
        Quota(name="", limit=0, used=0),
    )


def test_a_region_cannot_lead_to_another_address(service: _Service, regional: Offers) -> None:
    service.pages[address("a%2F..%2Fb%3Fc", "usages")] = {"value": None}
    assert regional.quotas("a/../b?c") == ()


def test_a_refusal_is_raised(service: _Service, regional: Offers) -> None:
    with pytest.raises(requests.HTTPError, match="404"):
        regional.sizes("nowhere")
