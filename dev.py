#!/usr/bin/env python3
"""The front door: one command per thing a developer or a curious user wants to do.

Needs Python 3.11 or 3.12 with pip, and Node 20 with npm; nothing else. Each verb makes what it
needs from the locks (requirements/*.txt with hashes, package-lock.json) under .envs/ and
node_modules/, says what it is doing, and hands over to the real program in that environment.

  python3 dev.py demo [--sdk v2|v1] [--classic] [--json FILE]    the sample, on the local Azure
  python3 dev.py test [--quick] [pytest arguments]    all tests; or the quick ones; or what you name
  python3 dev.py lint                             every static check
  python3 dev.py package [--out DIR] [--offline DIR]    the .vsix; and wheels for agents offline
  python3 dev.py schema SCHEMA.json               that schema of pipeline files with our tasks in it
  python3 dev.py bench [NAME...] [--json FILE]    the benchmarks
  python3 dev.py azure [--state DIR] [--port N] [--env-file FILE]    the local Azure
  python3 dev.py agent run FILE [--variable K=V]... [--json FILE]    the local agent: builds
  python3 dev.py agent release FILE --after RESULT | --artifact ALIAS=PATH   and releases
  python3 dev.py admin connect|sample|doctor|install|publish|share   set an organisation up
  python3 dev.py lock                             compile requirements/*.in again
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from devtools.console import fail, say
from devtools.environments import (
    SDKS,
    environment,
    node_modules,
    python,
    warm_task_environments,
)
from devtools.locks import lock
from devtools.places import ENVS, ROOT, located
from devtools.programs import become, check_arguments, hand_over, tool_path
from devtools.vsix import build_vsix

HELP = {"-h", "--help"}
SUPPORTED = ((3, 11), (3, 12))
# Measured on two busy cores: 44 s, and some seconds to build the extension.
DEMO_LASTS = "about a minute"
FIRST_TIME = (
    "; the first time several minutes more, to download and install TensorFlow and the SDKs"
)
LINTS: tuple[tuple[str, ...], ...] = (
    ("{bin}/ruff", "check", "."),
    ("{bin}/ruff", "format", "--check", "."),
    ("{bin}/mypy",),
    ("{bin}/lint-imports", "--no-cache"),
    ("{python}", "-m", "extension.lint"),
    ("{python}", "-m", "extension.docs", "--check"),
    ("npm", "run", "--silent", "lint"),
    ("npm", "run", "--silent", "typecheck"),
)


def main(arguments: Sequence[str]) -> NoReturn:
    """Run one verb; the exit code is that of the program it hands over to."""
    verb, rest = (arguments[0], list(arguments[1:])) if arguments else ("", [])
    if verb in ("", "-h", "--help"):
        say(__doc__ or "")
        raise SystemExit(0 if verb else 2)
    verbs = {
        "admin": admin,
        "agent": agent,
        "azure": azure,
        "bench": bench,
        "demo": demo,
        "lint": lint,
        "lock": lock,
        "package": package,
        "schema": schema,
        "test": test,
    }
    if verb not in verbs:
        fail(f"there is no verb {verb!r}", f"use one of: {', '.join(sorted(verbs))}", code=2)
    if verb in ("lint", "lock") and HELP & set(rest):
        say(f"usage: python3 dev.py {verb}\n\n{verbs[verb].__doc__}")
        raise SystemExit(0)
    if sys.version_info[:2] not in SUPPORTED:
        fail(
            f"this is Python {sys.version_info[0]}.{sys.version_info[1]}, "
            "and the pinned tools need 3.11 or 3.12",
            "start dev.py with one of those, for example python3.11 dev.py " + verb,
        )
    os.chdir(ROOT)
    # A shell that sets this makes every start of an SDK compile thousands of files again.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    verbs[verb](rest)
    raise SystemExit(0)


def demo(rest: list[str]) -> None:
    """Run the sample's pipeline from the built .vsix against a fresh local Azure."""
    if not HELP & set(rest):
        first = "" if (ENVS / "dev" / ".stamp").exists() else FIRST_TIME
        say(f"dev.py: the demo takes {DEMO_LASTS}{first}")
        check_arguments(python(), "demo", "local.demo.__main__", ["--vsix", __file__, *rest])
        warm_task_environments(sdk_of(rest))
        rest = ["--vsix", str(build_vsix()), *rest]
    become(python(), "demo", "local.demo.__main__", rest)


def sdk_of(rest: Sequence[str]) -> str:
    """Return the SDK that the demo's arguments ask for; what is wrong with them, it says itself."""
    chosen = "v2"
    for option, value in itertools.pairwise([*rest, ""]):
        if option == "--sdk":
            chosen = value
        elif option.startswith("--sdk="):
            chosen = option.removeprefix("--sdk=")
    return chosen if chosen in SDKS else "v2"


def test(rest: list[str]) -> None:
    """Run the whole suite with coverage, its quick part, or pytest with the given arguments."""
    interpreter = python()
    node_modules()
    if rest[:1] == ["--quick"]:
        hand_over([interpreter, "-m", "pytest", "-m", "not slow and not tensorflow", *rest[1:]])
    warm_task_environments()
    environment("admin")
    if rest:
        hand_over([interpreter, "-m", "pytest", *rest])
    hand_over([interpreter, "-m", "tests"])


def lint(rest: list[str]) -> None:
    """Run every static check and report all failures, not only the first."""
    if rest:
        fail("lint takes no arguments", "run python3 dev.py lint", code=2)
    environment = Path(python())
    node_modules()
    failed = []
    paths = {**tool_path(), "PYTHONPATH": "tasks"}
    for template in LINTS:
        command = [part.format(bin=environment.parent, python=environment) for part in template]
        name = " ".join([Path(command[0]).name, *command[1:]])
        say(f"lint: {name}")
        if subprocess.run(located(command), check=False, env=paths).returncode:
            failed.append(name)
    if failed:
        fail("these checks failed: " + "; ".join(failed), "mend what they print above")


def package(rest: list[str]) -> None:
    """Build the .vsix; its path is the last line on standard output."""
    environment = python()
    if not HELP & set(rest):
        check_arguments(environment, "package", "extension.package", rest)
        node_modules()
    become(environment, "package", "extension.package", rest)


def schema(rest: list[str]) -> None:
    """Print a schema of pipeline files with our tasks added, for an editor to check against."""
    become(python(), "schema", "extension.yaml_schema", rest)


def bench(rest: list[str]) -> None:
    """Run the benchmarks, which print ratios measured side by side."""
    environment = python()
    if not HELP & set(rest):
        check_arguments(environment, "bench", "bench.__main__", rest)
        node_modules()
        warm_task_environments()
    become(environment, "bench", "bench.__main__", rest)


def azure(rest: list[str]) -> None:
    """Run the local Azure in the foreground."""
    if not HELP & set(rest):
        check_arguments(python(), "azure", "local.azure.__main__", rest)
    if not HELP & set(rest) and shutil.which("npm"):
        # Now, on this terminal's network: the next one follows the env file, which leads only here.
        node_modules()
        warm_task_environments()
    become(python(), "azure", "local.azure.__main__", rest)


def agent(rest: list[str]) -> None:
    """Run the local agent with the tasks of a freshly built .vsix."""
    runs = rest[:1] in (["run"], ["release"])
    if not HELP & set(rest):
        check_arguments(python(), "agent", "local.agent.__main__", rest)
    if runs and not ({"--vsix"} | HELP) & set(rest):
        rest = [rest[0], "--vsix", str(build_vsix()), *rest[1:]]
        warm_task_environments()
    # The local Azure's proxy lets nothing out: the tasks' environment comes from uv's warm cache.
    os.environ.setdefault("UV_OFFLINE", "1")
    become(python(), "agent", "local.agent.__main__", rest)


def admin(rest: list[str]) -> None:
    """Set an organisation of Azure DevOps up, in an environment that the tasks never see."""
    if rest[:1] == ["publish"] and not ({"--vsix"} | HELP) & set(rest):
        rest = ["publish", "--vsix", str(build_vsix()), *rest[1:]]
    if rest[:1] in (["publish"], ["share"]):
        node_modules()
    module = "amltasks.admin.__main__"
    become(str(environment("admin")), "admin", module, rest, path=ROOT / "tasks")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        say("dev.py: interrupted; nothing was left running.", error=True)
        raise SystemExit(130) from None
