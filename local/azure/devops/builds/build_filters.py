"""The filters and orders of the list of builds."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator

from local.azure.devops.builds.build_shapes import BuildRecord, BuildsQuery
from local.azure.devops.errors import invalid
from local.azure.identity.organization import IdentityRef


def selected(builds: list[BuildRecord], query: BuildsQuery, user: IdentityRef) -> list[BuildRecord]:
    """The builds that match all filters, in the order asked for; not yet a page."""
    if query.get("deletedFilter") == "onlyDeleted":
        return []
    order = query.get("queryOrder", "queueTimeDescending")
    tests = list(_tests(query, user))
    found = [one for one in builds if all(test(one) for test in tests)]
    if order.startswith("finish"):
        found = sorted((one for one in found if one["finishTime"]), key=_finish)
    elif order.startswith("start"):
        found = sorted((one for one in found if one["startTime"]), key=_start)
    else:
        found = sorted(found, key=_queued)
    if query.get("minTime") or query.get("maxTime"):
        found = [one for one in found if _in_time(one, order, query)]
    if order.endswith("Descending"):
        found.reverse()
    most = query.get("maxBuildsPerDefinition")
    return found if most is None else _limited(found, most)


def indexed(query: BuildsQuery) -> dict[str, str]:
    """The values, by path, of all builds that match: what the store looks up for a query."""
    found = {}
    if len(query.get("definitions", [])) == 1:
        found["definition/id"] = str(query["definitions"][0])
    if "branchName" in query:
        found["sourceBranch"] = query["branchName"]
    number = query.get("buildNumber", "")
    if number and not number.endswith("*"):
        found["buildNumber"] = number
    return found


def _tests(query: BuildsQuery, user: IdentityRef) -> Iterator[Callable[[BuildRecord], bool]]:
    """A test for each filter that is given: of thousands of builds each costs some time."""
    if query.get("requestedFor", user["id"]).lower() not in (
        user["id"],
        user["displayName"].lower(),
        user["uniqueName"],
    ) or ("queues" in query and 1 not in query["queues"]):
        yield lambda _: False
    if "definitions" in query:
        definitions = set(query["definitions"])
        yield lambda build: build["definition"]["id"] in definitions
    if "buildIds" in query:
        identities = set(query["buildIds"])
        yield lambda build: build["id"] in identities
    if "tagFilters" in query:
        wanted = {tag.lower() for tag in query["tagFilters"]}
        yield lambda build: wanted <= {tag.lower() for tag in build["tags"]}
    yield from _tests_of_state(query)
    yield from _tests_of_source(query)


def _tests_of_state(query: BuildsQuery) -> Iterator[Callable[[BuildRecord], bool]]:
    statuses, reasons = query.get("statusFilter", ["all"]), query.get("reasonFilter", ["all"])
    if "all" not in statuses:
        yield lambda build: build["status"] in statuses
    if "all" not in reasons:
        yield lambda build: build["reason"] in reasons
    if "resultFilter" in query:
        results = query["resultFilter"]
        yield lambda build: (build["result"] or "none") in results


def _tests_of_source(query: BuildsQuery) -> Iterator[Callable[[BuildRecord], bool]]:
    if "branchName" in query:
        branch = query["branchName"]
        yield lambda build: build["sourceBranch"] == branch
    if query.get("repositoryId"):
        repository = query["repositoryId"].lower()
        yield lambda build: build["repository"].get("id", "").lower() == repository
    if query.get("repositoryType"):
        kind = query["repositoryType"].lower()
        yield lambda build: build["repository"].get("type", "").lower() == kind
    if query.get("buildNumber"):
        number = query["buildNumber"]
        yield lambda build: _has_number(build["buildNumber"], number)


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
