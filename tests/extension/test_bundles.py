"""Which npm packages are in a program, and the notices of their licences."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extension.bundles import node_tool, notices, packages_of
from extension.sources import ROOT, PackagingError


def package(folder: Path, *licences: str) -> Path:
    folder.mkdir(parents=True)
    about = {"name": folder.name, "version": "1.2.3", "license": "MIT"}
    (folder / "package.json").write_text(json.dumps(about), encoding="utf-8")
    for name in licences:
        (folder / name).write_text(f"\n the text of {name} \n", encoding="utf-8")
    return folder


def test_each_package_is_named_once_and_our_own_files_are_none() -> None:
    bundled = [
        "tasks/launcher/main.ts",
        "node_modules/uuid/dist/v4.js",
        "node_modules/uuid/dist/rng.js",
        "node_modules/@scope/name/lib/index.js",
        "node_modules/outer/node_modules/inner/index.js",
        "node_modules/outer/node_modules/@scope/inner/index.js",
    ]
    assert packages_of(bundled) == [
        ROOT / "node_modules/@scope/name",
        ROOT / "node_modules/outer/node_modules/@scope/inner",
        ROOT / "node_modules/outer/node_modules/inner",
        ROOT / "node_modules/uuid",
    ]


def test_notices_have_every_licence_text(tmp_path: Path) -> None:
    one = package(tmp_path / "one", "LICENSE.md")
    two = package(tmp_path / "two", "license-mit", "LICENCE")
    found = notices("launcher.js", [one, two])
    assert found.startswith("launcher.js contains these packages, under their own licences.\n")
    assert "one 1.2.3 (MIT)\n\nthe text of LICENSE.md\n" in found
    assert "two 1.2.3 (MIT)\n\nthe text of LICENCE\nthe text of license-mit\n" in found


def test_a_package_without_a_licence_text_is_refused(tmp_path: Path) -> None:
    bare = package(tmp_path / "bare", "README.md")
    with pytest.raises(PackagingError, match=r"bare has no licence file\. Next: "):
        notices("launcher.js", [bare])


def test_a_tool_that_is_not_installed_is_told() -> None:
    with pytest.raises(PackagingError, match=r"holds no no-such-tool\. Next: run `npm"):
        node_tool("no-such-tool", "bin/tool")
