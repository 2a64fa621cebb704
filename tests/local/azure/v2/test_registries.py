"""A registry, asked by the unmodified azure-ai-ml: share, get, list, and what is refused."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import pytest


@pytest.fixture(scope="module")
def registry(ml_client: Any, azure_variables: Mapping[str, str]) -> Any:
    from azure.ai.ml import MLClient

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return MLClient(ml_client._credential, registry_name=azure_variables["AML_REGISTRY_NAME"])


@pytest.fixture(scope="module")
def model(ml_client: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from azure.ai.ml.entities import Model

    path = tmp_path_factory.mktemp("model") / "weights"
    path.mkdir()
    (path / "a.txt").write_text("1")
    made = Model(
        name="shared", version="3", path=path, tags={"gate": "promoted"}, description="parts"
    )
    return ml_client.models.create_or_update(made)


def share(ml_client: Any, name: str, version: str, **more: str) -> Any:
    given = {"share_with_name": name, "share_with_version": version, **more}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ml_client.models.share(name, version, **{"registry_name": "registry-local", **given})


def test_a_shared_model_keeps_its_tags_and_names_its_origin(
    ml_client: Any, registry: Any, model: Any
) -> None:
    from azure.ai.ml.exceptions import ValidationException
    from azure.core.exceptions import HttpResponseError

    shared = share(ml_client, model.name, model.version)
    assert (shared.name, shared.version, shared.description) == ("shared", "3", "parts")
    assert shared.tags == {"gate": "promoted"}
    assert shared.path.endswith("/weights")
    found = registry.models.get("shared", "3")
    assert found.id == "azureml://registries/registry-local/models/shared/versions/3"
    share(ml_client, model.name, model.version, share_with_version="4")
    assert [each.version for each in registry.models.list("shared")] == ["4", "3"]
    with pytest.raises(ValidationException, match="already exists in registry"):
        share(ml_client, model.name, model.version)
    with pytest.raises(HttpResponseError) as refused:
        share(ml_client, "shared", "99")
    assert refused.value.status_code == 404
    with pytest.raises(HttpResponseError) as refused:
        share(ml_client, model.name, model.version, registry_name="nowhere")
    assert refused.value.status_code == 404


def test_what_the_registry_does_not_have_is_named(registry: Any, model: Any) -> None:
    from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

    with pytest.raises(ResourceNotFoundError):
        registry.models.get("absent", "1")
    with pytest.raises(HttpResponseError) as refused:
        registry.models.create_or_update(model)
    assert refused.value.status_code == 501
