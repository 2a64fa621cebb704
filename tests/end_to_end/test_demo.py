"""``python3 dev.py demo`` in small: the real sample on TensorFlow, on fewer rows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.patience import PATIENCE_S

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, "-m", "local.demo"]


@pytest.mark.tensorflow
@pytest.mark.timeout(600)
def test_the_sample_runs_from_provisioning_to_a_scored_endpoint(vsix: Path, tmp_path: Path) -> None:
    report = tmp_path / "out.json"
    command = [*DEMO, "--vsix", str(vsix), "--json", str(report), "--variable", "rows=6000"]
    command += ["--state", str(tmp_path / "state")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    document = json.loads(report.read_text())
    assert {step["name"] for step in document["steps"]} >= {"provision", "train", "gate", "deploy"}
    assert {step["result"] for step in document["steps"]} == {"succeeded"}
    assert document["gate"]["passed"] is True
    assert Path(document["gate"]["report"]).exists()
    assert document["endpoint"]["state"] == "Healthy"
    assert [row["label"] for row in document["prediction"]] == [0, 1]

    badly = [*command, "--variable", "epochs=0"]
    result = subprocess.run(badly, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 1, result.stdout + result.stderr
    document = json.loads(report.read_text())
    assert (document["gate"]["passed"], document["gate"]["reason"]) == (False, "BELOW_FLOOR")
    (deploy,) = (step for step in document["steps"] if step["task"].startswith("DeployToAks"))
    assert deploy["result"] == "skipped"
    assert document["inPlace"] == "compliance-service"
    assert [row["label"] for row in document["prediction"]] == [0, 1]


@pytest.mark.tensorflow
@pytest.mark.timeout(600)
def test_the_sample_runs_as_a_classic_build_and_release(vsix: Path, tmp_path: Path) -> None:
    report = tmp_path / "out.json"
    command = [*DEMO, "--vsix", str(vsix), "--json", str(report), "--variable", "rows=6000"]
    result = subprocess.run(
        [*command, "--classic"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    document = json.loads(report.read_text())
    deployed = [
        step["outputs"]["serviceName"] for step in document["steps"] if step["name"] == "deploy"
    ]
    assert deployed == ["compliance-test", "compliance-service"]
    assert [row["label"] for row in document["prediction"]] == [0, 1]


@pytest.mark.skipif(os.name == "nt", reason="a signal to one process group is a POSIX thing")
@pytest.mark.parametrize("number", ["SIGINT", "SIGKILL"])
def test_the_end_of_the_demo_leaves_nothing_running(
    vsix: Path, tmp_path: Path, number: str
) -> None:
    demo = subprocess.Popen(
        [*DEMO, "--vsix", str(vsix)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    started: list[psutil.Process] = []
    try:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "RunAmlPipeline" in line:
                break
        time.sleep(3)  # into the task's life: its Python, perhaps its run
        started = psutil.Process(demo.pid).children(recursive=True)
        demo.send_signal(signal.Signals[number])
        output, _ = demo.communicate(timeout=PATIENCE_S)
    finally:
        demo.kill()
    assert demo.returncode == {"SIGINT": 130, "SIGKILL": -signal.SIGKILL}[number], output
    assert "Traceback" not in output
    assert len(started) >= 3
    _, alive = psutil.wait_procs(started, timeout=PATIENCE_S)
    assert alive == []
