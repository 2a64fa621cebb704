"""The filters and orders of the list of builds."""

from __future__ import annotations

import datetime

from local.azure.devops.builds.build_shapes import BuildRecord, BuildsQuery
from local.azure.devops.errors import invalid
from local.azure.identity.organization import IdentityRef


def selected(builds: list[BuildRecord], query: BuildsQuery, user: IdentityRef) -> list[BuildRecord]:
    """The builds that match all filters, in the order asked for; not yet a page."""
    if query.get("deletedFilter") == "onlyDeleted":
        return []
    order = query.get("queryOrder", "queueTimeDescending")
    found = [one for one in builds if _matches(one, query, user)]
    if order.startswith("finish"):
        found = sorted((one for one in found if one["finishTime"]), key=_finish)
    elif order.startswith("start"):
        found = sorted((one for one in found if one["startTime"]), key=_start)
    else:
        found = sorted(found, key=_queued)
    found = [one for one in found if _in_time(one, order, query)]
    if order.endswith("Descending"):
        found.reverse()
    most = query.get("maxBuildsPerDefinition")
    return found if most is None else _limited(found, most)


def _matches(build: BuildRecord, query: BuildsQuery, user: IdentityRef) -> bool:
    tags = {tag.lower() for tag in build["tags"]}
    statuses, reasons = query.get("statusFilter", ["all"]), query.get("reasonFilter", ["all"])
    repository = build["repository"]
    names = (user["id"], user["displayName"].lower(), user["uniqueName"])
    return (
        ("definitions" not in query or build["definition"]["id"] in query["definitions"])
        and ("buildIds" not in query or build["id"] in query["buildIds"])
        and ("queues" not in query or 1 in query["queues"])
        and ("all" in statuses or build["status"] in statuses)
        and ("all" in reasons or build["reason"] in reasons)
        and ("resultFilter" not in query or (build["result"] or "none") in query["resultFilter"])
        and query.get("branchName", build["sourceBranch"]) == build["sourceBranch"]
        and query.get("repositoryId", "").lower() in ("", repository.get("id", "").lower())
        and query.get("repositoryType", "").lower() in ("", repository.get("type", "").lower())
        and query.get("requestedFor", user["id"]).lower() in names
        and {tag.lower() for tag in query.get("tagFilters", [])} <= tags
        and _has_number(build["buildNumber"], query.get("buildNumber", ""))
    )


def _has_number(number: str, wanted: str) -> bool:
    if wanted.endswith("*"):
        return number.startswith(wanted[:-1])
    return wanted in ("", number)


def _in_time(build: BuildRecord, order: str, query: BuildsQuery) -> bool:
    """Whether the time that the order is by lies between minTime and maxTime."""
    text = _queued(build)[0]
    if order.startswith("finish"):
        text = build["finishTime"]
    elif order.startswith("start"):
        text = build["startTime"]
    lowest, highest = query.get("minTime", ""), query.get("maxTime", "")
    if lowest and _moment(text) < _moment(lowest):
        return False
    return not (highest and _moment(text) > _moment(highest))


def _moment(text: str) -> datetime.datetime:
    try:
        found = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise invalid(f"The value '{text}' is not valid for a time.") from None
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)


def _limited(builds: list[BuildRecord], most: int) -> list[BuildRecord]:
    seen: dict[int, int] = {}
    kept = []
    for one in builds:
        identity = one["definition"]["id"]
        seen[identity] = seen.get(identity, 0) + 1
        if seen[identity] <= most:
            kept.append(one)
    return kept


def _queued(one: BuildRecord) -> tuple[str, int]:
    return one["queueTime"], one["id"]


def _start(one: BuildRecord) -> tuple[str, int]:
    return one["startTime"], one["id"]


def _finish(one: BuildRecord) -> tuple[str, int]:
    return one["finishTime"], one["id"]
