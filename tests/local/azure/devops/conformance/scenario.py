"""The recorded operations, each played against a local Azure by plain HTTP."""

from __future__ import annotations

import json
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from tests.local.azure.devops.organisation import Organisation

ZERO = "0" * 40
ORGANIZATION_WIDE = ("_apis", "vssps ")


class Scenario:
    """One project of its own, and what the operations need in it.

    Each method named in `PLAYS` sends the request of a recorded operation and returns the answer.
    """

    def __init__(self, organisation: Organisation) -> None:
        self.organisation = organisation
        self.project = f"recorded-{uuid.uuid4().hex[:8]}"
        self.version, self.visibility = "5.0", "private"
        operation = self.send("POST", "_apis/projects", self.new_project(self.project)).json()
        self.wait(operation)
        self.agent = self.send(
            "POST", "_apis/distributedtask/pools/1/sessions", {"agent": {"name": "recorded"}}
        )
        self.repository = self.send("GET", f"{self.git}/{self.project}").json()
        self.tip = organisation.push("main", repository=self.repository["id"], **self.here)
        self.user = self.send("GET", "_apis/ConnectionData?api-version=5.0-preview.1").json()[
            "authenticatedUser"
        ]["id"]
        self.definition = self.define()
        self.build = self.queue()

    @property
    def here(self) -> dict[str, str]:
        return {"project": self.project}

    @property
    def git(self) -> str:
        return f"{self.project}/_apis/git/repositories"

    def send(self, method: str, path: str, body: Any = None) -> Any:
        """A request in the version of the recording, to the host that it names."""
        host, _, rest = path.rpartition(" ")
        base = self.organisation.url
        if host:
            base = base.replace("//dev.", f"//{host}.dev.")
        query = {} if "api-version=" in rest else {"api-version": self.version}
        return self.organisation.session.request(
            method,
            f"{base}/{rest}",
            params=query,
            json=body,
            auth=("", self.organisation.token),
            timeout=30,
        )

    def play(self, operation: dict[str, Any]) -> Any:
        """The answer to a recorded operation."""
        self.see(operation["response"])
        self.version = operation["version"]
        try:
            return PLAYS[operation["op"]](self, operation)
        finally:
            self.version = "5.0"

    def see(self, response: Any) -> None:
        """Make the project as visible as that of the recording was."""
        words = set(re.findall(r'"visibility": "enum:(\w+)', json.dumps(response)))
        visible = next(iter(words - {"unchanged"}), "")
        if visible and visible != self.visibility:
            self.send("PATCH", f"_apis/projects/{self.project}", {"visibility": visible})
            self.visibility = visible

    def wait(self, operation: dict[str, Any]) -> Any:
        """The operation's last answer, when it has succeeded."""
        deadline = time.monotonic() + 30
        while True:
            answer = self.send("GET", f"_apis/operations/{operation['id']}")
            if answer.json()["status"] == "succeeded":
                return answer
            assert time.monotonic() < deadline
            time.sleep(0.05)

    # --- what operations need -----------------------------------------------------------------

    def new_project(self, name: str) -> dict[str, Any]:
        capabilities = {
            "versioncontrol": {"sourceControlType": "Git"},
            "processTemplate": {"templateTypeId": self.process()},
        }
        return {"name": name, "visibility": "private", "capabilities": capabilities}

    def process(self) -> str:
        listed = self.send("GET", "_apis/process/processes").json()["value"]
        return str(listed[0]["id"])

    def define(self, **more: Any) -> dict[str, Any]:
        body = {
            "name": f"recorded-{uuid.uuid4().hex[:8]}",
            "description": "d",
            "queue": {"id": 1},
            "process": {"yamlFilename": "azure-pipelines.yml", "type": 2},
            "repository": {
                "defaultBranch": "refs/heads/main",
                "id": self.repository["id"],
                "name": self.project,
                "type": "tfsgit",
            },
            "triggers": [{"settingsSourceType": 2, "triggerType": 2}],
            **more,
        }
        answer = self.send("POST", f"{self.project}/_apis/build/Definitions", body)
        assert answer.status_code == 200, answer.text
        self.last = answer
        return answer.json()  # type: ignore[no-any-return]

    def queue(self) -> dict[str, Any]:
        body = {"definition": {"id": self.definition["id"]}}
        answer = self.send("POST", f"{self.project}/_apis/build/Builds", body)
        self.last = answer
        return answer.json()  # type: ignore[no-any-return]

    def at_build(self, rest: str = "") -> str:
        return f"{self.project}/_apis/build/builds/{self.build['id']}{rest}"

    def folder(self) -> str:
        path = f"folder-{uuid.uuid4().hex[:8]}"
        body = {"description": "d", "path": path}
        place = f"{self.project}/_apis/build/folders/{path}?api-version=5.0-preview.2"
        self.last = self.send("PUT", place, body)
        return path

    def group(self) -> Any:
        body = {
            "name": f"group-{uuid.uuid4().hex[:8]}",
            "description": "d",
            "type": "Vsts",
            "variables": {
                "var1": {"isSecret": False, "value": "a"},
                "var2": {"isSecret": False, "value": "b"},
            },
        }
        place = f"{self.project}/_apis/distributedtask/variablegroups?api-version=5.0-preview.1"
        return self.send("POST", place, body)

    def at_group(self, identity: Any = "") -> str:
        return f"{self.project}/_apis/distributedtask/variablegroups/{identity}".rstrip("/")

    def new_repository(self) -> Any:
        return self.send("POST", self.git, {"name": f"repository-{uuid.uuid4().hex[:8]}"})

    def ref(self, name: str) -> Any:
        body = [{"name": f"refs/heads/{name}", "oldObjectId": ZERO, "newObjectId": self.tip}]
        return self.send("POST", f"{self.git}/{self.project}/refs", body)

    def pull_request(self) -> Any:
        source = f"topic-{uuid.uuid4().hex[:8]}"
        self.ref(source)
        self.organisation.push(source, repository=self.repository["id"], **self.here)
        body = {
            "title": "t",
            "description": "d",
            "sourceRefName": f"refs/heads/{source}",
            "targetRefName": "refs/heads/main",
            "reviewers": [],
        }
        return self.send("POST", f"{self.git}/{self.repository['id']}/pullRequests", body)

    def at_pull_request(self, rest: str = "") -> str:
        made = self.pull_request().json()
        return f"{self.git}/{self.repository['id']}/pullRequests/{made['pullRequestId']}{rest}"

    def reviewed(self) -> str:
        place = self.at_pull_request("/reviewers")
        self.send("POST", place, [{"id": self.user}])
        return place

    def authorize(self) -> Any:
        body = [{"authorized": True, "id": "7", "name": "n", "type": "variablegroup"}]
        place = f"{self.project}/_apis/build/authorizedresources?api-version=5.0-preview.1"
        return self.send("PATCH", place, body)


Play = Callable[[Scenario, dict[str, Any]], Any]


def get(path: str) -> Play:
    """A plain GET below the organization; `{p}` is the project."""
    return lambda s, _: s.send("GET", path.format(p=s.project, r=s.repository["id"]))


def delete_project(s: Scenario, _: Any) -> Any:
    name = f"doomed-{uuid.uuid4().hex[:8]}"
    s.wait(s.send("POST", "_apis/projects", s.new_project(name)).json())
    identity = s.send("GET", f"_apis/projects/{name}").json()["id"]
    return s.send("DELETE", f"_apis/projects/{identity}")


def described_project(s: Scenario, _: Any) -> Any:
    name = f"described-{uuid.uuid4().hex[:8]}"
    more = {"description": "d", "visibility": "public"}
    s.wait(s.send("POST", "_apis/projects", {**s.new_project(name), **more}).json())
    identity = s.send("GET", f"_apis/projects/{name}").json()["id"]
    return s.send("GET", f"_apis/projects/{identity}?includeCapabilities=true")


def delete_definition(s: Scenario, _: Any) -> Any:
    made = s.define()
    return s.send("DELETE", f"{s.project}/_apis/build/Definitions/{made['id']}")


def update_definition(s: Scenario, _: Any) -> Any:
    made = s.define()
    made["variables"] = {
        "var1": {"value": "a", "isSecret": True, "allowOverride": True},
        "var2": {"value": "b"},
    }
    return s.send("PUT", f"{s.project}/_apis/build/Definitions/{made['id']}", made)


def create_definition(s: Scenario, _: Any) -> Any:
    s.define()
    return s.last


def queue_build(s: Scenario, operation: dict[str, Any]) -> Any:
    body: dict[str, Any] = {"definition": {"id": s.definition["id"]}}
    if operation["version"] == "5.1":
        body = {"definition": s.definition, "sourceBranch": "refs/heads/main"}
    return s.send("POST", f"{s.project}/_apis/build/Builds", body)


def cancel_build(s: Scenario, _: Any) -> Any:
    made = s.queue()
    place = f"{s.project}/_apis/build/Builds/{made['id']}"
    return s.send("PATCH", place, {"status": "Cancelling"})


def create_folder(s: Scenario, _: Any) -> Any:
    s.folder()
    return s.last


def get_folder(s: Scenario, _: Any) -> Any:
    path = s.folder()
    return s.send("GET", f"{s.project}/_apis/build/folders/{path}?queryOrder=folderAscending")


def update_folder(s: Scenario, _: Any) -> Any:
    path = s.folder()
    place = f"{s.project}/_apis/build/folders/{path}"
    body = {**s.last.json(), "description": "e"}
    return s.send("POST", place, body)


def update_group(s: Scenario, _: Any) -> Any:
    made = s.group().json()
    variables = {"var2": {"value": "b"}, "NewVar2": {"isSecret": True, "value": "s"}}
    return s.send("PUT", s.at_group(made["id"]), {**made, "variables": variables})


def lock_ref(s: Scenario, _: Any) -> Any:
    name = f"locked-{uuid.uuid4().hex[:8]}"
    s.ref(name)
    place = f"{s.git}/{s.project}/refs?filter=heads/{name}"
    return s.send("PATCH", place, {"isLocked": True})


def rename_repository(s: Scenario, _: Any) -> Any:
    made = s.new_repository().json()
    return s.send("PATCH", f"{s.git}/{made['id']}", {**made, "name": f"{made['name']}-new"})


def vote(s: Scenario, _: Any) -> Any:
    place = s.at_pull_request(f"/reviewers/{s.user}")
    return s.send("PUT", place, {"id": s.user, "vote": 10})


def shown_by_id(s: Scenario, _: Any) -> Any:
    made = s.pull_request().json()
    s.send(
        "POST", f"{made['url'].partition(s.organisation.url + '/')[2]}/reviewers", [{"id": s.user}]
    )
    return s.send("GET", f"_apis/git/pullRequests/{made['pullRequestId']}")


def list_tags(s: Scenario, _: Any) -> Any:
    s.send("POST", s.at_build("/tags"), ["one"])
    return s.send("GET", s.at_build("/tags"))


_GROUPS = "{project}/_apis/distributedtask/variablegroups"
_REPOSITORY = "{project}/_apis/git/repositories/{id}"
_NAMED = "{project}/_apis/git/repositories/{name}"
_BUILD = "{project}/_apis/build"
_POOL = "_apis/distributedtask/pools"
PLAYS: dict[str, Play] = {
    "DELETE _apis/projects/{id}": delete_project,
    f"DELETE {_BUILD}/Definitions/{{n}}": delete_definition,
    f"DELETE {_BUILD}/builds/{{n}}/tags/{{name}}": lambda s, _: s.send(
        "DELETE", s.at_build("/tags/none")
    ),
    f"DELETE {_BUILD}/folders/{{name}}": lambda s, _: s.send(
        "DELETE", f"{s.project}/_apis/build/folders/{s.folder()}"
    ),
    f"DELETE {_GROUPS}/{{n}}": lambda s, _: s.send("DELETE", s.at_group(s.group().json()["id"])),
    f"DELETE {_REPOSITORY}": lambda s, _: s.send(
        "DELETE", f"{s.git}/{s.new_repository().json()['id']}"
    ),
    f"DELETE {_REPOSITORY}/pullRequests/{{n}}/reviewers/{{id}}": lambda s, _: s.send(
        "DELETE", f"{s.reviewed()}/{s.user}"
    ),
    "GET _apis/ConnectionData": get("_apis/ConnectionData"),
    f"GET {_POOL}": get("_apis/distributedtask/pools?poolName=Default&poolType=automation"),
    f"GET {_POOL}/{{n}}": get("_apis/distributedtask/pools/1"),
    f"GET {_POOL}/{{n}}/agents": get("_apis/distributedtask/pools/1/agents"),
    f"GET {_POOL}/{{n}}/agents/{{n}}": get("_apis/distributedtask/pools/1/agents/1"),
    "GET _apis/git/pullRequests/{n}": shown_by_id,
    "GET _apis/operations/{id}": lambda s, _: s.wait(
        s.send("POST", "_apis/projects", s.new_project(uuid.uuid4().hex)).json()
    ),
    "GET _apis/process/processes": get("_apis/process/processes"),
    "GET _apis/projects": get("_apis/projects?stateFilter=all"),
    "GET _apis/projects/{id}": described_project,
    "GET _apis/projects/{name}": get("_apis/projects/{p}?includeCapabilities=true"),
    "GET vssps _apis/Identities": get(
        "vssps _apis/Identities?searchFilter=General&filterValue=user@local.invalid"
    ),
    f"GET {_BUILD}/Builds": lambda s, _: s.send(
        "GET", f"{s.project}/_apis/build/Builds?definitions={s.definition['id']}"
    ),
    f"GET {_BUILD}/Builds/{{n}}": lambda s, _: s.send(
        "GET", f"{s.project}/_apis/build/Builds/{s.build['id']}"
    ),
    f"GET {_BUILD}/Definitions": lambda s, _: s.send(
        "GET",
        f"{s.project}/_apis/build/Definitions?name={s.definition['name']}"
        "&queryOrder=definitionNameAscending",
    ),
    f"GET {_BUILD}/Definitions/{{n}}": lambda s, _: s.send(
        "GET", f"{s.project}/_apis/build/Definitions/{s.definition['id']}"
    ),
    f"GET {_BUILD}/authorizedresources": lambda s, _: (
        s.authorize(),
        s.send("GET", f"{s.project}/_apis/build/authorizedresources?id=7&type=variablegroup"),
    )[1],
    f"GET {_BUILD}/builds/{{n}}/tags": list_tags,
    f"GET {_BUILD}/folders": get("{p}/_apis/build/folders?queryOrder=folderAscending"),
    f"GET {_BUILD}/folders/{{name}}": get_folder,
    "GET {project}/_apis/distributedtask/queues": get("{p}/_apis/distributedtask/queues"),
    "GET {project}/_apis/distributedtask/queues/{n}": get("{p}/_apis/distributedtask/queues/1"),
    f"GET {_GROUPS}": lambda s, _: (
        s.group(),
        s.send("GET", s.at_group() + "?queryOrder=idDescending&$top=1"),
    )[1],
    f"GET {_GROUPS}/{{n}}": lambda s, _: s.send("GET", s.at_group(s.group().json()["id"])),
    "GET {project}/_apis/git/repositories": get("{p}/_apis/git/repositories"),
    f"GET {_REPOSITORY}": lambda s, _: s.send("GET", f"{s.git}/{s.new_repository().json()['id']}"),
    f"GET {_REPOSITORY}/pullRequests": lambda s, _: (
        s.send("GET", s.at_pull_request()),
        s.send(
            "GET",
            f"{s.git}/{s.repository['id']}/pullRequests?searchCriteria.includeLinks=false&$top=1",
        ),
    )[1],
    f"GET {_REPOSITORY}/pullRequests/{{n}}": lambda s, _: s.send(
        "GET", s.at_pull_request("?includeCommits=false&includeWorkItemRefs=false")
    ),
    f"GET {_REPOSITORY}/pullRequests/{{n}}/reviewers": lambda s, _: s.send("GET", s.reviewed()),
    f"GET {_NAMED}": get("{p}/_apis/git/repositories/{p}"),
    f"GET {_NAMED}/pullRequests": lambda s, _: (
        s.send("GET", s.at_pull_request()),
        s.send("GET", f"{s.git}/{s.project}/pullRequests?searchCriteria.includeLinks=false&$top=1"),
    )[1],
    f"GET {_NAMED}/refs": get("{p}/_apis/git/repositories/{p}/refs?filter=heads/main"),
    f"PATCH {_BUILD}/Builds/{{n}}": cancel_build,
    f"PATCH {_BUILD}/authorizedresources": lambda s, _: s.authorize(),
    f"PATCH {_REPOSITORY}": rename_repository,
    f"PATCH {_NAMED}/pullRequests/{{n}}": lambda s, _: s.send(
        "PATCH", s.at_pull_request(), {"description": "e"}
    ),
    f"PATCH {_NAMED}/refs": lock_ref,
    "POST _apis/projects": lambda s, _: s.send(
        "POST", "_apis/projects", s.new_project(uuid.uuid4().hex)
    ),
    f"POST {_BUILD}/Builds": queue_build,
    f"POST {_BUILD}/Definitions": create_definition,
    f"POST {_BUILD}/builds/{{n}}/tags": lambda s, _: s.send(
        "POST", s.at_build("/tags"), ["one", "two"]
    ),
    f"POST {_BUILD}/folders/{{name}}": update_folder,
    f"POST {_GROUPS}": lambda s, _: s.group(),
    "POST {project}/_apis/git/repositories": lambda s, _: s.new_repository(),
    f"POST {_REPOSITORY}/pullRequests": lambda s, _: s.pull_request(),
    f"POST {_REPOSITORY}/pullRequests/{{n}}/reviewers": lambda s, _: s.send(
        "POST", s.at_pull_request("/reviewers"), [{"id": s.user}]
    ),
    f"POST {_NAMED}/refs": lambda s, _: s.ref(f"new-{uuid.uuid4().hex[:8]}"),
    f"PUT {_BUILD}/Definitions/{{n}}": update_definition,
    f"PUT {_BUILD}/builds/{{n}}/tags/{{name}}": lambda s, _: s.send(
        "PUT", s.at_build("/tags/three")
    ),
    f"PUT {_BUILD}/folders/{{name}}": create_folder,
    f"PUT {_GROUPS}/{{n}}": update_group,
    f"PUT {_REPOSITORY}/pullRequests/{{n}}/reviewers/{{id}}": vote,
}
