"""The unmodified `azure-devops` package, pointed at a local Azure by its environment variables."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.patience import PATIENCE_S

# What leads a client to the local Azure; the rest says as whom.
NAMES = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True, kw_only=True)
class Organisation:
    """A connection as the organisation's user, and plain requests beside it."""

    url: str
    project: str
    token: str
    connection: Any
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    def request(self, method: str, path: str, *, token: str | None = None, **options: Any) -> Any:
        """A request below the organisation, with a bearer token or else the personal one."""
        auth = ("", self.token) if token is None else None
        headers = dict(options.pop("headers", {}))
        if token:
            headers["authorization"] = f"Bearer {token}"
        return self.session.request(
            method, f"{self.url}/{path}", headers=headers, timeout=PATIENCE_S, auth=auth, **options
        )

    def client(self, kind: str) -> Any:
        """A client of the package's newest version, such as `build`."""
        return getattr(self.connection.clients_v7_1, f"get_{kind}_client")()

    def create_project(self, name: str) -> None:
        """A new project, once its operation has succeeded."""
        core, operations = self.client("core"), self.client("operations")
        operation = core.queue_create_project({"name": name})
        assert operation.status == "notSet"
        deadline = time.monotonic() + 30
        while operation.status != "succeeded":
            assert time.monotonic() < deadline, operation.status
            time.sleep(0.05)
            operation = operations.get_operation(operation.id)

    def push(self, branch: str, *, repository: str = "", project: str = "") -> str:
        """A file of a new name on a branch, which begins empty; returns the commit."""
        project = project or self.project
        where = f"{project}/_apis/git/repositories/{repository or project}"
        query = {"filter": f"heads/{branch}", "api-version": "7.1"}
        refs = self.request("GET", f"{where}/refs", params=query).json()["value"]
        change = {
            "changeType": "add",
            "item": {"path": f"/{uuid.uuid4().hex}.txt"},
            "newContent": {"content": "x", "contentType": "rawtext"},
        }
        old = refs[0]["objectId"] if refs else "0" * 40
        body = {
            "refUpdates": [{"name": f"refs/heads/{branch}", "oldObjectId": old}],
            "commits": [{"comment": "c", "changes": [change]}],
        }
        answer = self.request("POST", f"{where}/pushes?api-version=7.1", json=body)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["refUpdates"][0]["newObjectId"])

    def definition(self, name: str = "") -> Any:
        """A new definition in the project's own repository."""
        from azure.devops.v7_1.build.models import BuildDefinition

        body = BuildDefinition(name=name or f"pipeline-{uuid.uuid4().hex[:8]}")
        return self.client("build").create_definition(body, self.project)

    def queue(self, definition: Any, **values: Any) -> Any:
        """Queue a build."""
        from azure.devops.v7_1.build.models import Build, DefinitionReference

        body = Build(definition=DefinitionReference(id=definition.id), **values)
        return self.client("build").queue_build(body, self.project)


def connect(env: Mapping[str, str], token: str | None = None) -> Organisation:
    """Sign in with the personal token of the env file, or as a job."""
    from azure.devops.connection import Connection
    from msrest.authentication import BasicAuthentication, BasicTokenAuthentication

    personal = env["AZURE_DEVOPS_EXT_PAT"]
    credentials = (
        BasicAuthentication("", personal)
        if token is None
        else BasicTokenAuthentication({"access_token": token})
    )
    return Organisation(
        url=env["AZURE_DEVOPS_ORG_URL"],
        project=env["AZURE_DEVOPS_PROJECT"],
        token=personal,
        connection=Connection(base_url=env["AZURE_DEVOPS_ORG_URL"], creds=credentials),
    )
