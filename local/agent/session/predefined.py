"""Predefined variables: those of the run, and those of each job.

Names: MicrosoftDocs/azure-devops-docs docs/pipelines/build/includes/variables-hosted.md; the agent:
src/Agent.Worker/JobRunner.cs and Build/BuildJobExtension.cs.
"""

from __future__ import annotations

import datetime
import getpass
import json
import platform
import re
import uuid
from collections.abc import Mapping
from pathlib import Path

from local.agent.definition.model import Job, Stage
from local.agent.host.sources import Sources
from local.agent.session.session import Session

# No server answers there; tasks only need the address's form.
COLLECTION_URI = "http://127.0.0.1/local-agent/"
PROJECT = "local"
# What the agent was at the commit this one was written after.
AGENT_VERSION = "4.278.0"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, COLLECTION_URI)
# What the real agent sets itself (src/Agent.Worker/Build/BuildJobExtension.cs): the service does
# not know it when it evaluates the condition of a stage or a job.
_AGENT_ONLY = frozenset(
    name.lower()
    for name in (
        "Build.Repository.Clean",
        "Build.Repository.Git.SubmoduleCheckout",
        "Build.SourceVersionMessage",
    )
)
# The others that a template expression cannot read: the page above, "Template syntax".
_NOT_IN_TEMPLATES = frozenset(
    name.lower()
    for name in (
        "Build.BuildId",
        "Build.BuildNumber",
        "Build.BuildUri",
        "Build.ContainerId",
        "Build.Repository.Provider",
        "System.PipelineStartTime",
        "System.PlanId",
        "System.TimelineId",
    )
)


def run_variables(
    name: str, sources: Sources, build_id: int, started: datetime.datetime, *, identity: str = "1"
) -> dict[str, str]:
    """Return the variables known before the run, except ``Build.BuildNumber``.

    Args:
        name: of the pipeline.
        sources: what is built.
        build_id: number of the run on this machine.
        started: when the run started, UTC.
        identity: of the definition.
    """
    user, user_id = _requester()
    branch = sources.branch
    repository = str(uuid.uuid5(_NAMESPACE, str(sources.root)))
    return {
        **_system_variables("build"),
        "Build.BuildId": str(build_id),
        "Build.BuildUri": f"vstfs:///Build/Build/{build_id}",
        "Build.ContainerId": str(build_id),
        "Build.DefinitionName": name,
        "Build.DefinitionVersion": "1",
        "Build.QueuedBy": user,
        "Build.QueuedById": user_id,
        "Build.Reason": "Manual",
        "Build.Repository.Clean": "False",
        "Build.Repository.Git.SubmoduleCheckout": "False",
        "Build.Repository.ID": repository,
        "Build.Repository.Name": sources.root.name,
        "Build.Repository.Provider": "TfsGit" if sources.is_git else "None",
        "Build.Repository.Uri": sources.uri,
        "Build.RequestedFor": user,
        "Build.RequestedForEmail": "",
        "Build.RequestedForId": user_id,
        "Build.SourceBranch": branch,
        "Build.SourceBranchName": branch.rpartition("/")[2],
        "Build.SourceVersion": sources.version,
        "Build.SourceVersionAuthor": sources.author,
        "Build.SourceVersionMessage": sources.message,
        "System.DefinitionId": identity,
        "System.DefinitionName": name,
        "System.IsScheduled": "False",
        "System.PipelineStartTime": started.strftime("%Y-%m-%d %H:%M:%S+00:00"),
    }


def known_to_service(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a run that are there before a job has an agent."""
    return {name: value for name, value in variables.items() if name.lower() not in _AGENT_ONLY}


def known_to_templates(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of a run that template expressions can read."""
    known = known_to_service(variables)
    return {name: value for name, value in known.items() if name.lower() not in _NOT_IN_TEMPLATES}


def release_variables(name: str, release_id: int, *, identity: str, alias: str) -> dict[str, str]:
    """Return the variables known before a release, except its name and its artifacts' own.

    Names: MicrosoftDocs/azure-devops-docs docs/pipelines/release/variables.md.

    Args:
        name: of the release definition.
        release_id: number of the release on this machine.
        identity: of the definition.
        alias: of the artifact whose build started it, empty when a person did.
    """
    user, user_id = _requester()
    return {
        **_system_variables("release"),
        "Release.AttemptNumber": "1",
        "Release.DefinitionId": identity,
        "Release.DefinitionName": name,
        "Release.Deployment.RequestedFor": user,
        "Release.Deployment.RequestedForId": user_id,
        "Release.Reason": "ContinuousIntegration" if alias else "Manual",
        "Release.ReleaseDescription": "",
        "Release.ReleaseId": str(release_id),
        "Release.ReleaseUri": f"vstfs:///ReleaseManagement/Release/{release_id}",
        "Release.ReleaseWebURL": f"{COLLECTION_URI}{PROJECT}/_release?releaseId={release_id}",
        "Release.RequestedFor": user,
        "Release.RequestedForEmail": "",
        "Release.RequestedForId": user_id,
        "Release.SkipArtifactsDownload": "False",
        "Release.TriggeringArtifact.Alias": alias,
    }


def _system_variables(host: str) -> dict[str, str]:
    return {
        "System.CollectionId": str(uuid.uuid5(_NAMESPACE, "collection")),
        "System.CollectionUri": COLLECTION_URI,
        "System.Culture": "en-US",
        "System.EnableAccessToken": "SecretVariable",
        "System.HostType": host,
        "System.PlanId": str(uuid.uuid4()),
        "System.ServerType": "Hosted",
        "System.TeamFoundationCollectionUri": COLLECTION_URI,
        "System.TeamFoundationServerUri": COLLECTION_URI,
        "System.TeamProject": PROJECT,
        "System.TeamProjectId": str(uuid.uuid5(_NAMESPACE, PROJECT)),
        "System.TimelineId": str(uuid.uuid4()),
    }


def _requester() -> tuple[str, str]:
    """Return the name and the id of whoever runs the agent."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = "local"
    return user, str(uuid.uuid5(_NAMESPACE, user))


def job_variables(session: Session, stage: Stage, job: Job, number: int) -> dict[str, str]:
    """Return the variables that one job adds; ``number`` names its folder."""
    folders = session.folders
    names = {"Linux": "Linux", "Darwin": "Darwin", "Windows": "Windows_NT"}
    machine = platform.machine().lower()
    architecture = "ARM64" if machine in ("arm64", "aarch64") else "X64"
    found = {
        "Agent.HomeDirectory": str(folders.root),
        "Agent.Id": "1",
        "Agent.IsSelfHosted": "1",
        "Agent.JobName": job.display_name,
        "Agent.MachineName": platform.node(),
        "Agent.Name": "local agent",
        "Agent.OS": names.get(platform.system(), "Linux"),
        "Agent.OSArchitecture": architecture,
        "Agent.OSVersion": platform.release(),
        "Agent.RootDirectory": str(folders.work),
        "Agent.TempDirectory": str(folders.temp),
        "Agent.ToolsDirectory": str(folders.tools),
        "Agent.Version": AGENT_VERSION,
        "Agent.WorkFolder": str(folders.work),
        **stage_variables(stage),
        **phase_variables(job),
        "System.JobId": str(uuid.uuid4()),
        "System.WorkFolder": str(folders.work),
        **proxy_variables(session.environment),
    }
    if session.release is None:
        found.update(_build_folders(folders.work / str(number)))
    else:
        found.update(_release_folder(folders.work / f"r{number}" / "a"))
        found["Release.EnvironmentName"] = stage.name
    return found


def stage_variables(stage: Stage) -> dict[str, str]:
    """Return the variables of a stage that the service knows before it starts."""
    return {
        "System.StageAttempt": "1",
        "System.StageDisplayName": stage.display_name,
        "System.StageName": stage.name,
    }


def phase_variables(job: Job) -> dict[str, str]:
    """Return the variables of a job that the service knows before an agent has it."""
    found = {
        "System.JobAttempt": "1",
        "System.JobDisplayName": job.display_name,
        "System.JobName": job.name,
        "System.PhaseAttempt": "1",
        "System.PhaseDisplayName": job.display_name,
        "System.PhaseName": job.name,
    }
    if job.deployment:
        found["Environment.Name"] = job.environment
        found["Strategy.Name"] = "runOnce"
    return found


def _build_folders(build: Path) -> dict[str, str]:
    sources, staging = str(build / "s"), str(build / "a")
    return {
        "Agent.BuildDirectory": str(build),
        "Build.ArtifactStagingDirectory": staging,
        "Build.BinariesDirectory": str(build / "b"),
        "Build.Repository.LocalPath": sources,
        "Build.SourcesDirectory": sources,
        "Build.StagingDirectory": staging,
        "Common.TestResultsDirectory": str(build / "TestResults"),
        "Pipeline.Workspace": str(build),
        "System.ArtifactsDirectory": staging,
        "System.DefaultWorkingDirectory": sources,
    }


def _release_folder(artifacts: Path) -> dict[str, str]:
    """The agent: src/Agent.Worker/Release/ReleaseJobExtension.cs, SetLocalVariables."""
    names = (
        "Agent.ReleaseDirectory",
        "System.ArtifactsDirectory",
        "System.DefaultWorkingDirectory",
    )
    return dict.fromkeys(names, str(artifacts))


def job_folders(variables: Mapping[str, str]) -> list[Path]:
    """Return the folders that a job finds made."""
    names = (
        "Build.ArtifactStagingDirectory",
        "Build.BinariesDirectory",
        "Build.SourcesDirectory",
        "Common.TestResultsDirectory",
        "Agent.ReleaseDirectory",
    )
    return [Path(variables[name]) for name in names if name in variables]


def proxy_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Return ``Agent.Proxy*`` and ``Agent.CAInfo`` from the usual environment variables.

    The bypass list becomes regular expressions as in the agent's
    src/Microsoft.VisualStudio.Services.Agent/VstsAgentWebProxy.cs.
    """
    found: dict[str, str] = {}
    proxy = environment.get("HTTPS_PROXY") or environment.get("https_proxy")
    if proxy:
        found["Agent.ProxyUrl"] = proxy
        bypass = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
        hosts = [part.strip() for part in re.split("[,;]", bypass) if part.strip()]
        patterns = [re.sub(r"(?<!\\)\.(?!\*)", r"\\.", host) for host in hosts]
        if patterns:
            found["Agent.ProxyBypassList"] = json.dumps(patterns)
    bundle = environment.get("REQUESTS_CA_BUNDLE")
    if bundle:
        found["Agent.CAInfo"] = bundle
    return found
