"""The bill of materials in the .vsix: CycloneDX 1.6 (ECMA-424), as JSON.

It lists the npm packages that are bundled in the programs, and the Python packages of the locks,
which a task installs on the agent. Nothing in it depends on time or chance.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from extension.sources import ROOT

NAME = "sbom.cdx.json"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
LICENCES = LicenseFactory()
TASK = "amltasks:task:"
"""Before a task's folder: the property that has the digest of what it ships."""


def bill(packages: Sequence[Path], locks: Sequence[Path], digests: Mapping[str, str]) -> str:
    """The bill of materials.

    packages: folders of the npm packages that are in the programs. locks: requirement files.
    digests: of what each task ships, by its folder (see `versions`).
    """
    manifest = json.loads((ROOT / "vss-extension.json").read_text(encoding="utf-8"))
    name = f"{manifest['publisher']}.{manifest['id']}"
    extension = Component(
        name=name,
        version=manifest["version"],
        type=ComponentType.APPLICATION,
        bom_ref=name,
        licenses=[LICENCES.make_from_string("MIT")],
        properties=[Property(name=f"{TASK}{name}", value=told) for name, told in digests.items()],
    )
    parts = [*bundled(packages), *installed(locks)]
    bom = Bom(components=parts, metadata=BomMetaData(component=extension))
    bom.register_dependency(extension, parts)
    found = json.loads(JsonV1Dot6(bom).output_as_string())
    found["metadata"].pop("timestamp", None)
    found.pop("serialNumber", None)
    # The same contents have the same number (RFC 9562, version 5).
    found["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(found)).urn
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def bundled(packages: Sequence[Path]) -> Iterator[Component]:
    """The npm packages, each once."""
    for folder in sorted(set(packages)):
        about = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        group, _, name = about["name"].rpartition("/")
        purl = PackageURL("npm", group or None, name, about["version"])
        yield Component(
            name=name,
            group=group or None,
            version=about["version"],
            purl=purl,
            bom_ref=str(purl),
            licenses=[LICENCES.make_from_string(about["license"])],
            scope=ComponentScope.REQUIRED,
        )


def installed(locks: Sequence[Path]) -> Iterator[Component]:
    """The Python packages, with the locks that name them; their hashes stand there."""
    named: dict[tuple[str, str], list[str]] = {}
    for lock in locks:
        for name, version in PINNED.findall(lock.read_text(encoding="utf-8")):
            named.setdefault((name.lower(), version), []).append(lock.name)
    for (name, version), where in sorted(named.items()):
        purl = PackageURL("pypi", None, name, version)
        yield Component(
            name=name,
            version=version,
            purl=purl,
            bom_ref=str(purl),
            scope=ComponentScope.OPTIONAL,
            properties=[Property(name="amltasks:lock", value=lock) for lock in sorted(set(where))],
        )
