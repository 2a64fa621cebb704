"""The one organization of a state: its names, its first project and its personal access token."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from typing import TypedDict

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.tables import Table

FIRST_PROJECT = "aml"
ORGANIZATION_HOST = "dev.azure.com"
TOKEN_HOST = "vstoken.dev.azure.com"  # noqa: S105  (a host's name)
CACHE_FOLDER = "azure-devops-cache"


class Kept(TypedDict):
    """What the state holds of the organization."""

    id: str
    user_id: str
    name: str
    personal_access_token: str


_ORGANIZATIONS: Table[Kept] = Table("devops-organization")
_KEY = "devops-organization"


class Href(TypedDict):
    """A link."""

    href: str


class IdentityRef(TypedDict):
    """A person as other documents show one."""

    displayName: str
    url: str
    _links: dict[str, Href]
    id: str
    uniqueName: str
    imageUrl: str
    descriptor: str


@dataclass(frozen=True, kw_only=True)
class Organization:
    """Ids are lower-case GUIDs; `personal_access_token` may do everything."""

    id: str
    user_id: str
    name: str
    personal_access_token: str

    @property
    def url(self) -> str:
        """The address that clients are given; areas on other hosts are told by ResourceAreas."""
        return f"https://{ORGANIZATION_HOST}/{self.name}"

    @property
    def issuer(self) -> str:
        """Who signs the ID tokens of service connections."""
        return f"https://{TOKEN_HOST}/{self.id}"

    @property
    def user(self) -> IdentityRef:
        """The one person."""
        avatar = f"{self.url}/_apis/GraphProfile/MemberAvatars/aad.{self.user_id}"
        return {
            "displayName": "Local User",
            "url": f"https://vssps.{ORGANIZATION_HOST}/{self.name}/_apis/Identities/{self.user_id}",
            "_links": {"avatar": {"href": avatar}},
            "id": self.user_id,
            "uniqueName": "user@local.invalid",
            "imageUrl": avatar,
            "descriptor": f"aad.{self.user_id}",
        }


def organization(cloud: Cloud) -> Organization:
    """The organization kept in the state; a state without one gets one.

    Its name must differ between states: clients keep what they learn under its address.
    """
    found = _ORGANIZATIONS.look_up(cloud, _KEY)
    if found is None:
        made: Kept = {
            "id": str(uuid.uuid4()),
            "user_id": str(uuid.uuid4()),
            "name": f"local-{secrets.token_hex(4)}",
            # As long as real ones, 84 characters, and as random.
            "personal_access_token": secrets.token_urlsafe(63),
        }
        try:
            _ORGANIZATIONS.insert(cloud, _KEY, made)
        except AlreadyExists:
            return organization(cloud)
        found = made
    return Organization(**found)


def environment(cloud: Cloud) -> dict[str, str]:
    """The variables of the env file that lead to the organization, under their usual names.

    The package `azure-devops` keeps what it learns of a server for twelve hours; in a folder of
    this server's own it cannot mistake one state, or one version of us, for another.
    """
    found = organization(cloud)
    return {
        "AZURE_DEVOPS_ORG_URL": found.url,
        "AZURE_DEVOPS_PROJECT": FIRST_PROJECT,
        "AZURE_DEVOPS_EXT_PAT": found.personal_access_token,
        "AZURE_DEVOPS_CACHE_DIR": str(cloud.root / CACHE_FOLDER),
    }
