"""Requests to Resource Manager and to the workspace's data plane.

Every method raises what requests raises; ``translated`` turns that into the task's errors. A
request that failed for a reason that may pass (429, 5xx, a broken connection) is repeated a few
times, after the service's own Retry-After.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from amltasks.workspace.port import Principal
from amltasks.workspace.retries import PASSING, ToldRetry
from amltasks.workspace.sign_in import SignIn

log = logging.getLogger("amltasks")

API_VERSION = "2024-10-01"
TIMEOUT_SECONDS = (10, 60)
_MOST_RETRY_AFTER_SECONDS = 30


def new_session() -> requests.Session:
    """A session that repeats requests which failed for a reason that may pass."""
    session = requests.Session()
    retry = ToldRetry(
        total=4,
        backoff_factor=0.5,
        backoff_jitter=0.2,
        status_forcelist=PASSING,
        allowed_methods=None,  # what we POST may be sent twice: a cancel, a query for keys
        retry_after_max=_MOST_RETRY_AFTER_SECONDS,
        raise_on_status=False,  # the answer says more than "too many retries"
    )
    session.mount("https://", HTTPAdapter(max_retries=retry))
    return session


class Rest:
    """The REST API of one workspace."""

    def __init__(self, principal: Principal, *, resource_group: str, workspace: str) -> None:
        """Send nothing yet."""
        self.principal = principal
        self.resource_group = resource_group
        self.name = workspace
        self.session = new_session()
        self.sign_in = SignIn(principal)
        self.resource_manager = principal.cloud.resource_manager
        self.scope = (
            f"/subscriptions/{principal.subscription_id}/resourceGroups/{resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
        )

    @cached_property
    def workspace(self) -> dict[str, Any]:
        """The workspace itself."""
        found: dict[str, Any] = self.arm("GET", "").json()
        return found

    @cached_property
    def data_plane(self) -> str:
        """Where run history, metrics and artifacts live, such as https://eastus.api.azureml.ms."""
        answer = self.session.get(
            self.workspace["properties"]["discoveryUrl"], timeout=TIMEOUT_SECONDS
        )
        answer.raise_for_status()
        return str(answer.json()["api"]).rstrip("/")

    def arm(
        self, method: str, path: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Send Resource Manager a request for a resource; ``path`` is below the workspace."""
        return self.ask(method, self.address(path), body, query)

    def address(self, path: str) -> str:
        """The address of a resource of the workspace."""
        resource = f"{self.resource_manager}{self.scope}/{path}".rstrip("/")
        return f"{resource}?api-version={API_VERSION}"

    def find(self, path: str) -> Any:
        """A resource of the workspace as JSON, None when it is not there."""
        try:
            return self.arm("GET", path).json()
        except requests.HTTPError as cause:
            if cause.response.status_code == 404:
                return None
            raise

    def every(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[Any]:
        """The resources of a list as JSON, page after page."""
        answer = self.arm("GET", path, query=query).json()
        while True:
            yield from answer.get("value") or []
            following = answer.get("nextLink")
            if not following:
                return
            answer = self.ask("GET", following).json()

    def data(
        self, method: str, service: str, path: str, body: Any = None, **query: str
    ) -> requests.Response:
        """Send a request to a service of the data plane, such as ``history/v1.0``."""
        return self.ask(method, f"{self.data_plane}/{service}{self.scope}/{path}", body, query)

    def ask(
        self, method: str, address: str, body: Any = None, query: Mapping[str, str] | None = None
    ) -> requests.Response:
        """Send a request with our token, and once more with a new one if Azure refuses it (401).

        Raises:
            requests.HTTPError: the answer's status is 400 or more.
        """
        for attempt in (1, 2):
            token = self.sign_in.get_token(self.principal.cloud.scope).token
            answer = self.session.request(
                method,
                address,
                params=dict(query or {}),
                json=body,
                headers={"Authorization": f"Bearer {token}"},
                timeout=TIMEOUT_SECONDS,
            )
            log.debug("%s %s: %d", method, address, answer.status_code)
            if answer.status_code != 401 or attempt == 2:
                break
            self.sign_in.renew()
        answer.raise_for_status()
        return answer


def name_of(resource_id: str) -> str:
    """The last part of a resource's id: ``…/computes/cpu`` -> ``cpu``."""
    return resource_id.rstrip("/").rpartition("/")[2]
