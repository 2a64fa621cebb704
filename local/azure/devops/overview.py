"""Builds and releases as the local Azure's own page shows them."""

from __future__ import annotations

from typing import Any

from local.azure.azure import Azure
from local.azure.devops import builds, releases

HEADS = ("Pipeline", "Number", "State", "Tags", "Gate", "Created")


def rows(azure: Azure, most: int) -> list[tuple[str, ...]]:
    """A row of texts each for the newest builds and releases, the newest first."""
    found = [
        *map(_build, azure.store.list(builds.KIND)),
        *map(_release, azure.store.list(releases.KIND)),
    ]
    return sorted(found, key=lambda row: row[-1], reverse=True)[:most]


def _build(stored: dict[str, Any]) -> tuple[str, ...]:
    properties = stored.get("properties") or {}
    gate = " ".join(str(properties.get(f"AmlGate.{name}", "")) for name in ("Verdict", "Reason"))
    return (
        stored["definition"]["name"],
        stored["buildNumber"],
        stored["result"] or stored["status"],
        ", ".join(stored["tags"]),
        gate.strip(),
        stored["queueTime"],
    )


def _release(stored: dict[str, Any]) -> tuple[str, ...]:
    stages = ", ".join(f"{one['name']}: {one['status']}" for one in stored["environments"])
    return (stored["definition"]["name"], stored["name"], stages, "", "", stored["createdOn"])
