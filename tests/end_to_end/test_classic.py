"""The sample's classic definitions, unchanged, over a small repository: build, then release."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from local.demo.scoring import locate
from tests.patience import PATIENCE_S

from .conftest import AgentRun

ROOT = Path(__file__).parents[2]
CLASSIC = ROOT / "samples" / "compliance-classifier" / "classic"
SMALL = Path(__file__).parent / "small_sample"
ALIAS = "_compliance-classifier"


@pytest.fixture(scope="module")
def sdk():
    return "v2"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """The small repository on its main branch, with the definitions where the sample has them."""
    folder = tmp_path_factory.mktemp("classic") / "repository"
    shutil.copytree(SMALL, folder)
    here = folder / "samples" / "compliance-classifier"
    shutil.copytree(CLASSIC, here / "classic")
    pipeline = here / "aml_pipeline_v2.yml"
    text = pipeline.read_text()
    assert "interpreter: python\n" in text
    pipeline.write_text(text.replace("interpreter: python\n", f"interpreter: {sys.executable}\n"))
    git = ["git", "-C", str(folder), "-c", "user.name=T", "-c", "user.email=t@example.com"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *command], check=True)
    return folder


@pytest.fixture(scope="module")
def agent(repository, vsix, azure_environment, tmp_path_factory):
    """Run one of the agent's verbs on one of the definitions; the document is {} without one."""

    def run(verb, definition, *options):
        folder = tmp_path_factory.mktemp(verb)
        file = repository / "samples" / "compliance-classifier" / "classic" / definition
        command = [sys.executable, "-m", "local.agent", verb, str(file), "--vsix", str(vsix)]
        command += ["--json", str(folder / "result.json"), "--work", str(folder / "work")]
        result = subprocess.run(
            [*command, *options],
            cwd=ROOT,
            env={**os.environ, **azure_environment, "UV_OFFLINE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        file = folder / "result.json"
        document = json.loads(file.read_text()) if file.exists() else {}
        return file, AgentRun(exit_code=result.returncode, console=result.stdout, document=document)

    return run


@pytest.fixture(scope="module")
def built(agent):
    return agent("run", "build-definition.json")


@pytest.fixture(scope="module")
def released(agent, built):
    options = ("--after", str(built[0]), "--approve", "Production")
    return agent("release", "release-definition.json", *options)[1]


@pytest.fixture(scope="module")
def rejected(agent, released):
    """A second build, which the gate stops."""
    return agent("run", "build-definition.json", "--variable", "learning_rate=5")


def by_stage(run):
    return {stage["name"]: stage["result"] for stage in run.document["stages"]}


def test_the_build_leaves_all_that_a_release_needs(built):
    _, build = built
    assert build.exit_code == 0, build.console
    drop = Path(build.document["artifacts"]["drop"])
    information = json.loads((drop / "gate" / "eval_info.json").read_text())
    assert (information["model_version"], information["deploy_model"]) == ("1", True)
    assert (drop / "ml_scripts" / "score.py").is_file()
    assert (drop / "evaluation").is_dir()
    assert build.document["build"]["sourceBranch"] == "refs/heads/main"


def test_the_release_deploys_to_test_and_then_to_production(released):
    assert released.exit_code == 0, released.console
    assert by_stage(released) == {"Test": "succeeded", "Production": "succeeded"}
    services = [
        step["outputs"]["serviceName"]
        for step in released.document["steps"]
        if step["name"] == "deploy"
    ]
    assert services == ["compliance-test", "compliance-service"]
    release = released.document["release"]
    assert release["reason"] == "ContinuousIntegration"
    assert release["approvals"] == [
        {"stage": "Production", "when": "before", "approved": True, "by": "--approve"}
    ]
    assert "with model compliance-classifier:1" in released.console


def test_a_rejected_build_starts_no_release(agent, rejected):
    file, build = rejected
    assert build.exit_code == 1
    assert build.step("gate")["outputs"]["reason"] == "BELOW_FLOOR", build.console
    options = ("--after", str(file), "--approve", "Production")
    _, release = agent("release", "release-definition.json", *options)
    assert release.exit_code == 3, release.console
    assert release.document == {}
    assert "so no release is created" in release.console


def test_a_rejected_build_is_not_deployed_by_hand_either(agent, rejected):
    file, build = rejected
    drop = Path(build.document["artifacts"]["drop"])
    assert json.loads((drop / "gate" / "eval_info.json").read_text())["deploy_model"] is False
    options = ("--artifact", f"{ALIAS}={file}", "--approve", "Production")
    _, release = agent("release", "release-definition.json", *options)
    assert release.exit_code == 1
    assert by_stage(release) == {"Test": "failed", "Production": "skipped"}
    assert "GATE_REJECTED: " in release.console


def test_the_good_model_still_answers(released, rejected, azure_environment, sdk):
    trust = ssl.create_default_context(cafile=azure_environment["SSL_CERT_FILE"])
    proxy = azure_environment["HTTPS_PROXY"]
    with httpx.Client(proxy=proxy, verify=trust, trust_env=False, timeout=PATIENCE_S) as client:
        for service in ("compliance-test", "compliance-service"):
            endpoint, key = locate(client, azure_environment, service, sdk)
            headers = {"Authorization": f"Bearer {key}"}
            answer = client.post(endpoint, json={"data": [3, -3]}, headers=headers)
            assert answer.json() == {"predictions": [1, 0], "quality": 0.99}
