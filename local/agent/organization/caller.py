"""Requests to an organisation of Azure DevOps, and the errors when they fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

from local.agent.errors import AgentError

# Configuration of this agent: no step sees it.
SETTINGS = ("AZURE_DEVOPS_ORG_URL", "AZURE_DEVOPS_PROJECT", "AZURE_DEVOPS_EXT_PAT")
_VERSION = {"api-version": "7.1-preview"}
_TIMEOUT_S = 30.0


class UnreachableError(AgentError):
    """The organisation does not answer."""


class Caller:
    """Sends requests to one project of an organisation, with one token."""

    def __init__(self, url: str, project: str, session: requests.Session) -> None:
        """Use ``session``, which carries the credentials."""
        self.url = url.rstrip("/")
        self.project = project
        self._session = session

    def at(self, url: str) -> Caller:
        """Return a caller for another address: some areas have their own host."""
        return Caller(url, self.project, self._session)

    def in_project(self, method: str, path: str, **options: Any) -> Any:
        """Send a request below the project's ``_apis``; see ``call``."""
        return self.call(method, f"{quote(self.project)}/_apis/{path}", **options)

    def call(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        data: bytes | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """Send a request below the organisation; return the JSON of its answer, None without any.

        Raises:
            UnreachableError: the organisation does not answer.
            AgentError: the answer is not a success.
        """
        kind = {} if data is None else {"content-type": "application/octet-stream"}
        try:
            answer = self._session.request(
                method,
                f"{self.url}/{path}",
                params={**_VERSION, **(query or {})},
                json=body,
                data=data,
                headers=kind,
                timeout=_TIMEOUT_S,
            )
        except requests.RequestException as error:
            raise UnreachableError(
                f"the organisation {self.url} does not answer ({type(error).__name__}); start it "
                f"(dev.py azure), or unset {SETTINGS[0]}"
            ) from None
        if not 200 <= answer.status_code < 300:
            raise AgentError(
                f"the organisation {self.url} refused {method} {path} with {answer.status_code}: "
                f"{_message(answer)}; check {', '.join(SETTINGS)}"
            )
        return answer.json() if answer.content else None


def _message(answer: requests.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.reason
