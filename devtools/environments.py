"""The environments below .envs/ and node_modules/, made from their locks when these changed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from devtools.console import fail
from devtools.machine import ELSEWHERE, unsupported
from devtools.places import ENVS, ROOT, WINDOWS, digest, located, stamp_folder, stamped
from devtools.steps import locked, step

# The locks of the tasks, by SDK.
TASKS = {"v1": ("v1", "v1-gate"), "v2": ("v2", "v2-gate", "v2-rest")}
SDKS = tuple(TASKS)


def python() -> str:
    """Return the interpreter of the development environment, made when its lock changed."""
    if why := unsupported():
        fail(why, ELSEWHERE)
    return str(environment("dev"))


def warm_task_environments(*sdks: str) -> None:
    """Install the locks of the tasks once, so that uv's cache can serve the launcher offline.

    Those of the given SDKs, or of both.
    """
    for sdk in sdks or SDKS:
        for name in TASKS[sdk]:
            environment(name)


def environment(name: str) -> Path:
    """Make ``.envs/<name>`` agree with ``requirements/<name>.txt``; return its Python."""
    requirements = ROOT / "requirements" / f"{name}.txt"
    folder = ENVS / name
    interpreter = interpreter_in(folder)
    stamp = digest(requirements.read_bytes() + sys.version.encode())
    with locked(ENVS / f"{name}.lock"):
        if not stamped(folder, stamp) or not interpreter.exists():
            step(
                f"making the Python environment .envs/{name}",
                [
                    *(uv(), "venv", "--quiet", "--allow-existing"),
                    *("--python", sys.executable, str(folder)),
                ],
            )
            step(
                f"installing {requirements.relative_to(ROOT)} (hash-checked)",
                [
                    *(uv(), "pip", "sync", "--quiet", "--compile-bytecode"),
                    *("--python", str(interpreter), "--require-hashes", str(requirements)),
                ],
            )
            stamp_folder(folder, stamp)
    return interpreter


def node_modules() -> None:
    """Run ``npm ci`` unless node_modules already agrees with package-lock.json."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        fail("Node or npm was not found on PATH", "install Node 20 or later and try again")
    folder = ROOT / "node_modules"
    stamp = digest((ROOT / "package-lock.json").read_bytes())
    with locked(ENVS / "npm.lock"):
        if not stamped(folder, stamp):
            step("installing node_modules (npm ci)", located(["npm", "ci", "--loglevel=error"]))
            stamp_folder(folder, stamp)


def uv() -> str:
    """Return the pinned uv, installed by pip into ``.envs/uv`` the first time."""
    requirements = ROOT / "requirements" / "uv.txt"
    folder = ENVS / "uv"
    stamp = digest(requirements.read_bytes())
    with locked(ENVS / "uv.lock"):
        if not stamped(folder, stamp):
            shutil.rmtree(folder, ignore_errors=True)
            step(
                "installing uv",
                [
                    *(sys.executable, "-m", "pip", "install", "--quiet"),
                    *("--disable-pip-version-check", "--require-hashes"),
                    *("--target", str(folder), "--requirement", str(requirements)),
                ],
            )
            stamp_folder(folder, stamp)
    return str(uv_in(folder))


def interpreter_in(folder: Path, *, windows: bool = WINDOWS) -> Path:
    """Return where a virtual environment has its Python."""
    return folder / ("Scripts/python.exe" if windows else "bin/python")


def uv_in(folder: Path, *, windows: bool = WINDOWS) -> Path:
    """Return where pip put uv under a folder; on Windows that differs between its versions."""
    name = "uv.exe" if windows else "uv"
    places = (folder / "bin" / name, folder / "Scripts" / name)
    return next(path for path in places if path.exists())
