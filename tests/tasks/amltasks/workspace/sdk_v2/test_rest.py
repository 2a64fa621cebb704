"""Requests of one workspace: addresses, pages, refused tokens, and what is repeated."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from amltasks.workspace.port import ClientSecret, Cloud, Principal
from amltasks.workspace.retries import PASSING, ToldRetry
from amltasks.workspace.sdk_v2.rest import API_VERSION, Rest, name_of, new_session

CLOUD = Cloud(
    name="AzureCloud",
    authority="https://login.microsoftonline.com",
    resource_manager="https://management.azure.com",
    scope="https://management.azure.com/.default",
)
PRINCIPAL = Principal(
    tenant_id="t", client_id="c", proof=ClientSecret(secret="s"), subscription_id="sub", cloud=CLOUD
)
SCOPE = (
    "/subscriptions/sub/resourceGroups/rg/providers/Microsoft.MachineLearningServices/workspaces/ws"
)
Answer = tuple[int, Any]


class _Service(BaseAdapter):
    """Stands for the network: ``answer`` is given each request."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[requests.PreparedRequest] = []
        self.answer: Callable[[requests.PreparedRequest], Answer] = lambda request: (200, {})

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        self.sent.append(request)
        answer = requests.Response()
        answer.status_code, body = self.answer(request)
        answer.raw = io.BytesIO(json.dumps(body).encode())
        answer.request, answer.url = request, str(request.url)
        return answer

    def close(self) -> None:
        pass

    @property
    def addresses(self) -> list[str]:
        return [str(request.url) for request in self.sent]


@pytest.fixture
def service() -> _Service:
    return _Service()


@pytest.fixture
def rest(service: _Service) -> Rest:
    found = Rest(PRINCIPAL, resource_group="rg", workspace="ws")
    found.session.mount("https://", service)
    tokens = iter(f"token {number}" for number in range(1, 9))
    state = SimpleNamespace(token=next(tokens), renewed=0)

    def renew() -> None:
        state.renewed += 1
        state.token = next(tokens)

    sign_in: Any = SimpleNamespace(get_token=lambda scope: state, renew=renew, state=state)
    found.sign_in = sign_in
    return found


def test_addresses_are_below_the_workspace(rest: Rest) -> None:
    base = f"https://management.azure.com{SCOPE}"
    assert rest.address("computes/cpu") == f"{base}/computes/cpu?api-version={API_VERSION}"
    assert rest.address("") == f"{base}?api-version={API_VERSION}"


def test_a_request_has_a_token_a_body_and_a_query(rest: Rest, service: _Service) -> None:
    rest.arm("PUT", "computes/cpu", {"a": 1}, {"mode": "x"})
    (sent,) = service.sent
    assert sent.headers["Authorization"] == "Bearer token 1"
    assert json.loads(sent.body or "") == {"a": 1}
    assert str(sent.url).endswith(f"/computes/cpu?api-version={API_VERSION}&mode=x")


def test_a_refused_token_is_renewed_once(rest: Rest, service: _Service) -> None:
    service.answer = lambda request: (
        (200, {"ok": True}) if request.headers["Authorization"] == "Bearer token 2" else (401, {})
    )
    assert rest.arm("GET", "computes").json() == {"ok": True}
    assert len(service.sent) == 2


def test_a_token_that_is_refused_twice_is_an_error(rest: Rest, service: _Service) -> None:
    service.answer = lambda request: (401, {})
    with pytest.raises(requests.HTTPError, match="401"):
        rest.arm("GET", "computes")
    assert len(service.sent) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 409, 500])
def test_another_refusal_is_raised_at_once(rest: Rest, service: _Service, status: int) -> None:
    service.answer = lambda request: (status, {})
    with pytest.raises(requests.HTTPError, match=str(status)):
        rest.arm("GET", "computes")
    assert len(service.sent) == 1


def test_what_is_not_there_is_found_to_be_none(rest: Rest, service: _Service) -> None:
    service.answer = lambda request: (404, {})
    assert rest.find("computes/cpu") is None
    service.answer = lambda request: (403, {})
    with pytest.raises(requests.HTTPError, match="403"):
        rest.find("computes/cpu")


def test_every_page_of_a_list_is_read(rest: Rest, service: _Service) -> None:
    following = "https://management.azure.com/next?$skip=2"
    service.answer = lambda request: (
        (200, {"value": [3]})
        if "next" in str(request.url)
        else (200, {"value": [1, 2], "nextLink": following})
    )
    assert list(rest.every("jobs", {"$top": "2"})) == [1, 2, 3]
    # The link has its own query.
    assert service.addresses[1] == following


def test_a_list_of_nothing(rest: Rest, service: _Service) -> None:
    service.answer = lambda request: (200, {"value": None})
    assert list(rest.every("jobs")) == []


def test_the_data_plane_is_asked_for_once(rest: Rest, service: _Service) -> None:
    def answer(request: requests.PreparedRequest) -> Answer:
        if "discovery" in str(request.url):
            return 200, {"api": "https://eastus.api.azureml.ms/"}
        return 200, {"properties": {"discoveryUrl": "https://eastus.api.azureml.ms/discovery"}}

    service.answer = answer
    rest.data("GET", "history/v1.0", "runs/r")
    rest.data("GET", "history/v1.0", "runs/r", only="a")
    base = f"https://eastus.api.azureml.ms/history/v1.0{SCOPE}/runs/r"
    assert service.addresses[2:] == [base, f"{base}?only=a"]


def test_what_passes_is_repeated_whatever_the_method() -> None:
    adapter = new_session().get_adapter("https://management.azure.com")
    assert isinstance(adapter, HTTPAdapter)
    retry = adapter.max_retries
    assert isinstance(retry, ToldRetry)
    for method in ("GET", "POST", "PUT", "DELETE"):
        assert all(retry.is_retry(method, status) for status in PASSING)
        assert not retry.is_retry(method, 404)
    assert retry.total == 4
    assert not retry.raise_on_status


@pytest.mark.parametrize(
    ("resource", "name"),
    [(f"{SCOPE}/computes/cpu", "cpu"), (f"{SCOPE}/computes/cpu/", "cpu"), ("cpu", "cpu"), ("", "")],
)
def test_the_name_of_a_resource(resource: str, name: str) -> None:
    assert name_of(resource) == name
