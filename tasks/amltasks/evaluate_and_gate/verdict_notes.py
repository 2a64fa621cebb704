"""What a verdict writes into Azure DevOps: properties and tags of the build, the pull request."""

from __future__ import annotations

from amltasks.azure_pipelines import devops
from amltasks.azure_pipelines.agent import Job
from amltasks.evaluate_and_gate.verdict_files import Facts
from amltasks.gate.verdict import Verdict
from amltasks.report import markdown


def post(job: Job, verdict: Verdict, facts: Facts) -> None:
    """Write the verdict to the build, and on a pull request to its one comment.

    Nothing is written where the job has no token; a failure is a warning.
    """
    client = devops.connect(job)
    if client is None:
        return
    said = "passed" if verdict.passed else "rejected"
    client.record_verdict(
        model=facts.model,
        verdict=said,
        reason=verdict.reason.value,
        model_version=facts.version,
    )
    tags = [f"gate-{said}", f"{facts.model}-{facts.version or verdict.reason.value}"]
    if facts.evaluation:
        tags.append(devops.look(facts.evaluation))
    client.tag_build(tags)
    pull_request = job.handover.variable("system.pullrequest.pullrequestid")
    if pull_request.isdecimal():
        text = markdown.gate(verdict, title=facts.model, facts=facts.lineage)
        client.comment(int(pull_request), f"gate:{facts.model}", text)
