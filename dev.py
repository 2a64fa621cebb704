#!/usr/bin/env python3
"""The front door: one command per thing a developer or a curious user wants to do.

Needs Python 3.11 or 3.12 with pip, and Node 20 with npm; nothing else. Each verb makes what it
needs from the locks (requirements/*.txt with hashes, package-lock.json) under .envs/ and
node_modules/, says what it is doing, and hands over to the real program in that environment.

  python3 dev.py demo [--sdk v2|v1] [--classic] [--json FILE]    the sample, on the local Azure
  python3 dev.py test [--quick] [pytest arguments]    all tests; or the quick ones; or what you name
  python3 dev.py lint                             every static check
  python3 dev.py package [--out DIR]              build the .vsix and print its path
  python3 dev.py schema SCHEMA.json               that schema of pipeline files with our tasks in it
  python3 dev.py bench [NAME...] [--json FILE]    the benchmarks
  python3 dev.py azure [--state DIR] [--port N] [--env-file FILE]    the local Azure
  python3 dev.py agent run FILE [--variable K=V]... [--json FILE]    the local agent: builds
  python3 dev.py agent release FILE --after RESULT | --artifact ALIAS=PATH   and releases
  python3 dev.py admin connect|sample|doctor|install|publish|share   set an organisation up
  python3 dev.py lock                             compile requirements/*.in again
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
CALLER = Path.cwd()
ENVS = ROOT / ".envs"
WINDOWS = os.name == "nt"
SUPPORTED = ((3, 11), (3, 12))
# The oldest Python that each lock must serve: agents may have 3.10, our own tools need not.
LOCKS = {
    "uv": "3.10",
    "admin": "3.11",
    "v1": "3.10",
    "v1-gate": "3.10",
    "v2": "3.10",
    "v2-gate": "3.10",
    "local": "3.11",
    "dev": "3.11",
}
# Compiled from another file than requirements/<name>.in.
LOCK_SOURCES = {"local": "pyproject.toml"}
# These ship in the tasks, so they hold no hash that no supported agent needs.
SHIPPED_LOCKS = ("uv", "v1", "v1-gate", "v2", "v2-gate")
SDKS = ("v1", "v2")
INWARD = ("HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
DOWNLOADS = "see the lines above; offline, pip, uv and npm need a mirror or a warm cache"
# Measured on two busy cores: 44 s, and some seconds to build the extension.
DEMO_LASTS = "about a minute"
FIRST_TIME = (
    "; the first time several minutes more, to download and install TensorFlow and the SDKs"
)
SHIPPED = (
    *("extension", "tasks", "requirements", "CHANGELOG.md", "LICENSE", "vss-extension.json"),
    *("package-lock.json", "docs/security.md", "docs/troubleshooting.md"),
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
    if verb in ("lint", "lock") and {"-h", "--help"} & set(rest):
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
    if not {"-h", "--help"} & set(rest):
        first = "" if (ENVS / "dev" / ".stamp").exists() else FIRST_TIME
        say(f"dev.py: the demo takes {DEMO_LASTS}{first}")
        warm_task_environments(sdk_of(rest))
        rest = ["--vsix", str(build_vsix()), *rest]
    become(python(), "local.demo", rest)


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
    node_modules()
    become(environment, "extension.package", rest)


def schema(rest: list[str]) -> None:
    """Print a schema of pipeline files with our tasks added, for an editor to check against."""
    become(python(), "extension.yaml_schema", rest)


def bench(rest: list[str]) -> None:
    """Run the benchmarks, which print ratios measured side by side."""
    environment = python()
    if not {"-h", "--help"} & set(rest):
        node_modules()
        warm_task_environments()
    become(environment, "bench", rest)


def azure(rest: list[str]) -> None:
    """Run the local Azure in the foreground."""
    if not {"-h", "--help"} & set(rest) and shutil.which("npm"):
        # Now, on this terminal's network: the next one follows the env file, which leads only here.
        node_modules()
        warm_task_environments()
    become(python(), "local.azure", rest)


def agent(rest: list[str]) -> None:
    """Run the local agent with the tasks of a freshly built .vsix."""
    runs = rest[:1] in (["run"], ["release"])
    if runs and not {"--vsix", "-h", "--help"} & set(rest):
        rest = [rest[0], "--vsix", str(build_vsix()), *rest[1:]]
        warm_task_environments()
    # The local Azure's proxy lets nothing out: the tasks' environment comes from uv's warm cache.
    os.environ.setdefault("UV_OFFLINE", "1")
    become(python(), "local.agent", rest)


def admin(rest: list[str]) -> None:
    """Set an organisation of Azure DevOps up, in an environment that the tasks never see."""
    if rest[:1] == ["publish"] and not {"--vsix", "-h", "--help"} & set(rest):
        rest = ["publish", "--vsix", str(build_vsix()), *rest[1:]]
    if rest[:1] in (["publish"], ["share"]):
        node_modules()
    become(str(environment("admin")), "amltasks.admin", rest, path=ROOT / "tasks")


def lock(rest: list[str]) -> None:
    """Compile ``requirements/*.in`` to hash-pinned files that name no index."""
    for name, oldest in LOCKS.items():
        source = LOCK_SOURCES.get(name, f"requirements/{name}.in")
        target = f"requirements/{name}.txt"
        command = [
            *(uv(), "pip", "compile", "--quiet", "--universal", "--generate-hashes"),
            *("--no-header", "--no-emit-index-url", "--python-version", oldest, *rest, source),
        ]
        step(f"compiling {target}", [*command, "--output-file", target])
        if name in SHIPPED_LOCKS:
            with tempfile.TemporaryDirectory() as folder:
                files = str(Path(folder, f"pylock.{name}.toml"))
                pins = ["--constraint", target, "--format", "pylock.toml", "--output-file", files]
                step(f"asking which files {target} names", [*command, *pins])
                step(
                    f"narrowing {target} to what agents can install",
                    [sys.executable, "-m", "extension.locks", target, files],
                )


def python() -> str:
    """Return the interpreter of the development environment, made when its lock changed."""
    return str(environment("dev"))


def warm_task_environments(*sdks: str) -> None:
    """Install the locks of the tasks once, so that uv's cache can serve the launcher offline.

    Those of the given SDKs, or of both.
    """
    for sdk in sdks or SDKS:
        environment(sdk)
        environment(f"{sdk}-gate")


def environment(name: str) -> Path:
    """Make ``.envs/<name>`` agree with ``requirements/<name>.txt``; return its Python."""
    requirements = ROOT / "requirements" / f"{name}.txt"
    folder = ENVS / name
    interpreter = folder / ("Scripts/python.exe" if WINDOWS else "bin/python")
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
            (folder / ".stamp").write_text(stamp)
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
            (folder / ".stamp").write_text(stamp)


def build_vsix() -> Path:
    """Return the .vsix in ``build/``, built again when anything that goes into it changed."""
    stamp, built = shipped(), ROOT / "build" / ".vsix.json"
    with contextlib.suppress(OSError, ValueError, KeyError):
        found = json.loads(built.read_text(encoding="utf-8"))
        path = Path(found["path"])
        if found["stamp"] == stamp and digest(path.read_bytes()) == found["digest"]:
            return path
    environment = python()
    node_modules()
    output = step(
        "building the extension",
        [environment, "-m", "extension.package", "--out", "build"],
        following="mend what the lines above name",
    )
    path = Path(output.strip().splitlines()[-1])
    told = {"stamp": stamp, "path": str(path), "digest": digest(path.read_bytes())}
    built.write_text(json.dumps(told), encoding="utf-8")
    return path


def shipped() -> str:
    """Return a digest of all sources of the extension."""
    named = [ROOT / name for name in SHIPPED]
    files = [file for path in named for file in (path.rglob("*") if path.is_dir() else [path])]
    sources = sorted(f for f in files if f.is_file() and "__pycache__" not in f.parts)
    told = [f"{f.relative_to(ROOT).as_posix()} {digest(f.read_bytes())}" for f in sources]
    return digest("\n".join(told).encode())


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
            (folder / ".stamp").write_text(stamp)
    name = "uv.exe" if WINDOWS else "uv"
    places = (folder / "bin" / name, folder / "Scripts" / name)
    return str(next(path for path in places if path.exists()))


def tool_path() -> dict[str, str]:
    """Return the environment for children: ours, with the pinned tools first on PATH."""
    scripts = ENVS / "dev" / ("Scripts" if WINDOWS else "bin")
    path = os.pathsep.join([str(Path(uv()).parent), str(scripts), os.environ.get("PATH", "")])
    return {**os.environ, "PATH": path, "PYTHONUTF8": "1"}


def become(interpreter: str, module: str, rest: list[str], *, path: Path = ROOT) -> NoReturn:
    """Run a module in the caller's folder, where the paths among its arguments start.

    Not by ``PYTHONPATH``, which the pipelines that the module runs would inherit; and no file of
    the caller's folder takes the place of a module (``-P``).
    """
    start = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import runpy; "
        f"runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
    )
    os.chdir(CALLER)
    hand_over([interpreter, "-P", "-c", start, str(path), *rest])


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


def step(title: str, command: list[str], *, following: str = DOWNLOADS) -> str:
    """Run one preparation, showing that it is alive; return its standard output.

    Ends dev.py with the tail of the command's output when it fails.
    """
    started = time.monotonic()
    say(f"dev.py: {title} …")
    done = threading.Event()
    threading.Thread(target=heartbeat, args=(done, title, started), daemon=True).start()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        try:
            result = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                check=False,
                env=outward(),
            )
        finally:
            done.set()
        if result.returncode:
            errors.seek(0)
            tail = (result.stdout + errors.read()).strip().splitlines()[-15:]
            say("\n".join(f"    {line}" for line in tail), error=True)
            fail(f"{title} failed (exit code {result.returncode})", following)
    if time.monotonic() - started > 2:
        say(f"dev.py: {title}: done in {time.monotonic() - started:.0f} s")
    return result.stdout


def outward() -> dict[str, str]:
    """Return the environment for downloads: never through the local Azure, which lets nothing out.

    A shell that sourced the env file of ``dev.py azure`` has its proxy and its CA.
    """
    proxy = os.environ.get("HTTPS_PROXY", "")
    inward = proxy.startswith("http://127.0.0.1:") and "AML_WORKSPACE_NAME" in os.environ
    return {
        name: value for name, value in os.environ.items() if not (inward and name.upper() in INWARD)
    }


def heartbeat(done: threading.Event, title: str, started: float) -> None:
    """Say every two seconds that a preparation is still under way."""
    while not done.wait(2):
        say(f"dev.py: {title} … {time.monotonic() - started:.0f} s")


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that the system drops when we die: two dev.py must not build over each other."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as handle:
        if sys.platform == "win32":
            import msvcrt

            while True:
                with contextlib.suppress(OSError):
                    msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)
                    break
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def stamped(folder: Path, stamp: str) -> bool:
    """Tell whether a folder was finished from this very input."""
    with contextlib.suppress(OSError):
        return (folder / ".stamp").read_text() == stamp
    return False


def located(command: list[str]) -> list[str]:
    """Return the command with its program resolved, as Windows needs for npm.cmd."""
    return [shutil.which(command[0]) or command[0], *command[1:]]


def digest(data: bytes) -> str:
    """Return a content digest as hex digits."""
    return hashlib.sha256(data).hexdigest()


def say(text: str, *, error: bool = False) -> None:
    """Write one line for people; standard output stays free for results such as a path."""
    stream = sys.stderr if error or text.startswith("dev.py:") else sys.stdout
    stream.write(text + "\n")
    stream.flush()


def fail(what: str, following: str, *, code: int = 1) -> NoReturn:
    """End with one sentence that says what happened and what to do next."""
    say(f"dev.py: {what}. Next: {following}.", error=True)
    raise SystemExit(code)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        say("dev.py: interrupted; nothing was left running.", error=True)
        raise SystemExit(130) from None
