"""Predefined variables: those of the run, and those of each job.

Names: MicrosoftDocs/azure-devops-docs docs/pipelines/build/variables.md; the agent:
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

from local.agent.model import Job, Stage
from local.agent.session import Session
from local.agent.sources import Sources

# No server answers there; tasks only need the address's form.
COLLECTION_URI = "http://127.0.0.1/local-agent/"
PROJECT = "local"
# What the agent was at the commit this one was written after.
AGENT_VERSION = "4.278.0"
_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, COLLECTION_URI)


def run_variables(
    pipeline: Path, sources: Sources, build_id: int, started: datetime.datetime
) -> dict[str, str]:
    """Return the variables known before the run, except ``Build.BuildNumber``.

    Args:
        pipeline: the pipeline file.
        sources: what is built.
        build_id: number of the run on this machine.
        started: when the run started, UTC.
    """
    user = _user()
    user_id = str(uuid.uuid5(_NAMESPACE, user))
    branch = sources.branch
    identity = str(uuid.uuid5(_NAMESPACE, str(sources.root)))
    project = str(uuid.uuid5(_NAMESPACE, PROJECT))
    return {
        "Build.BuildId": str(build_id),
        "Build.BuildUri": f"vstfs:///Build/Build/{build_id}",
        "Build.ContainerId": str(build_id),
        "Build.DefinitionName": pipeline.stem,
        "Build.DefinitionVersion": "1",
        "Build.QueuedBy": user,
        "Build.QueuedById": user_id,
        "Build.Reason": "Manual",
        "Build.Repository.Clean": "False",
        "Build.Repository.Git.SubmoduleCheckout": "False",
        "Build.Repository.ID": identity,
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
        "System.CollectionId": str(uuid.uuid5(_NAMESPACE, "collection")),
        "System.CollectionUri": COLLECTION_URI,
        "System.Culture": "en-US",
        "System.DefinitionId": "1",
        "System.DefinitionName": pipeline.stem,
        "System.EnableAccessToken": "SecretVariable",
        "System.HostType": "build",
        "System.IsScheduled": "False",
        "System.PipelineStartTime": started.strftime("%Y-%m-%d %H:%M:%S+00:00"),
        "System.PlanId": str(uuid.uuid4()),
        "System.ServerType": "Hosted",
        "System.TeamFoundationCollectionUri": COLLECTION_URI,
        "System.TeamFoundationServerUri": COLLECTION_URI,
        "System.TeamProject": PROJECT,
        "System.TeamProjectId": project,
        "System.TimelineId": str(uuid.uuid4()),
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local"


def job_variables(session: Session, stage: Stage, job: Job, number: int) -> dict[str, str]:
    """Return the variables that one job adds; ``number`` names its folder."""
    folders = session.folders
    build = folders.work / str(number)
    sources, staging = str(build / "s"), str(build / "a")
    names = {"Linux": "Linux", "Darwin": "Darwin", "Windows": "Windows_NT"}
    machine = platform.machine().lower()
    architecture = "ARM64" if machine in ("arm64", "aarch64") else "X64"
    found = {
        "Agent.BuildDirectory": str(build),
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
        "Build.ArtifactStagingDirectory": staging,
        "Build.BinariesDirectory": str(build / "b"),
        "Build.Repository.LocalPath": sources,
        "Build.SourcesDirectory": sources,
        "Build.StagingDirectory": staging,
        "Common.TestResultsDirectory": str(build / "TestResults"),
        "Pipeline.Workspace": str(build),
        "System.ArtifactsDirectory": staging,
        "System.DefaultWorkingDirectory": sources,
        "System.JobAttempt": "1",
        "System.JobDisplayName": job.display_name,
        "System.JobId": str(uuid.uuid4()),
        "System.JobName": job.name,
        "System.PhaseAttempt": "1",
        "System.PhaseDisplayName": job.display_name,
        "System.PhaseName": job.name,
        "System.StageAttempt": "1",
        "System.StageDisplayName": stage.display_name,
        "System.StageName": stage.name,
        "System.WorkFolder": str(folders.work),
        **proxy_variables(session.environment),
    }
    if job.deployment:
        found["Environment.Name"] = job.environment
        found["Strategy.Name"] = "runOnce"
    return found


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
