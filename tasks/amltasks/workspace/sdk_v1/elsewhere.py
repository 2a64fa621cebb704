"""Another workspace: a model is downloaded, and registered there."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from amltasks.workspace.failures import translated
from amltasks.workspace.port import Elsewhere, Model

log = logging.getLogger("amltasks")

ORIGIN = "gate_origin"
"""The tag of a copy with the id of the version that it is a copy of."""

# How a gate claims a place; it would be taken for a claim on a place of the other workspace.
_CLAIM = ("gate_over", "gate_by", "gate_at", "pipelines_step", "pipelines_attempt")


class SdkElsewhere(Elsewhere):
    """The port's ``Elsewhere``, in another workspace."""

    def __init__(self, source: Any, target: Any) -> None:
        """Copy from one ``azureml.core.Workspace`` to another."""
        self._source = source
        self._target = target

    def find(self, model: Model) -> str:
        with translated(self._doing(model)):
            copies = self._copies(model)
        return self._id(copies[0]) if copies else ""

    def start(self, model: Model) -> str:
        from azureml.core.model import Model as SdkModel

        with translated(self._doing(model)), tempfile.TemporaryDirectory() as folder:
            found = SdkModel(self._source, name=model.name, version=model.version)
            tags = {name: text for name, text in model.tags.items() if name not in _CLAIM}
            # The SDK prints what it does.
            with contextlib.redirect_stdout(io.StringIO()), _inside(folder):
                path = found.download(target_dir=folder, exist_ok=True)
                made = SdkModel.register(
                    self._target,
                    model_path=path,
                    model_name=model.name,
                    tags={**tags, ORIGIN: self._origin(model)},
                    properties=dict(found.properties or {}),
                    description=model.description or None,
                    model_framework=found.model_framework,
                    model_framework_version=found.model_framework_version,
                )
            self._keep_one(model, made)
        return ""

    def ended(self, operation: str) -> bool:
        return not operation  # nothing is left to follow

    def _keep_one(self, model: Model, made: Any) -> None:
        """Take ours back where another build has made the same copy with a lower version."""
        first = self._copies(model)[0]
        if int(first.version) != int(made.version):
            log.info("Another build has copied it, too: %s", self._id(first))
            made.delete()

    def _copies(self, model: Model) -> list[Any]:
        from azureml.core.model import Model as SdkModel

        tags = [[ORIGIN, self._origin(model)]]
        found = SdkModel.list(self._target, name=model.name, tags=tags, expand=False)
        return sorted(found, key=lambda each: int(each.version))

    def _id(self, copy: Any) -> str:
        return f"{_scope(self._target)}/models/{copy.name}/versions/{copy.version}"

    def _origin(self, model: Model) -> str:
        return f"{_scope(self._source)}/models/{model.name}/versions/{model.version}"

    def _doing(self, model: Model) -> str:
        name = self._target.name
        return f"copying the model '{model.name}:{model.version}' to the workspace '{name}'"


@contextlib.contextmanager
def _inside(folder: str) -> Iterator[None]:
    """Work in a folder: the SDK registers only files below the working directory."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _scope(workspace: Any) -> str:
    return (
        f"/subscriptions/{workspace.subscription_id}/resourceGroups/{workspace.resource_group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace.name}"
    )
