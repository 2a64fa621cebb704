"""An organisation is set up from nothing, by every verb, twice; doctor says so before and after."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tasks.amltasks.admin.conftest import ROOT, Cloud, Ran, running

_PROXY = ("HTTPS_PROXY", "https_proxy")
POOL = ("--pool", "Default")
OURS = {
    json.loads(path.read_text("utf-8"))["id"]: path.parent.name
    for path in (ROOT / "tasks").glob("*V1/task.json")
}


@pytest.fixture
def vsix(tmp_path: Path) -> Path:
    """As much of a package as tfx and the gallery read of it."""
    about = json.loads((ROOT / "vss-extension.json").read_text("utf-8"))
    made = tmp_path / "extension.vsix"
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("extension.vsixmanifest", _MANIFEST.format(**about))
    return made


_MANIFEST = """<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="{id}" Version="{version}" Publisher="{publisher}" />
  </Metadata>
</PackageManifest>
"""


@pytest.fixture
def recorded_node(tmp_path: Path) -> tuple[str, Path]:
    """A PATH whose node writes its command line down before it becomes the real one."""
    real, record = shutil.which("node"), tmp_path / "node.txt"
    assert real
    shim = tmp_path / "bin" / "node"
    shim.parent.mkdir()
    shim.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$@" >> {shlex.quote(str(record))}\n'
        f'exec {shlex.quote(real)} "$@"\n'
    )
    shim.chmod(0o755)
    return f"{shim.parent}{os.pathsep}{os.environ['PATH']}", record


def test_from_nothing_to_ready(cloud: Cloud, vsix: Path, recorded_node: tuple[str, Path]) -> None:
    path, record = recorded_node
    look = ("doctor", *cloud.workspace, *POOL)
    before = cloud.admin(*look)
    assert before.code == 1
    assert "5 of 6 checks failed (agents, extension, connection, sample, Azure)" in before.text

    publish = ("publish", "--vsix", str(vsix))
    verbs: dict[str, tuple[str, ...]] = {
        "connect": ("connect", *cloud.identity, *cloud.workspace),
        "sample": ("sample", *cloud.workspace, *POOL),
        "publish": publish,
        "share": ("share",),
        "install": ("install",),
    }
    for name, verb in verbs.items():
        seen = cloud.changes()
        dry = cloud.admin(*verb, "--dry-run", PATH=path)
        assert (dry.code, bool(dry.lines("would"))) == (0, True), dry.text
        assert cloud.changes() == seen, name
        shown = re.findall(r"^ {15}(POST|PATCH|tfx) ", dry.text, re.MULTILINE)
        assert len(shown) == len(dry.lines("would")), dry.text
        first = cloud.admin(*verb, PATH=path)
        assert (first.code, first.lines("unchanged")) == (0, []), first.text
        changed = cloud.changes(more_than=len(seen))
        assert len(changed) > len(seen), name
        second = cloud.admin(*verb, PATH=path)
        assert second.code == 0 and second.lines("unchanged"), second.text
        assert not [line for line in second.text.splitlines() if line.split()[:1] in _DONE], name
        assert cloud.changes() == changed, name

    # tfx was told the token, and its command line was not.
    assert "publish" in record.read_text() and "share" in record.read_text()
    assert cloud.environment["AZURE_DEVOPS_EXT_PAT"] not in record.read_text()

    session = {"ownerName": "test", "agent": {"name": "agent-1"}}
    cloud.ask("POST", "_apis/distributedtask/pools/1/sessions", json=session)
    after = cloud.admin(*look)
    assert after.code == 0, after.text
    assert len(after.lines("ok")) == 13
    assert "All 13 checks passed" in after.text


_DONE = [["created"], ["added"], ["allowed"], ["published"], ["shared"], ["installed"]]


@pytest.fixture(scope="module")
def imported(cloud: Cloud) -> Ran:
    cloud.new_project("imported")
    to = ("--project", "imported")
    made = cloud.admin("connect", *to, *cloud.identity, *cloud.workspace, "--name", "their own")
    assert made.code == 0, made.text
    place = ("--resource-group", "rg (one)", "--workspace", "ws-one", "--aks", "aks-one")
    return cloud.admin("sample", *to, *place, *POOL, "--connection", "their own")


def test_the_repository_has_the_sample(cloud: Cloud, imported: Ran) -> None:
    assert imported.code == 0, imported.text
    base = "imported/_apis/git/repositories/compliance-classifier"
    items = cloud.ask("GET", f"{base}/items", params={"recursionLevel": "full"}).json()["value"]
    items = [one for one in items if not one.get("isFolder")]
    paths = {one["path"] for one in items}
    tracked = subprocess.run(
        ["git", "ls-files", "ml_scripts", "samples/compliance-classifier"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    assert paths >= {f"/{name}" for name in tracked}
    changed = "/samples/compliance-classifier/azure-pipelines.yml"
    for one in items:
        content = cloud.ask("GET", f"{base}/items", params={"path": one["path"]}).content
        assert (content == (ROOT / one["path"][1:]).read_bytes()) == (one["path"] != changed)
        if one["path"] == changed:
            _check_yaml(content)


def _check_yaml(content: bytes) -> None:
    document = yaml.safe_load(content)
    assert document["pool"] == {"name": "Default"}
    named = {
        name: document["variables"][name] for name in ("resourcegroup", "workspace", "aks_name")
    }
    assert named == {"resourcegroup": "rg (one)", "workspace": "ws-one", "aks_name": "aks-one"}
    steps = [step for stage in document["stages"] for job in stage["jobs"] for step in job["steps"]]
    ours = [step for step in steps if "azureSubscription" in step.get("inputs", {})]
    assert [step["task"] for step in ours] == [
        "ProvisionAmlCompute@1",
        "RunAmlPipeline@1",
        "EvaluateAndGate@1",
        "DeployToAks@1",
    ]
    assert {step["inputs"]["azureSubscription"] for step in ours} == {"their own"}


def test_the_pipelines_have_our_tasks(cloud: Cloud, imported: Ran) -> None:
    (connection,) = cloud.ask("GET", "imported/_apis/serviceendpoint/endpoints").json()["value"]
    builds = cloud.ask(
        "GET", "imported/_apis/build/definitions", params={"includeAllProperties": "true"}
    ).json()["value"]
    by_name = {one["name"]: one for one in builds}
    assert set(by_name) == {"compliance-classifier", "compliance-classifier-classic"}
    file = "samples/compliance-classifier/azure-pipelines.yml"
    yaml_pipeline, classic = by_name.values()
    assert yaml_pipeline["process"] == {"type": 2, "yamlFilename": file}
    assert {one["repository"]["name"] for one in builds} == {"compliance-classifier"}

    steps = classic["process"]["phases"][0]["steps"]
    assert [OURS[one["task"]["id"]] for one in steps if one["task"]["id"] in OURS] == [
        "ProvisionAmlComputeV1",
        "RunAmlPipelineV1",
        "EvaluateAndGateV1",
    ]
    _check_inputs(steps, "build-definition.json", connection["id"])
    assert classic["variables"]["resourcegroup"]["value"] == "rg (one)"
    assert classic["triggers"][0]["branchFilters"] == ["+refs/heads/main"]

    host = "vsrm.dev.azure.com"
    listed = cloud.ask("GET", "imported/_apis/release/definitions", host=host).json()["value"]
    place = f"imported/_apis/release/definitions/{listed[0]['id']}"
    release = cloud.ask("GET", place, host=host).json()
    test, production = release["environments"]
    for stage in (test, production):
        tasks = stage["deployPhases"][0]["workflowTasks"]
        assert [OURS[one["taskId"]] for one in tasks if one["taskId"] in OURS] == ["DeployToAksV1"]
        _check_inputs(tasks, "release-definition.json", connection["id"])
        assert stage["deployPhases"][0]["deploymentInput"]["queueId"] == 1
    (approval,) = production["preDeployApprovals"]["approvals"]
    assert approval["approver"]["displayName"] == production["owner"]["displayName"] == "Local User"
    (artifact,) = release["artifacts"]
    assert artifact["definitionReference"]["definition"]["id"] == str(classic["id"])
    assert release["triggers"][0]["artifactAlias"] == artifact["alias"] == "_compliance-classifier"
    assert release["variables"]["aks_name"]["value"] == "aks-one"


def _check_inputs(tasks: list[dict[str, Any]], file: str, connection: str) -> None:
    """Every input came through the package as the file has it, but for the connection."""
    folder = ROOT / "samples" / "compliance-classifier" / "classic"
    document = json.loads((folder / file).read_text("utf-8"))
    originals = (
        document["process"]["phases"][0]["steps"]
        if "process" in document
        else document["environments"][0]["deployPhases"][0]["workflowTasks"]
    )
    for task, original in zip(tasks, originals, strict=True):
        wanted = dict(original["inputs"])
        if "connectedServiceNameARM" in wanted:
            wanted["connectedServiceNameARM"] = connection
        assert task["inputs"] == wanted


@pytest.mark.parametrize(
    ("arguments", "variables", "code"),
    [
        (["install"], {"AZURE_DEVOPS_EXT_PAT": "wrong"}, "TOKEN_REFUSED"),
        (["install"], {"AZURE_DEVOPS_EXT_PAT": ""}, "TOKEN_MISSING"),
        (["install", "--organization", "contoso"], {}, "ORGANIZATION_UNKNOWN"),
        (["install", "--organization", "http://dev.azure.com/x"], {}, "ORGANIZATION_INVALID"),
        (["install", "--publisher", "nobody"], {}, "EXTENSION_NOT_OFFERED"),
        (["install"], dict.fromkeys(_PROXY, "http://127.0.0.1:9"), "SERVICE_UNREACHABLE"),
        (["publish", "--vsix", "README.md"], {}, "VSIX_INVALID"),
        (["doctor", "WORKSPACE", "--project", "nix"], {}, "PROJECT_UNKNOWN"),
        (["sample", "WORKSPACE", "--connection", "nix"], {}, "CONNECTION_UNKNOWN"),
    ],
)
def test_a_failure_is_one_sentence(
    cloud: Cloud, arguments: list[str], variables: dict[str, str], code: str
) -> None:
    seen = cloud.changes()
    given = [w for a in arguments for w in (cloud.workspace if a == "WORKSPACE" else (a,))]
    failed = cloud.admin(*given, **variables)
    assert failed.code == 1
    (line,) = failed.text.strip().splitlines()
    assert line.startswith(f"{code}: ") and ". Next: " in line and line.endswith(".")
    assert cloud.changes() == seen


def test_the_token_is_asked_for_unseen(cloud: Cloud) -> None:
    token = cloud.environment["AZURE_DEVOPS_EXT_PAT"]
    terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    command = [sys.executable, "dev.py", "admin", "doctor", *cloud.workspace, "--project", "nix"]
    asking = subprocess.Popen(
        [sys.executable, "-c", terminal, *command],
        cwd=ROOT,
        env={**os.environ, **cloud.environment, "AZURE_DEVOPS_EXT_PAT": ""},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    with asking:
        assert asking.stdin and asking.stdout
        shown = b""
        while b"access token: " not in shown:
            piece = os.read(asking.stdout.fileno(), 4096)
            assert piece, shown
            shown += piece
        asking.stdin.write(token.encode() + b"\n")
        asking.stdin.flush()
        shown += asking.stdout.read()
    assert asking.returncode == 1
    assert b"PROJECT_UNKNOWN" in shown  # so the token was taken
    assert token.encode() not in shown


def test_what_is_somebody_elses_stays(cloud: Cloud, imported: Ran) -> None:
    to = ("--project", "imported")
    other = ("--tenant", "00000000-0000-0000-0000-000000000000")
    differs = cloud.admin(
        "connect", *to, *cloud.identity, *cloud.workspace, "--name", "THEIR own", *other
    )
    assert (differs.code, "CONNECTION_DIFFERS" in differs.text) == (1, True)
    assert "with another tenant." in differs.text

    here = ("--project", "imported", "--connection", "their own", *cloud.workspace)
    pool = cloud.admin("sample", *here, "--pool", "nix")
    assert (pool.code, "it can use 'Default'" in pool.text) == (1, True)

    push = {
        "refUpdates": [{"name": "refs/heads/main", "oldObjectId": "0" * 40}],
        "commits": [{"comment": "mine", "changes": [_ADD]}],
    }
    cloud.ask("POST", "imported/_apis/git/repositories/imported/pushes", json=push)
    taken = cloud.admin("sample", *here, *POOL, "--name", "imported")
    assert (taken.code, "REPOSITORY_TAKEN" in taken.text) == (1, True)
    wrong = cloud.admin("connect", *to, *cloud.identity, *cloud.workspace, "--tenant", "x")
    assert (wrong.code, "'x' is no GUID" in wrong.text) == (2, True)


_ADD = {
    "changeType": "add",
    "item": {"path": "/README.md"},
    "newContent": {"content": "mine", "contentType": "rawtext"},
}


@pytest.fixture(scope="module")
def poor_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Little quota, repositories may not be created, and a service that fails once."""
    once = "status=503 times=1 method=GET path=*/_apis/serviceendpoint/endpoints"
    forbidden = "status=403 method=POST path=*/_apis/git/repositories"
    folder = tmp_path_factory.mktemp("poor")
    with running(folder, "--fault", forbidden, "--fault", once, "--fault", "quota=15") as started:
        yield started


def test_what_is_not_allowed_or_too_little_is_named(poor_cloud: Cloud) -> None:
    made = poor_cloud.admin(
        "connect", *poor_cloud.identity, *poor_cloud.workspace, "--name", "untrusted"
    )
    assert made.code == 0, made.text
    here = (*poor_cloud.workspace, *POOL, "--connection", "untrusted")
    refused = poor_cloud.admin("sample", *here)
    assert (refused.code, "PERMISSION_MISSING" in refused.text) == (1, True)
    assert "grant the permission Create repository" in refused.text
    sick = poor_cloud.admin("doctor", *here, "--aks", "nix")
    missing = {line.partition(":")[0] for line in sick.lines("MISSING")}
    assert missing == {"agents", "extension", "sample", "trust", "cluster", "quota"}
    assert "15 cores of standardDSv2Family are free in eastus" in sick.text
    # The command that connect printed is what mends the trust.
    command = next(line for line in made.text.splitlines() if "federated-credential" in line)
    credential = json.loads(shlex.split(command)[-1])
    assert credential["subject"].endswith("/aml/untrusted")
    nobody = {
        name: value
        for name, value in poor_cloud.environment.items()
        if name not in ("AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_TENANT_ID")
    }
    blind = replace(poor_cloud, environment=nobody).admin("doctor", *here)
    assert {line.partition(":")[0] for line in blind.lines("unknown")} == {
        *("providers", "workspace", "roles", "trust")
    }
    assert blind.code == 1 and "az login" in blind.text
