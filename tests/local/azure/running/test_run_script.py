"""The program that starts a user's script inside a run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from local.azure.running import job

RUNNER = Path(job.__file__).with_name("run_script.py")


def ran(folder, code, *arguments):
    (folder / "deep").mkdir()
    (folder / "deep" / "train.py").write_text(code)
    # An interpreter without site-packages has no azureml-core.
    return subprocess.run(
        [sys.executable, "-S", RUNNER, "logs", "deep/train.py", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_script_runs_as_python_would_run_it(tmp_path):
    (tmp_path / "beside.py").write_text("")
    done = ran(
        tmp_path,
        "import sys, beside; print(sys.argv, __name__, sys.path[0].endswith('deep'))",
        "--rows",
        "1",
    )
    assert done.stdout.strip() == "['deep/train.py', '--rows', '1'] __main__ True"
    assert "azureml-core is not in this environment" in done.stderr
    assert done.returncode == 0


def test_its_end_is_the_scripts_own(tmp_path):
    assert ran(tmp_path, "raise SystemExit(7)").returncode == 7


def test_its_own_folder_is_not_importable(tmp_path):
    done = ran(tmp_path, "import virtualenvs")
    assert "No module named 'virtualenvs'" in done.stderr
