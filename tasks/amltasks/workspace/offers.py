"""What a region offers for clusters, and the quota that is left: the same request in both SDKs.

Protocol: Microsoft.MachineLearningServices 2024-10-01, locations/vmSizes and locations/usages.
"""

from __future__ import annotations

from typing import Any, TypedDict
from urllib.parse import quote

import requests

from amltasks.workspace.port import Principal, Quota, VmSize
from amltasks.workspace.sign_in import SignIn

_API_VERSION = "2024-10-01"
_TIMEOUT_SECONDS = (10, 30)


class _Size(TypedDict, total=False):
    name: str
    family: str
    vCPUs: int
    lowPriorityCapable: bool


class _Name(TypedDict, total=False):
    value: str


class _Usage(TypedDict, total=False):
    name: _Name
    limit: int
    currentValue: int


class Offers:
    """The offers of a principal's subscription. Raises what requests raises."""

    def __init__(self, principal: Principal, sign_in: SignIn) -> None:
        """Send nothing yet."""
        self._principal = principal
        self._sign_in = sign_in

    def sizes(self, location: str) -> tuple[VmSize, ...]:
        """The sizes that clusters may have in a region."""
        found: list[_Size] = self._list(location, "vmSizes")
        return tuple(
            VmSize(
                name=each["name"],
                family=each.get("family") or "",
                cpus=int(each.get("vCPUs") or 0),
                low_priority=each.get("lowPriorityCapable") is not False,
            )
            for each in found
        )

    def quotas(self, location: str) -> tuple[Quota, ...]:
        """The quotas for clusters in a region."""
        found: list[_Usage] = self._list(location, "usages")
        return tuple(
            Quota(
                name=(each.get("name") or {}).get("value") or "",
                limit=int(each.get("limit") or 0),
                used=int(each.get("currentValue") or 0),
            )
            for each in found
        )

    def _list(self, location: str, what: str) -> list[Any]:
        cloud = self._principal.cloud
        region = quote(location.replace(" ", "").lower(), safe="")
        address: str | None = (
            f"{cloud.resource_manager}/subscriptions/{self._principal.subscription_id}"
            f"/providers/Microsoft.MachineLearningServices/locations/{region}/{what}"
            f"?api-version={_API_VERSION}"
        )
        found: list[Any] = []
        while address:
            token = self._sign_in.get_token(cloud.scope).token
            answer = requests.get(
                address, headers={"Authorization": f"Bearer {token}"}, timeout=_TIMEOUT_SECONDS
            )
            answer.raise_for_status()
            body = answer.json()
            found += body.get("value") or []
            address = body.get("nextLink")
        return found
