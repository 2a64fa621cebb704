"""Service connections as clients send them, as they are kept, and as the service shows them."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.contracts import ReadOnly, Unread
from local.azure.devops.shapes import IdentityRef, ProjectGiven, ProjectName


class Authorization(TypedDict, total=False):
    """How a connection signs in."""

    scheme: str
    parameters: dict[str, str | None]


class ReferenceGiven(TypedDict, total=False):
    """The name of a connection in a project."""

    projectReference: ProjectGiven
    name: str
    description: str


class _EndpointBody(TypedDict):
    name: str
    type: str


class EndpointBody(_EndpointBody, total=False):
    """The body that creates or replaces a connection."""

    url: str
    description: str
    authorization: Authorization
    data: dict[str, Unread]
    serviceEndpointProjectReferences: list[ReferenceGiven]
    id: ReadOnly
    owner: ReadOnly
    isShared: ReadOnly
    isReady: ReadOnly
    isOutdated: ReadOnly
    createdBy: ReadOnly
    administratorsGroup: ReadOnly
    readersGroup: ReadOnly
    groupScopeId: ReadOnly
    operationStatus: ReadOnly
    serviceManagementReference: ReadOnly


class EndpointRecord(TypedDict):
    """A connection as it is stored, with its secrets."""

    id: str
    projects: list[str]
    body: EndpointBody


class ReferenceShown(TypedDict):
    """The name of a connection in a project, as it is shown."""

    projectReference: ProjectName
    name: str
    description: str


class ServiceEndpoint(TypedDict):
    """A connection."""

    data: dict[str, Unread]
    id: str
    name: str
    type: str
    url: str
    description: str
    createdBy: IdentityRef
    authorization: Authorization
    isShared: bool
    isReady: bool
    isOutdated: bool
    owner: str
    serviceEndpointProjectReferences: list[ReferenceShown]


class EndpointsQuery(TypedDict, total=False):
    """Which connections are listed; all are ready, and no detail is left out."""

    endpointNames: list[str]
    endpointIds: list[str]
    type: list[str]
    authSchemes: list[str]
    owner: str
    includeFailed: bool
    includeDetails: bool


class EndpointQuery(TypedDict, total=False):
    """What the caller wants to do with a connection: the one user may do everything."""

    actionFilter: str


class DeleteQuery(TypedDict, total=False):
    """From which projects a connection is deleted; `deep` deletes in Azure what it made there."""

    projectIds: list[str]
    deep: bool
