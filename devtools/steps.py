"""One preparation at a time: shown while it lasts, and one dev.py at a time."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from devtools.console import fail, say

INWARD = ("HTTPS_PROXY", "NO_PROXY", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
DOWNLOADS = "see the lines above; offline, pip, uv and npm need a mirror or a warm cache"


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
