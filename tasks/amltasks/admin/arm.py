"""Resource Manager and Microsoft Graph, read as whoever is signed in: ``az login``, or AZURE_*."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import requests
from azure.core.credentials import TokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    AzureCliCredential,
    ChainedTokenCredential,
    CredentialUnavailableError,
    EnvironmentCredential,
)

ARM, GRAPH = "https://management.azure.com", "https://graph.microsoft.com"
_TIMEOUT_S = 30


class RefusedError(Exception):
    """An answer other than success; ``status`` is 0 when nobody answered or signed in."""

    def __init__(self, status: int, detail: str) -> None:
        """``detail``: the service's own words."""
        super().__init__(detail)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class Reader:
    """Reads only, so there is nothing to withhold in a dry run."""

    tenant: str

    @functools.cached_property
    def credential(self) -> TokenCredential:
        """The service principal of AZURE_CLIENT_ID and its like, else who `az login` signed in."""
        return ChainedTokenCredential(
            EnvironmentCredential(), AzureCliCredential(tenant_id=self.tenant)
        )

    def get(self, url: str) -> dict[str, Any]:
        """The JSON at an address of Resource Manager or Graph.

        Raises:
            RefusedError: it was not answered with success.
        """
        host = GRAPH if url.startswith(GRAPH) else ARM
        try:
            token = self.credential.get_token(f"{host}/.default").token
            answer = requests.get(
                url, headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT_S
            )
        except (ClientAuthenticationError, CredentialUnavailableError) as error:
            raise RefusedError(0, "nobody is signed in to Azure here") from error
        except ValueError as error:
            raise RefusedError(0, f"AZURE_* or --tenant cannot be used: {error}") from None
        except requests.RequestException as error:
            raise RefusedError(0, f"{host} did not answer ({type(error).__name__})") from None
        body = _json(answer)
        if not answer.ok:
            told = body.get("error")
            message = told.get("message") if isinstance(told, dict) else None
            raise RefusedError(answer.status_code, str(message or answer.reason))
        return body


def _json(answer: requests.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
