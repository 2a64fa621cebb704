"""Sends the recorded requests to a local Azure, in order, and keeps what was answered."""

from __future__ import annotations

import base64
import json
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.local.azure.conformance.recorded import (
    Difference,
    compare,
    filled,
    fits,
    header_differences,
)

FACTS = Path(__file__).with_name("facts")
# Later groups use what earlier ones made.
GROUPS = (
    "workspace",
    "compute",
    "datastores",
    "assets",
    "blobs",
    "jobs",
    "online_endpoints",
    "online_deployments",
)
# Headers by which clients decide what to do next.
READABLE = frozenset(
    {
        "azure-asyncoperation",
        "location",
        "operation-location",
        "retry-after",
        "retry-after-ms",
        "x-ms-async-operation-timeout",
    }
)
_POLL_S = 0.1
_PATIENCE_S = 120.0
_SCORE = "def init():\n    pass\n\n\ndef run(raw):\n    return raw\n"
_ARM = "https://management.azure.com"


@dataclass(frozen=True)
class Exchange:
    """A recorded exchange, its texts filled with the names of this run."""

    group: str
    facts: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its name in the facts."""
        return str(self.facts["id"])


@dataclass(frozen=True)
class Answer:
    """What the local Azure answered. `body` None: there was none."""

    status: int
    headers: Mapping[str, str]
    body: Any


def load(group: str) -> list[dict[str, Any]]:
    """The exchanges of a group as they are in its file."""
    content = json.loads((FACTS / f"{group}.json").read_text(encoding="utf-8"))
    exchanges: list[dict[str, Any]] = content["exchanges"]
    return exchanges


def recorded_ids() -> list[str]:
    """The names of all exchanges."""
    return [exchange["id"] for group in GROUPS for exchange in load(group)]


class Driver:
    """One run over all exchanges."""

    def __init__(
        self,
        http: requests.Session,
        anonymous: requests.Session,
        *,
        scope: str,
        storage_token: str,
    ) -> None:
        """`http` carries an ARM token. scope: the workspace's ARM id."""
        self.http = http
        self.storage_token = storage_token
        self.anonymous = anonymous
        self.scope = scope
        self.upload = ""
        parts = scope.split("/")
        stamp = f"{int(time.time()) % 1000000:06d}"
        names = {"n": "n", "c": "c", "j": "job", "e": "ep", "b": "blue", "d": "ds", "c2": "cpu"}
        self.variables = {
            **{name: prefix + stamp for name, prefix in names.items()},
            "ws": scope,
            "sub": parts[2],
            "rg": parts[4],
            "wsname": parts[-1],
            "loc": "eastus",
        }
        self.answers: dict[str, Answer] = {}
        self.exchanges: dict[str, Exchange] = {}

    def run(self) -> None:
        """Send everything."""
        self._prepare()
        for group in GROUPS:
            for facts in load(group):
                exchange = Exchange(group, filled(facts, self.variables))
                self.exchanges[exchange.id] = exchange
                self.answers[exchange.id] = self._answer(exchange)
                if exchange.id == "code-start-upload":
                    self._keep_upload(self.answers[exchange.id].body)

    # --- what the exchanges take for granted -----------------------------------------------------

    def _prepare(self) -> None:
        store = self._arm("GET", f"{self.scope}/datastores/workspaceblobstore")["properties"]
        secrets = self._arm("POST", f"{self.scope}/datastores/workspaceblobstore/listSecrets")
        self.variables |= {"account": store["accountName"], "key": secrets["key"]}
        self.variables["env"] = self._environment()
        base = f"https://{store['accountName']}.blob.core.windows.net/{store['containerName']}"
        for name, text in (
            ("simple_train.py", "print('hello')\n"),
            ("model.pkl", "a model"),
            ("mlflow_model/MLmodel", "flavors: {}\n"),
            ("data/rows.csv", "a,b\n1,2\n"),
        ):
            answer = self.anonymous.put(
                f"{base}/LocalUpload/0/{name}",
                data=text,
                headers={
                    "Authorization": f"Bearer {self.storage_token}",
                    "x-ms-blob-type": "BlockBlob",
                },
            )
            assert answer.status_code == 201, answer.text
        cluster = {"vmSize": "Standard_DS2_v2", "scaleSettings": {"maxNodeCount": 2}}
        self._arm(
            "PUT",
            f"{self.scope}/computes/{self.variables['c2']}",
            {
                "location": "eastus",
                "properties": {"computeType": "AmlCompute", "properties": cluster},
            },
        )

    def _environment(self) -> str:
        """An environment that is this very Python, so that nothing is installed."""
        name = f"this-python-{self.variables['n']}"
        answer = self.http.put(
            f"https://eastus.api.azureml.ms/environment/v1.0{self.scope}"
            f"/environments/{name}/versions/1",
            json={"python": {"userManagedDependencies": True, "interpreterPath": sys.executable}},
        )
        assert answer.ok, answer.text
        return f"{self.scope}/environments/{name}/versions/1"

    def _keep_upload(self, body: Mapping[str, Any]) -> None:
        """Where the code goes: blobs.json writes there too."""
        self.upload = body["blobReferenceForConsumption"]["credential"]["sasUri"]
        address, _, query = self.upload.partition("?")
        answer = self.anonymous.put(
            f"{address}/code/score.py?{query}",
            data=_SCORE,
            headers={"x-ms-blob-type": "BlockBlob"},
        )
        assert answer.status_code == 201, answer.text
        self.variables["codeuri"] = f"{address}/code"

    def _arm(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = self.http.request(
            method, _ARM + path, params={"api-version": "2024-04-01"}, json=body
        )
        assert answer.ok, answer.text
        parsed: dict[str, Any] = answer.json()
        return parsed

    # --- requests --------------------------------------------------------------------------------

    def _answer(self, exchange: Exchange) -> Answer:
        until = exchange.facts.get("drive", {}).get("until")
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            answer = self._send(exchange)
            if not until or _has(answer.body, until) or time.monotonic() > deadline:
                return answer
            time.sleep(_POLL_S)

    def _send(self, exchange: Exchange) -> Answer:
        facts = exchange.facts
        session, url = self._address(facts)
        body = facts.get("request")
        content: dict[str, Any] = {"data": body} if isinstance(body, str) else {"json": body}
        if body is None:
            content = {}
        headers = facts.get("drive", {}).get("sendheaders") or {}
        answer = session.request(facts["method"], url, headers=headers, timeout=60, **content)
        return Answer(answer.status_code, dict(answer.headers), _body(answer))

    def _address(self, facts: Mapping[str, Any]) -> tuple[requests.Session, str]:
        path = str(facts["path"])
        if path.startswith("@"):
            before = self.answers[facts["drive"]["of"]].headers
            known = {name.lower(): value for name, value in before.items()}
            return self.http, known.get(path[1:], f"{_ARM}/{path[1:]}-is-missing")
        if path.startswith("{upload}"):
            address, _, query = self.upload.partition("?")
            name, _, more = path.removeprefix("{upload}").partition("?")
            return self.anonymous, f"{address}{name}?{'&'.join(filter(None, (more, query)))}"
        url = path if path.startswith("https:") else _ARM + path
        version = facts["api-version"]
        query = facts.get("drive", {}).get("pathquery") or (
            f"api-version={version}" if version and not path.startswith("https:") else ""
        )
        if query:
            url += ("&" if urlsplit(url).query else "?") + query
        return self.http, url


def _body(answer: requests.Response) -> Any:
    if not answer.content:
        return None
    try:
        parsed = answer.json()
    except ValueError:
        return answer.text
    # The JSON `null` is a body; None stands for no body.
    return "null" if parsed is None else parsed


def _has(body: Any, condition: str) -> bool:
    name, _, words = condition.partition("=")
    for part in name.split("."):
        if not isinstance(body, dict):
            return True  # an error: nothing to wait for
        if "error" in body and part not in body:
            return True
        body = body.get(part)
    return str(body) in words.split("|")


# --- comparison ----------------------------------------------------------------------------------


def differences(exchange: Exchange, answer: Answer, scope: str) -> list[Difference]:
    """How an answer differs from the recorded one. After another status nothing else counts."""
    facts = exchange.facts
    allowed = facts["status"] if isinstance(facts["status"], list) else [facts["status"]]
    if answer.status not in allowed:
        shown = json.dumps(answer.body)[:300]
        return [Difference("status", f"is {answer.status}, recorded {facts['status']}: {shown}")]
    found: list[Difference] = []
    if "headers" in facts:
        found.extend(header_differences(facts["headers"], answer.headers, READABLE))
    tree = facts["body"]
    if tree is None and answer.body is not None:
        found.append(Difference("body", f"is {json.dumps(answer.body)[:120]}, recorded none"))
    elif tree == "null" and answer.body != "null":
        found.append(Difference("body", f"is {json.dumps(answer.body)[:120]}, recorded null"))
    elif tree is not None and tree not in ("null", "any"):
        found.extend(compare(tree, answer.body, "body", scope))
        found.extend(_list_differences(facts.get("drive") or {}, answer.body, scope))
    return sorted(set(found))


def _list_differences(drive: Mapping[str, Any], body: Any, scope: str) -> Iterator[Difference]:
    items = body.get("value") if isinstance(body, dict) else None
    names = [item.get("name") for item in items or [] if isinstance(item, dict)]
    if "order" in drive and names != drive["order"]:
        yield Difference("body.value", f"is ordered {names}, recorded {drive['order']}")
    for name in sorted(set(drive.get("names", ())) - set(map(str, names))):
        yield Difference(f"body.value[{name}]", "is missing, recorded in every workspace")
    if "item" in drive:
        wanted = drive["item"]["name"]
        found = [item for item in items or [] if item.get("name") == wanted]
        if not found:
            yield Difference("body.value", f"has no item '{wanted}'")
        for item in found if "itembody" in drive else []:
            yield from compare(drive["itembody"], item, "body.value[]", scope)
    if "jwt" in drive:
        claims = _claims(str(body.get("accessToken")))
        for name, leaf in drive["jwt"].items():
            if name not in claims or not fits(leaf, claims[name], scope):
                yield Difference(f"body.accessToken.{name}", f"is {claims.get(name)}, not {leaf}")


def _claims(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(padded))
    return claims
