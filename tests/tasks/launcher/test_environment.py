"""The environment cache: made once, whole or not at all, and every failure with a way out."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from tests.tasks.launcher.harness import Launcher, evaluated, finish, tool_script

ROOT = Path(__file__).resolve().parents[3]
CROSS = "\N{MULTIPLICATION SIGN}"
CLICK = "import click; print('click', click.__version__)\nsend(type='result', result='Succeeded')"


def environments(launcher: Launcher) -> list[Path]:
    """Everything in our folder of the tool directory."""
    return sorted((launcher.tools / "azure-machine-learning-tasks").iterdir())


def locked(name: str) -> str:
    """One package's lines of the real lock."""
    text = (ROOT / "requirements" / "v2.txt").read_text()
    start = text.index(f"\n{name}==") + 1
    return text[start : text.index("    # via", start)]


def with_path(*folders: Path) -> dict[str, str | None]:
    """PATH with these folders first."""
    return {"PATH": os.pathsep.join([*map(str, folders), os.environ["PATH"]])}


def without_uv(tmp_path: Path) -> dict[str, str | None]:
    """A PATH on which only node is found."""
    folder = tmp_path / "only-node"
    folder.mkdir()
    node = shutil.which("node")
    assert node
    (folder / "node").symlink_to(node)
    return {"PATH": str(folder)}


def failing_uv(folder: Path, message: str) -> dict[str, str | None]:
    """A PATH with a uv whose every work fails with a message."""
    tool_script(
        folder / "uv",
        f"if '--version' in sys.argv: print('uv 9.9.9')\nelse: sys.exit({message!r})\n",
    )
    return with_path(folder)


def test_it_is_made_once_and_serves_every_task(fresh_launcher: Launcher) -> None:
    (fresh_launcher.folder / "requirements" / "v2.txt").write_text(locked("click"))
    first = fresh_launcher.run(CLICK)
    (folder,) = environments(fresh_launcher)
    assert first.result[0] == "Succeeded"
    assert "once for each agent and version" in first.log
    assert f"click {locked('click').split('==')[1].split()[0]}" in first.log
    assert len(folder.name) == 16
    assert (folder / ".complete").exists()
    second = fresh_launcher.run(CLICK, env=without_uv(fresh_launcher.temp))
    assert second.result[0] == "Succeeded"
    assert "Preparing" not in second.log
    assert environments(fresh_launcher) == [folder]


def test_another_lock_makes_another_environment(fresh_launcher: Launcher) -> None:
    fresh_launcher.run()
    (fresh_launcher.folder / "requirements" / "v2.txt").write_text("# something else\n")
    fresh_launcher.run()
    assert len(environments(fresh_launcher)) == 2


@pytest.mark.parametrize("damage", ["no marker", "no python", "empty"])
def test_a_half_built_one_is_repaired(fresh_launcher: Launcher, damage: str) -> None:
    fresh_launcher.run()
    (folder,) = environments(fresh_launcher)
    if damage == "no marker":
        (folder / ".complete").unlink()
    elif damage == "no python":
        for python in (folder / "bin").glob("python*"):
            python.unlink()
    else:
        shutil.rmtree(folder)
        folder.mkdir()
    leftover = folder.with_name(f"{folder.name}.new-abc123")
    leftover.mkdir()
    outcome = fresh_launcher.run()
    assert f"Repairing the Python environment {folder}" in outcome.log
    assert outcome.result[0] == "Succeeded"
    assert environments(fresh_launcher) == [folder]
    assert (folder / ".complete").exists()


def test_two_at_once_make_it_once(fresh_launcher: Launcher) -> None:
    (fresh_launcher.folder / "requirements" / "v2.txt").write_text(locked("click"))
    both = [fresh_launcher.start(CLICK), fresh_launcher.start(CLICK)]
    outcomes = [finish(process) for process in both]
    results = [outcome.result[0] for outcome in outcomes]
    assert results == ["Succeeded", "Succeeded"], outcomes
    assert sum("environment is ready" in outcome.log for outcome in outcomes) == 1
    assert len(environments(fresh_launcher)) == 1


def test_the_lock_of_a_dead_task_is_taken_over(fresh_launcher: Launcher) -> None:
    fresh_launcher.run()
    (folder,) = environments(fresh_launcher)
    shutil.rmtree(folder)
    lock = folder.with_name(f"{folder.name}.lock")
    lock.mkdir()
    long_ago = time.time() - 3600
    os.utime(lock, (long_ago, long_ago))
    assert fresh_launcher.run().result[0] == "Succeeded"
    assert environments(fresh_launcher) == [folder]


def test_progress_is_shown_while_it_takes_long(fresh_launcher: Launcher, tmp_path: Path) -> None:
    slow = tool_script(
        tmp_path / "bin" / "uv",
        "if '--version' in sys.argv: print('uv 9.9.9')\n"
        "else: time.sleep(6); sys.exit('error: ##vso[task.complete result=Succeeded]no luck')\n",
    )
    outcome = fresh_launcher.run(env=with_path(slow.parent))
    assert "Still preparing the Python environment (5 s)" in outcome.log
    assert "##_vso[task.complete" in outcome.log
    assert outcome.result[0] == "Failed"


def test_an_altered_package_is_refused(fresh_launcher: Launcher) -> None:
    wrong = locked("click")
    for known in set(wrong.split("sha256:")[1:]):
        wrong = wrong.replace(known[:64], "0" * 64)
    (fresh_launcher.folder / "requirements" / "v2.txt").write_text(wrong)
    outcome = fresh_launcher.run(CLICK)
    assert outcome.result[0] == "Failed"
    (error,) = outcome.errors
    assert error.startswith(
        "ENVIRONMENT_INSTALL_FAILED: The Python environment could not be installed: "
        "a downloaded package is not the one that the lock names"
    )
    assert environments(fresh_launcher) == []


def test_an_index_out_of_reach_is_named_with_the_ways_out(fresh_launcher: Launcher) -> None:
    (fresh_launcher.folder / "requirements" / "v2.txt").write_text(locked("click"))
    env: dict[str, str | None] = {
        "UV_CACHE_DIR": str(fresh_launcher.temp / "cache"),
        "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple",
        "UV_HTTP_RETRIES": "0",
    }
    outcome = fresh_launcher.run(CLICK, env=env)
    (error,) = outcome.errors
    assert error.startswith("ENVIRONMENT_INSTALL_FAILED: ")
    assert "the package index could not be reached" in error
    assert "http://127.0.0.1:9/simple/click/" in error
    for way in ("PIP_INDEX_URL", "UV_FIND_LINKS", "UV_OFFLINE=1"):
        assert way in error.split(" Next: ")[1]


def test_offline_without_the_packages_says_so(fresh_launcher: Launcher) -> None:
    (fresh_launcher.folder / "requirements" / "v2.txt").write_text(locked("click"))
    env: dict[str, str | None] = {
        "UV_CACHE_DIR": str(fresh_launcher.temp / "cache"),
        "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple",
        "UV_OFFLINE": "1",
    }
    (error,) = fresh_launcher.run(CLICK, env=env).errors
    assert "the network is disabled (UV_OFFLINE)" in error


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        (
            "error: Failed to install: x.whl\n  cause: No space left on device (os error 28)",
            "the disk is full",
        ),
        (
            "error: failed to create directory `/x`\n  cause: Read-only file system (os error 30)",
            "cannot be kept in",
        ),
        (
            "error: Failed to fetch: `https://pypi.example/simple/click/`\n"
            "  cause: HTTP status client error (401 Unauthorized)",
            "refused the agent",
        ),
        (
            "error: Failed to fetch: `https://pypi.example/simple/click/`\n"
            "  cause: invalid peer certificate: UnknownIssuer",
            "the package index could not be reached",
        ),
        (
            "error: No solution found when resolving dependencies:\n"
            "  cause: Because click was not found in the package registry",
            "does not have a package",
        ),
        (
            f"Resolved 1 package in 6ms\n  {CROSS} Failed to download `click==8.5.1`\n"
            "  ╰─▶ Hash mismatch for `click==8.5.1`",
            "the lock names (Failed to download `click==8.5.1`: Hash mismatch for",
        ),
        (
            f"  {CROSS} No solution found when resolving dependencies:\n  ╰─▶ Because\n\n"
            "      hint: Packages were unavailable because the network was disabled. When\n"
            "      the network is disabled",
            "the network is disabled (UV_OFFLINE)",
        ),
        ("error: something new", "could not be installed: something new."),
    ],
)
def test_each_failure_of_uv_gets_its_meaning(
    fresh_launcher: Launcher, tmp_path: Path, said: str, meaning: str
) -> None:
    outcome = fresh_launcher.run(env=failing_uv(tmp_path / "bin", said))
    (error,) = outcome.errors
    assert error.startswith("ENVIRONMENT_INSTALL_FAILED: ")
    assert meaning in error
    assert " Next: " in error
    assert "\n" not in error
    assert environments(fresh_launcher) == []


@pytest.mark.parametrize(
    ("said", "code", "meaning", "way"),
    [
        (
            "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by "
            "'NewConnectionError('<pip.HTTPConnection object at 0x7f>: Failed to establish a new "
            "connection: [Errno 111] Connection refused')': /simple/uv/\n"
            "ERROR: Could not find a version that satisfies the requirement uv==0.0.1\n"
            "ERROR: No matching distribution found for uv==0.0.1",
            "UV_UNAVAILABLE",
            "Connection refused'); Could not find a version that satisfies the requirement uv",
            "PIP_INDEX_URL",
        ),
        (
            "ERROR: Could not install packages: OSError: [Errno 28] No space left on device",
            "UV_UNAVAILABLE",
            "the disk is full (Could not install packages: OSError",
            "free about 2 GB",
        ),
        (
            "ERROR: Could not install packages: OSError: [Errno 13] Permission denied: '/x'",
            "ENVIRONMENT_INSTALL_FAILED",
            "cannot be kept in",
            "AGENT_TOOLSDIRECTORY",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"
            "    uv==0.0.1 from https://pypi.example/uv.whl",
            "UV_UNAVAILABLE",
            "DO NOT MATCH THE HASHES",
            "altered files",
        ),
        (
            "ERROR: Exception:\nTraceback (most recent call last):\n  File 'a.py', line 1\n"
            "ZeroDivisionError: division by zero",
            "UV_UNAVAILABLE",
            "with pip: ZeroDivisionError: division by zero.",
            "install uv on the agent",
        ),
        ("No module named pip", "UV_UNAVAILABLE", "with pip: No module named pip.", "install uv"),
        ("", "UV_UNAVAILABLE", "with pip: pip said nothing.", "install uv"),
    ],
)
def test_each_failure_of_pip_gets_its_meaning(said: str, code: str, meaning: str, way: str) -> None:
    error = evaluated(
        "import { explainPip } from './installError';\n"
        f"console.log(explainPip({json.dumps(said)}, '/tools/uv').message)"
    )
    assert error.startswith(f"{code}: ")
    happened, following = error.split(" Next: ")
    assert meaning in happened
    assert way in following


def test_a_hash_that_has_401_in_it_is_no_refusal() -> None:
    said = "error: Failed to build `a==1.401.3`\n  cause: sha256:4014034ab7"
    error = evaluated(
        "import { explain } from './installError';\n"
        f"console.log(explain({json.dumps(said)}, '/tools').message)"
    )
    assert "refused" not in error


def test_where_windows_and_others_have_the_interpreter() -> None:
    said = evaluated(
        "import { interpreterIn } from './environment';\n"
        "import { POSIX, WINDOWS } from './system';\n"
        "console.log(interpreterIn('C:\\\\a b', WINDOWS), interpreterIn('/a b', POSIX))"
    )
    assert said.strip() == "C:\\a b\\Scripts\\python.exe /a b/bin/python"


def test_a_tool_directory_that_cannot_be_written_is_named(
    fresh_launcher: Launcher, tmp_path: Path
) -> None:
    fresh_launcher.tools.write_text("a file where the folder should be")
    (error,) = fresh_launcher.run().errors
    assert error.startswith("ENVIRONMENT_INSTALL_FAILED: The Python environment cannot be kept in ")
    assert str(fresh_launcher.tools) in error
    assert "AGENT_TOOLSDIRECTORY" in error
    (error,) = fresh_launcher.run(env={"AGENT_TOOLSDIRECTORY": None}).errors
    assert "the agent did not say where it is" in error


def test_uv_is_installed_with_pip_once_when_the_agent_has_none(
    fresh_launcher: Launcher, tmp_path: Path
) -> None:
    wheel = uv_wheel(tmp_path / "wheels")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    requirements = fresh_launcher.folder / "requirements"
    (requirements / "uv.txt").write_text(f"uv==9.9.9 \\\n    --hash=sha256:{digest}\n")
    env = {
        **without_uv(tmp_path),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheel.parent),
        "PIP_CONFIG_FILE": os.devnull,
    }
    outcome = fresh_launcher.run(env=env)
    assert outcome.result[0] == "Succeeded", outcome.stdout
    assert "Installing uv 9.9.9" in outcome.log
    (requirements / "v2.txt").write_text("# another lock\n")
    outcome = fresh_launcher.run(env=env)
    assert outcome.result[0] == "Succeeded"
    assert "Installing uv" not in outcome.log
    tools = fresh_launcher.tools / "azure-machine-learning-tasks"
    assert [path.name for path in (tools / "uv").iterdir()] == ["9.9.9"]
    shutil.rmtree(tools)
    (requirements / "uv.txt").write_text(f"uv==9.9.9 \\\n    --hash=sha256:{'0' * 64}\n")
    (error,) = fresh_launcher.run(env=env).errors
    assert error.startswith("UV_UNAVAILABLE: ")
    assert list((tools / "uv").iterdir()) == []


def uv_wheel(folder: Path) -> Path:
    """A wheel of a uv 9.9.9 that hands over to the real one."""
    real = Path(sys.executable).with_name("uv")
    script = f'#!/bin/sh\n[ "$1" = --version ] && echo uv 9.9.9 && exit\nexec {real} "$@"\n'
    files = {
        "uv-9.9.9.data/scripts/uv": script,
        "uv-9.9.9.dist-info/METADATA": "Metadata-Version: 2.1\nName: uv\nVersion: 9.9.9\n",
        "uv-9.9.9.dist-info/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        ),
    }
    record = ""
    for name, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
        record += f"{name},sha256={digest.decode()},{len(text)}\n"
    files["uv-9.9.9.dist-info/RECORD"] = record + "uv-9.9.9.dist-info/RECORD,,\n"
    folder.mkdir()
    path = folder / "uv-9.9.9-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100755 << 16
            wheel.writestr(entry, text)
    return path


def test_an_old_uv_is_passed_over(fresh_launcher: Launcher, tmp_path: Path) -> None:
    old = tool_script(tmp_path / "bin" / "uv", "print('uv 0.4.30')\n")
    env = {**without_uv(tmp_path), "PIP_NO_INDEX": "1"}
    env["PATH"] = f"{old.parent}{os.pathsep}{env['PATH']}"
    (error,) = fresh_launcher.run(env=env).errors
    assert error.startswith("UV_UNAVAILABLE: ")


def test_settings_of_pip_reach_uv_and_those_of_uv_win(
    fresh_launcher: Launcher, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    uv = tool_script(
        tmp_path / "bin" / "uv",
        "if '--version' in sys.argv: print('uv 9.9.9'); sys.exit()\n"
        f"Path({str(seen)!r}).write_text('\\n'.join('='.join(i) for i in os.environ.items()))\n"
        "sys.exit('error: enough')\n",
    )
    config = tmp_path / "pip.conf"
    config.write_text(
        "[global]\nindex-url = https://one.example/simple\n"
        "extra-index-url =\n    https://two.example/simple\n    https://three.example/simple\n"
    )
    links = tmp_path / "links"
    links.mkdir()
    base: dict[str, str | None] = {
        **with_path(uv.parent),
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": str(config),
        "PIP_FIND_LINKS": f"{links} /nowhere/at/all",
        "PIP_USER": "1",
        "UV_NO_VERIFY_HASHES": "1",
        "UV_CACHE_DIR": "/somewhere",
    }

    def settings(**env: str) -> dict[str, str]:
        fresh_launcher.run(env=base | env)
        found = dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)
        return {k: v for k, v in found.items() if k.startswith(("UV_", "PIP_USER"))}

    from_pip = settings()
    assert from_pip["UV_DEFAULT_INDEX"] == "https://one.example/simple"
    assert from_pip["UV_INDEX"] == "https://two.example/simple https://three.example/simple"
    assert from_pip["UV_FIND_LINKS"] == str(links)
    assert from_pip["UV_CACHE_DIR"] == "/somewhere"
    assert from_pip["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert not {"PIP_USER", "UV_NO_VERIFY_HASHES"} & set(from_pip)
    variables_win = settings(PIP_INDEX_URL="https://four.example/simple")
    assert variables_win["UV_DEFAULT_INDEX"] == "https://four.example/simple"
    own = settings(UV_DEFAULT_INDEX="https://five.example/simple", UV_INDEX_STRATEGY="first-index")
    assert own["UV_DEFAULT_INDEX"] == "https://five.example/simple"
    assert own["UV_INDEX_STRATEGY"] == "first-index"
    assert "UV_INDEX" not in own
    (tmp_path / ".config" / "uv").mkdir(parents=True)
    (tmp_path / ".config" / "uv" / "uv.toml").touch()
    assert "UV_DEFAULT_INDEX" not in settings()


@pytest.mark.parametrize("value", ["", " "])
def test_a_setting_without_a_value_is_none(fresh_launcher: Launcher, value: str) -> None:
    (fresh_launcher.folder / "requirements" / "v2.txt").write_text(locked("click"))
    uv = ("UV_OFFLINE", "UV_NO_CACHE", "UV_LINK_MODE", "UV_CONCURRENT_DOWNLOADS", "UV_HTTP_TIMEOUT")
    other = ("UV_DEFAULT_INDEX", "UV_FIND_LINKS", "PIP_NO_INDEX", "PIP_INDEX_URL", "SSL_CERT_FILE")
    empty = dict.fromkeys((*uv, *other), value)
    outcome = fresh_launcher.run(CLICK, env=empty)
    assert outcome.result[0] == "Succeeded", outcome.log


def test_settings_in_the_sources_do_not_count(fresh_launcher: Launcher) -> None:
    (fresh_launcher.folder / "requirements" / "v2.txt").write_text(locked("click"))
    (fresh_launcher.sources / "uv.toml").write_text('index-url = "http://127.0.0.1:9/simple"\n')
    subprocess.run(["git", "init", "-q"], cwd=fresh_launcher.sources, check=True)
    assert fresh_launcher.run(CLICK).result[0] == "Succeeded"
