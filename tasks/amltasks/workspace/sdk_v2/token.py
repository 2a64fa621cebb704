"""Access tokens of Microsoft Entra for a service principal, kept until shortly before their end.

Protocol: OAuth 2.0 client credentials (RFC 6749, 4.4) at the v2.0 endpoint. azure-identity does the
same and takes longer to import than the question takes to be answered.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import requests

from amltasks import errors
from amltasks.workspace.failures import ENTRA_MESSAGE, short
from amltasks.workspace.port import ServicePrincipal

_EARLY_SECONDS = 300
_TIMEOUT_SECONDS = (10, 30)


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """The addresses of one Azure cloud."""

    authority: str
    resource_manager: str


CLOUDS = {
    "azurecloud": Cloud(
        authority="https://login.microsoftonline.com",
        resource_manager="https://management.azure.com",
    ),
    "azurechinacloud": Cloud(
        authority="https://login.chinacloudapi.cn",
        resource_manager="https://management.chinacloudapi.cn",
    ),
    "azureusgovernment": Cloud(
        authority="https://login.microsoftonline.us",
        resource_manager="https://management.usgovcloudapi.net",
    ),
}


def cloud_of(principal: ServicePrincipal) -> Cloud:
    """The cloud that the principal lives in."""
    return CLOUDS[principal.cloud.lower()]


@dataclass(kw_only=True)
class TokenSource:
    """Gives access tokens, asking for a new one when the last one is about to end."""

    principal: ServicePrincipal
    session: requests.Session
    _kept: dict[str, tuple[str, float]] = field(default_factory=dict, repr=False)

    def token(self, scope: str) -> tuple[str, float]:
        """A token for a scope such as ``https://management.azure.com/.default``.

        Returns:
            The token, and when it ends (seconds since 1970).

        Raises:
            TaskError: ``AUTHENTICATION_FAILED``
            requests.RequestException: Entra did not answer.
        """
        kept = self._kept.get(scope)
        if kept is None or kept[1] - time.time() < _EARLY_SECONDS:
            kept = self._kept[scope] = self._ask(scope)
        return kept

    def forget(self) -> None:
        """Ask anew next time: the service refused what was given."""
        self._kept.clear()

    def _ask(self, scope: str) -> tuple[str, float]:
        asked = time.time()
        address = f"{cloud_of(self.principal).authority}/{self.principal.tenant_id}"
        answer = self.session.post(
            f"{address}/oauth2/v2.0/token",
            data={
                "grant_type": "client_credentials",
                "client_id": self.principal.client_id,
                "client_secret": self.principal.key,
                "scope": scope,
            },
            timeout=_TIMEOUT_SECONDS,
        )
        if answer.status_code in (400, 401):
            raise errors.AUTHENTICATION_FAILED.error(detail=_said(answer))
        answer.raise_for_status()
        found = answer.json()
        return str(found["access_token"]), asked + float(found["expires_in"])


def _said(answer: requests.Response) -> str:
    try:
        found = answer.json()
    except ValueError:
        return f"HTTP {answer.status_code}"
    told = str(found.get("error_description") or found.get("error") or f"HTTP {answer.status_code}")
    entra = ENTRA_MESSAGE.search(told)
    return short(entra[0] if entra else told)
