"""What `--fault` understands, and what it does to clients of a local Azure."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from local.azure.kernel.fault_state import Faults
from local.azure.kernel.faults import Fault, parse
from local.azure.kernel.http import Request
from tests.local.azure.conftest import Starter, get_token, http_session

_words = st.text(st.characters(codec="ascii", exclude_categories=("C", "Z")), min_size=1)
_counts = st.integers(1, 1000)


@st.composite
def _faults(draw: st.DrawFn) -> Fault:
    kind = draw(
        st.sampled_from(
            [
                {"status": draw(st.integers(400, 599)), "retry_after": draw(st.none() | _counts)},
                {"latency": draw(st.floats(0, 1000))},
                {"drop": True},
                {"expired": True},
            ]
        )
    )
    which = {"times": draw(st.none() | _counts), "after": draw(st.integers(0, 1000))}
    patterns = {name: draw(_words) for name in ("method", "host", "path")}
    return Fault(**kind, **which, **patterns)  # type: ignore[arg-type]


def _written(fault: Fault) -> str:
    words = []
    for each in dataclasses.fields(fault):
        value = getattr(fault, each.name)
        if value is True:
            words.append(each.name)
        elif value != each.default:
            words.append(f"{each.name.replace('_', '-')}={value}")
    return " ".join(words)


@given(_faults())
def test_what_is_written_is_read(fault: Fault) -> None:
    assert parse(_written(fault)) == parse(str(fault)) == fault


@given(st.text())
def test_any_text_is_a_fault_or_one_sentence(text: str) -> None:
    try:
        assert parse(text) == parse(" ".join(text.split()))
    except ValueError as error:
        assert str(error).endswith(".")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("", "exactly one of"),
        ("method=GET", "exactly one of"),
        ("drop expired", "exactly one of"),
        ("status=200", "from 400 to 599, not '200'"),
        ("status=⁴²⁹", "from 400 to 599"),
        ("status", "'status' takes a value"),
        ("drop=yes", "'drop' takes no value"),
        ("latency=nan", "must be seconds"),
        ("latency=-1", "must be seconds"),
        ("drop drop", "given twice"),
        ("drop times=0", "from 1 to"),
        ("drop retry-after=1", "'retry-after' does not go with 'drop'"),
        ("evict=1 path=/x", "which takes after, compute, times"),
        ("quota=1 priority=spot", "must be dedicated or lowpriority"),
        ("truncate=-1", "from 0 to"),
        ("unallocated=yes", "takes no value"),
        ("creating=4 path=/x", "which takes nothing else"),
        ("quota=4 path=/x", "which takes family, priority"),
        ("drop when=later", "'when' is not known"),
        ("drop path=", "'path' is empty"),
    ],
)
def test_what_makes_no_sense_is_said(spec: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        parse(spec)


def _request(path: str, method: str = "GET", token: str = "") -> Request:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return Request(
        method=method, host="eastus.api.azureml.ms", path=path, query={}, headers=headers, body=b""
    )


@given(after=st.integers(0, 5), times=st.none() | st.integers(1, 5), requests_=st.integers(0, 15))
def test_only_the_counted_requests_are_struck(
    after: int, times: int | None, requests_: int
) -> None:
    faults = Faults([Fault(status=503, after=after, times=times, path="/a/*")])
    struck = []
    for number in range(requests_):
        assert faults.strike(_request("/b/c")).answer is None
        if faults.strike(_request("//A/b/c")).answer is not None:
            struck.append(number)
    last = requests_ if times is None else min(requests_, after + times)
    assert struck == list(range(after, last))


def test_delays_add_up_and_of_answers_the_first_counts() -> None:
    faults = Faults(
        parse(spec)
        for spec in ("latency=1", "status=429 times=1", "status=500 times=1", "latency=2")
    )
    first, second, third = (faults.strike(_request("/a")) for _ in range(3))
    assert (first.latency, second.latency, third.latency) == (3, 3, 3)
    assert first.answer and first.answer.status == 429
    assert second.answer and second.answer.status == 500
    assert third.answer is None


def test_an_expired_token_stays_expired_everywhere_and_another_works() -> None:
    faults = Faults([parse("expired times=1 path=/history/*")])
    assert faults.strike(_request("/history/x")).answer is None  # no token, nothing to expire
    assert faults.strike(_request("/other", token="old")).answer is None
    for path in ("/history/x", "/other"):
        answer = faults.strike(_request(path, token="old")).answer
        assert answer and answer.status == 401
    assert faults.strike(_request("/history/x", token="new")).answer is None


def test_a_wrong_fault_stops_the_server_with_one_sentence(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "local.azure", "--state", str(tmp_path), "--fault", "status=200"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    assert "--fault: in 'status=200': 'status' must be a whole number" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_faults_strike_what_clients_send(start_local_azure: Starter, tmp_path: Path) -> None:
    specs = (
        "status=429 retry-after=7 times=1 method=GET path=*/computes",
        "drop times=1 method=GET path=*/vmSizes",
        "latency=0.5 times=1 path=*/datastores",
        "expired times=1 path=*/datastores/default",
    )
    options = [word for spec in specs for word in ("--fault", spec)]
    with start_local_azure(tmp_path / "state", *options) as azure, http_session(azure) as session:
        session.headers["Authorization"] = f"Bearer {get_token(session, azure)}"
        arm = "https://management.azure.com"
        computes = f"{arm}{azure.scope}/computes?api-version=2020-02-02"
        refused = session.get(computes)
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "7"
        assert refused.json()["error"]["code"] == "TooManyRequests"
        assert session.get(computes).status_code == 200

        sizes = azure.scope.split("/resourceGroups")[0] + (
            "/providers/Microsoft.MachineLearningServices/locations/eastus/vmSizes"
        )
        with pytest.raises(requests.ConnectionError):
            session.get(arm + sizes)
        assert session.get(arm + sizes).status_code == 200

        stores = f"https://eastus.api.azureml.ms/datastore/v1.0{azure.scope}/datastores"
        begun = time.monotonic()
        assert session.get(stores).status_code == 200
        assert time.monotonic() - begun >= 0.5

        assert session.get(stores + "/default").status_code == 401
        assert session.get(computes).status_code == 401
        del session.headers["Authorization"]
        session.headers["Authorization"] = f"Bearer {get_token(session, azure)}"
        assert session.get(computes).status_code == 200
    assert "fault: " in azure.log.read_text()


def test_the_sdk_meets_too_small_a_quota_at_once_or_later(
    start_local_azure: Starter, tmp_path: Path
) -> None:
    options = ("--fault", "quota=4", "--fault", "creating=0")
    with start_local_azure(tmp_path / "state", *options) as azure, http_session(azure) as session:
        session.headers["Authorization"] = f"Bearer {get_token(session, azure)}"
        computes = f"https://management.azure.com{azure.scope}/computes"

        def create(name: str, size: str, least: int) -> requests.Response:
            scale = {"minNodeCount": least, "maxNodeCount": 9}
            inner = {"vmSize": size, "scaleSettings": scale}
            body = {"properties": {"computeType": "AmlCompute", "properties": inner}}
            return session.put(f"{computes}/{name}", json=body)

        refused = create("large", "Standard_DS4_v2", 0)
        assert refused.status_code == 400
        assert "vCPU quota of 4 and" in refused.json()["error"]["message"]
        assert create("small", "Standard_DS2_v2", 2).status_code == 201
        accepted = create("many", "Standard_DS3_v2", 2)
        assert accepted.status_code == 201
        operation = session.get(accepted.headers["Azure-AsyncOperation"]).json()
        assert operation["status"] == "Failed"
        assert operation["error"]["code"] == "ClusterCoreQuotaReached"
        many = session.get(f"{computes}/many").json()["properties"]
        assert many["provisioningState"] == "Failed"
        assert "exceeding quota" in many["provisioningErrors"][0]["error"]["message"]
        small = session.get(f"{computes}/small").json()["properties"]
        assert small["provisioningState"] == "Succeeded"
        deleted = session.delete(f"{computes}/many?underlyingResourceAction=delete")
        assert deleted.status_code == 202
