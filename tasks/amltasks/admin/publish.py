"""``publish`` and ``share``: a .vsix to the Marketplace, and who may see it, through tfx.

tfx takes its token from its own command line only. So Node runs a line of ours that adds the token
inside the process, out of the environment: no list of processes shows it.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import requests
from requests.auth import HTTPBasicAuth

from amltasks.admin import causes, console
from amltasks.admin.definitions import CLONE
from amltasks.admin.install import Extension

MARKETPLACE = "https://marketplace.visualstudio.com"
_TFX = CLONE / "node_modules" / "tfx-cli" / "_build" / "tfx-cli.js"
_TOKEN = "AML_ADMIN_TOKEN"  # noqa: S105  (a variable's name)
_ADD_TOKEN = (
    f"process.argv.push('--token', process.env.{_TOKEN}); delete process.env.{_TOKEN}; "
    "require(process.argv[1]);"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_TIMEOUT_S = 30
_ASSET = "Microsoft.VisualStudio.Services.VSIXPackage"
_TASK = re.compile(r"tasks/([^/]+)/task\.json")
_BILL, _DIGEST = "sbom.cdx.json", "amltasks:task:"


@dataclass(frozen=True, kw_only=True)
class ShippedTask:
    """A task in a package. ``digest`` is of what it ships; empty where the package tells none."""

    name: str
    version: tuple[int, ...]
    digest: str


@dataclass(frozen=True, kw_only=True)
class Package:
    """What a .vsix says of itself."""

    path: Path
    extension: Extension
    version: str
    tasks: Mapping[str, ShippedTask]


def read_package(path: Path) -> Package:
    """Read the manifest of a .vsix.

    Raises:
        TaskError: it is none.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = archive.read("extension.vsixmanifest")
            tasks = _tasks(archive)
        root = ElementTree.parse(io.BytesIO(manifest)).getroot()  # noqa: S314  (our own build)
        identity = root.find(".//{*}Identity")
        if identity is None:
            raise KeyError("no Identity in its manifest")
        attributes = identity.attrib
        return Package(
            path=path,
            extension=Extension(publisher=attributes["Publisher"], name=attributes["Id"]),
            version=attributes["Version"],
            tasks=tasks,
        )
    except (OSError, KeyError, ValueError, zipfile.BadZipFile, ElementTree.ParseError) as error:
        raise causes.VSIX_INVALID.error(path=path, detail=error) from None


def _tasks(archive: zipfile.ZipFile) -> dict[str, ShippedTask]:
    """The tasks of a package by id; the bill of materials has their digests."""
    names = archive.namelist()
    bill = json.loads(archive.read(_BILL)) if _BILL in names else {"metadata": {"component": {}}}
    properties = bill["metadata"]["component"].get("properties", [])
    digests = {one["name"].removeprefix(_DIGEST): one["value"] for one in properties}
    found = {}
    for name in names:
        path = _TASK.fullmatch(name)
        if path:
            task = json.loads(archive.read(name))
            found[task["id"]] = ShippedTask(
                name=task["name"],
                version=tuple(int(task["version"][part]) for part in ("Major", "Minor", "Patch")),
                digest=digests.get(path[1], ""),
            )
    return found


def publish(package: Package, token: str, *, dry_run: bool) -> None:
    """Publish the package unless the Marketplace has it.

    Raises:
        TaskError: the Marketplace or tfx refused; ``EXTENSION_VERSION_TAKEN`` when it has another
            package of that version; ``TASK_VERSION_STALE`` when organizations would keep an older
            task, because its version did not rise with what it ships.
    """
    what = f"{package.extension} {package.version}"
    present = _published(package.extension, token)
    versions = (present or {}).get("versions", [])
    if package.version in versions:
        if _package(package.extension, package.version, token) != package.path.read_bytes():
            raise causes.EXTENSION_VERSION_TAKEN.error(
                extension=package.extension, version=package.version
            )
        console.say(console.UNCHANGED, f"the Marketplace has {what} already")
        return
    if versions:
        _check_received(package, versions[0], token)
    arguments = ("extension", "publish", "--vsix", str(package.path))
    if _tfx(f"publish {what}", arguments, token, dry_run=dry_run):
        console.say("published", what)


def _check_received(package: Package, newest: str, token: str) -> None:
    """See that organizations would receive every task that the package changes."""
    published = _package(package.extension, newest, token)
    with zipfile.ZipFile(io.BytesIO(published)) as archive:
        before = _tasks(archive)
    stale = [
        f"{task.name} {'.'.join(map(str, task.version))}"
        for identity, task in package.tasks.items()
        if identity in before
        and task.version <= before[identity].version
        and (not task.digest or task.digest != before[identity].digest)
    ]
    if stale:
        raise causes.TASK_VERSION_STALE.error(
            tasks=", ".join(sorted(stale)), extension=package.extension, version=newest
        )


def _package(extension: Extension, version: str, token: str) -> bytes:
    """A published package, as it was uploaded."""
    where = (
        f"{MARKETPLACE}/_apis/gallery/publisher/{extension.publisher}/extension/{extension.name}/"
        f"{version}/assetbyname/{_ASSET}"
    )
    return _ask(where, f"downloading {extension} {version}", token).content


def share(extension: Extension, organization: str, token: str, *, dry_run: bool) -> None:
    """Share a published extension with an organisation unless it is.

    Raises:
        TaskError: it is not published, or the Marketplace or tfx refused.
    """
    present = _published(extension, token)
    if present is None:
        raise causes.EXTENSION_NOT_OFFERED.error(extension=extension)
    if organization.lower() in present["shared"]:
        console.say(console.UNCHANGED, f"{extension} is shared with {organization} already")
        return
    what = f"share {extension} with {organization}"
    arguments = (
        *("extension", "share", "--publisher", extension.publisher),
        *("--extension-id", extension.name, "--share-with", organization),
    )
    if _tfx(what, arguments, token, dry_run=dry_run):
        console.say("shared", f"{extension} with {organization}")


def _published(extension: Extension, token: str) -> Mapping[str, list[str]] | None:
    """The versions of an extension and whom it is shared with; None when it is not published."""
    versions_and_accounts = 0x1 | 0x8  # ExtensionQueryFlags: IncludeVersions, IncludeSharedAccounts
    where = (
        f"{MARKETPLACE}/_apis/gallery/publishers/{extension.publisher}/extensions/{extension.name}"
    )
    flags = {"flags": str(versions_and_accounts), "api-version": "7.1-preview.2"}
    answer = _ask(where, f"looking for {extension}", token, **flags)
    if answer.status_code == requests.codes.not_found:
        return None
    body = answer.json()
    return {
        "versions": [one["version"] for one in body.get("versions") or ()],
        "shared": [one["name"].lower() for one in body.get("sharedWith") or ()],
    }


def _ask(where: str, doing: str, token: str, **query: str) -> requests.Response:
    """Ask the Marketplace; an answer of 200, or of 404 to a question with a query."""
    try:
        answer = requests.get(
            where, params=query, auth=HTTPBasicAuth("", token), timeout=_TIMEOUT_S
        )
    except requests.RequestException as error:
        raise causes.SERVICE_UNREACHABLE.error(
            where=MARKETPLACE, doing=doing, detail=type(error).__name__
        ) from None
    if answer.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
        raise causes.TOKEN_REFUSED.error(where=MARKETPLACE, doing=doing)
    absent = bool(query) and answer.status_code == requests.codes.not_found
    if answer.status_code != requests.codes.ok and not absent:
        raise causes.REQUEST_REFUSED.error(
            status=answer.status_code, doing=doing, detail=answer.reason
        )
    return answer


def _tfx(what: str, arguments: tuple[str, ...], token: str, *, dry_run: bool) -> bool:
    """Run tfx; False in a dry run, which shows the command instead."""
    command = (*arguments, "--service-url", MARKETPLACE, "--no-prompt", "--no-color")
    if dry_run:
        verb, _, rest = what.partition(" ")
        console.say(f"would {verb}", rest)
        console.more("tfx " + " ".join(command) + " (with the token)")
        return False
    node = shutil.which("node")
    if node is None or not _TFX.exists():
        raise causes.TFX_MISSING.error()
    done = subprocess.run(
        [node, "-e", _ADD_TOKEN, str(_TFX), *command],
        env={**_environment(), _TOKEN: token},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise causes.TFX_FAILED.error(doing=what, detail=_reason(done.stdout, token))
    return True


def _environment() -> dict[str, str]:
    """This process's; Node trusts whom Python trusted when it asked for the version."""
    authority = os.environ.get("REQUESTS_CA_BUNDLE")
    return {**os.environ, **({"NODE_EXTRA_CA_CERTS": authority} if authority else {})}


def _reason(output: str, token: str) -> str:
    """The line of tfx's output that says what went wrong, without the token."""
    lines = [_COLOUR.sub("", line).strip() for line in output.splitlines()]
    telling = [line for line in lines if line.lower().startswith("error")] or [
        line for line in lines if line
    ]
    return (telling[0] if telling else "it said nothing").replace(token, "***")
