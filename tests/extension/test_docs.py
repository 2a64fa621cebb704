"""The READMEs of the tasks agree with task.json and with the errors that the code knows."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from extension import docs

ROOT = Path(__file__).resolve().parents[2]
# A gate is no step of a pipeline file. What the service runs has no errors of its own.
STEPS = sorted(
    set((ROOT / "tasks").glob("*V1/README.md")) - {ROOT / "tasks/AmlGateVerdictV1/README.md"}
)
READMES = [path for path in STEPS if path.parent.name != "WaitForAmlRunV1"]
README = "tasks/RunAmlPipelineV1/README.md"


def known_codes() -> set[str]:
    """Every code that the launcher or a task can end with, or warn with."""
    folder = ROOT / "tasks" / "amltasks"
    warned = {
        code
        for path in folder.rglob("*.py")
        for code in re.findall(r'job\.warn\(\s*"([A-Z_]+)"', path.read_text())
    }
    python = (folder / "errors.py").read_text() + (folder / "admin" / "causes.py").read_text()
    launcher = (ROOT / "tasks" / "launcher" / "errors.ts").read_text()
    return warned | set(re.findall(r'code="([A-Z_]+)"', python)) | launcher_codes(launcher)


def launcher_codes(source: str) -> set[str]:
    """The codes in errors.ts."""
    return set(re.findall(r"'([A-Z]+(?:_[A-Z]+)+)',", source))


def test_the_readmes_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "extension.docs", "--check"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_changed_input_is_found_and_written(sources: Path) -> None:
    path = sources / "tasks/RunAmlPipelineV1/task.json"
    task = json.loads(path.read_text())
    task["inputs"][3]["helpMarkDown"] = "New | help."
    path.write_text(json.dumps(task))
    assert docs.outdated(sources, write=False) == [
        f"{README} differs from task.json. Next: run python -m extension.docs"
    ]
    assert docs.outdated(sources, write=True) == []
    assert "| `pipelineFile` | **required** | New \\| help. |" in (sources / README).read_text()
    assert docs.outdated(sources, write=False) == []


def test_a_readme_without_markers_or_none_is_found(sources: Path) -> None:
    (sources / README).write_text("# nothing\n")
    (sources / "tasks/DeployToAksV1/README.md").unlink()
    missing, unmarked = docs.outdated(sources, write=True)
    assert missing == "tasks/DeployToAksV1/README.md is missing."
    assert unmarked.startswith(f"{README}: it needs the lines `<!-- inputs")


@pytest.mark.parametrize("path", READMES, ids=lambda path: path.parent.name)
def test_the_codes_in_a_readme_exist(path: Path) -> None:
    errors = path.read_text().split("## Errors")[1]
    codes = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", errors))
    assert len(codes) > 5
    assert codes <= known_codes()


@pytest.mark.parametrize("path", STEPS, ids=lambda path: path.parent.name)
def test_the_example_gives_required_inputs_and_real_names(path: Path) -> None:
    task = json.loads((path.parent / "task.json").read_text())
    example = path.read_text().split("## In YAML")[1].split("```")[1]
    block = example.split(f"- task: {task['name']}@1")[1].split("\n- ")[0]
    under = block.split("inputs:\n")[1]
    indent = len(under) - len(under.lstrip(" "))
    given = set(re.findall(rf"^ {{{indent}}}(\w+):", under, flags=re.MULTILINE))
    names = {name for item in task["inputs"] for name in (item["name"], *item.get("aliases", ()))}
    required = {
        item.get("aliases", [item["name"]])[0] for item in task["inputs"] if item["required"]
    }
    assert given <= names
    assert required <= given
