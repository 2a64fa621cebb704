"""Builds and releases as the local Azure's own page shows them."""

from __future__ import annotations

from local.azure.devops.builds.build_shapes import BuildRecord
from local.azure.devops.builds.builds import builds
from local.azure.devops.releases.release_shapes import ReleaseRecord
from local.azure.devops.releases.releases import releases
from local.azure.kernel.cloud import Cloud

HEADS = ("Pipeline", "Number", "State", "Tags", "Gate", "Created")


def rows(cloud: Cloud, most: int) -> list[tuple[str, ...]]:
    """A row of texts each for the newest builds and releases, the newest first."""
    found = [*map(_build, builds(cloud)), *map(_release, releases(cloud))]
    return sorted(found, key=lambda row: row[-1], reverse=True)[:most]


def _build(stored: BuildRecord) -> tuple[str, ...]:
    properties = stored["properties"]
    gate = " ".join(str(properties.get(f"AmlGate.{name}", "")) for name in ("Verdict", "Reason"))
    return (
        stored["definition"]["name"],
        stored["buildNumber"],
        stored["result"] or stored["status"],
        ", ".join(stored["tags"]),
        gate.strip(),
        stored["queueTime"],
    )


def _release(stored: ReleaseRecord) -> tuple[str, ...]:
    stages = ", ".join(f"{one['name']}: {one['status']}" for one in stored["environments"])
    return (stored["definition"]["name"], stored["name"], stages, "", "", stored["createdOn"])
