"""docs/setup.md and the quick start before it, followed literally on one local Azure."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tasks.amltasks.admin.conftest import Cloud, running

ROOT = Path(__file__).parents[1]
# As the sample's pipeline, as far as the service connection goes.
QUICK = """
steps:
  - script: echo the quick start ran
"""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """A local Azure in a folder that has the env file, as in the page's first terminal."""
    with running(tmp_path) as started:
        shutil.copy(tmp_path / "state.env", tmp_path / "azure.env")
        yield started


def blocks(page: str, heading: str, language: str) -> list[str]:
    """The code of a section of a page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", section, re.DOTALL)


@pytest.mark.skipif(sys.platform == "win32", reason="runs the page's shell lines")
def test_setting_up_after_the_quick_start_ends_in_a_healthy_doctor(
    cloud: Cloud, tmp_path: Path
) -> None:
    (tmp_path / "azure-pipelines.yml").write_text(QUICK)
    azure, first, second = blocks("setup.md", "Try it without Azure", "sh")
    assert azure == "python3 dev.py azure --env-file azure.env\n"
    quick_start = "python3 dev.py agent run azure-pipelines.yml"
    assert quick_start in (ROOT / "docs" / "quickstart-yaml.md").read_text().replace(
        "samples/compliance-classifier/", ""
    )
    set_up, commands = first.split("\n", 1)
    assert set_up == "set -a; . ./azure.env; set +a"
    script = "\n".join([set_up, quick_start, commands, second])
    # From a folder of the user's own: the paths are the caller's.
    script = script.replace("python3 dev.py", shlex.join([sys.executable, str(ROOT / "dev.py")]))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "the quick start ran" in done.stdout
    assert "the service connection 'aml-connection' is there already" in done.stdout
    assert re.search(r"All \d+ checks passed: the sample can run\.", done.stdout)


@pytest.mark.parametrize("page", ["setup.md", "quickstart-yaml.md", "quickstart-classic.md"])
def test_a_page_with_lines_of_a_shell_has_them_in_powershell(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    shells = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    differing = [b for b in shells if re.search(r"^(set -a|export |read |\w+=)", b, re.MULTILINE)]
    assert text.count("```powershell") >= len(differing) > 0
