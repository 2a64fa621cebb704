"""Children run in groups of their own, end with all they started, and are found after a kill."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud, open_cloud
from local.azure.kernel.store import Store
from local.azure.running import processes
from tests.patience import PATIENCE_S

# Starts a grandchild that outlives it, and says its pid.
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.fixture
def bare_azure(tmp_path: Path) -> Iterator[Cloud]:
    store = Store(tmp_path / "state.db")
    yield open_cloud(tmp_path, store=store, proxy_url="http://127.0.0.1:9", ca_file=tmp_path)
    store.close()


def start(cloud: Cloud, seconds: float) -> tuple["subprocess.Popen[bytes]", int]:
    process = processes.start(
        cloud,
        "parent",
        [sys.executable, "-c", PARENT, str(seconds)],
        directory=cloud.root,
        environment={},
        output=subprocess.PIPE,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def is_gone(pid: int) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.02)
    return False


def close(process: "subprocess.Popen[bytes]") -> None:
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_end_takes_the_whole_group(bare_azure: Cloud) -> None:
    process, grandchild = start(bare_azure, 600)
    processes.end(bare_azure, "parent", process, grace_s=2)
    close(process)
    assert is_gone(grandchild)
    assert bare_azure.store.list("process") == []


def test_what_a_finished_child_left_is_ended(bare_azure: Cloud) -> None:
    process, grandchild = start(bare_azure, 0)
    process.wait()
    processes.finished(bare_azure, "parent", process)
    close(process)
    assert is_gone(grandchild)


def test_leftovers_of_a_killed_server_are_ended(bare_azure: Cloud) -> None:
    process, grandchild = start(bare_azure, 600)
    processes.end_leftovers(bare_azure)
    close(process)
    assert is_gone(grandchild)
    assert bare_azure.store.list("process") == []


def test_leftovers_without_their_leader_are_ended(bare_azure: Cloud) -> None:
    process, grandchild = start(bare_azure, 0)
    close(process)
    processes.end_leftovers(bare_azure)
    assert is_gone(grandchild)


def test_a_stranger_with_the_same_pid_is_left_alone(bare_azure: Cloud) -> None:
    process, _ = start(bare_azure, 600)
    record = {"key": "old", "pid": process.pid, "created": time.time() - 3600}
    bare_azure.store.put("process", "old", record)
    bare_azure.store.delete("process", "parent")
    processes.end_leftovers(bare_azure)
    assert process.poll() is None
    processes.end(bare_azure, "parent", process, grace_s=0)
    close(process)


def test_the_first_reason_to_stop_stays() -> None:
    stop = Stop()
    stop.ask("first")
    stop.ask("second")
    assert (stop.is_set(), stop.reason) == (True, "first")
