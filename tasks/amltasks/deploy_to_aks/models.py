"""The model to deploy: the version that is asked for, and whether a gate let it through."""

from __future__ import annotations

import logging
import re

from amltasks import errors
from amltasks.azure_pipelines import inputs
from amltasks.azure_pipelines.agent import Job
from amltasks.deploy_to_aks.asked import DeployInputs
from amltasks.report import eval_info, gate_tags
from amltasks.workspace.port import Model, Workspace

log = logging.getLogger("amltasks")

_VERSION = re.compile(r"[1-9][0-9]{0,9}")
_OF_BUILD = "build:"
_SAID_NO = {
    gate_tags.REJECTED: "a gate rejected it",
    gate_tags.STEPPED_BACK: "it stepped back, for another build was promoted first",
    gate_tags.CLAIMED: "its gate has not decided yet, or was killed before it did",
}


def wanted(job: Job, given: DeployInputs) -> tuple[str, int | str]:
    """Name of the model, and its version or the number of the build that registered it.

    A gate's file must say that the model may be deployed.
    """
    if given.model_source == "evalInfo":
        path = inputs.existing_file("evalInfoFile", given.eval_info_file, job.sources)
        return eval_info.passed_model(path)
    asked = given.model_version
    build = asked.removeprefix(_OF_BUILD).strip()
    if asked.startswith(_OF_BUILD) and build:
        return given.model_name, build
    if not _VERSION.fullmatch(asked):
        raise errors.INPUT_INVALID.error(
            name="modelVersion", value=asked, expected="a whole number from 1, or build:<number>"
        )
    return given.model_name, int(asked)


def find(workspace: Workspace, name: str, version: int | str) -> Model:
    """The model of that version, or the newest that the build of that number registered."""
    if isinstance(version, int):
        return workspace.models.get(name, version)
    for model in workspace.models.versions(name):
        if model.tags.get("build_number") == version:
            log.info("Build %s registered version %d of model %s", version, model.version, name)
            return model
    raise errors.MODEL_OF_BUILD_NOT_FOUND.error(model=name, build=version, workspace=workspace.name)


def check_gate(job: Job, workspace: Workspace, model: Model, required: str) -> None:
    """Refuse a model that its gate did not promote.

    Args:
        job: is told when the check is switched off.
        workspace: has the other versions of the model.
        model: what is to be deployed.
        required: ``true``; ``false``, which only warns; or ``auto``: required where a gate has
            judged any version of the model, because this version then bypassed it.

    Raises:
        TaskError: ``MODEL_NOT_PASSED``
    """
    state = model.tags.get(gate_tags.STATE, "")
    if state == gate_tags.PROMOTED:
        return
    detail = _SAID_NO.get(state, f"its tag 'gate' says '{state}'") if state else ""
    if state and (reason := model.tags.get(gate_tags.REASON)):
        detail += f" ({reason})"
    if not state and required == "auto":
        judged = next(
            (v for v in workspace.models.versions(model.name) if v.tags.get(gate_tags.STATE)), None
        )
        if judged is None:
            return
        detail = f"it has no verdict, and a gate judged other versions, such as {judged.version}"
    name = f"{model.name}:{model.version}"
    if required == "false":
        if detail:
            job.warn(
                "GATE_NOT_REQUIRED",
                f"the model '{name}' is deployed although {detail}: requireGate is false",
            )
        return
    raise errors.MODEL_NOT_PASSED.error(
        model=name,
        detail=detail or "it has no verdict, and requireGate is true",
        otherwise="; to deploy it all the same, set requireGate to false",
    )
