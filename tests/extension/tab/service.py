"""Azure DevOps as the tab meets it: builds on the local Azure, releases from a small stand-in.

The local Azure knows no releases, so what the tab reads of them is answered here, by the routes of
azure-devops-extension-api's ReleaseClient. Whatever else is asked for gets 501 and fails the test.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import requests
from playwright.sync_api import Route

from tests.extension.tab.samples import Attached
from tests.patience import PATIENCE_S

BUILD_HOST = "dev.azure.com"
RELEASE_HOST = "vsrm.dev.azure.com"


class Service:
    """An organisation with one definition of its own.

    `faults`: by a part of the path, the status to answer with instead; 0 drops the connection.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.proxies = {"https": environment["HTTPS_PROXY"]}
        self.session.verify = environment["REQUESTS_CA_BUNDLE"]
        self.token = environment["AZURE_DEVOPS_EXT_PAT"]
        self.url = environment["AZURE_DEVOPS_ORG_URL"]
        self.organisation = self.url.rpartition("/")[2]
        self.faults: dict[str, int] = {}
        self.asked: list[str] = []
        self.unknown: list[str] = []
        self.releases: dict[str, dict[str, Any]] = {}
        self.plans: dict[str, list[Attached]] = {}
        name = environment["AZURE_DEVOPS_PROJECT"]
        self.project = self.call("GET", f"_apis/projects/{name}").json()

    @cached_property
    def definition(self) -> int:
        """The id of a definition that only this service uses."""
        # Names are unique in a folder, and all tests share the server.
        body = {"name": "cars", "path": f"\\{uuid.uuid4().hex}"}
        path = f"{self.project['id']}/_apis/build/definitions"
        return int(self.call("POST", path, json=body).json()["id"])

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        """A call as the agent, or as someone who queues a build."""
        answer = self.session.request(
            method,
            f"{self.url}/{path}",
            params={"api-version": "7.1"},
            headers={"authorization": f"Bearer {self.token}"},
            timeout=PATIENCE_S,
            **options,
        )
        answer.raise_for_status()
        return answer

    def add_build(
        self, *attached: Attached, number: str = "", running: bool = False, **fields: Any
    ) -> int:
        """A build on main that its agent gave these attachments; returns its id."""
        project = self.project["id"]
        body = {
            "definition": {"id": self.definition},
            "sourceBranch": "refs/heads/main",
            **fields,
        }
        build = self.call("POST", f"{project}/_apis/build/builds", json=body).json()
        self.attach(build, *attached)
        change = {} if running else {"status": "completed", "result": "succeeded"}
        if number:
            change["buildNumber"] = number
        self.call("PATCH", f"{project}/_apis/build/builds/{build['id']}", json=change)
        return int(build["id"])

    def attach(self, build: dict[str, Any] | int, *attached: Attached) -> None:
        """Attach to a build that is there."""
        project = self.project["id"]
        if isinstance(build, int):
            found = self.call("GET", f"{project}/_apis/build/builds/{build}").json()
        else:
            found = build
        plan = found["orchestrationPlan"]["planId"]
        base = f"{project}/_apis/distributedtask/hubs/build/plans/{plan}/timelines/{plan}/records"
        for one in attached:
            place = f"{one.record}/attachments/{one.kind}/{quote(one.name, safe='')}"
            self.call("PUT", f"{base}/{place}", data=one.content.encode())

    def add_release(self, stages: dict[str, list[Attached]], build: int = 0) -> int:
        """A release whose every stage failed without a trace before it came to what is given."""
        identity = len(self.releases) + 1
        environments = []
        for rank, (name, attached) in enumerate(stages.items(), 1):
            plans = [str(uuid.uuid4()), str(uuid.uuid4())]
            self.plans.update({plans[0]: [], plans[1]: attached})
            attempts = [
                {"attempt": number, "releaseDeployPhases": [{"runPlanId": plan}]}
                for number, plan in enumerate(plans, 1)
            ]
            environments.append({"id": rank, "name": name, "deploySteps": attempts[::-1]})
        reference = {
            "project": {"id": self.project["id"], "name": self.project["name"]},
            "version": {"id": str(build), "name": "20261125.1"},
        }
        artifact = {"type": "Build", "isPrimary": True, "definitionReference": reference}
        self.releases[str(identity)] = {
            "id": identity,
            "name": f"Release-{identity}",
            "environments": environments,
            "artifacts": [artifact] if build else [],
        }
        return identity

    def answer(self, route: Route) -> None:
        """Answer a REST call of the browser."""
        url = urlsplit(route.request.url)
        path = unquote(url.path)
        self.asked.append(path)
        for part, status in self.faults.items():
            if part in path:
                if status:
                    route.fulfill(status=status, json={"message": "as the test wants it"})
                else:
                    route.abort("connectionrefused")
                return
        if url.hostname == RELEASE_HOST:
            self._release(route, path)
            return
        headers = route.request.headers
        answer = self.session.request(
            route.request.method,
            route.request.url,
            headers={name: headers.get(name, "") for name in ("accept", "authorization")},
            timeout=PATIENCE_S,
        )
        if answer.status_code == 501:
            self.unknown.append(path)
        told = {
            name: answer.headers[name]
            for name in ("content-type", "x-ms-continuationtoken")
            if name in answer.headers
        }
        # The tab is of another origin: it reads the token because the service exposes it.
        told["access-control-expose-headers"] = "X-MS-ContinuationToken"
        route.fulfill(status=answer.status_code, body=answer.content, headers=told)

    def _release(self, route: Route, path: str) -> None:
        assert route.request.headers["authorization"] == f"Bearer {self.token}"
        prefix = f"/{self.organisation}/{self.project['id']}/_apis/Release/releases/"
        match path.removeprefix(prefix).split("/"):
            case [identity] if identity in self.releases:
                route.fulfill(json=self.releases[identity])
            case [_, "environments", _, "attempts", "2", "plan", plan, "attachments", kind]:
                route.fulfill(
                    json=[
                        {"name": one.name, "timelineId": plan, "recordId": one.record}
                        for one in self.plans[plan]
                        if one.kind == kind
                    ]
                )
            case [_, _, _, "attempts", "2", "plan", plan, *_, record, "attachments", kind, name]:
                (found,) = (
                    one
                    for one in self.plans[plan]
                    if (one.record, one.kind, one.name) == (record, kind, name)
                )
                route.fulfill(body=found.content, content_type="application/octet-stream")
            case _:
                self.unknown.append(path)
                route.fulfill(status=501, json={"message": f"{path} is not known"})
