"""A release rehearsed against the local gallery: a changed launcher reaches an organization."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tasks.amltasks.admin.conftest import ROOT, Cloud, running

RUN = "659d9989-e3a5-45fd-9ffb-d0a3d3546ea9"


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """A local Azure whose gallery has nothing yet."""
    with running(tmp_path_factory.mktemp("gallery")) as started:
        yield started


class Clone:
    """The project's sources in another folder, where a release is made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
        for name in listed:
            if (
                name.startswith(("extension/", "tasks/", "requirements/", "docs/"))
                or "/" not in name
            ):
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                if (ROOT / name).is_file() and not (ROOT / name).is_symlink():
                    shutil.copyfile(ROOT / name, target)
        (folder / "node_modules").symlink_to((ROOT / "node_modules").resolve())

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a module of the clone, as CONTRIBUTING.md says."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )

    def package(self) -> str:
        """Build the .vsix."""
        done = self.python("extension.package", "--out", str(self.folder / "build"))
        assert done.returncode == 0, done.stderr
        return done.stdout.strip().splitlines()[-1]

    def edit(self, name: str, old: str, new: str) -> None:
        """Change one place of a file."""
        path = self.folder / name
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, name
        path.write_text(text.replace(old, new), encoding="utf-8")


def received(cloud: Cloud) -> dict[str, str]:
    """The organization's tasks: name -> newest version."""
    tasks = cloud.ask("GET", "_apis/distributedtask/tasks").json()["value"]
    return {one["name"]: ".".join(map(str, one["version"].values())) for one in tasks}


def launcher(cloud: Cloud, version: str) -> bytes:
    """The launcher that an agent of the organization would be given."""
    answer = cloud.ask("GET", f"_apis/distributedtask/tasks/{RUN}/{version}")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert json.loads(archive.read("task.json"))["id"] == RUN
        return archive.read("launcher.js")


def test_a_changed_launcher_reaches_an_organization(gallery: Cloud, tmp_path: Path) -> None:
    clone = Clone(tmp_path / "clone")
    first = clone.package()
    assert clone.python("extension.versions", "record").returncode == 0
    for verb in (("publish", "--vsix", first), ("share",), ("install",)):
        done = gallery.admin(*verb)
        assert done.code == 0, done.text
    assert received(gallery) == dict.fromkeys(
        (
            *("ProvisionAmlCompute", "RunAmlPipeline", "EvaluateAndGate", "DeployToAks"),
            *("AmlGateVerdict", "WaitForAmlRun"),
        ),
        "1.0.0",
    )
    before = launcher(gallery, "1.0.0")

    # The launcher changes, and whoever releases it forgets the tasks' versions.
    clone.edit("tasks/launcher/log.ts", "everySeconds = 5", "everySeconds = 7")
    clone.edit("vss-extension.json", '"version": "0.1.0"', '"version": "0.1.1"')
    lint = clone.python("extension.lint")
    assert lint.returncode == 1
    assert lint.stderr.count("organisations would not receive them") == 4
    assert "tasks/RunAmlPipelineV1/task.json: version 1.0.0: it ships other files" in lint.stderr
    forgotten = gallery.admin("publish", "--vsix", clone.package())
    assert (forgotten.code, "TASK_VERSION_STALE" in forgotten.text) == (1, True), forgotten.text
    assert "RunAmlPipeline 1.0.0" in forgotten.text
    assert "AmlGateVerdict" not in forgotten.text
    assert set(received(gallery).values()) == {"1.0.0"}

    raised = clone.python("extension.versions", "raise")
    assert raised.stdout.count(": 1.0.1") == 4, raised.stdout + raised.stderr
    lint = clone.python("extension.lint")
    assert lint.returncode == 0, lint.stderr
    done = gallery.admin("publish", "--vsix", clone.package())
    assert (done.code, len(done.lines("published"))) == (0, 1), done.text
    assert received(gallery) == {
        **dict.fromkeys(
            ("ProvisionAmlCompute", "RunAmlPipeline", "EvaluateAndGate", "DeployToAks"), "1.0.1"
        ),
        **dict.fromkeys(("AmlGateVerdict", "WaitForAmlRun"), "1.0.0"),
    }
    assert launcher(gallery, "1.0.1") != before
    assert launcher(gallery, "1.0.0") == before  # for the jobs that are under way

    again = gallery.admin("publish", "--vsix", clone.package())
    assert (again.code, len(again.lines("unchanged"))) == (0, 1), again.text
    clone.edit("CHANGELOG.md", "# Changelog", "# The changelog")
    other = gallery.admin("publish", "--vsix", clone.package())
    assert (other.code, "EXTENSION_VERSION_TAKEN" in other.text) == (1, True), other.text
