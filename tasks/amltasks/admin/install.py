"""``install``: the extension from the organisation's gallery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from amltasks.admin import causes, console
from amltasks.admin.organization import Organization
from amltasks.errors import TaskError

PUBLISHER, NAME = "amltasks", "azure-machine-learning-tasks"
_OFF = ("disabled", "error", "unauthorized")


@dataclass(frozen=True, kw_only=True)
class Extension:
    """Which extension: ours, or a fork's under another publisher."""

    publisher: str = PUBLISHER
    name: str = NAME

    def __str__(self) -> str:
        """As the Marketplace names it."""
        return f"{self.publisher}.{self.name}"


def find_installed(organization: Organization, extension: Extension) -> Any | None:
    """The installed extension, None when it is not installed.

    Raises:
        TaskError: it is there and does nothing, because somebody switched it off.
    """
    client = organization.client("extension_management")
    found = organization.find(
        f"looking for the extension {extension}",
        lambda: client.get_installed_extension_by_name(extension.publisher, extension.name),
    )
    state = found.install_state if found else None
    flags = str((state.flags if state else "") or "")
    if any(word in flags.lower() for word in _OFF):
        raise causes.EXTENSION_DISABLED.error(extension=extension, flags=flags)
    return found


def install(organization: Organization, extension: Extension) -> None:
    """Install the extension unless it is.

    Raises:
        TaskError: it is not offered to this organisation, or the token's owner may not install.
    """
    found = find_installed(organization, extension)
    if found is not None:
        console.say(
            console.UNCHANGED, f"the extension {extension} {found.version} is installed already"
        )
        return
    client = organization.client("extension_management")

    def post() -> Any:
        return client.install_extension_by_name(extension.publisher, extension.name)

    try:
        organization.change(
            "install",
            f"the extension {extension} in {organization.name}",
            post,
            permission="the permission to manage extensions (Organization settings > Extensions > "
            "Security)",
        )
    except TaskError as error:
        if error.cause is causes.REQUEST_REFUSED and organization.wire.status == 404:
            raise causes.EXTENSION_NOT_OFFERED.error(extension=extension) from None
        raise
