"""Builds and releases as the local Azure's own page shows them."""

from __future__ import annotations

from dataclasses import dataclass

from local.azure.devops.builds.build_shapes import BuildRecord
from local.azure.devops.builds.builds import builds
from local.azure.devops.releases.release_shapes import ReleaseRecord
from local.azure.devops.releases.releases import releases
from local.azure.kernel.cloud import Cloud


@dataclass(frozen=True, kw_only=True)
class BuildRow:
    """A build or a release. build_id: empty for a release. created: ISO 8601, UTC."""

    anchor: str
    build_id: str = ""
    pipeline: str
    number: str
    state: str
    tags: str = ""
    gate: str = ""
    created: str


def rows(cloud: Cloud, most: int) -> list[BuildRow]:
    """The newest builds and releases, the newest first."""
    found = [*map(_build, builds(cloud)), *map(_release, releases(cloud))]
    return sorted(found, key=lambda row: row.created, reverse=True)[:most]


def _build(stored: BuildRecord) -> BuildRow:
    properties = stored["properties"]
    gate = " ".join(str(properties.get(f"AmlGate.{name}", "")) for name in ("Verdict", "Reason"))
    return BuildRow(
        anchor=f"build-{stored['id']}",
        build_id=str(stored["id"]),
        pipeline=stored["definition"]["name"],
        number=stored["buildNumber"],
        state=stored["result"] or stored["status"],
        tags=", ".join(stored["tags"]),
        gate=gate.strip(),
        created=stored["queueTime"],
    )


def _release(stored: ReleaseRecord) -> BuildRow:
    stages = ", ".join(f"{one['name']}: {one['status']}" for one in stored["environments"])
    return BuildRow(
        anchor=f"release-{stored['id']}",
        pipeline=stored["definition"]["name"],
        number=stored["name"],
        state=stages,
        created=stored["createdOn"],
    )
