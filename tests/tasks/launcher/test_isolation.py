"""Nothing of the checkout runs unasked: no file there has the name of a module or of a tool."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tasks.launcher.harness import Launcher
from tests.tasks.launcher.test_environment import locked, uv_wheel, without_uv

VERSIONS = ("3.10", "3.11", "3.12")
MODULES = "import sys; print(*sorted(sys.stdlib_module_names))"
OTHERS = (
    *("sitecustomize", "usercustomize", "pip", "uv", "setuptools", "pkg_resources", "wheel"),
    *("amltasks", "click", "yaml", "azure", "azureml", "numpy", "requests", "certifi", "site"),
)
# Two of the standard library's own modules open a browser or print a poem.
IMPORT_ALL = """
import importlib
for name in sorted(sys.stdlib_module_names - {"antigravity", "this"}):
    try:
        importlib.import_module(name)
    except ImportError:
        pass  # of another operating system
import click
print("path", [entry for entry in sys.path if not os.path.isabs(entry)], "end")
print("imported", len(sys.modules), click.__file__)
send(type='result', result='Succeeded')
"""


def interpreter(version: str) -> str:
    """A Python of that version on this machine; skips the test where there is none."""
    if sys.version.startswith(f"{version}."):
        return sys.executable
    managed = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [
        *(shutil.which(f"python{version}"),),
        *map(str, sorted(managed.glob(f"{version}.*/bin/python{version}"))),
        *map(str, sorted(Path("/opt/hostedtoolcache/Python").glob(f"{version}.*/x64/bin/python"))),
    ]
    for candidate in filter(None, found):
        done = subprocess.run([candidate, "-I", "-c", MODULES], capture_output=True, check=False)
        if done.returncode == 0:
            return candidate
    pytest.skip(f"this machine has no Python {version}")


def planted(folder: Path, python: str, ran: Path, *, packages: bool) -> int:
    """Give the sources a file of each module's and tool's name that notes down that it ran."""
    listed = subprocess.run(
        [python, "-I", "-c", MODULES], capture_output=True, text=True, check=True
    )
    names = sorted({*listed.stdout.split(), *OTHERS})
    for name in names:
        path = folder / name / "__init__.py" if packages else folder / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"open({str(ran)!r}, 'a').write('module {name}\\n')\n")
    (folder / "evil.pth").write_text(f"import sys; open({str(ran)!r}, 'a').write('pth\\n')\n")
    for tool in ("python", "python3", f"python{sys.version_info[0]}.11", "uv", "pip", "git", "py"):
        program = folder / (f"{tool}.sh" if (folder / tool).exists() else tool)
        program.write_text(f"#!/bin/sh\necho tool {tool} >> {ran}\nexit 1\n")
        program.chmod(0o755)
    (folder / "pyproject.toml").write_text("[tool.uv]\nindex-url = 'http://127.0.0.1:9/simple'\n")
    for config in ("pip.conf", "pip.ini"):
        (folder / config).write_text("[global]\nindex-url = http://127.0.0.1:9/simple\n")
    (folder / "pyvenv.cfg").write_text("home = /nowhere\n")
    (folder / ".python-version").write_text("2.7\n")
    return len(names)


@pytest.mark.skipif(sys.platform == "win32", reason="plants POSIX programs")
@pytest.mark.parametrize("packages", [False, True], ids=["modules", "packages"])
@pytest.mark.parametrize("version", VERSIONS)
def test_no_file_of_the_checkout_takes_the_place_of_a_module_or_a_tool(
    fresh_launcher: Launcher, tmp_path: Path, version: str, packages: bool
) -> None:
    python, ran = interpreter(version), tmp_path / "ran"
    launcher = fresh_launcher
    count = planted(launcher.sources, python, ran, packages=packages)
    assert count > 290
    (launcher.folder / "requirements" / "v2.txt").write_text(locked("click"))
    tools = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    outcome = launcher.run(
        IMPORT_ALL,
        inputs={"pythonPath": python},
        # An empty entry and a dot mean the working directory.
        env={
            "PATH": os.pathsep.join(["", ".", *([] if packages else ["./bin"]), tools]),
            "PYTHONPATH": str(launcher.sources),
            "PYTHONHOME": str(launcher.sources),
            "PYTHONSTARTUP": str(launcher.sources / "os.py"),
            "PYTHONUSERBASE": str(launcher.sources),
        },
    )
    assert outcome.result == ("Succeeded", ""), outcome.stdout + outcome.stderr
    assert "path [] end" in outcome.log
    assert f"Using Python {version}." in outcome.log
    assert not ran.exists(), ran.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="plants POSIX programs")
def test_the_installer_is_fetched_without_the_checkout(
    fresh_launcher: Launcher, tmp_path: Path
) -> None:
    import hashlib

    launcher, ran = fresh_launcher, tmp_path / "ran"
    planted(launcher.sources, sys.executable, ran, packages=False)
    wheel = uv_wheel(tmp_path / "wheels")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock = launcher.folder / "requirements" / "uv.txt"
    lock.write_text(f"uv==9.9.9 \\\n    --hash=sha256:{digest}\n")
    env = {**without_uv(tmp_path), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel.parent)}
    outcome = launcher.run(env={**env, "PATH": f".{os.pathsep}{env['PATH']}"})
    assert outcome.result[0] == "Succeeded", outcome.stdout
    assert "Installing uv 9.9.9" in outcome.log
    assert not ran.exists(), ran.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="plants POSIX programs")
def test_a_python_is_never_taken_from_the_checkout_by_its_bare_name(
    launcher: Launcher, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    planted(launcher.sources, sys.executable, ran, packages=False)
    folder = str(Path(sys.executable).parent)
    path = os.pathsep.join(["", ".", folder, os.environ["PATH"]])
    for given in ("", "python3", Path(sys.executable).name):
        outcome = launcher.run(inputs={"pythonPath": given}, env={"PATH": path})
        assert outcome.result[0] == "Succeeded", outcome.stdout
        assert not ran.exists(), ran.read_text()


def test_a_virtual_environment_of_the_checkout_is_taken_when_it_is_asked_for(
    launcher: Launcher,
) -> None:
    subprocess.run(
        [sys.executable, "-m", "venv", "--without-pip", launcher.sources / "venv"], check=True
    )
    for given in ("venv", "./venv", "venv/bin/python"):
        outcome = launcher.run(inputs={"pythonPath": given})
        assert f"at {launcher.sources}/venv/bin/python" in outcome.log
        assert outcome.result[0] == "Succeeded"
