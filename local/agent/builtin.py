"""Tasks of the service that the agent carries out itself.

Inputs and defaults: microsoft/azure-pipelines-tasks Tasks/<Name>/task.json; for the artifact tasks
MicrosoftDocs/azure-devops-docs docs/pipelines/tasks/utility.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from local.agent.errors import AgentError
from local.agent.globs import matches
from local.agent.handlers import StepRun, run_bash, run_powershell, run_script
from local.agent.python_versions import find_python, python_folders
from local.agent.sources import copy_sources, find_sources


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
    path = _input(run, "targetPath", "path", default=str(run.path("Pipeline.Workspace")))
    _publish(run, run.path("System.DefaultWorkingDirectory") / path, name)


def _publish_build_artifacts(run: StepRun) -> None:
    where = _input(run, "ArtifactType", "publishLocation", default="Container")
    if where.lower() != "container":
        raise AgentError(f"PublishBuildArtifacts cannot publish to '{where}' here; use Container")
    path = _input(run, "PathtoPublish", default=str(run.path("Build.ArtifactStagingDirectory")))
    name = _input(run, "ArtifactName", default="drop")
    _publish(run, run.path("System.DefaultWorkingDirectory") / path, name)


def _publish(run: StepRun, path: Path, name: str) -> None:
    folder = run.session.publish(path, name)
    run.record.log.write(f"Published {path} as artifact '{name}': {folder}")


def _download_pipeline_artifact(run: StepRun) -> None:
    source = _input(run, "source", "buildType", default="current")
    if source.lower() != "current":
        raise AgentError(f"artifacts can be downloaded from the current run, not from '{source}'")
    target = run.path("Pipeline.Workspace") / _input(run, "targetPath", "path")
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
    default = run.path("Build.SourcesDirectory")
    source = default / _input(run, "SourceFolder")
    target = Path(_input(run, "TargetFolder"))
    if not _input(run, "TargetFolder"):
        raise AgentError("CopyFiles: the input TargetFolder is empty; name a folder")
    patterns = _input(run, "Contents", default="**").splitlines()
    flat = _input(run, "flattenFolders").lower() == "true"
    count = _copy_matching(source, default / target, patterns, flat=flat)
    run.record.log.write(f"Copied {count} files from {source} to {target}")


def _copy_matching(source: Path, target: Path, patterns: list[str], *, flat: bool = False) -> int:
    """Copy the files that match: later patterns win, ``!`` excludes."""
    count = 0
    for file in sorted(path for path in source.rglob("*") if path.is_file()):
        name = file.relative_to(source).as_posix()
        kept = False
        for pattern in (line.strip().replace("\\", "/") for line in patterns if line.strip()):
            if matches(pattern.lstrip("!"), name):
                kept = not pattern.startswith("!")
        if kept:
            destination = target / (file.name if flat else name)
            destination.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(file, destination)
            count += 1
    return count


BUILT_IN: Mapping[str, Callable[[StepRun], None]] = {
    "checkout": _checkout,
    "Bash@3": run_bash,
    "CmdLine@2": run_script,
    "PowerShell@2": run_powershell,
    "UsePythonVersion@0": _use_python,
    "PublishPipelineArtifact@1": _publish_pipeline_artifact,
    "DownloadPipelineArtifact@2": _download_pipeline_artifact,
    "PublishBuildArtifacts@1": _publish_build_artifacts,
    "CopyFiles@2": _copy_files,
}


def built_in(reference: str) -> str | None:
    """Return the key in :data:`BUILT_IN` for a reference, ignoring case; None for others."""
    name, _, version = reference.partition("@")
    wanted = f"{name}@{version.partition('.')[0]}".lower() if version else name.lower()
    return next((key for key in BUILT_IN if key.lower() == wanted), None)
