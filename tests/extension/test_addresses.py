"""The manifest's `repository` is the one setting; every address follows it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from extension import addresses, package

GITHUB = "https://github.com/contoso/azure-ml-tasks"
AZURE = "https://dev.azure.com/contoso/ml/_git/azure-ml-tasks"


def test_without_a_repository_there_are_no_addresses() -> None:
    manifest = package.manifest_with(None)
    assert "repository" not in manifest
    assert addresses.completed(manifest) == manifest
    assert addresses.documented({"name": "T"}, "TV1", manifest) == {"name": "T"}


@pytest.mark.parametrize(
    ("uri", "page"),
    [
        (GITHUB, f"{GITHUB}/blob/main/docs/troubleshooting.md"),
        (f"{GITHUB}.git/", f"{GITHUB}/blob/main/docs/troubleshooting.md"),
        (AZURE, f"{AZURE}?path=/docs/troubleshooting.md&version=GBmain"),
    ],
)
def test_all_addresses_follow_the_repository(uri: str, page: str) -> None:
    manifest = addresses.completed({"version": "1.2.3", "repository": {"uri": uri}})
    assert manifest["links"]["support"]["uri"] == page
    assert set(manifest["links"]) == {"getstarted", "learn", "support", "license", "repository"}
    assert "1.2.3" in manifest["badges"][0]["uri"]


def test_what_the_manifest_says_itself_wins() -> None:
    own = {"support": {"uri": "https://help.contoso.example"}}
    manifest = addresses.completed(
        {"version": "1", "repository": {"uri": GITHUB}, "links": own, "badges": []}
    )
    assert manifest["links"]["support"] == own["support"]
    assert manifest["badges"] == []


def test_a_package_of_a_repository_leads_there(tmp_path: Path) -> None:
    changes = {"repository": {"type": "git", "uri": GITHUB}, "publisher": "contoso"}
    package.stage(tmp_path / "staged", changes)
    folder = tmp_path / "staged" / "tasks" / "RunAmlPipelineV1"
    task = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    assert task["helpUrl"] == f"{GITHUB}/blob/main/tasks/RunAmlPipelineV1/README.md"
    settings = json.loads((folder / "launcher.json").read_text(encoding="utf-8"))
    assert settings["support"] == f"{GITHUB}/blob/main/docs/troubleshooting.md"
    manifest = json.loads((tmp_path / "staged" / "vss-extension.json").read_text(encoding="utf-8"))
    assert manifest["publisher"] == "contoso"
