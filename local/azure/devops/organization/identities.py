"""Identities (area `IMS`): clients ask here for the id of a person by name."""

from __future__ import annotations

from typing import TypedDict

from local.azure.devops.contracts import Unread
from local.azure.devops.errors import unsupported
from local.azure.devops.rest import Area
from local.azure.identity.organization import ORGANIZATION_HOST, organization
from local.azure.kernel.cloud import Cloud

HOST = f"vssps.{ORGANIZATION_HOST}"
area = Area("IMS", id="8a3d49b8-91f0-46ef-b33d-dda338c25db3", host=HOST)
IDENTITIES = area.location(
    "28010c54-d0c0-4c89-a5b0-1c9e188b9fb7",
    "_apis/{resource}/{*identityId}",
    resource="Identities",
)
_VALIDATED = "2024-01-01T00:00:00.0000000Z"
_FILTERS = ("general", "accountname", "displayname", "mailaddress", "directoryalias")


class Identity(TypedDict):
    """A person as the identity service knows one."""

    id: str
    descriptor: str
    subjectDescriptor: str
    providerDisplayName: str
    isActive: bool
    members: list[Unread]
    memberOf: list[Unread]
    memberIds: list[str]
    properties: dict[str, Unread]
    resourceVersion: int
    metaTypeId: int


class IdentitiesQuery(TypedDict, total=False):
    """Who is asked for; nobody is a member of anything."""

    searchFilter: str
    filterValue: str
    identityIds: list[str]
    queryMembership: str


@area.on("GET", IDENTITIES)
def list_identities(cloud: Cloud, query: IdentitiesQuery) -> list[Identity]:
    """The one user, if that is who is asked for."""
    found = organization(cloud)
    user, kind = found.user, query.get("searchFilter", "General")
    if kind.lower() not in _FILTERS:
        raise unsupported(f"The local Azure does not search identities by '{kind}'.")
    wanted = query.get("filterValue", "").lower()
    names = (user["displayName"].lower(), user["uniqueName"], user["id"])
    if wanted not in names and user["id"] not in query.get("identityIds", []):
        return []
    account, text = user["uniqueName"], "System.String"
    properties = {
        "SchemaClassName": "User",
        "Description": "",
        "Domain": found.id,
        "Account": account,
        "DN": "",
        "Mail": account,
        "SpecialType": "Generic",
        "PUID": "",
        "ComplianceValidated": _VALIDATED,
        "http://schemas.microsoft.com/identity/claims/objectidentifier": user["id"],
        "DirectoryAlias": account.partition("@")[0],
    }
    return [
        {
            "id": user["id"],
            "descriptor": f"Microsoft.IdentityModel.Claims.ClaimsIdentity;{found.id}\\{account}",
            "subjectDescriptor": user["descriptor"],
            "providerDisplayName": user["displayName"],
            "isActive": True,
            "members": [],
            "memberOf": [],
            "memberIds": [],
            "properties": {
                name: {"$type": text, "$value": value} for name, value in properties.items()
            },
            "resourceVersion": 2,
            "metaTypeId": 0,
        }
    ]
