"""The model registry with azureml-core."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Mapping
from typing import Any

from amltasks import errors
from amltasks.workspace.failures import http_status, translated
from amltasks.workspace.port import Elsewhere, Model, Models, Place, WorkspacePlace
from amltasks.workspace.sdk_v1.elsewhere import SdkElsewhere


class SdkModels(Models):
    """The port's ``Models``."""

    def __init__(self, sdk: Any, open_other: Callable[[WorkspacePlace], Any]) -> None:
        """Work in this ``azureml.core.Workspace``; ``open_other`` opens another one."""
        self._sdk = sdk
        self._open_other = open_other

    def get(self, name: str, version: int) -> Model:
        return to_model(find(self._sdk, name, version))

    def versions(self, name: str) -> tuple[Model, ...]:
        from azureml.core.model import Model as SdkModel

        with translated(f"looking for models '{name}'"):
            found = [to_model(m) for m in SdkModel.list(self._sdk, name=name, expand=False)]
        return tuple(sorted(found, key=lambda model: -model.version))

    def shared(self, registry: str, name: str) -> tuple[Model, ...]:  # noqa: ARG002 - the port's
        raise ValueError("azureml-sdk knows no registries")

    def register(
        self, *, run_id: str, path: str, name: str, tags: Mapping[str, str], description: str
    ) -> Model:
        with translated(f"registering the model '{name}'"):
            run = self._sdk.get_run(run_id)
            return to_model(
                run.register_model(
                    model_name=name,
                    model_path=path,
                    tags=dict(tags),
                    description=description or None,
                )
            )

    def tag(self, model: Model, tags: Mapping[str, str]) -> Model:
        found = find(self._sdk, model.name, model.version)
        with translated(f"tagging the model '{model.name}:{model.version}'"):
            # The SDK prints each replaced tag.
            with contextlib.redirect_stdout(io.StringIO()):
                found.add_tags(dict(tags))
            return to_model(found)

    def elsewhere(self, place: Place) -> Elsewhere:
        if not isinstance(place, WorkspacePlace):
            raise errors.COPY_UNSUPPORTED.error(sdk="v1", kind="workspace")
        return SdkElsewhere(self._sdk, self._open_other(place))


def find(sdk: Any, name: str, version: int) -> Any:
    """The SDK's model object.

    Raises:
        TaskError: ``MODEL_NOT_FOUND``
    """
    from azureml.core.model import Model as SdkModel
    from azureml.exceptions import ModelNotFoundException, WebserviceException

    with translated(f"looking for the model '{name}:{version}'"):
        try:
            return SdkModel(sdk, name=name, version=version, expand=False)
        except (ModelNotFoundException, WebserviceException) as cause:
            absent = isinstance(cause, ModelNotFoundException) or "ModelNotFound" in str(cause)
            if absent or http_status(cause) == 404:
                raise errors.MODEL_NOT_FOUND.error(
                    model=f"{name}:{version}", workspace=sdk.name
                ) from cause
            raise


def to_model(found: Any) -> Model:
    """The SDK's model as the port's."""
    return Model(
        name=found.name,
        version=int(found.version),
        run_id=found.run_id or "",
        description=found.description or "",
        tags={str(k): str(v) for k, v in (found.tags or {}).items()},
    )
