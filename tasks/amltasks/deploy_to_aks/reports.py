"""The deployment's report: attached to the step, also to one that failed."""

from __future__ import annotations

import tempfile
from pathlib import Path

from amltasks.azure_pipelines import builds, pages
from amltasks.deploy_to_aks.asked import DeployInputs
from amltasks.deploy_to_aks.revisions import Release
from amltasks.report import deployment
from amltasks.workspace.port import Revision, Service

_FOLDER = "aml-deployment"


def attach(
    attempt: Release,
    given: DeployInputs,
    revision: Revision,
    service: Service | None = None,
    problem: str = "",
) -> None:
    """Attach the report to the step, also to one that failed: it shows how far it came."""
    job, model = attempt.job, attempt.spec.model
    made = deployment.Deployment(
        service=attempt.spec.name,
        state=service.state if service else "Failed",
        model=model.name,
        version=model.version,
        revision=revision.label,
        scoring_uri=service.scoring_uri if service else "",
        problem=problem,
        smoke=attempt.scored,
        phases=attempt.phases,
        lineage=_lineage(attempt, given),
        links=_links(attempt, given),
    )
    # The agent reads the files after the task ended, and empties this folder before the next job.
    folder = job.handover.variable("agent.tempdirectory")
    if not folder:
        job.warn("REPORT_NOT_WRITTEN", "the agent has no Agent.TempDirectory for the report")
        return
    try:
        place = _new_folder(Path(folder))
        result, report = deployment.write(made, place)
    except OSError as cause:
        job.warn("REPORT_NOT_WRITTEN", f"the deployment's report could not be written: {cause}")
        return
    job.channel.attachment(deployment.RESULT, made.service, result)
    job.channel.attachment(deployment.REPORT, made.service, report)


def _new_folder(parent: Path) -> Path:
    """A job may have more than one deployment, each with its own report."""
    return Path(tempfile.mkdtemp(prefix=f"{_FOLDER}-", dir=parent))


def _lineage(attempt: Release, given: DeployInputs) -> dict[str, str]:
    """Where the model and the deployment come from; what is not known is left out."""
    model, build = attempt.spec.model, builds.build_tags(attempt.job.handover)
    found = {
        "Workspace": f"{given.resource_group}/{given.workspace}",
        "Target": given.aks_name if given.target == "kubernetes" else given.instance_type,
        "Entry script": given.entry_script,
        "Environment file": given.environment_file,
        "Model trained by run": model.run_id,
        **{f"Model's {tag.replace('_', ' ')}": text for tag, text in sorted(model.tags.items())},
        **{f"Deployment's {tag.replace('_', ' ')}": text for tag, text in build.items()},
    }
    return {name: text for name, text in found.items() if text}


def _links(attempt: Release, given: DeployInputs) -> dict[str, str]:
    """The pages of the model, of the run that made it, of the endpoint and of the build."""
    model, handover = attempt.spec.model, attempt.job.handover
    studio = pages.studio(handover, resource_group=given.resource_group, workspace=given.workspace)
    found = {
        "run": studio.run(model.run_id),
        "model": studio.model(model.name, model.version),
        "endpoint": studio.endpoint(attempt.spec.name),
        "build": pages.build(handover),
    }
    return {what: page for what, page in found.items() if page}
