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
_IN_REGISTRY = re.compile(r"azureml://registries/([\w.-]+)/models/([\w.-]+)")
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
    _check_name(given)
    asked = given.model_version
    build = asked.removeprefix(_OF_BUILD).strip()
    if asked.startswith(_OF_BUILD) and build:
        return given.model_name, build
    if not _VERSION.fullmatch(asked):
        raise errors.INPUT_INVALID.error(
            name="modelVersion", value=asked, expected="a whole number from 1, or build:<number>"
        )
    return given.model_name, int(asked)


def _check_name(given: DeployInputs) -> None:
    """A model is one of the workspace, or where Azure allows it, one of a registry."""
    name = given.model_name
    if "/" not in name:
        return
    if not _IN_REGISTRY.fullmatch(name):
        expected = "the name of a model, or azureml://registries/<registry>/models/<name>; a model "
        expected += "of another workspace has to be copied first (copyTo of Evaluate and Gate)"
    elif given.sdk == "v1":
        expected = "the name of a model: sdk v1 knows no registries"
    elif given.target == "kubernetes":
        expected = "the name of a model: only the target managed takes one from a registry"
    else:
        return
    raise errors.INPUT_INVALID.error(name="modelName", value=name, expected=expected)


def find(workspace: Workspace, name: str, version: int | str) -> Model:
    """The model of that version, or the newest that the build of that number registered."""
    shared = _IN_REGISTRY.fullmatch(name)
    if isinstance(version, int) and not shared:
        return workspace.models.get(name, version)
    for model in _versions(workspace, name):
        if model.version == version:
            return model
        if model.tags.get("build_number") == version:
            log.info("Build %s registered version %d of model %s", version, model.version, name)
            return model
    if isinstance(version, int):
        raise errors.MODEL_NOT_FOUND.error(model=f"{name}:{version}", workspace=workspace.name)
    raise errors.MODEL_OF_BUILD_NOT_FOUND.error(model=name, build=version, workspace=workspace.name)


def _versions(workspace: Workspace, name: str) -> tuple[Model, ...]:
    """All versions of a model, of the workspace or of a registry."""
    shared = _IN_REGISTRY.fullmatch(name)
    if shared:
        return workspace.models.shared(shared[1], shared[2])
    return workspace.models.versions(name)


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
    place = model.address.partition("/versions/")[0] or model.name
    if not state and required == "auto":
        judged = next((v for v in _versions(workspace, place) if v.tags.get(gate_tags.STATE)), None)
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
