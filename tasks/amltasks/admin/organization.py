"""An organisation of Azure DevOps through the package ``azure-devops``: reading, changing, failing.

Every call of the package passes ``_Wire``, so that a dry run shows the very request that would be
sent, and sends none that changes anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import requests
from azure.devops.connection import Connection
from azure.devops.exceptions import (
    AzureDevOpsAuthenticationError,
    AzureDevOpsClientRequestError,
    AzureDevOpsServiceError,
)
from msrest.authentication import BasicAuthentication
from msrest.exceptions import ClientException
from requests.adapters import HTTPAdapter

from amltasks.admin import causes, console
from amltasks.errors import TaskError

T = TypeVar("T")
_HOST = "https://dev.azure.com/"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,49}")
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_SIGN_IN_PAGE = 203
_SHOWN_CHARACTERS = 2000


class _WithheldError(Exception):
    """A dry run came to a request that would change something."""

    def __init__(self, request: requests.PreparedRequest) -> None:
        super().__init__(f"{request.method} {request.url}")
        self.body = request.body or b""


class _Wire(HTTPAdapter):
    """The last stop before the network. ``status`` is that of the last answer, 0 before any."""

    def __init__(self, *, dry_run: bool) -> None:
        super().__init__()
        self.dry_run = dry_run
        self.status = 0

    def send(self, request: requests.PreparedRequest, *rest: Any, **options: Any) -> Any:
        if self.dry_run and request.method not in _READS:
            raise _WithheldError(request)
        response = super().send(request, *rest, **options)
        if response.status_code == _SIGN_IN_PAGE:
            # Azure DevOps shows whom it does not know the page to sign in, as a success.
            response.status_code = requests.codes.unauthorized
        self.status = response.status_code
        return response


@dataclass(frozen=True, kw_only=True)
class Organization:
    """One organisation, and as whom it is asked."""

    url: str
    connection: Any
    wire: _Wire

    @property
    def name(self) -> str:
        """Its name, the last part of its address."""
        return self.url.rpartition("/")[2]

    def client(self, kind: str) -> Any:
        """The package's client of one area, such as ``git``."""
        made = self.ask(
            f"looking for its service '{kind}'",
            getattr(self.connection.clients_v7_1, f"get_{kind}_client"),
        )
        made.config.session_configuration_callback = self._mount
        # Ours stands where the package would have mounted one that tries again.
        self.wire.max_retries = made.config.retry_policy()
        return made

    def ask(self, doing: str, call: Callable[[], T], *, permission: str = "access to it") -> T:
        """Read something. ``doing`` completes "while ..."; ``permission`` is what it takes.

        Raises:
            TaskError: it was refused or not answered.
        """
        self.wire.status = 0
        try:
            return call()
        except AzureDevOpsAuthenticationError:
            raise causes.TOKEN_REFUSED.error(where=self.url, doing=doing) from None
        except AzureDevOpsServiceError as error:
            if error.type_key == "HostNotFoundException":
                raise causes.ORGANIZATION_UNKNOWN.error(where=self.url) from None
            raise self._refusal(doing, permission, error.message) from None
        except AzureDevOpsClientRequestError as error:
            raise self._refusal(doing, permission, str(error)) from None
        except (ClientException, requests.RequestException) as error:
            raise causes.SERVICE_UNREACHABLE.error(
                where=self.url, doing=doing, detail=_first_line(error)
            ) from None

    def find(self, doing: str, call: Callable[[], T]) -> T | None:
        """Read something that may not be there: None where the answer is 404."""
        try:
            return self.ask(doing, call)
        except TaskError as error:
            if self.wire.status == requests.codes.not_found and (
                error.cause is causes.REQUEST_REFUSED
            ):
                return None
            raise

    def change(self, verb: str, what: str, call: Callable[[], T], *, permission: str) -> T | None:
        """Make one change and say so; None in a dry run, which shows the request in its stead.

        Args:
            verb: a regular one, such as ``create``; ``what`` is its object.
            permission: what it takes, for the message when it is refused.
        """
        try:
            made = self.ask(f"trying to {verb} {what}", call, permission=permission)
        except _WithheldError as request:
            console.say(f"would {verb}", what)
            console.more(str(request))
            console.more(_shown(request.body))
            return None
        console.say(f"{verb.removesuffix('e')}ed", what)
        return made

    def project(self, name: str) -> Any:
        """The project of that name or id. Raises TaskError when there is none."""
        core = self.client("core")
        found = self.find(f"looking for the project '{name}'", lambda: core.get_project(name))
        if found is None:
            raise causes.PROJECT_UNKNOWN.error(project=name, where=self.url)
        return found

    def _refusal(self, doing: str, permission: str, detail: str) -> TaskError:
        if self.wire.status in (requests.codes.unauthorized, requests.codes.forbidden):
            return causes.PERMISSION_MISSING.error(
                doing=doing, permission=permission, detail=_first_line(detail)
            )
        return causes.REQUEST_REFUSED.error(
            doing=doing, status=self.wire.status, detail=_first_line(detail)
        )

    def _mount(self, session: Any, *_settings: Any, **_options: Any) -> None:
        session.mount("https://", self.wire)


def open_organization(given: str, token: str, *, dry_run: bool) -> Organization:
    """The organisation of that name or address. Asks nothing yet.

    Raises:
        TaskError: the address is none; a token is sent over TLS and to no other host.
    """
    name = given.rstrip("/").removeprefix(_HOST)
    if not _NAME.fullmatch(name):
        raise causes.ORGANIZATION_INVALID.error(given=given)
    url = _HOST + name
    return Organization(
        url=url,
        connection=Connection(base_url=url, creds=BasicAuthentication("", token)),
        wire=_Wire(dry_run=dry_run),
    )


def _shown(body: bytes | str) -> str:
    """The body of a request, as JSON that people can read."""
    if not body:
        return ""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return f"({len(body)} bytes)"
    if len(text) > _SHOWN_CHARACTERS:
        return text[:_SHOWN_CHARACTERS].rstrip() + f"\n… ({len(text)} characters in all)"
    return text


def _first_line(told: object) -> str:
    return (str(told).strip() or "no reason was given").splitlines()[0].strip()
