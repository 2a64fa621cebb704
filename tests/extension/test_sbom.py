"""The bill of materials: what is bundled, what is installed, and the same bytes each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from extension.sbom import TASK, bill

LOCK = """# compiled
requests==2.32.0 \\
    --hash=sha256:0
Urllib3==2.2.1 ; python_version >= "3.10" \\
    --hash=sha256:1
# commented==1.0
"""


def made(tmp_path: Path) -> dict[str, Any]:
    packages = []
    for name, version in (("@azure/core", "1.0.0"), ("uuid", "9.0.0")):
        folder = tmp_path / "node_modules" / name
        folder.mkdir(parents=True, exist_ok=True)
        about = {"name": name, "version": version, "license": "MIT"}
        (folder / "package.json").write_text(json.dumps(about), encoding="utf-8")
        packages.append(folder)
    locks = []
    for name in ("v1.txt", "v2.txt"):
        (tmp_path / name).write_text(LOCK, encoding="utf-8")
        locks.append(tmp_path / name)
    text = bill([*packages, packages[0]], locks, {"AV1": "digest of A"})
    found: dict[str, Any] = json.loads(text)
    return found


def test_the_parts_are_each_named_once(tmp_path: Path) -> None:
    found = {each["purl"]: each["scope"] for each in made(tmp_path)["components"]}
    assert found == {
        "pkg:npm/%40azure/core@1.0.0": "required",
        "pkg:npm/uuid@9.0.0": "required",
        "pkg:pypi/requests@2.32.0": "optional",
        "pkg:pypi/urllib3@2.2.1": "optional",
    }


def test_a_python_package_says_which_locks_name_it(tmp_path: Path) -> None:
    (requests,) = (each for each in made(tmp_path)["components"] if each["name"] == "requests")
    assert [each["value"] for each in requests["properties"]] == ["v1.txt", "v2.txt"]


def test_the_extension_has_the_digests_of_its_tasks(tmp_path: Path) -> None:
    (told,) = made(tmp_path)["metadata"]["component"]["properties"]
    assert told == {"name": f"{TASK}AV1", "value": "digest of A"}


def test_nothing_depends_on_time_or_chance(tmp_path: Path) -> None:
    first, second = made(tmp_path), made(tmp_path)
    assert first == second
    assert "timestamp" not in first["metadata"]
    assert first["serialNumber"].startswith("urn:uuid:")
