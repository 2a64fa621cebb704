"""Tasks of the service that the agent carries out itself.

Inputs and defaults: microsoft/azure-pipelines-tasks Tasks/<Name>/task.json; for the artifact tasks
MicrosoftDocs/azure-devops-docs docs/pipelines/tasks/utility.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from local.agent.definition.step_syntax import DOWNLOAD_ARTIFACTS
from local.agent.errors import AgentError
from local.agent.host.globs import matches
from local.agent.host.python_versions import find_python, python_folders
from local.agent.host.sources import check_out, copy_sources, find_sources
from local.agent.job.handlers import (
    PREFERENCES,
    StepRun,
    run_bash,
    run_powershell,
    run_script,
)
from local.agent.job.inputs import rooted


def _input(run: StepRun, *names: str, default: str = "") -> str:
    """Return the first of several aliases that is given."""
    return next((run.inputs[name] for name in names if run.inputs.get(name)), default)


def _checkout(run: StepRun) -> None:
    sources = find_sources(run.session.source)
    path = _input(run, "path")
    destination = run.path("Build.SourcesDirectory")
    if path:
        destination = run.path("Agent.BuildDirectory") / path
        if ".." in Path(path).parts or Path(path).is_absolute():
            raise AgentError(f"checkout: the path '{path}' would leave the job's folder")
        for name in ("Build.SourcesDirectory", "Build.Repository.LocalPath"):
            run.record.variables.set(name, str(destination))
        run.record.variables.set("System.DefaultWorkingDirectory", str(destination))
    depth, tags = _input(run, "fetchDepth", default="0"), _input(run, "fetchTags", default="true")
    if not depth.isdecimal():
        raise AgentError(f"checkout: 'fetchDepth' must be a whole number, not '{depth}'")
    check_out(sources, destination, depth=int(depth), tags=tags.lower() == "true")
    count = copy_sources(sources, destination, without=run.session.folders.root.parent)
    what = f"commit {sources.version[:10]} with local changes" if sources.version else "files"
    run.record.log.write(f"Copied {count} files ({what}) to {destination}")


def _use_python(run: StepRun) -> None:
    tools = run.session.folders.tools
    spec = _input(run, "versionSpec", default="3.x")
    interpreter, version = find_python(spec, tools, run.environment.get("PATH", ""))
    location, folders = python_folders(interpreter, version, tools)
    run.record.set_variable("pythonLocation", str(location))
    if _input(run, "addToPath", default="true").lower() == "true":
        for folder in folders:
            if str(folder) in run.record.prepend_path:
                run.record.prepend_path.remove(str(folder))
            run.record.prepend_path.append(str(folder))
    run.record.log.write(f"Found Python {version} for {spec}: {interpreter}")


def _publish_pipeline_artifact(run: StepRun) -> None:
    name = _input(run, "artifactName", "artifact")
    name = name or run.record.variables.get("System.JobId") or ""
    where = _input(run, "publishLocation", "artifactType", default="pipeline")
    if where.lower() != "pipeline":
        raise AgentError(f"artifacts cannot be published to '{where}' here; use pipeline")
    path = _input(run, "targetPath", "path", default=str(run.path("Pipeline.Workspace")))
    _publish(run, run.path("System.DefaultWorkingDirectory") / path, name)


def _publish_build_artifacts(run: StepRun) -> None:
    where = _input(run, "ArtifactType", "publishLocation", default="Container")
    if where.lower() != "container":
        raise AgentError(f"PublishBuildArtifacts cannot publish to '{where}' here; use Container")
    path = _input(run, "PathtoPublish", default=str(run.path("Build.ArtifactStagingDirectory")))
    name = _input(run, "ArtifactName", default="drop")
    _publish(run, run.path("System.DefaultWorkingDirectory") / path, name)


def _download_release_artifacts(run: StepRun) -> None:
    """Copy what the release deploys to a folder for each alias, as the agent downloads it."""
    assert run.session.release is not None  # noqa: S101 - only a release has this step
    for alias in run.inputs["aliases"].splitlines():
        for name, folder in run.session.release.sources[alias].parts.items():
            target = run.path("Agent.ReleaseDirectory") / alias / name
            shutil.copytree(folder, target, dirs_exist_ok=True, symlinks=True)
            run.record.log.write(f"Downloaded artifact '{name or alias}' to {target}")


def _publish(run: StepRun, path: Path, name: str) -> None:
    if run.session.release is not None:
        raise AgentError("artifacts are published by builds; a release has nowhere to keep them")
    folder = run.session.publish(path, name)
    run.record.log.write(f"Published {path} as artifact '{name}': {folder}")


def _download_pipeline_artifact(run: StepRun) -> None:
    source = _input(run, "source", "buildType", default="current")
    if source.lower() != "current":
        raise AgentError(f"artifacts can be downloaded from the current run, not from '{source}'")
    below = _input(run, "targetPath", "path", "downloadPath")
    target = run.path("Pipeline.Workspace") / below
    patterns = _input(run, "itemPattern", "patterns", default="**").splitlines()
    wanted = _input(run, "artifactName", "artifact")
    known = run.session.artifacts
    if wanted and wanted not in known:
        published = ", ".join(known) or "none"
        raise AgentError(f"Artifact {wanted} was not found in this run (published: {published}).")
    for name, folder in known.items():
        if wanted in ("", name):
            destination = target if wanted else target / name
            count = _copy_matching(folder, destination, patterns)
            run.record.log.write(f"Downloaded {count} files of artifact '{name}' to {destination}")


def _copy_files(run: StepRun) -> None:
    default = Path(rooted("", run.record.variables))
    source = default / _input(run, "SourceFolder")
    target = Path(_input(run, "TargetFolder"))
    if not _input(run, "TargetFolder"):
        raise AgentError("CopyFiles: the input TargetFolder is empty; name a folder")
    patterns = _input(run, "Contents", default="**").splitlines()
    flat = _input(run, "flattenFolders").lower() == "true"
    if _input(run, "CleanTargetFolder").lower() == "true":
        shutil.rmtree(default / target, ignore_errors=True)
    overwrite = _input(run, "OverWrite").lower() == "true"
    count = _copy_matching(source, default / target, patterns, flat=flat, overwrite=overwrite)
    run.record.log.write(f"Copied {count} files from {source} to {target}")


def _copy_matching(
    source: Path,
    target: Path,
    patterns: list[str],
    *,
    flat: bool = False,
    overwrite: bool = True,
) -> int:
    """Copy the files that match: later patterns win, ``!`` excludes; return how many."""
    count = 0
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        name = file.relative_to(source).as_posix()
        kept = False
        for pattern in (line.strip().replace("\\", "/") for line in patterns if line.strip()):
            if matches(pattern.lstrip("!"), name):
                kept = not pattern.startswith("!")
        if kept:
            destination = target / (file.name if flat else name)
            if destination.exists() and not overwrite:
                continue
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, destination)
            count += 1
    return count


@dataclass(frozen=True, kw_only=True)
class BuiltInTask:
    """A task that the agent carries out itself.

    Attributes:
        call: carries it out.
        identity: the task's GUID, lower-case, by which classic definitions name it.
        inputs: the names and aliases of the inputs that it takes.
        unsupported: those of the service's task that would change what happens.
    """

    call: Callable[[StepRun], None]
    identity: str = ""
    inputs: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()


# Inputs and GUIDs: task.json of microsoft/azure-pipelines-tasks.
BUILT_IN: Mapping[str, BuiltInTask] = {
    "checkout": BuiltInTask(
        call=_checkout, inputs=("repository", "path", "fetchDepth", "fetchTags")
    ),
    "Bash@3": BuiltInTask(
        call=run_bash,
        identity="6c731c3c-3c68-459a-a5c9-bde6e6595b5b",
        inputs=(
            "targetType",
            "filePath",
            "arguments",
            "script",
            "workingDirectory",
            "failOnStderr",
        ),
        unsupported=("bashEnvValue", "noProfile", "noRc"),
    ),
    "CmdLine@2": BuiltInTask(
        call=run_script,
        identity="d9bafed4-0b18-4f58-968d-86655b4d2ce9",
        inputs=("script", "workingDirectory", "failOnStderr"),
    ),
    "PowerShell@2": BuiltInTask(
        call=run_powershell,
        identity="e213ff0f-5d5c-4791-802d-52ea3e7be1f1",
        inputs=(
            "targetType",
            "filePath",
            "arguments",
            "script",
            "workingDirectory",
            "pwsh",
            "failOnStderr",
            "ignoreLASTEXITCODE",
            *PREFERENCES,
        ),
        unsupported=("showWarnings", "runScriptInSeparateScope"),
    ),
    "UsePythonVersion@0": BuiltInTask(
        call=_use_python,
        identity="33c63b11-352b-45a2-ba1b-54cb568a29ca",
        # The others say what may be downloaded, and nothing is.
        inputs=(
            "versionSpec",
            "addToPath",
            "architecture",
            "allowUnstable",
            "githubToken",
            "disableDownloadFromRegistry",
        ),
    ),
    "PublishPipelineArtifact@1": BuiltInTask(
        call=_publish_pipeline_artifact,
        identity="ecdc45f6-832d-4ad9-b52b-ee49e94659be",
        inputs=(
            "path",
            "targetPath",
            "artifactName",
            "artifact",
            "artifactType",
            "publishLocation",
            "parallel",
            "parallelCount",
            "properties",
        ),
        unsupported=("fileSharePath",),
    ),
    "DownloadPipelineArtifact@2": BuiltInTask(
        call=_download_pipeline_artifact,
        identity="61f2a582-95ae-4948-b34d-a1b3c4f6a737",
        inputs=(
            "source",
            "buildType",
            "artifact",
            "artifactName",
            "patterns",
            "itemPattern",
            "path",
            "targetPath",
            "downloadPath",
            "project",
            "pipeline",
            "definition",
            "preferTriggeringPipeline",
            "specificBuildWithTriggering",
            "runVersion",
            "buildVersionToDownload",
            "runBranch",
            "branchName",
            "runId",
            "pipelineId",
            "buildId",
            "tags",
            "allowPartiallySucceededBuilds",
            "allowFailedBuilds",
        ),
    ),
    "PublishBuildArtifacts@1": BuiltInTask(
        call=_publish_build_artifacts,
        identity="2ff763a7-ce83-4e1f-bc89-0ae63477cebe",
        inputs=(
            "PathtoPublish",
            "ArtifactName",
            "ArtifactType",
            "publishLocation",
            "Parallel",
            "ParallelCount",
            "MaxArtifactSize",
        ),
        unsupported=("TargetPath", "FileCopyOptions", "StoreAsTar"),
    ),
    "CopyFiles@2": BuiltInTask(
        call=_copy_files,
        identity="5bfb729a-a7c8-4a78-a7c3-8d717bb7c13c",
        inputs=(
            "SourceFolder",
            "Contents",
            "TargetFolder",
            "CleanTargetFolder",
            "OverWrite",
            "flattenFolders",
            "preserveTimestamp",
            "retryCount",
            "delayBetweenRetries",
            "ignoreMakeDirErrors",
        ),
    ),
    DOWNLOAD_ARTIFACTS: BuiltInTask(call=_download_release_artifacts, inputs=("aliases",)),
}
# Those that a file may name.
CHOICES = tuple(name for name in BUILT_IN if name != DOWNLOAD_ARTIFACTS)


def built_in(reference: str) -> str | None:
    """Return the key in :data:`BUILT_IN` for a reference, ignoring case; None for others."""
    name, _, version = reference.lower().partition("@")
    wanted = f"{name}@{version.partition('.')[0]}" if version else name
    for key, task in BUILT_IN.items():
        major = key.partition("@")[2]
        if wanted in (key.lower(), f"{task.identity}@{major}"):
            return key
    return None
