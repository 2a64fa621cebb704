"""Finding an interpreter for UsePythonVersion@0 among those on this machine.

Source: microsoft/azure-pipelines-tasks Tasks/UsePythonVersionV0 (inputs, variables, PATH); unlike
it, nothing is downloaded.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from local.agent.errors import AgentError

WINDOWS = sys.platform == "win32"
_SUPPORTED_MINORS = range(15, 7, -1)
# What is on PATH may be a shim; the interpreter knows where it is itself.
_PROBE = "import sys; print('.'.join(map(str, sys.version_info[:3]))); print(sys.executable)"


def satisfies(version: str, spec: str) -> bool:
    """Say whether ``version`` is in a range such as ``3.x``, ``3.11``, ``>=3.10 <3.13``."""
    numbers = [int(part) for part in version.split(".")]
    for part in spec.replace(",", " ").split() or ["x"]:
        match = re.fullmatch(r"(>=|<=|>|<|=|~|\^)?v?([\dxX*]+(?:\.[\dxX*]+)*)", part)
        if match is None:
            return False
        wanted = [int(n) for n in match[2].split(".") if n.isdecimal()]
        actual = numbers[: len(wanted)]
        operator = match[1] or "="
        held = {
            ">=": actual >= wanted,
            "<=": actual <= wanted,
            ">": actual > wanted,
            "<": actual < wanted,
            "=": actual == wanted,
            "~": numbers >= wanted and actual[:2] == wanted[:2],
            "^": numbers >= wanted and actual[:1] == wanted[:1],
        }[operator]
        if not held:
            return False
    return True


def find_python(spec: str, tools: Path, path: str) -> tuple[Path, str]:
    """Return an interpreter and its version.

    Args:
        spec: the version range.
        tools: the agent's tool folder, whose ``Python/<version>/<arch>`` comes first.
        path: the PATH to search.

    Raises:
        AgentError: no interpreter on this machine is in the range.
    """
    seen = []
    for candidate in _candidates(tools, path):
        command = [candidate, "-c", _PROBE]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        version, _, executable = result.stdout.strip().partition("\n")
        if result.returncode == 0 and executable:
            if satisfies(version, spec):
                return Path(executable), version
            seen.append(version)
    found = ", ".join(sorted(set(seen))) or "none"
    raise AgentError(
        f"Version spec {spec} does not match any Python on this machine (found: {found}), and the "
        "local agent downloads none; install one and put it on PATH"
    )


def _candidates(tools: Path, path: str) -> list[str]:
    cached = sorted(tools.glob("Python/*/*.complete"), reverse=True)
    found = [file.with_suffix("") for file in cached]
    executables = [str(f / ("python.exe" if WINDOWS else "bin/python3")) for f in found]
    names = ["python3", "python", *(f"python3.{minor}" for minor in _SUPPORTED_MINORS)]
    executables += [where for name in names if (where := shutil.which(name, path=path))]
    return [*(e for e in executables if Path(e).is_file()), sys.executable]


def python_folders(interpreter: Path, version: str, tools: Path) -> tuple[Path, list[Path]]:
    """Return ``pythonLocation`` and the folders for PATH, in the order they are prepended."""
    if WINDOWS:
        root = interpreter.parent
        return root, [root / "Scripts", root]
    folder = interpreter.parent
    names = ("python", "python3")
    if all(_same(folder / name, interpreter) for name in names):
        return folder.parent, [folder.parent, folder]
    # Beside it `python` is absent or another one: give it a folder where it has both names.
    digest = hashlib.sha256(str(interpreter).encode()).hexdigest()[:8]
    root = tools / "PythonLinks" / f"{version}-{digest}"
    (root / "bin").mkdir(parents=True, exist_ok=True)
    for name in names:
        link = root / "bin" / name
        link.unlink(missing_ok=True)
        link.symlink_to(interpreter)
    return root, [root, root / "bin"]


def _same(one: Path, other: Path) -> bool:
    return one.exists() and os.path.realpath(one) == os.path.realpath(other)
