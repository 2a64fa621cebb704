"""The Azure DevOps organisation that a run belongs to, where the environment names one.

The run becomes a build there: it is queued, and its job request is taken from the pool's messages
as the real agent does (src/Agent.Listener/MessageListener.cs); what happens is told by the routes
of src/Microsoft.VisualStudio.Services.Agent/JobServer.cs.
"""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from local.agent.connection import Connection
from local.agent.errors import AgentError
from local.agent.masking import SecretMasker, is_secret_parameter

# Configuration of this agent: no step sees it.
SETTINGS = ("AZURE_DEVOPS_ORG_URL", "AZURE_DEVOPS_PROJECT", "AZURE_DEVOPS_EXT_PAT")
_VERSION = {"api-version": "7.1-preview"}
_TIMEOUT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """A build that was given to this agent.

    Attributes:
        variables: what the service sets, such as ``build.buildId``; names in the service's case.
        url: the organisation's, with a slash at its end.
        token: the access token of the build's jobs.
    """

    build: int
    plan: str
    job: str
    project: str
    url: str
    token: str
    variables: Mapping[str, str]

    def __repr__(self) -> str:
        """Without the token."""
        return f"JobRequest(build={self.build})"

    def completed(self, predefined: Mapping[str, str]) -> dict[str, str]:
        """The run's variables, with the service's values in place of those made up here."""
        names = {name.lower(): name for name in (*predefined, "Build.BuildNumber")}
        given = {names.get(name.lower(), name): value for name, value in self.variables.items()}
        return {**predefined, **given}


class UnreachableError(AgentError):
    """Nobody answers under the organisation's address."""


class Caller:
    """Requests to one project of an organisation, with one token."""

    def __init__(self, url: str, project: str, session: requests.Session) -> None:
        """`session` signs in."""
        self.url = url.rstrip("/")
        self.project = project
        self._session = session

    def in_project(self, method: str, path: str, **options: Any) -> Any:
        """A request below the project's ``_apis``; see ``call``."""
        return self.call(method, f"{quote(self.project)}/_apis/{path}", **options)

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        data: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """The JSON that answers a request below the organisation; None where there is none.

        Raises:
            UnreachableError: no answer.
            AgentError: another answer than success.
        """
        kind = {} if data is None else {"content-type": "application/octet-stream"}
        try:
            answer = self._session.request(
                method,
                f"{self.url}/{path}",
                params={**_VERSION, **(query or {})},
                json=body,
                data=data,
                headers=kind,
                timeout=_TIMEOUT_S,
            )
        except requests.RequestException as error:
            raise UnreachableError(
                f"the organisation {self.url} does not answer ({type(error).__name__}); start it "
                f"(dev.py azure), or unset {SETTINGS[0]}"
            ) from None
        if not 200 <= answer.status_code < 300:
            raise AgentError(
                f"the organisation {self.url} refused {method} {path} with {answer.status_code}: "
                f"{_message(answer)}; check {', '.join(SETTINGS)}"
            )
        return answer.json() if answer.content else None


class Organization:
    """The organisation as its user, whose token the agent was configured with."""

    def __init__(self, caller: Caller) -> None:
        """Use ``from_environment``."""
        self._caller = caller

    def adopt(self, connection: Connection) -> Connection:
        """The connection under the id it has in the project; made there when it is new.

        Its secrets stay here.
        """
        where = "serviceendpoint/endpoints"
        query = {"endpointNames": connection.name}
        found = self._caller.in_project("GET", where, query=query)["value"]
        if found and found[0]["authorization"]["scheme"] == connection.scheme:
            return dataclasses.replace(connection, identity=found[0]["id"])
        public = {
            name: value
            for name, value in connection.parameters.items()
            if name.lower() == "serviceprincipalid" or not is_secret_parameter(name)
        }
        reference = {"name": connection.name, "projectReference": {"name": self._caller.project}}
        body = {
            "name": connection.name,
            "type": "azurerm",
            "url": connection.url,
            "authorization": {"scheme": connection.scheme, "parameters": public},
            "data": dict(connection.data),
            "serviceEndpointProjectReferences": [reference],
        }
        # The agent's own settings say what a connection is; the project's follows them.
        if found:
            made = self._caller.call("PUT", f"_apis/{where}/{found[0]['id']}", body=body)
        else:
            made = self._caller.call("POST", f"_apis/{where}", body=body)
        return dataclasses.replace(connection, identity=made["id"])

    def queue(self, variables: Mapping[str, str], file: Path) -> JobRequest:
        """Queue a build of the pipeline's definition, made when it is new, and take its job.

        Args:
            variables: the run's: the pipeline's name, branch and version.
            file: of the pipeline, for the new definition.
        """
        name = variables["Build.DefinitionName"]
        found = self._caller.in_project("GET", "build/definitions", query={"name": name})
        definition = found["value"][0] if found["value"] else self._define(name, file)
        agent = f"local-agent-{uuid.uuid4().hex[:12]}"
        build = self._caller.in_project(
            "POST",
            "build/builds",
            body={
                "definition": {"id": definition["id"]},
                "sourceBranch": variables.get("Build.SourceBranch") or None,
                "sourceVersion": variables.get("Build.SourceVersion") or None,
                # Other agents may listen, and other builds may wait.
                "demands": [f"Agent.Name -equals {agent}"],
            },
        )
        return self._take(agent, build["id"])

    def _define(self, name: str, file: Path) -> Any:
        process = {"type": 2, "yamlFilename": file.name}
        body = {"name": name, "process": process}
        return self._caller.in_project("POST", "build/definitions", body=body)

    def _take(self, agent: str, build: int) -> JobRequest:
        pool = "_apis/distributedtask/pools/1"
        session = self._caller.call("POST", f"{pool}/sessions", body={"agent": {"name": agent}})
        identity = session["sessionId"]
        message = self._caller.call("GET", f"{pool}/messages", query={"sessionId": identity})
        self._caller.call("DELETE", f"{pool}/sessions/{identity}")
        if message is None:
            raise AgentError(f"the organisation gave build {build} to no agent; run again")
        request = json.loads(message["body"])
        (endpoint,) = request["resources"]["endpoints"]
        return JobRequest(
            build=build,
            plan=request["plan"]["planId"],
            job=request["jobId"],
            project=request["plan"]["scopeIdentifier"],
            url=endpoint["url"],
            token=endpoint["authorization"]["parameters"]["AccessToken"],
            variables={name: one["value"] for name, one in request["variables"].items()},
        )


def from_environment(environment: Mapping[str, str], masker: SecretMasker) -> Organization | None:
    """The organisation that the agent's environment names, None when it names none.

    Args:
        environment: the agent's.
        masker: is told the token.

    Raises:
        AgentError: it is named without a project or a token.
    """
    url, project, token = (environment.get(name, "") for name in SETTINGS)
    if not url:
        return None
    if not (project and token):
        raise AgentError(f"{SETTINGS[0]} is set, and {' or '.join(SETTINGS[1:])} is not; set both")
    masker.add_variable(token)
    session = requests.Session()
    session.auth = ("", token)
    return Organization(Caller(url, project, session))


def as_job(request: JobRequest) -> Caller:
    """The organisation as the build's job sees it."""
    session = requests.Session()
    session.headers["authorization"] = f"Bearer {request.token}"
    return Caller(request.url, request.project, session)


def oidc_request_uri(request: JobRequest, job: str) -> str:
    """Where a job asks for the ID token of a service connection."""
    plan = f"distributedtask/hubs/build/plans/{request.plan}"
    return f"{request.url}{request.project}/_apis/{plan}/jobs/{job}/oidctoken"


def _message(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.reason
