"""Predefined variables, and who knows them when."""

from __future__ import annotations

import datetime
import json
import re
import subprocess
from pathlib import Path

import pytest

from local.agent.definition.pipeline_file import read_pipeline
from local.agent.host.sources import find_sources
from local.agent.session.predefined import (
    job_folders,
    job_variables,
    known_to_service,
    known_to_templates,
    proxy_variables,
    release_variables,
    run_variables,
)
from local.agent.session.session import ReleaseRun

STARTED = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)


@pytest.fixture
def variables(tmp_path):
    file = tmp_path / "azure-pipelines.yml"
    file.write_text("steps: []\n")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    subprocess.run([*git, "init", "-q", "-b", "feature/x"], check=True)
    subprocess.run([*git, "add", "."], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "Begin"], check=True)
    return run_variables("made here", find_sources(file), 12, STARTED, identity="7")


def test_a_build_knows_its_commit(variables):
    expected = {
        "Build.SourceBranch": "refs/heads/feature/x",
        "Build.SourceBranchName": "x",
        "Build.SourceVersionMessage": "Begin",
        "Build.SourceVersionAuthor": "Ada",
        "Build.Repository.Provider": "TfsGit",
        "Build.BuildUri": "vstfs:///Build/Build/12",
        "System.DefinitionId": "7",
        "System.HostType": "build",
        "System.PipelineStartTime": "2026-01-02 03:04:05+00:00",
    }
    assert {name: variables[name] for name in expected} == expected
    assert re.fullmatch("[0-9a-f]{40}", variables["Build.SourceVersion"])


def test_what_only_the_agent_knows_comes_later(variables):
    service, templates = known_to_service(variables), known_to_templates(variables)
    assert "Build.SourceVersionMessage" not in service
    assert "Build.BuildId" in service
    assert "Build.BuildId" not in templates
    assert templates["Build.SourceBranch"] == "refs/heads/feature/x"


def test_a_release_that_a_build_started(variables):
    found = release_variables("deploy", 3, identity="9", alias="_made")
    assert found["Release.Reason"] == "ContinuousIntegration"
    assert found["Release.ReleaseUri"].endswith("/3")
    assert found["System.HostType"] == "release"
    by_hand = release_variables("deploy", 3, identity="9", alias="")
    assert by_hand["Release.Reason"] == "Manual"


@pytest.fixture
def one_job(pipeline_file):
    file = pipeline_file("steps: [{script: echo}]\n")
    pipeline = read_pipeline(file, variables={}, overrides={}, parameters={})
    (stage,) = pipeline.stages
    return stage, stage.jobs[0]


def test_a_job_of_a_build_has_its_folders(session, one_job):
    stage, job = one_job
    found = job_variables(session, stage, job, 1)
    assert found["Build.SourcesDirectory"] == found["System.DefaultWorkingDirectory"]
    assert Path(found["Build.SourcesDirectory"]) == session.folders.work / "1" / "s"
    assert {path.name for path in job_folders(found)} == {"a", "b", "s", "TestResults"}
    assert "Strategy.Name" not in found


def test_a_job_of_a_release_has_its_artifacts_only(session, one_job):
    stage, job = one_job
    session.release = ReleaseRun(sources={})
    found = job_variables(session, stage, job, 1)
    assert found["System.ArtifactsDirectory"] == found["System.DefaultWorkingDirectory"]
    assert "Build.SourcesDirectory" not in found
    assert [path.name for path in job_folders(found)] == ["a"]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, {}),
        ({"https_proxy": "http://p:8080"}, {"Agent.ProxyUrl": "http://p:8080"}),
        ({"NO_PROXY": "a.b"}, {}),
        ({"REQUESTS_CA_BUNDLE": "/ca.pem"}, {"Agent.CAInfo": "/ca.pem"}),
    ],
)
def test_the_proxy(environment, expected):
    assert proxy_variables(environment) == expected


def test_hosts_without_a_proxy_become_expressions():
    found = proxy_variables({"HTTPS_PROXY": "http://p", "NO_PROXY": "a.b, .c.d;localhost,.*x"})
    bypass = json.loads(found["Agent.ProxyBypassList"])
    assert bypass == [r"a\.b", r"\.c\.d", "localhost", ".*x"]
    assert all(re.compile(one) for one in bypass)
