"""The shapes of v2's bodies, held to the models of the SDK: members, types, what is required.

azure-ai-ml's models are generated from the service's specification. They know one api-version, the
shapes take what several send: each difference is listed here, with its reason.
"""

from __future__ import annotations

import datetime
import functools
import importlib
import types
import typing
import warnings
from collections.abc import Callable, Iterator

import pytest

from local.azure.kernel.bodies import Choice, Object, Shape
from local.azure.resources import compute_bodies
from local.azure.v2 import routers
from local.azure.v2.assets import containers, datastores, kinds
from local.azure.v2.jobs import job_bodies
from local.azure.v2.online import bodies as online

# Where the .NET type in the service's errors has another name than the model of the SDK.
NAMES = {
    "AssetContainer": "DataContainerProperties",
    "CodeVersion": "CodeVersionProperties",
    "ComponentVersion": "ComponentVersionProperties",
    "DataVersionBase": "DataVersionBaseProperties",
    "EnvironmentVersion": "EnvironmentVersionProperties",
    "ModelVersion": "ModelVersionProperties",
    "OnlineEndpoint": "OnlineEndpointProperties",
}
# What azure-ai-ml does not send in a class of its own: the envelope, and changes by azureml-mlflow.
WITHOUT_MODEL = {
    "OnlineDeploymentPatch",
    "PartialOnlineEndpoint",
    "PartialOnlineEndpointPartialTrackedResource",
    "Resource",
}
PREVIEW = "previews of other api-versions have it (recorded, or in their mfe.json)"
# Members that the model lacks.
MORE = {
    **dict.fromkeys(("autoDeleteSetting", "autologgerSettings", "intellectualProperty"), PREVIEW),
    **dict.fromkeys(("locations", "maxInstanceCount", "parentJobName", "priority"), PREVIEW),
    **dict.fromkeys(("pathOnCompute", "privateNetworkConnection", "secretsConfiguration"), PREVIEW),
    **dict.fromkeys(("defaultDeploymentTemplate", "imageDetails", "systemMetadata"), PREVIEW),
    **dict.fromkeys(("httpMethod", "path", "port", "scheme"), PREVIEW),
    "AssetContainer.provisioningState": "other kinds than data have it",
    "ComponentVersion.stage": PREVIEW,
    "DataVersionBase.stage": PREVIEW,
    "DataVersionBase.referencedUris": "of MLTableData, one of the three kinds of data",
    "NoneDatastoreCredentials.secrets": "one shape serves all three kinds of credentials",
}
# Members that the model leaves out where it likes.
MORE_REQUIRED = {
    "CodeVersion.codeUri": "what has no files cannot be run",
    "ComponentVersion.componentSpec": "what has no specification cannot be run",
    **dict.fromkeys(
        ("AzureBlobDatastore.accountName", "AzureBlobDatastore.containerName"),
        "the local Azure has containers of an account, and no others",
    ),
}
# Members whose type differs.
OTHER_TYPES = {
    "ComponentVersion.componentSpec": "an object, which the model leaves open",
    "PipelineJob.jobs": "each node is an object, which the model leaves open",
    "PipelineJob.settings": "an object, which the model leaves open",
    **dict.fromkeys(
        ("AccountKeyDatastoreCredentials.secrets", "SasDatastoreCredentials.secrets"),
        "one shape serves all three kinds of credentials",
    ),
}


@functools.cache
def models() -> types.ModuleType:
    """The SDK's models, imported when a test runs: that takes seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # marshmallow's, about the SDK's own code
        return importlib.import_module("azure.ai.ml._restclient.arm_ml_service.models")


def inner(shape: Shape) -> Shape:
    """What a list or a map is of."""
    closure = typing.cast(types.FunctionType, shape).__closure__ or ()
    found: Shape = next(cell.cell_contents for cell in closure if callable(cell.cell_contents))
    return found


def maker(shape: Shape) -> str:
    return typing.cast(types.FunctionType, shape).__qualname__.partition(".")[0]


def objects(shape: Shape) -> Iterator[Object]:
    if isinstance(shape, Object):
        yield shape
        for member in shape.members.values():
            yield from objects(member)
    elif isinstance(shape, Choice):
        for choice in shape.choices.values():
            yield from objects(choice)
    elif maker(shape) in ("list_of", "map_of"):
        yield from objects(inner(shape))


def model_of(name: str) -> type:
    found: type = getattr(models(), NAMES.get(name, name))
    return found


@functools.cache
def rest_fields(model: type) -> dict[str, tuple[object, bool]]:
    """The members of a model by their JSON names: the type, and whether a client must send it."""
    found = {}
    for owner in reversed(model.__mro__):
        hints = typing.get_type_hints(owner, {**vars(models()), "_models": models()})
        for name in vars(owner).get("__annotations__", {}):
            field: typing.Any = vars(owner).get(name)
            if hasattr(field, "_rest_name_input"):
                kind = hints[name]
                optional = type(None) in typing.get_args(kind)
                sent = field._visibility is None or "create" in field._visibility
                found[field._rest_name_input or name] = (kind, sent and not optional)
    return found


def same(shape: Shape, kind: object) -> bool:
    """Whether a shape takes what a model declares."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return any(same(shape, one) for one in arguments if one is not type(None))
    if isinstance(shape, Choice):
        choices = [model_of(one.name) for one in shape.choices.values()]
        return isinstance(kind, type) and all(issubclass(one, kind) for one in choices)
    if isinstance(shape, Object):
        return kind is model_of(shape.name)
    made = maker(shape)
    if made == "anything":
        return True  # accepted as it is, and never read
    if made == "list_of":
        return origin is list and same(inner(shape), arguments[0])
    if made == "map_of":
        return origin is dict and same(inner(shape), arguments[1])
    if made in ("text", "one_of"):
        texts = (str, datetime.datetime, datetime.timedelta)
        return origin is typing.Literal or (isinstance(kind, type) and issubclass(kind, texts))
    return kind in {"number": (int, float), "boolean": (bool,)}[made]


ROOTS: tuple[Shape, ...] = (
    job_bodies.JOB,
    *(online.ENDPOINT, online.ENDPOINT_PATCH, online.REGENERATE),
    *(online.DEPLOYMENT, online.DEPLOYMENT_PATCH, online.LOGS),
    *(containers.CONTAINER, datastores.DATASTORE, datastores.ASKED_SECRETS, compute_bodies.COMPUTE),
    *(kind.shape for kind in kinds.KINDS.values()),
)
SHAPES = {found.name: found for root in ROOTS for found in objects(root)}
COMPARED = sorted(set(SHAPES) - WITHOUT_MODEL)


def test_every_kind_of_body_is_compared() -> None:
    assert routers.ROUTERS
    assert len(COMPARED) > 50
    assert set(SHAPES) > WITHOUT_MODEL
    assert {"CommandJob", "ManagedOnlineDeployment", "ModelVersion", "AmlCompute"} < set(COMPARED)


@pytest.mark.parametrize("name", COMPARED)
def test_a_shape_is_that_of_the_sdk(name: str) -> None:
    ours, theirs = SHAPES[name], rest_fields(model_of(name))
    more = {one for one in ours.members if one not in theirs}
    unlisted = {one for one in more if one not in MORE and f"{name}.{one}" not in MORE}
    assert unlisted == set(), "the model has no such members"
    assert set(theirs) - set(ours.members) == set(), "the shape would refuse these"
    differing = {
        one: theirs[one][0]
        for one, shape in ours.members.items()
        if one in theirs and not same(shape, theirs[one][0])
    }
    assert {one for one in differing if f"{name}.{one}" not in OTHER_TYPES} == set(), differing
    must = {one for one, (_, is_required) in theirs.items() if is_required}
    also = {one for one in ours.required if f"{name}.{one}" in MORE_REQUIRED}
    assert set(ours.required) <= must | also
    assert not must & also


def test_each_listed_difference_is_one() -> None:
    seen = set()
    for name in COMPARED:
        theirs = rest_fields(model_of(name))
        for one, shape in SHAPES[name].members.items():
            if one not in theirs:
                seen |= {one, f"{name}.{one}"}
            elif not same(shape, theirs[one][0]):
                seen.add(f"{name}.{one}")
    assert {*MORE, *OTHER_TYPES} <= seen
    required = {f"{name}.{one}" for name in COMPARED for one in SHAPES[name].required}
    assert set(MORE_REQUIRED) <= required


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda members: members.pop("codeId"), "would refuse"),
        (lambda members: members.update(codeID=members["codeId"]), "no such members"),
        (lambda members: members.update(isArchived=members["codeId"]), "isArchived"),
    ],
    ids=["a member lacks", "a member too many", "another type"],
)
def test_a_shape_that_drifts_is_seen(
    change: Callable[[dict[str, Shape]], object], fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = SHAPES["CommandJob"]
    members = dict(known.members)
    change(members)
    drifted = Object(name=known.name, members=members, required=known.required)
    monkeypatch.setitem(SHAPES, "CommandJob", drifted)
    with pytest.raises(AssertionError, match=fault):
        test_a_shape_is_that_of_the_sdk("CommandJob")
