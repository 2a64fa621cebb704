import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "ml_scripts"


def imports_of(module: str) -> list[str]:
    """The modules that a script imports when it is imported, in order."""
    found = []
    for statement in ast.parse((SCRIPTS / f"{module}.py").read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.Import):
            found += [alias.name for alias in statement.names]
        elif isinstance(statement, ast.ImportFrom):
            found.append(statement.module or "")
    return found


def loaded(module: str, seen: list[str]) -> list[str]:
    """All modules in the order in which Python begins to load them, those of ours and others."""
    for name in imports_of(module):
        if name not in seen:
            seen.append(name)
            if (SCRIPTS / f"{name}.py").is_file():
                loaded(name, seen)
    return seen


@pytest.mark.parametrize("program", ["train", "network", "distributed"])
def test_the_settings_come_before_tensorflow(program: str) -> None:
    order = loaded(program, [])
    first = min(order.index(name) for name in ("keras", "tensorflow"))
    assert order.index("tensorflow_settings") < first


@pytest.mark.parametrize(("given", "wanted"), [({}, "0"), ({"TF_ENABLE_ONEDNN_OPTS": "1"}, "1")])
def test_what_the_user_set_stays(given: dict[str, str], wanted: str) -> None:
    program = "import os, tensorflow_settings; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])"
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TF_")}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**kept, **given, "PYTHONPATH": str(SCRIPTS)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == wanted
