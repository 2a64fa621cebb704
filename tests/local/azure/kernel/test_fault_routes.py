"""Faults set, listed and cleared while a local Azure runs, and what those of clusters do."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from local.azure.kernel.fault_state import Faults
from local.azure.kernel.faults import parse
from tests.local.azure.conftest import Starter, get_token, http_session
from tests.patience import PATIENCE_S
from tests.running_azure import RunningAzure

_ARM = "https://management.azure.com"


class Control:
    """The address for faults, as a user's script asks it."""

    def __init__(self, azure: RunningAzure) -> None:
        env = azure.environment
        self.url = env["HTTPS_PROXY"] + "/faults"
        self.auth = (env["AZURE_CLIENT_ID"], env["AZURE_CLIENT_SECRET"])

    def ask(self, method: str, name: str = "", **more: Any) -> requests.Response:
        given = {"auth": self.auth, **more}
        return requests.request(method, self.url + name, timeout=PATIENCE_S, **given)

    def add(self, *specs: str) -> list[str]:
        answer = self.ask("POST", params={"spec": specs})
        assert answer.status_code == 201, answer.text
        return [each["name"] for each in answer.json()["value"]]


@pytest.fixture(scope="module")
def own_azure(
    start_local_azure: Starter, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningAzure]:
    state = tmp_path_factory.mktemp("faults") / "state"
    with start_local_azure(state, "--fault", "creating=0.1") as azure:
        yield azure


@pytest.fixture
def control(own_azure: RunningAzure) -> Iterator[Control]:
    control = Control(own_azure)
    yield control
    for each in control.ask("GET").json()["value"]:
        if each["spec"] != "creating=0.1":
            control.ask("DELETE", f"/{each['name']}")


@pytest.fixture(scope="module")
def http(own_azure: RunningAzure) -> Iterator[requests.Session]:
    with http_session(own_azure) as session:
        session.headers["Authorization"] = f"Bearer {get_token(session, own_azure)}"
        yield session


def workspace(http: requests.Session, azure: RunningAzure) -> requests.Response:
    return http.get(f"{_ARM}{azure.scope}?api-version=2024-04-01")


def test_a_fault_holds_until_it_is_cleared(
    own_azure: RunningAzure, control: Control, http: requests.Session
) -> None:
    (name,) = control.add("status=503 path=*/workspaces/*")
    assert [workspace(http, own_azure).status_code for _ in range(2)] == [503, 503]
    listed = control.ask("GET").json()["value"]
    assert [each["spec"] for each in listed] == ["creating=0.1", "status=503 path=*/workspaces/*"]
    assert (listed[1]["met"], listed[1]["struck"]) == (2, 2)
    assert control.ask("DELETE", f"/{name}").status_code == 204
    assert workspace(http, own_azure).status_code == 200
    assert control.ask("DELETE", f"/{name}").status_code == 404


def test_half_an_answer_is_no_answer(
    own_azure: RunningAzure, control: Control, http: requests.Session
) -> None:
    control.add("truncate=20 times=1 path=*/workspaces/*")
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="20 bytes read"):
        workspace(http, own_azure)
    assert workspace(http, own_azure).status_code == 200


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic ???", "Bearer x", "Basic " + base64.b64encode(b"user:word").decode()],
)
def test_who_does_not_know_the_secret_sets_no_fault(control: Control, authorization: str) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    for method in ("GET", "POST", "DELETE"):
        answer = control.ask(method, auth=None, headers=headers, params={"spec": "drop"})
        assert (answer.status_code, "www-authenticate" in answer.headers) == (401, True)
    assert control.auth[1] not in answer.text
    assert len(control.ask("GET").json()["value"]) == 1


@pytest.mark.parametrize(
    ("method", "more", "status", "words"),
    [
        ("POST", {"params": {"spec": "status=99"}}, 400, "from 400 to 599"),
        ("POST", {"params": {"spec": ["drop", "drop=1"]}}, 400, "takes no value"),
        ("POST", {}, 400, "Say what goes wrong"),
        ("PUT", {}, 405, "takes GET, POST"),
        ("GET", {"headers": {"Host": "evil.example"}}, 403, "Ask for 127.0.0.1"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(
    control: Control, method: str, more: dict[str, Any], status: int, words: str
) -> None:
    answer = control.ask(method, **more)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert len(control.ask("GET").json()["value"]) == 1


def test_quota_is_that_of_a_family_and_a_priority() -> None:
    specs = ("quota=4 family=standardD*", "quota=8 priority=lowpriority", "quota=2")
    faults = Faults(parse(spec) for spec in specs)
    assert faults.quota("standardDSv2Family") == 4
    assert faults.quota("standardNCFamily") == 2
    assert faults.quota("standardNCFamily", low_priority=True) == 8
    assert Faults().quota("standardNCFamily") is None


def test_nodes_are_taken_away_at_their_minute_and_so_often() -> None:
    faults = Faults([parse("evict=2 compute=spot* times=1"), parse("lost=3 compute=slow")])

    def lost(compute: str, minutes: float, *, low_priority: bool = True) -> str:
        spared: set[str] = set()
        return faults.loses(compute, minutes, low_priority=low_priority, spared=spared)

    assert lost("spot-1", 1.9) == lost("other", 9) == lost("spot-1", 9, low_priority=False) == ""
    assert lost("Spot-1", 2) == "evict"
    assert lost("spot-1", 2) == ""  # the second node stays
    assert lost("slow", 3, low_priority=False) == "lost"


@pytest.mark.parametrize(
    ("spec", "seen"),
    [
        ("allocating=600 compute=a*", (0, 2, "Resizing", None)),
        ("unallocated compute=a*", (0, 2, "Steady", "AllocationFailed")),
        ("unallocated compute=b*", (2, 2, "Steady", None)),
    ],
)
def test_nodes_that_come_late_or_never(
    own_azure: RunningAzure,
    control: Control,
    http: requests.Session,
    spec: str,
    seen: tuple[int, int, str, str | None],
) -> None:
    control.add(spec)
    address = f"{_ARM}{own_azure.scope}/computes/a{time.time_ns() % 10**9}?api-version=2024-04-01"
    scale = {"minNodeCount": 2, "maxNodeCount": 2}
    inner = {"vmSize": "STANDARD_DS3_V2", "scaleSettings": scale}
    body = {"location": "eastus", "properties": {"computeType": "AmlCompute", "properties": inner}}
    assert http.put(address, json=body).status_code == 201
    end = time.monotonic() + PATIENCE_S
    while (found := http.get(address).json()["properties"])["provisioningState"] != "Succeeded":
        assert time.monotonic() < end
        time.sleep(0.1)
    nodes = found["properties"]
    error = nodes["errors"][0]["error"]["code"] if nodes["errors"] else None
    told = (nodes["currentNodeCount"], nodes["targetNodeCount"], nodes["allocationState"], error)
    assert told == seen
