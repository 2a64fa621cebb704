"""A user's pipeline file (v1 YAML, or Python with a hook) as the SDK's ``Pipeline``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amltasks.workspace.failures import message
from amltasks.workspace.pipeline_file import PipelineFile, build, from_azure
from amltasks.workspace.port import Scalar

log = logging.getLogger("amltasks")

_WANTED = (
    "give a v1 pipeline .yml, or a .py with build_pipeline(workspace, **parameters); for a "
    "pipeline of azure-ai-ml set sdk to 'v2'"
)


def load(
    path: Path, workspace: Any, parameters: Mapping[str, Scalar]
) -> tuple[Any, dict[str, object]]:
    """Build the pipeline that a file describes.

    Args:
        path: ``.yml``/``.yaml`` (``Pipeline.load_yaml``), or ``.py`` defining
            ``build_pipeline(workspace, **parameters)``. Parameters in the hook's signature go to
            the hook as values; the others must be ``PipelineParameter`` of the pipeline.
        workspace: the ``azureml.core.Workspace``.
        parameters: what the user gave.

    Returns:
        The ``azureml.pipeline.core.Pipeline`` and the parameters to submit it with, each of the
        type that the pipeline declares by its default.

    Raises:
        TaskError: ``PIPELINE_FILE_INVALID``, ``PARAMETER_UNKNOWN``, ``PARAMETER_INVALID``,
            ``PARAMETER_MISSING``.
    """
    from azureml.pipeline.core import Pipeline

    file = PipelineFile(path=path, wanted=_WANTED)
    taken: dict[str, Scalar] = {}
    known: tuple[str, ...] = ()
    if path.suffix.lower() in (".yml", ".yaml"):
        pipeline = _from_yaml(file, workspace)
    elif path.suffix.lower() == ".py":
        pipeline, taken, known = build(file, workspace, parameters, kind=Pipeline)
    else:
        raise file.invalid("its name ends in neither .yml, .yaml nor .py")
    declared = pipeline.graph.params
    rest: dict[str, object] = {}
    for name, given in parameters.items():
        if name in taken:
            continue
        if name not in declared:
            raise file.unknown(name, (*known, *declared))
        rest[name] = file.typed(name, given, declared[name].default_value)
    return pipeline, rest


def _from_yaml(file: PipelineFile, workspace: Any) -> Any:
    from azureml.pipeline.core import Pipeline

    file.checked()
    try:
        return Pipeline.load_yaml(workspace, str(file.path))
    except Exception as cause:
        if from_azure(cause):
            raise
        log.debug("Loading %s", file.path, exc_info=True)
        raise file.invalid(message(cause)) from cause
