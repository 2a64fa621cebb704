"""The Azure DevOps organisation that a run belongs to, where the environment names one.

The run becomes a build or a release there: the agent queues it and takes its job request from the
pool's messages, as the real one does (src/Agent.Listener/MessageListener.cs). ``run_updates``
sends its progress.
"""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from local.agent.definition.variable_groups import Group, GroupVariable
from local.agent.errors import AgentError
from local.agent.host.connection import Connection
from local.agent.host.masking import SecretMasker, is_secret_parameter
from local.agent.organization.caller import SETTINGS, Caller, UnreachableError
from local.agent.organization.open_runs import OpenRun, OpenRuns

_RELEASE_AREA = "efc2f575-36ef-48e9-b672-0c6fb4a48ac5"


@dataclass(frozen=True, kw_only=True)
class JobRequest:
    """A build or release that was given to this agent.

    Attributes:
        number: of the build or release.
        plan: of the build; the stages of a release have plans of their own.
        variables: what the service sets, such as ``build.buildId``, and the variables of the
            definition; names in the service's case.
        secrets: the definition's secret variables.
        url: the organisation's, with a slash at its end.
        token: the access token of all its jobs.
        stages: of a release.
    """

    number: int
    plan: str
    job: str
    project: str
    url: str
    token: str = field(repr=False)
    variables: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    stages: Stages | None = None

    def completed(self, predefined: Mapping[str, str]) -> dict[str, str]:
        """Return the run's variables, with the service's values instead of the local ones."""
        names = {name.lower(): name for name in (*predefined, "Build.BuildNumber")}
        given = {names.get(name.lower(), name): value for name, value in self.variables.items()}
        return {**predefined, **given}


class Stages:
    """Sets the status of a release's stages, as the organisation's user."""

    def __init__(self, caller: Caller, release: int, ids: Mapping[str, int]) -> None:
        """Use a caller of the release area; ``ids`` has the stages' ids by name."""
        self._caller = caller
        self._path = f"Release/releases/{release}"
        self._ids = ids

    def rename(self, name: str) -> None:
        """Give the release its name."""
        self._caller.in_project("PATCH", self._path, body={"name": name})

    def set(self, stage: str, status: str) -> str:
        """Set a stage's status; returns the plan of its last attempt, empty without one."""
        path = f"{self._path}/environments/{self._ids[stage]}"
        steps = self._caller.in_project("PATCH", path, body={"status": status})["deploySteps"]
        return str(steps[-1]["releaseDeployPhases"][0]["runPlanId"]) if steps else ""


class Organization:
    """The organisation, with the token of its user."""

    def __init__(self, caller: Caller) -> None:
        """Use ``from_environment``."""
        self._caller = caller

    def open(self, runs: OpenRuns, request: JobRequest) -> Path:
        """Write down that this agent carries out a run; returns the file to remove at its end."""
        kind = "build" if request.stages is None else "release"
        return runs.open(self._caller.url, self._caller.project, kind, request.number)

    def end_abandoned(self, runs: OpenRuns) -> list[str]:
        """Cancel the runs whose agents were killed; returns what each is, e.g. ``build 7``."""
        ended = []
        for file, run in runs.abandoned(self._caller.url, self._caller.project):
            try:
                if self._cancel(run):
                    ended.append(f"{run.kind} {run.number}")
            except UnreachableError:
                raise
            except AgentError:
                # It is gone there, too: nothing is left to end.
                pass
            file.unlink(missing_ok=True)
        return ended

    def _cancel(self, run: OpenRun) -> bool:
        """End a run; returns False when it has ended by itself."""
        if run.kind == "build":
            return self._cancel_build(run.number)
        return self._cancel_release(run.number)

    def _cancel_build(self, number: int) -> bool:
        path = f"build/builds/{number}"
        if self._caller.in_project("GET", path)["status"] == "completed":
            return False
        body = {"status": "completed", "result": "canceled"}
        self._caller.in_project("PATCH", path, body=body)
        return True

    def _cancel_release(self, number: int) -> bool:
        caller = self._release_area()
        release = caller.in_project("GET", f"Release/releases/{number}")
        stages = [one for one in release["environments"] if one["status"] == "inProgress"]
        for stage in stages:
            path = f"Release/releases/{number}/environments/{stage['id']}"
            caller.in_project("PATCH", path, body={"status": "canceled"})
        return bool(stages)

    def _release_area(self) -> Caller:
        area = self._caller.call("GET", f"_apis/ResourceAreas/{_RELEASE_AREA}")
        return self._caller.at(area["locationUrl"])

    def adopt(self, connection: Connection) -> Connection:
        """Return the connection with its id in the project, where it is created without secrets."""
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

    def variable_group(self, name: str) -> Group | None:
        """Return a variable group by its name or id, None when the project has none of it."""
        where = "distributedtask/variablegroups"
        found = self._caller.in_project("GET", where, query={"groupName": name})["value"]
        shown = next((one for one in found if one["name"].lower() == name.lower()), None)
        if shown is None and name.isdecimal():
            shown = self._caller.in_project("GET", f"{where}/{name}")
        if shown is None:
            return None
        return tuple(
            GroupVariable(name=key, value=one.get("value") or "", secret=bool(one.get("isSecret")))
            for key, one in shown["variables"].items()
        )

    def queue(self, variables: Mapping[str, str], file: Path) -> JobRequest:
        """Queue a build of the pipeline's definition, made when it is new, and take its job.

        Args:
            variables: the run's: the pipeline's name, branch and version.
            file: of the pipeline, for the new definition.
        """
        name = variables["Build.DefinitionName"]
        found = self._caller.in_project("GET", "build/definitions", query={"name": name})
        definition = found["value"][0] if found["value"] else self._define(name, file)
        agent = _agent_name()
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

    def release(
        self, name: str, file: Path, artifacts: Mapping[str, Mapping[str, str]]
    ) -> JobRequest:
        """Create a release of the definition of that name, made when it is new, and take its job.

        Args:
            name: of the release definition.
            file: of the definition, as the portal exports it.
            artifacts: ``id`` and ``number`` of the builds that are released, by alias.
        """
        caller = self._release_area()
        query = {"searchText": name, "isExactNameMatch": "true"}
        found = caller.in_project("GET", "Release/definitions", query=query)["value"]
        if not found:
            body = json.loads(file.read_text(encoding="utf-8-sig"))
            found = [caller.in_project("POST", "Release/definitions", body=body)]
        agent = _agent_name()
        made = caller.in_project(
            "POST",
            "Release/releases",
            body={
                "definitionId": found[0]["id"],
                "artifacts": [
                    {"alias": alias, "instanceReference": {"id": one["id"], "name": one["number"]}}
                    for alias, one in artifacts.items()
                ],
                "properties": {"demands": [f"Agent.Name -equals {agent}"]},
            },
        )
        ids = {stage["name"]: stage["id"] for stage in made["environments"]}
        stages = Stages(caller, made["id"], ids)
        return dataclasses.replace(self._take(agent, made["id"]), stages=stages)

    def _define(self, name: str, file: Path) -> Any:
        process = {"type": 2, "yamlFilename": file.name}
        body = {"name": name, "process": process}
        return self._caller.in_project("POST", "build/definitions", body=body)

    def _take(self, agent: str, number: int) -> JobRequest:
        pool = "_apis/distributedtask/pools/1"
        session = self._caller.call("POST", f"{pool}/sessions", body={"agent": {"name": agent}})
        identity = session["sessionId"]
        message = self._caller.call("GET", f"{pool}/messages", query={"sessionId": identity})
        self._caller.call("DELETE", f"{pool}/sessions/{identity}")
        if message is None:
            raise AgentError(f"the organisation gave the job of {number} to no agent; run again")
        request = json.loads(message["body"])
        (endpoint,) = request["resources"]["endpoints"]
        return JobRequest(
            number=number,
            plan=request["plan"]["planId"] or "",
            job=request["jobId"],
            project=request["plan"]["scopeIdentifier"],
            url=endpoint["url"],
            token=endpoint["authorization"]["parameters"]["AccessToken"],
            variables=_values(request["variables"], secret=False),
            secrets=_values(request["variables"], secret=True),
        )


def _values(variables: Mapping[str, Mapping[str, Any]], *, secret: bool) -> dict[str, str]:
    return {
        name: str(one["value"])
        for name, one in variables.items()
        if bool(one.get("isSecret")) is secret
    }


def from_environment(environment: Mapping[str, str], masker: SecretMasker) -> Organization | None:
    """Return the organisation that the agent's environment names, None when it names none.

    Args:
        environment: the agent's.
        masker: hides the token.

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
    """Return a caller with the token of the build's job."""
    session = requests.Session()
    session.headers["authorization"] = f"Bearer {request.token}"
    return Caller(request.url, request.project, session)


def _agent_name() -> str:
    return f"local-agent-{uuid.uuid4().hex[:12]}"
