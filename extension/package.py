"""Build the .vsix: `python -m extension.package [--out DIR]` prints its path as the last line.

The launcher is bundled once by esbuild and laid into a staged copy of every task, together with
the `amltasks` package and the requirement locks, without what only people read (`slim`); so are
the pages of the portal, into their own folder. `tfx extension create` then makes the archive, its
warnings counting as failures. Last, the archive is packed anew (`archive`) with sorted names and
fixed times, so that the same sources give the same bytes.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import click

from extension import (
    addresses,
    archive,
    closure,
    contents,
    digests,
    lengths,
    sbom,
    slim,
    strings,
    wheelhouse,
)
from extension.bundles import bundle, node_tool
from extension.sources import ROOT, PackagingError, run, runs_on_agent, task_folders

MANIFEST = "vss-extension.json"
ICON = "icon.png"
SETTINGS = "launcher.json"
"""What the launcher may do for a task, and which page explains its codes."""
LOCKS = ("v1.txt", "v2.txt", "uv.txt")
OWN_LOCKS = {
    # On v2 they ask REST APIs alone; azure-ai-ml is for pipelines and their outputs.
    "ProvisionAmlComputeV1": {"v2.txt": "v2-rest.txt"},
    "DeployToAksV1": {"v2.txt": "v2-rest.txt"},
    # Its statistics and plots are large; the other tasks must not wait for them.
    "EvaluateAndGateV1": {"v1.txt": "v1-gate.txt", "v2.txt": "v2-gate.txt"},
}
PAGES = (
    "extension/overview.md",
    "extension/privacy.md",
    "CHANGELOG.md",
    "LICENSE",
    "docs/security.md",
    "docs/troubleshooting.md",
)
LAUNCHER = "launcher.js"
CLEAN_UP = "cleanUp.js"
"""What the agent starts after the job, for a task whose task.json has a postjobexecution."""
TAB = PurePosixPath("extension/tab")
TAB_FILES = ("configuration.html", "index.html", "tab.css", "widget.html")
TEMPLATES = "extension/templates"
MAX_VSIX_BYTES = 25 * 1024 * 1024
"""Azure DevOps Server 2019 takes no extension above 25 MiB."""
CONTENT_TYPES_NAME = "[Content_Types].xml"
CONTENT_TYPES = {
    "": "text/plain",
    ".css": "text/css",
    ".html": "text/html",
    ".jinja": "text/plain",
    ".js": "application/javascript",
    ".json": "application/json",
    ".md": "text/markdown",
    ".png": "image/png",
    ".py": "text/plain",
    ".resjson": "application/json",
    ".txt": "text/plain",
    ".vsixmanifest": "text/xml",
    ".vsomanifest": "application/json",
}


def bundle_launcher(folder: Path) -> list[Path]:
    """Bundle the launcher into `folder`; returns the npm packages in it."""
    target = folder / LAUNCHER
    return bundle("tasks/launcher/main.ts", target, platform="node", language="node20")


def stage(folder: Path, changes: Mapping[str, Any] | None = None) -> None:
    """Lay out in `folder` everything that the manifest names, as it will be in the .vsix.

    changes: members of the manifest that are to be others in this package.
    """
    launcher = folder / "launcher"
    launcher.mkdir(parents=True)
    packages = bundle_launcher(launcher)
    languages = strings.translations(ROOT)
    manifest = addresses.completed(manifest_with(changes))
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=2), encoding="utf-8", newline="\n")
    for task in task_folders():
        target = folder / "tasks" / task.name
        target.mkdir(parents=True)
        told = json.loads((task / "task.json").read_text(encoding="utf-8"))
        about = addresses.documented(told, task.name, manifest)
        text = json.dumps(about, indent=2, ensure_ascii=False) + "\n"
        (target / "task.json").write_text(text, encoding="utf-8", newline="\n")
        strings.write(target, about, languages)
        copy(task / ICON, target / ICON)
        copy(ROOT / "LICENSE", target / "LICENSE")
        if runs_on_agent(about):
            stage_program(task, about["name"], target, launcher, manifest)
    shutil.rmtree(launcher)
    for name in TAB_FILES:
        copy(ROOT / TAB / name, folder / TAB / name)
    script = folder / TAB / "tab.js"
    packages += bundle(f"{TAB}/main.ts", script, platform="browser", language="es2023")
    for template in sorted((ROOT / TEMPLATES).glob("*/*.json")):
        copy(template, folder / template.relative_to(ROOT))
    for image in sorted((ROOT / "extension" / "images").glob("*.png")):
        copy(image, folder / "extension" / "images" / image.name)
    for name in PAGES:
        copy(ROOT / name, folder / name)
    locks = {*LOCKS, *(name for own in OWN_LOCKS.values() for name in own.values())}
    listed = [ROOT / "requirements" / name for name in sorted(locks)]
    bill = sbom.bill(packages, listed, digests.digests(folder))
    (folder / sbom.NAME).write_text(bill, encoding="utf-8", newline="\n")


def manifest_with(changes: Mapping[str, Any] | None) -> dict[str, Any]:
    """The manifest, with some of its members changed."""
    return {**json.loads((ROOT / MANIFEST).read_text(encoding="utf-8")), **(changes or {})}


def stage_program(
    task: Path, name: str, target: Path, launcher: Path, manifest: Mapping[str, Any]
) -> None:
    """Lay out what an agent needs to run a task, beside its task.json."""
    if settings := launcher_settings(task, manifest):
        (target / SETTINGS).write_text(json.dumps(settings) + "\n", encoding="utf-8", newline="\n")
    for path in launcher.iterdir():
        copy(path, target / path.name)
    about = json.loads((task / "task.json").read_text(encoding="utf-8"))
    if "postjobexecution" in about:
        load = f"require('./{LAUNCHER}');\n"
        (target / CLEAN_UP).write_text(load, encoding="utf-8", newline="\n")
    for path in closure.files(name):
        stage_source(path, target / "python" / path.relative_to(closure.SOURCES))
    own = OWN_LOCKS.get(task.name, {})
    for lock in LOCKS:
        text = slim.slim_lock((ROOT / "requirements" / own.get(lock, lock)).read_text("utf-8"))
        place = target / "requirements" / lock
        place.parent.mkdir(exist_ok=True)
        place.write_text(text, encoding="utf-8", newline="\n")


def stage_source(path: Path, target: Path) -> None:
    """Lay out one file of the Python code, slimmed."""
    if path.suffix != ".py":
        copy(path, target)
        return
    text = slim.slim(path.read_text(encoding="utf-8"))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8", newline="\n")


def launcher_settings(task: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """A task's `launcher.json`: its own, and the manifest's link to support where there is one."""
    path = task / SETTINGS
    own = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    support = manifest.get("links", {}).get("support", {}).get("uri")
    return {**own, "support": support} if support else dict(own)


def copy(source: Path, target: Path) -> None:
    """Copy one file, making the folder it goes to.

    Raises:
        PackagingError: the source does not exist.
    """
    if not source.is_file():
        raise PackagingError(f"{source.relative_to(ROOT)} is missing. Next: restore it from git.")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def create_vsix(staged: Path, target: Path) -> None:
    """Make the .vsix with tfx from a staged folder.

    Raises:
        PackagingError: tfx failed or warned; tfx ends with 0 even when a task.json is wrong.
    """
    output = run(
        [
            "node",
            node_tool("tfx-cli", "_build/tfx-cli.js"),
            "extension",
            "create",
            "--no-prompt",
            "--no-color",
            "--root",
            staged,
            "--manifests",
            "vss-extension.json",
            "--output-path",
            target,
        ],
        cwd=staged,
    )
    if "warning" in output.lower():
        raise PackagingError(f"tfx warned:\n{output}")


def repack(source: Path, target: Path) -> None:
    """Copy the entries of a .vsix, sorted and without traces of the time and the machine."""
    with zipfile.ZipFile(source) as old:
        names = sorted(name for name in old.namelist() if not name.endswith("/"))
        entries = {
            name: content_types(names) if name == CONTENT_TYPES_NAME else old.read(name)
            for name in names
        }
    target.write_bytes(archive.packed(entries))


def content_types(names: Sequence[str]) -> bytes:
    """The part of ECMA-376-2 (OPC) that gives each entry's type.

    That of tfx is in no fixed order, and asks the `file` program or the registry of the machine.

    Raises:
        PackagingError: an entry has an extension that we know no type for.
    """
    lines = set()
    for name in names:
        suffix = PurePosixPath(name).suffix
        if name == CONTENT_TYPES_NAME:
            continue
        if suffix not in CONTENT_TYPES:
            raise PackagingError(f"{name} has no known type. Next: add {suffix} to CONTENT_TYPES.")
        kind = CONTENT_TYPES[suffix]
        if suffix:
            lines.add(f'  <Default Extension="{suffix}" ContentType="{kind}"/>')
        else:
            lines.add(f'  <Override ContentType="{kind}" PartName="/{name}"/>')
    space = "http://schemas.openxmlformats.org/package/2006/content-types"
    head = ['<?xml version="1.0" encoding="utf-8"?>', f'<Types xmlns="{space}">']
    return "\n".join([*head, *sorted(lines), "</Types>\n"]).encode()


def package(out: Path, changes: Mapping[str, Any] | None = None) -> Path:
    """Build the extension into the folder `out` and return the path of the .vsix.

    changes: members of the manifest that are to be others in this package.

    Raises:
        PackagingError: a source is missing, or a tool failed or warned.
    """
    manifest = manifest_with(changes)
    name = f"{manifest['publisher']}.{manifest['id']}-{manifest['version']}.vsix"
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="aml-vsix-") as temporary:
        staged = Path(temporary) / "staged"
        stage(staged, changes)
        if long := list(lengths.problems(staged / "tasks")):
            raise PackagingError("; ".join(long) + ". Next: shorten their names.")
        raw = Path(temporary) / "raw.vsix"
        create_vsix(staged, raw)
        packed = Path(temporary) / name
        repack(raw, packed)
        size = packed.stat().st_size
        if size > MAX_VSIX_BYTES:
            raise PackagingError(
                f"the .vsix has {size} bytes, and Azure DevOps Server 2019 takes {MAX_VSIX_BYTES}. "
                "Next: find what grew, with `unzip -lv` on an older .vsix."
            )
        # Another build may be reading the file there: replace it in one step.
        fresh = out / f".{name}.{os.getpid()}"
        shutil.copyfile(packed, fresh)
        fresh.replace(out / name)
    return (out / name).resolve()


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Build the extension; the path of the .vsix is the last line printed.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=ROOT / "build",
    help="Folder for the .vsix.",
)
@click.option("--publisher", help="Whose extension it is. Default: as the manifest says.")
@click.option("--public", is_flag=True, help="For everybody in the Marketplace, once published.")
@click.option(
    "--offline",
    type=click.Path(file_okay=False, path_type=Path),
    help="Also fill this folder with the tasks' wheels, for agents without a network.",
)
@click.option(
    "--sdk",
    "sdks",
    type=click.Choice(sorted(wheelhouse.LOCKS)),
    multiple=True,
    default=("v2",),
    show_default=True,
    help="With --offline: the SDK of the wheels; may be given twice.",
)
@click.option(
    "--platform",
    "platforms",
    multiple=True,
    help="With --offline: the agents' platform as pip names it, such as win_amd64.",
)
@click.option("--python-version", default="", help="With --offline: the agents' Python, as 3.11.")
def main(
    out: Path,
    publisher: str | None,
    public: bool,
    offline: Path | None,
    sdks: tuple[str, ...],
    platforms: tuple[str, ...],
    python_version: str,
) -> None:
    """Command line of the packaging."""
    if offline is None and (platforms or python_version or sdks != ("v2",)):
        raise click.UsageError("--sdk, --platform and --python-version are for --offline DIR")
    changes: dict[str, Any] = {"publisher": publisher} if publisher else {}
    if public:
        changes |= {"public": True, "galleryFlags": ["Public"]}
    try:
        path = package(out, changes)
        wheels = wheelhouse.fill(offline, sdks, platforms, python_version) if offline else ""
    except PackagingError as error:
        click.echo(f"The extension was not built: {error}", err=True)
        sys.exit(1)
    for line in contents.report(path):
        click.echo(line, err=True)
    if wheels:
        click.echo(wheels, err=True)
    click.echo(str(path))


if __name__ == "__main__":
    main()
