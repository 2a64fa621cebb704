"""The programs that dev.py hands over to."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from devtools.environments import uv
from devtools.places import CALLER, ENVS, ROOT, WINDOWS

# Arguments: the folder of the module, its name, the name of the command, its arguments.
LOAD = """
import sys
from importlib import import_module
path, module, name, *rest = sys.argv[1:]
sys.path.insert(0, path)
command = import_module(module).main
"""
START = f"{LOAD}\ncommand(rest, prog_name=name)"
# All that a command does before its work.
CHECK = f"""{LOAD}
def disarmed(command):
    command.callback = lambda **values: None
    for each in getattr(command, "commands", {{}}).values():
        disarmed(each)
    return command
disarmed(command)(rest, prog_name=name)
"""


def tool_path() -> dict[str, str]:
    """Return the environment for children: ours, with the pinned tools first on PATH."""
    scripts = ENVS / "dev" / ("Scripts" if WINDOWS else "bin")
    path = os.pathsep.join([str(Path(uv()).parent), str(scripts), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "PYTHONUTF8": "1"}


def become(
    interpreter: str, verb: str, module: str, rest: Sequence[str], *, path: Path = ROOT
) -> NoReturn:
    """Run a module's command as the verb, in the caller's folder, where paths in it start.

    Not by ``PYTHONPATH``, which the pipelines that the module runs would inherit; and no file of
    the caller's folder takes the place of a module (``-P``).
    """
    os.chdir(CALLER)
    hand_over([interpreter, "-P", "-c", START, str(path), module, name_of(verb), *rest])


def check_arguments(interpreter: str, verb: str, module: str, rest: Sequence[str]) -> None:
    """End dev.py with the command's own message if it does not take these arguments.

    So that nothing is built or installed before.
    """
    command = [interpreter, "-P", "-c", CHECK, str(ROOT), module, name_of(verb), *rest]
    result = subprocess.run(command, cwd=CALLER, check=False, env=tool_path())
    if result.returncode:
        raise SystemExit(result.returncode)


def name_of(verb: str) -> str:
    """Return how people call a verb, as its help shows it."""
    return f"python3 dev.py {verb}"


def hand_over(command: list[str]) -> NoReturn:
    """Become the command where the system can, so that signals and exit codes need no relay."""
    environment = tool_path()
    sys.stdout.flush()
    if not WINDOWS:
        os.execve(command[0], command, environment)  # noqa: S606  (no shell is wanted)
    with subprocess.Popen(command, env=environment) as child:
        while True:
            # Ctrl-C reaches the child too; it decides how to end.
            with contextlib.suppress(KeyboardInterrupt):
                raise SystemExit(child.wait())
