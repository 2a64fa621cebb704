"""dev.py as its users call it: a subprocess of a plain Python."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devtools.environments import TASKS

ROOT = Path(__file__).parents[1]
VERBS = {"admin", "demo", "test", "lint", "package", "bench", "azure", "agent", "lock", "schema"}


def dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "dev.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_help_names_every_verb() -> None:
    result = dev("--help")
    assert result.returncode == 0
    assert set(re.findall(r"python3 dev\.py (\w+)", result.stdout)) == VERBS


@pytest.mark.slow
@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("verb", sorted(VERBS))
def test_each_verb_has_help(verb: str, option: str) -> None:
    result = dev(verb, option)
    assert result.returncode == 0, result.stderr
    assert "usage:" in result.stdout.lower()


def test_no_verb_prints_the_help_and_fails() -> None:
    result = dev()
    assert result.returncode == 2
    assert "python3 dev.py demo" in result.stdout


def test_unknown_verb_says_what_there_is() -> None:
    result = dev("deploy")
    assert result.returncode == 2
    assert "no verb 'deploy'" in result.stderr
    assert "demo" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "v2"),
        (["--sdk", "v1"], "v1"),
        (["--json", "out.json", "--sdk=v1"], "v1"),
        (["--sdk", "v1", "--sdk", "v2"], "v2"),
        (["--sdk"], "v2"),
        (["--sdk", "v3"], "v2"),
    ],
)
def test_a_demo_prepares_only_the_sdk_that_it_is_asked_for(
    arguments: list[str], expected: str
) -> None:
    program = (
        "import dev, sys; from devtools import environments; made = []; "
        "environments.environment = made.append; "
        "environments.warm_task_environments(dev.sdk_of(sys.argv[1:])); print(*made)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == list(TASKS[expected])


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["demo", "--clasic"], "--clasic"),
        (["demo", "--sdk", "v3"], "v3"),
        (["demo", "sample"], "sample"),
        (["agent", "run", "pipeline.yml", "--varaible", "a=b"], "--varaible"),
        (["agent", "rum", "pipeline.yml"], "rum"),
        (["azure", "--prot", "1"], "--prot"),
        (["bench", "startip"], "startip"),
        (["package", "--pubic"], "--pubic"),
    ],
)
def test_a_mistyped_argument_is_told_before_anything_is_built(
    arguments: list[str], wrong: str
) -> None:
    result = dev(*arguments)
    assert result.returncode == 2
    assert f"Usage: python3 dev.py {arguments[0]}" in result.stderr
    assert wrong in result.stderr.split("Error: ")[1]
    assert "building" not in result.stderr
    assert "--vsix" not in result.stderr


@pytest.mark.parametrize("verb", ["demo", "agent", "azure", "bench", "package", "admin", "schema"])
def test_help_names_dev_py_and_lists_nothing_that_it_gives_itself(verb: str) -> None:
    said = dev(verb, "--help").stdout
    assert f"Usage: python3 dev.py {verb} " in said
    assert "[required]" not in said
    assert "python -m" not in said


def test_imports_nothing_but_the_standard_library() -> None:
    files = [ROOT / "dev.py", *(ROOT / "devtools").glob("*.py")]
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else alias.name
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }
    assert len(files) > 2
    assert {name.split(".")[0] for name in imported} <= {"devtools", *sys.stdlib_module_names}


@pytest.mark.parametrize(
    "lock", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.name
)
def test_locks_have_hashes_and_name_no_host(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    pins = re.findall(r"^([A-Za-z0-9._-]+)==", text, flags=re.MULTILINE)
    assert pins
    assert text.count("--hash=sha256:") >= len(pins)
    assert "://" not in text


def test_npm_lock_records_no_address() -> None:
    text = (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert '"integrity"' in text
    assert '"resolved"' not in text


def test_locks_agree_where_they_share_a_package() -> None:
    """What we test with (dev) is what ships in the tasks (v1)."""

    def pins(name: str) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
        for package, version in re.findall(r"^([A-Za-z0-9._-]+)==([^\s;]+)", text, re.MULTILINE):
            found.setdefault(package, set()).add(version)
        return found

    shipped, tested = pins("v1"), pins("dev")
    differing = {
        package: (versions, tested.get(package))
        for package, versions in shipped.items()
        if not versions & tested.get(package, set())
    }
    assert differing == {}


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for uv is a POSIX script")
def test_downloads_pass_by_the_local_azure(tmp_path: Path) -> None:
    """The env file of `dev.py azure` is sourced, and something is still to be installed."""
    shutil.copy(ROOT / "dev.py", tmp_path)
    shutil.copytree(ROOT / "devtools", tmp_path / "devtools")
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    # The stand-in compiles nothing, so there is nothing to narrow.
    (tmp_path / "extension").mkdir()
    (tmp_path / "extension" / "locks.py").touch()
    uv = tmp_path / ".envs" / "uv" / "bin" / "uv"
    uv.parent.mkdir(parents=True)
    report = "import json, os; open('seen.json', 'w').write(json.dumps(dict(os.environ)))"
    uv.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{report}"\n')
    uv.chmod(0o755)
    lock = (tmp_path / "requirements" / "uv.txt").read_bytes()
    (tmp_path / ".envs" / "uv" / ".stamp").write_text(hashlib.sha256(lock).hexdigest())
    own = {"HTTPS_PROXY": "http://proxy.example:3128", "SSL_CERT_FILE": "own.pem"}
    local = {"HTTPS_PROXY": "http://127.0.0.1:1", "SSL_CERT_FILE": "ca.pem"}
    for settings, expected in (
        (own, own),
        ({**local, "AML_WORKSPACE_NAME": "ws-local"}, {}),
    ):
        (tmp_path / "seen.json").unlink(missing_ok=True)
        subprocess.run(
            [sys.executable, "dev.py", "lock"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], **settings},
            # This uv writes no lock, so that dev.py ends after the first one.
            check=False,
            capture_output=True,
        )
        seen = json.loads((tmp_path / "seen.json").read_text())
        assert {name: value for name, value in seen.items() if name in own} == expected
