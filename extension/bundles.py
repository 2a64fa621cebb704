"""Bundle a TypeScript program by esbuild, with the notices of the npm packages in it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from extension.sources import ROOT, PackagingError, run


def node_tool(package: str, script: str) -> Path:
    """The script of a package in node_modules.

    Raises:
        PackagingError: node_modules does not hold it.
    """
    path = ROOT / "node_modules" / package / script
    if not path.exists():
        raise PackagingError(f"node_modules holds no {package}. Next: run `npm ci` in {ROOT}.")
    return path


def bundle(source: str, target: Path, *, platform: str, language: str) -> list[Path]:
    """Bundle a TypeScript program into `target`, and the notices of what it contains beside it.

    platform: `node` or `browser`. language: what it is compiled to, such as `node20`.

    Returns the folders of the npm packages that are in it, sorted.
    """
    node_tool("esbuild", "bin/esbuild")
    metafile = target.with_suffix(".meta.json")
    script = ROOT / "extension" / "bundle.mjs"
    run(["node", script, source, target, metafile, platform, language])
    inputs = json.loads(metafile.read_text(encoding="utf-8"))["inputs"]
    metafile.unlink()
    packages = packages_of(inputs)
    (target.parent / "ThirdPartyNotices.txt").write_text(
        notices(target.name, packages), encoding="utf-8", newline="\n"
    )
    return packages


def packages_of(files: Sequence[str]) -> list[Path]:
    """The folders of the npm packages that bundled files come from, sorted."""
    packages = set()
    for name in files:
        before, found, after = name.rpartition("node_modules/")
        if found:
            parts = after.split("/")
            packages.add(before + found + "/".join(parts[: 2 if parts[0][0] == "@" else 1]))
    return [ROOT / package for package in sorted(packages)]


def notices(program: str, packages: Sequence[Path]) -> str:
    """The licences of npm packages."""
    sections = [f"{program} contains these packages, under their own licences.\n"]
    for folder in packages:
        about = json.loads((folder / "package.json").read_text(encoding="utf-8"))
        texts = sorted(
            path
            for path in folder.iterdir()
            if path.name.upper().startswith(("LICENSE", "LICENCE"))
        )
        if not texts:
            raise PackagingError(
                f"{folder.name} has no licence file. Next: do without it, or add its licence."
            )
        sections.append(
            f"{'-' * 70}\n{about['name']} {about['version']} ({about['license']})\n\n"
            + "\n".join(path.read_text(encoding="utf-8").strip() for path in texts)
            + "\n"
        )
    return "\n".join(sections)
