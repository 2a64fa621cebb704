"""The cache of the tasks' environments under stress: together, killed, full, read-only, offline.

The real launcher prepares an environment of one small package, from a folder of wheels. Namespaces
of Linux (``unshare``) give the full disk, the read-only folder and the refused network.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.measure import Count
from bench.wrong_input import CONNECTION, ROOT, agent_environment

TOGETHER, ROUNDS, KILLS = 8, 5, 100
PACKAGE = "click"
OURS = "azure-machine-learning-tasks"
TOO_SMALL = ("size=32k", "size=128k", "size=384k", "size=64m,nr_inodes=20")
PATIENCE_S = 600.0
TASK = {
    "name": "Stress",
    "version": {"Major": 1, "Minor": 0, "Patch": 0},
    "inputs": [
        {"name": "connectedServiceNameARM", "type": "connectedService:AzureRM"},
        {"name": "pythonPath", "type": "string"},
    ],
}
# Stands in for the task: it succeeds when the environment has its package.
CODE = f"""
import os, sys
import {PACKAGE}
sys.stdin.readline()
os.write(3, b'{{"type": "result", "result": "Succeeded", "message": ""}}\\n')
"""
UNKNOWN_INPUTS = ("INPUT_RESOURCEGROUP", "INPUT_WORKSPACE", "INPUT_SDK", "INPUT_COMPUTENAME")
NO_NETWORK = ("unshare", "--map-root-user", "--net")
OWN_MOUNTS = ("unshare", "--map-root-user", "--mount")


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A task as the agent unpacks it, and a folder with the wheel of its package."""

    folder: Path

    @property
    def wheels(self) -> Path:
        """The folder of wheels."""
        return self.folder / "wheels"

    def tools(self, name: str) -> Path:
        """An empty tool directory."""
        tools = self.folder / "tools" / name
        shutil.rmtree(tools, ignore_errors=True)
        tools.mkdir(parents=True)
        return tools

    def start(
        self,
        tools: Path,
        *,
        within: Sequence[str] = (),
        more: Mapping[str, str | None] | None = None,
    ) -> subprocess.Popen[str]:
        """Start the launcher as the agent does.

        within: a command that runs it; more: variables,
        None to leave one out.
        """
        temp = Path(tempfile.mkdtemp(dir=self.folder))
        scripts = Path(sys.executable).parent
        agents = {name: value for name, value in os.environ.items() if "INDEX" not in name}
        environment = {
            **agents,
            **agent_environment(self.folder),
            "AGENT_TOOLSDIRECTORY": str(tools),
            "AGENT_TEMPDIRECTORY": str(temp),
            "INPUT_PYTHONPATH": sys.executable,
            "INPUT_CONNECTEDSERVICENAMEARM": CONNECTION,
            "PATH": f"{scripts}{os.pathsep}{agents.get('PATH', os.defpath)}",
            "PIP_CONFIG_FILE": os.devnull,
            "UV_NO_CONFIG": "1",
            "UV_CACHE_DIR": str(self.folder / "uv-cache"),
            "UV_FIND_LINKS": str(self.wheels),
            "UV_OFFLINE": "1",
        }
        given = {**dict.fromkeys(UNKNOWN_INPUTS), **(more or {})}
        for name, value in given.items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        return subprocess.Popen(
            [*within, "node", str(self.folder / "task" / "launcher.js")],
            cwd=temp,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(
        self,
        tools: Path,
        *,
        within: Sequence[str] = (),
        more: Mapping[str, str | None] | None = None,
    ) -> str:
        """Run the launcher to its end; returns what it said."""
        return said_by(self.start(tools, within=within, more=more))


def run() -> dict[str, Count]:
    """Put the cache under every stress."""
    with tempfile.TemporaryDirectory() as name:
        stage = staged(Path(name))
        return {
            "cache together": together(stage, ROUNDS),
            "cache killed": killed(stage, KILLS),
            "cache full disk": full_disk(stage),
            "cache read-only": read_only(stage),
            "cache offline": offline(stage),
        }


def staged(folder: Path) -> Stage:
    """Lay the task out, with the launcher as the packaging bundles it, and get its wheel."""
    stage = Stage(folder=folder)
    task = folder / "task"
    (task / "python" / "amltasks").mkdir(parents=True)
    (task / "requirements").mkdir()
    (task / "task.json").write_text(json.dumps(TASK), encoding="utf-8")
    (task / "python" / "amltasks" / "__init__.py").touch()
    (task / "python" / "amltasks" / "__main__.py").write_text(CODE, encoding="utf-8")
    (task / "requirements" / "v2.txt").write_text(locked(PACKAGE), encoding="utf-8")
    shutil.copy(ROOT / "requirements" / "uv.txt", task / "requirements")
    bundle = "import sys, pathlib; from extension.package import bundle_launcher; "
    bundle += "bundle_launcher(pathlib.Path(sys.argv[1]))"
    finished([sys.executable, "-c", bundle, str(task)])
    wanted = ["--require-hashes", "--no-deps", "--only-binary=:all:", "--quiet"]
    wanted += ["--requirement", str(task / "requirements" / "v2.txt"), "--dest", str(stage.wheels)]
    finished([sys.executable, "-m", "pip", "download", *wanted])
    return stage


def locked(package: str) -> str:
    """Return one package's lines of the lock of v2."""
    lock = (ROOT / "requirements" / "v2.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{package}==.*?(?=\n    #)", lock, re.MULTILINE | re.DOTALL)
    if not found:
        raise RuntimeError(f"requirements/v2.txt has no {package}")
    return found[0] + "\n"


def together(stage: Stage, rounds: int) -> Count:
    """Start eight tasks at once over an empty tool directory: one makes it, all succeed."""
    good = 0
    for number in range(rounds):
        tools = stage.tools(f"together-{number}")
        started = [stage.start(tools) for _ in range(TOGETHER)]
        said = [said_by(process) for process in started]
        made = sum("environment is ready" in each for each in said)
        good += sum(map(succeeded, said)) if made == 1 and is_whole(tools) else 0
    return Count(
        claim=f"{TOGETHER} tasks start at once over an empty tool directory: one makes the "
        "environment, all succeed",
        good=good,
        of=rounds * TOGETHER,
    )


def killed(stage: Stage, kills: int) -> Count:
    """Kill a task at a random instant of its preparation: the next one succeeds."""
    begun = time.monotonic()
    stage.run(stage.tools("timed"))
    lasts_s = time.monotonic() - begun
    tools = stage.tools("killed")
    good = 0
    for _ in range(kills):
        shutil.rmtree(tools / OURS, ignore_errors=True)
        process = stage.start(tools)
        time.sleep(random.uniform(0, lasts_s))  # noqa: S311 - an instant, no secret
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
        good += succeeded(stage.run(tools)) and is_whole(tools)
    return Count(
        claim="a task is killed at a random instant; the next one succeeds", good=good, of=kills
    )


def full_disk(stage: Stage) -> Count:
    """Let the disk be full at several points: told as such, and nothing is left of it."""
    good = 0
    for options in TOO_SMALL:
        tools = stage.tools("full")
        script = (
            f'mount -t tmpfs -o {options} none "{tools}" && "$@"; '
            f'echo "left: $(ls -A "{tools}/{OURS}")"'
        )
        said = stage.run(tools, within=(*OWN_MOUNTS, "bash", "-c", script, "bash"))
        good += "the disk is full" in said and said.endswith("left: \n")
    return Count(
        claim="the disk is full: the task says so and leaves nothing", good=good, of=len(TOO_SMALL)
    )


def read_only(stage: Stage) -> Count:
    """A folder that cannot be written: an empty one is named, a complete one serves."""
    complete = stage.tools("complete")
    stage.run(complete)
    good = 0
    for tools, word in (
        (stage.tools("empty"), "cannot be kept in"),
        (complete, "result=Succeeded"),
    ):
        script = f'mount --bind "{tools}" "{tools}" && '
        script += f'mount -o remount,ro,bind "{tools}" && exec "$@"'
        said = stage.run(tools, within=(*OWN_MOUNTS, "bash", "-c", script, "bash"))
        good += word in said
    return Count(
        claim="a read-only tool directory: an empty one is named, a complete one serves",
        good=good,
        of=2,
    )


def offline(stage: Stage) -> Count:
    """Without any network: a folder of wheels is enough, by uv's settings or by pip's."""
    by_pip = {"PIP_FIND_LINKS": str(stage.wheels), "PIP_NO_INDEX": "1"}
    nothing = {"UV_FIND_LINKS": None, "UV_OFFLINE": None}
    empty = stage.folder / "empty-cache"
    good = 0
    for number, settings in enumerate(({**nothing, **by_pip}, {})):
        cache = {"UV_CACHE_DIR": f"{empty}-{number}"}
        tools = stage.tools(f"offline-{number}")
        good += succeeded(stage.run(tools, within=NO_NETWORK, more={**settings, **cache}))
    cache = {"UV_CACHE_DIR": f"{empty}-none", "UV_HTTP_RETRIES": "0"}
    said = stage.run(stage.tools("none"), within=NO_NETWORK, more={**nothing, **cache})
    good += "the package index could not be reached" in said
    return Count(
        claim="the network is refused: a folder of wheels is enough, and without one the index "
        "that cannot be reached is named",
        good=good,
        of=3,
    )


def can_isolate() -> bool:
    """Tell whether this account may make namespaces of its own."""
    if shutil.which("unshare") is None:
        return False
    commands = ([*NO_NETWORK, "true"], [*OWN_MOUNTS, "true"])
    return all(
        subprocess.run(each, check=False, capture_output=True).returncode == 0 for each in commands
    )


def succeeded(said: str) -> bool:
    """Tell whether the task did."""
    return "##vso[task.complete result=Succeeded;]" in said


def is_whole(tools: Path) -> bool:
    """Tell whether there is one complete environment, and no lock."""
    names = [path.name for path in (tools / OURS).iterdir() if ".new-" not in path.name]
    return len(names) == 1 and (tools / OURS / names[0] / ".complete").exists()


def said_by(process: subprocess.Popen[str]) -> str:
    """Wait for a launcher; returns its output."""
    try:
        return process.communicate(timeout=PATIENCE_S)[0]
    finally:
        process.kill()


def finished(command: Sequence[str]) -> None:
    """Run a preparation.

    Raises:
        RuntimeError: it failed.
    """
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(result.stdout + result.stderr)
