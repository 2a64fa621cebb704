"""Builds environments with uv, once per digest, in a cache that all local Azures of a user share.

An environment is built in place (virtual environments do not survive a rename everywhere) under a
lock of the operating system, and counts from the moment its marker file is there. The lock is also
held by uv itself, so that a half-built environment has nobody writing to it any more when the next
one takes the lock and starts again.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

import platformdirs

from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.running import processes
from local.azure.running.conda import EnvironmentFailure, EnvironmentSpec

Log = Callable[[str], None]

_MARKER = ".complete"
_QUIET_S = 10.0
_CREDENTIALS = re.compile(r"(?<=//)[^/@\s]+@")


def cache_directory() -> Path:
    """Where built environments are kept; safe to delete when no local Azure runs."""
    return Path(platformdirs.user_cache_dir("azure-machine-learning-tasks")) / "environments"


def ensure(
    cloud: Cloud,
    spec: EnvironmentSpec,
    *,
    key: str,
    log: Log,
    stop: Stop,
    cache: Path | None = None,
) -> Path:
    """The Python executable of the environment, built first when it is not in the cache.

    key: under which the child processes are remembered. log: takes lines without line ends.
    Raises EnvironmentFailure; also when `stop` is set while it builds.
    """
    if spec.interpreter is not None:
        return _given_interpreter(spec, spec.interpreter, log)
    home = (cache or cache_directory()) / spec.digest
    python = _executable(home / "venv")
    if not _is_complete(home):
        home.mkdir(parents=True, exist_ok=True)
        with locked(home / "lock", log, stop) as lock:
            if not _is_complete(home):
                _build(cloud, spec, home, key=key, log=log, stop=stop, lock=lock)
    log(f"Environment '{spec.name}' is ready: {home / 'venv'}")
    return python


def _given_interpreter(spec: EnvironmentSpec, path: str, log: Log) -> Path:
    found = shutil.which(path)
    if found is None:
        raise EnvironmentFailure(
            f"Environment '{spec.name}' manages its own packages with the interpreter '{path}', "
            "which is not on this machine. Give the path of one that is, or list its packages as "
            "conda dependencies."
        )
    log(f"Environment '{spec.name}' manages its own packages: {found} is used as it is.")
    return Path(found)


def _is_complete(home: Path) -> bool:
    # The interpreter goes when the Python it was made from is removed.
    return (home / _MARKER).exists() and _executable(home / "venv").exists()


def _executable(venv: Path) -> Path:
    return venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _build(
    cloud: Cloud,
    spec: EnvironmentSpec,
    home: Path,
    *,
    key: str,
    log: Log,
    stop: Stop,
    lock: int,
) -> None:
    started = time.monotonic()
    uv = _find_uv()
    venv = home / "venv"
    log(f"Building environment '{spec.name}' for Python {spec.python} with uv.")
    for note in spec.notes:
        log(f"Note: {note}.")
    if spec.conda_names:
        log(
            f"Note: there is no conda here; asked of the package index: {_words(spec.conda_names)}."
        )
    base = _find_python(spec.python)
    run = _Runner(cloud=cloud, key=key, home=home, log=log, stop=stop, lock=lock)
    # uv refuses to clear what is no complete environment.
    shutil.rmtree(venv, ignore_errors=True)
    # --seed: pip, which conda puts beside every Python.
    create: list[str | Path] = [uv, "venv", "--no-project", "--seed"]
    if run([*create, "--python", str(base or spec.python), venv]):
        raise EnvironmentFailure(
            f"Environment '{spec.name}' needs Python {spec.python}, which is not on this machine "
            "and could not be obtained. Install it, or ask for another version in the conda "
            "dependencies."
        )
    requirements = [*spec.requirements, *_setuptools(spec)]
    (home / "requirements.txt").write_text("\n".join(requirements) + "\n", encoding="utf-8")
    (home / "constraints.txt").write_text("\n".join(spec.constraints) + "\n", encoding="utf-8")
    install: list[str | Path] = [uv, "pip", "install", "--python", _executable(venv)]
    install += ["--requirement", home / "requirements.txt"]
    install += ["--constraint", home / "constraints.txt", *spec.options]
    if spec.requirements and run(install):
        raise _install_failure(spec, run.lines)
    (home / _MARKER).touch()
    log(f"Environment '{spec.name}' was built in {time.monotonic() - started:.0f} s.")


def _setuptools(spec: EnvironmentSpec) -> tuple[str, ...]:
    """What conda puts beside every Python; older packages import its pkg_resources and ask not.

    setuptools 82 has pkg_resources no more.
    """
    named = any(re.match(r"\s*setuptools\b(?!-)", one, re.IGNORECASE) for one in spec.requirements)
    return () if named else ("setuptools<82",)


def _install_failure(spec: EnvironmentSpec, lines: list[str]) -> EnvironmentFailure:
    text = re.sub(r"\s+", " ", " ".join(lines))
    absent = re.findall(r"([\w.\-]+) was not found in the (?:package registry|provided)", text)
    conda_only = [name for name in absent if name in spec.conda_names]
    if conda_only:
        return EnvironmentFailure(
            f"Environment '{spec.name}' asks conda for {_words(conda_only)}, which the package "
            "index does not have by that name, and the local Azure has no conda. Replace it by a "
            "pip package."
        )
    end = " ".join(line for line in lines[-12:] if not line.startswith("Using Python"))
    return EnvironmentFailure(
        f"Environment '{spec.name}' could not be installed. uv said: {end[-800:]} "
        "See azureml-logs/20_image_build_log.txt, and correct the dependencies or this machine's "
        "access to the package index."
    )


class _Runner:
    """Runs uv, passes its lines on, and says something when it is quiet."""

    def __init__(
        self, *, cloud: Cloud, key: str, home: Path, log: Log, stop: Stop, lock: int
    ) -> None:
        self.cloud = cloud
        self.key = key
        self.home = home
        self.log = log
        self.stop = stop
        self.lock = lock
        self.lines: list[str] = []

    def __call__(self, command: list[str | Path]) -> int:
        """Returns uv's exit code. Raises EnvironmentFailure when it was stopped."""
        self.lines = []
        process = processes.start(
            self.cloud,
            self.key,
            command,
            directory=self.home,
            environment=own_environment(self.cloud),
            output=subprocess.PIPE,
            inherited=(self.lock,),
        )
        reader = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        reader.start()
        started = spoke = time.monotonic()
        seen = 0
        while reader.is_alive():
            if self.stop.is_set():
                processes.end(self.cloud, self.key, process, grace_s=2)
                raise EnvironmentFailure(self.stop.reason)
            reader.join(0.2)
            now = time.monotonic()
            if len(self.lines) > seen:
                seen, spoke = len(self.lines), now
            elif now - spoke > _QUIET_S:
                spoke = now
                self.log(f"... uv is still at work ({now - started:.0f} s)")
        code = process.wait()
        processes.finished(self.cloud, self.key, process)
        return code

    def _read(self, stream: IO[bytes] | None) -> None:
        assert stream is not None  # noqa: S101 -- asked for above
        with stream:
            for raw in stream:
                line = _CREDENTIALS.sub("***@", raw.decode("utf-8", "replace").rstrip())
                if line:
                    self.lines.append(line)
                    self.log(line)


def own_environment(cloud: Cloud) -> Mapping[str, str]:
    """This process's environment, never with a proxy or CA that would lead back to itself."""
    ours = {cloud.proxy_url, str(cloud.ca_file)}
    dropped = {"VIRTUAL_ENV", "PYTHONHOME", "PYTHONPATH", "UV_PROJECT_ENVIRONMENT"}
    environment = {
        name: value
        for name, value in os.environ.items()
        if value not in ours and name not in dropped
    }
    return {**environment, "UV_NO_PROGRESS": "1", "NO_COLOR": "1"}


def _find_uv() -> Path:
    name = "uv.exe" if sys.platform == "win32" else "uv"
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which("uv")
    if found is None:
        raise EnvironmentFailure(
            "The local Azure needs uv to build environments, and it is neither beside "
            f"{sys.executable} nor on PATH. Install uv and start the local Azure again."
        )
    return Path(found)


def _find_python(version: str) -> Path | None:
    """An interpreter of this minor version where uv does not look; None leaves it to uv."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return Path(sys.executable)
    homes = [Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"]
    tools = os.environ.get("AGENT_TOOLSDIRECTORY") or os.environ.get("RUNNER_TOOL_CACHE")
    if tools:
        homes.append(Path(tools) / "Python")
    for home in homes:
        for folder in sorted(home.glob(f"{version}.*"), reverse=True):
            for python in (
                *(folder / "bin/python", folder / "python.exe"),
                *sorted(folder.glob("*/bin/python")),
                *sorted(folder.glob("*/python.exe")),
            ):
                if python.exists():
                    return python
    return None


@contextlib.contextmanager
def locked(path: Path, log: Log, stop: Stop) -> Iterator[int]:
    """Hold the lock of one environment; its descriptor can be handed to a child that shares it."""
    told = False
    with path.open("ab") as file:
        while not _try_lock(file.fileno()):
            if not told:
                log("Another run is building this environment; waiting for it.")
                told = True
            if stop.wait(0.5):
                raise EnvironmentFailure(stop.reason)
        yield file.fileno()


def _try_lock(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _words(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(dict.fromkeys(names))
