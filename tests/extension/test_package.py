"""The built .vsix: complete, clean, reproducible; and what happens when it cannot be built."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from extension import bundles, closure, contents, package, sbom
from extension.sources import PackagingError

ROOT = Path(__file__).resolve().parents[2]
TASKS = ["DeployToAksV1", "EvaluateAndGateV1", "ProvisionAmlComputeV1", "RunAmlPipelineV1"]
SERVICES_OWN = ["AmlGateVerdictV1", "WaitForAmlRunV1"]
GIVEN_THE_JOBS_TOKEN = ["EvaluateAndGateV1"]
CLEANS_UP = {"ProvisionAmlComputeV1": {"cleanUp.js"}}


def names(vsix: Path) -> list[str]:
    """The entries of the archive."""
    with zipfile.ZipFile(vsix) as archive:
        return archive.namelist()


def read_json(vsix: Path, name: str) -> dict[str, Any]:
    """One JSON entry of the archive."""
    with zipfile.ZipFile(vsix) as archive:
        found = json.loads(archive.read(name))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("task", TASKS)
def test_a_task_holds_all_it_needs_and_nothing_else(built_vsix: Path, task: str) -> None:
    prefix = f"tasks/{task}/"
    found = {name.removeprefix(prefix) for name in names(built_vsix) if name.startswith(prefix)}
    modules = {name for name in found if name.startswith("python/")}
    assert found - modules == {
        "LICENSE",
        "Strings/resources.resjson/de-DE/resources.resjson",
        "Strings/resources.resjson/en-US/resources.resjson",
        "ThirdPartyNotices.txt",
        "icon.png",
        "launcher.js",
        "requirements/uv.txt",
        "requirements/v1.txt",
        "requirements/v2.txt",
        "task.json",
        "task.loc.json",
    } | ({"launcher.json"} if task in GIVEN_THE_JOBS_TOKEN else set()) | CLEANS_UP.get(task, set())
    other = {closure.package_of(name) for name in (one[:-2] for one in TASKS)} - {
        closure.package_of(task[:-2])
    }
    packages = {name.split("/")[2] for name in modules}
    assert closure.package_of(task[:-2]) in packages
    assert not packages & {*other, "admin"}


@pytest.mark.parametrize("task", TASKS)
def test_what_a_task_ships_imports_nothing_that_is_missing(
    built_vsix: Path, task: str, tmp_path: Path
) -> None:
    prefix = f"tasks/{task}/python/"
    with zipfile.ZipFile(built_vsix) as archive:
        shipped = [name for name in archive.namelist() if name.startswith(prefix)]
        archive.extractall(tmp_path, shipped)
    modules = [
        name.removeprefix(prefix).removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        for name in shipped
        if name.endswith(".py") and not name.endswith("__main__.py")
    ]
    code = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, *modules],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / prefix)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("task", SERVICES_OWN)
def test_a_task_that_the_service_runs_brings_no_program(built_vsix: Path, task: str) -> None:
    prefix = f"tasks/{task}/"
    found = {name.removeprefix(prefix) for name in names(built_vsix) if name.startswith(prefix)}
    strings = {f"Strings/resources.resjson/{code}/resources.resjson" for code in ("de-DE", "en-US")}
    assert found == {"LICENSE", "icon.png", "task.json", "task.loc.json", *strings}


def test_only_the_gate_asks_for_the_jobs_token(built_vsix: Path) -> None:
    with zipfile.ZipFile(built_vsix) as archive:
        settings = [name for name in archive.namelist() if name.endswith("launcher.json")]
        assert settings == [f"tasks/{task}/launcher.json" for task in GIVEN_THE_JOBS_TOKEN]
        assert all(json.loads(archive.read(name)) == {"jobToken": True} for name in settings)


def test_the_launcher_is_told_the_manifests_page_of_support() -> None:
    page = {"links": {"support": {"uri": "https://example.org/troubleshooting"}}}
    told = {"support": "https://example.org/troubleshooting"}
    gate, other = (ROOT / "tasks" / name for name in ("EvaluateAndGateV1", "DeployToAksV1"))
    assert package.launcher_settings(gate, page) == {"jobToken": True, **told}
    assert package.launcher_settings(other, page) == told
    assert package.launcher_settings(other, {}) == {}


def test_only_the_gate_brings_the_statistics(built_vsix: Path) -> None:
    with zipfile.ZipFile(built_vsix) as archive:
        brought = {
            task: b"scipy==" in archive.read(f"tasks/{task}/requirements/v2.txt") for task in TASKS
        }
    assert brought == {task: task == "EvaluateAndGateV1" for task in TASKS}


def test_on_v2_only_who_submits_or_reads_runs_brings_azure_ai_ml(built_vsix: Path) -> None:
    with zipfile.ZipFile(built_vsix) as archive:
        locks = {task: archive.read(f"tasks/{task}/requirements/v2.txt") for task in TASKS}
    brought = {task for task, lock in locks.items() if b"azure-ai-ml==" in lock}
    assert brought == {"EvaluateAndGateV1", "RunAmlPipelineV1"}
    # The port's runs are all that needs it, and the others never ask for them.
    asking = {
        task
        for task in TASKS
        for path in (ROOT / "tasks" / "amltasks" / closure.package_of(task[:-2])).rglob("*.py")
        if any(
            isinstance(node, ast.Attribute) and node.attr == "runs"
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        )
    }
    assert asking == brought


@pytest.mark.parametrize("task", ["ProvisionAmlComputeV1", "DeployToAksV1"])
def test_a_task_without_azure_ai_ml_starts_without_it(
    built_vsix: Path, task: str, tmp_path: Path
) -> None:
    prefix = f"tasks/{task}/"
    with zipfile.ZipFile(built_vsix) as archive:
        archive.extractall(tmp_path, [name for name in archive.namelist() if prefix in name])
    lock = (tmp_path / prefix / "requirements" / "v2.txt").read_text(encoding="utf-8")
    brought = set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    # Of the packages that come with azure-ai-ml alone, none can be imported.
    absent = {"azure.ai", "azure.storage", "azure.mgmt", "marshmallow", "pydash", "jsonschema"}
    assert not brought & {"azure-ai-ml", "azure-storage-blob", "azure-mgmt-core", "marshmallow"}
    code = (
        "import sys; sys.modules.update(dict.fromkeys(sys.argv[1].split()))\n"
        f"import amltasks.{closure.package_of(task[:-2])}.task, amltasks.workspace.sdk_v2.session\n"
        "from azure.identity import ClientSecretCredential"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, " ".join(absent)],
        env={**os.environ, "PYTHONPATH": str(tmp_path / prefix / "python")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_contributions_name_the_folders_of_the_tasks(built_vsix: Path) -> None:
    manifest = read_json(built_vsix, "extension.vsomanifest")
    tasks = {
        item["id"]: item["properties"]["name"]
        for item in manifest["contributions"]
        if item["type"] == "ms.vss-distributed-task.task"
    }
    assert tasks == {task: f"tasks/{task}" for task in [*TASKS, *SERVICES_OWN]}
    for task, folder in tasks.items():
        about = read_json(built_vsix, f"{folder}/task.json")
        assert f"{about['name']}V{about['version']['Major']}" == task


def test_the_ids_of_the_tasks_stay(built_vsix: Path) -> None:
    tasks = [*TASKS, *SERVICES_OWN]
    found = {task: read_json(built_vsix, f"tasks/{task}/task.json")["id"] for task in tasks}
    assert found == {
        "ProvisionAmlComputeV1": "4e755dd3-fb99-462e-a9cb-af133afa1a43",
        "RunAmlPipelineV1": "659d9989-e3a5-45fd-9ffb-d0a3d3546ea9",
        "EvaluateAndGateV1": "51398520-1723-4d97-81d4-b80ab0f54309",
        "DeployToAksV1": "9c2e476a-321f-4934-bd48-311945c15098",
        "AmlGateVerdictV1": "009b7e30-1cd5-4e5f-8f4f-e9a145f27747",
        "WaitForAmlRunV1": "a60ee780-20f5-45bb-b6c3-a1352528fa52",
    }


def test_all_tasks_carry_one_launcher_and_it_is_small(built_vsix: Path) -> None:
    with zipfile.ZipFile(built_vsix) as archive:
        launchers = {archive.read(f"tasks/{task}/launcher.js") for task in TASKS}
        notices = archive.read(f"tasks/{TASKS[0]}/ThirdPartyNotices.txt").decode()
    assert len(launchers) == 1
    assert len(launchers.pop()) < 60_000
    assert "azure-pipelines-task-lib" in notices
    assert "Permission is hereby granted" in notices


def test_tab_and_widget_are_whole_served_and_small(built_vsix: Path) -> None:
    manifest = read_json(built_vsix, "extension.vsomanifest")
    tabs = [item for item in manifest["contributions"] if "uri" in item["properties"]]
    assert {(item["type"], *item["targets"]) for item in tabs} == {
        ("ms.vss-build-web.build-results-tab", "ms.vss-build-web.build-results-view"),
        (
            "ms.vss-releaseManagement-web.release-summary-tab",
            "ms.vss-releaseManagement-web.release-details-view",
        ),
        (
            "ms.vss-dashboards-web.widget",
            "ms.vss-dashboards-web.widget-catalog",
            ".gate-widget.configuration",
        ),
        (
            "ms.vss-dashboards-web.widget-configuration",
            "ms.vss-dashboards-web.widget-configuration",
        ),
    }
    assert {item["properties"]["uri"] for item in tabs} == {
        f"extension/tab/{name}.html" for name in ("configuration", "index", "widget")
    }
    (icon,) = {item["properties"].get("catalogIconUrl") for item in tabs} - {None}
    assert manifest["scopes"] == ["vso.build", "vso.release"]
    with zipfile.ZipFile(built_vsix) as archive:
        sizes = {
            entry.filename.removeprefix("extension/tab/"): entry.compress_size
            for entry in archive.infolist()
            if entry.filename.startswith("extension/tab/")
        }
        marketplace = archive.read("extension.vsixmanifest").decode()
    pages = ("configuration.html", "index.html", "widget.html")
    assert set(sizes) == {"ThirdPartyNotices.txt", *pages, "tab.css", "tab.js"}
    assert f'Path="{icon}" Addressable="true"' in marketplace
    assert sum(sizes.values()) < 40_000
    for name in sizes:
        part = f'Path="extension/tab/{name}" Addressable="true"'
        assert part in marketplace, name


def test_what_the_gallery_page_shows_is_served(built_vsix: Path) -> None:
    """The gallery finds what a page links to among the addressable files, from the root on."""
    with zipfile.ZipFile(built_vsix) as archive:
        page = archive.read("extension/overview.md").decode()
        marketplace = archive.read("extension.vsixmanifest").decode()
    links = re.findall(r"\]\(([^):]+)\)", page)
    pictures = {f"images/{name}.png" for name in ("classic-editor", "yaml-editor", "report-tab")}
    assert {*pictures, "privacy.md", "security.md", "troubleshooting.md"} <= set(links)
    for link in links:
        assert f'Path="{link}" Addressable="true"' in marketplace, link
    for task in TASKS:
        assert f"**{task.removesuffix('V1')}@1**" in page
    for kind, path in (
        ("Content.Details", "extension/overview.md"),
        ("Content.License", "LICENSE"),
        ("Content.Changelog", "CHANGELOG.md"),
        ("Icons.Default", "images/icon.png"),
    ):
        assert f'Type="Microsoft.VisualStudio.Services.{kind}" d:Source="File" Path="{path}"' in (
            marketplace
        )
    # No address is known until somebody publishes it; an invented one would be worse than none.
    assert "Services.Links." not in marketplace


def test_the_bill_of_materials_is_valid_and_names_all_parts(built_vsix: Path) -> None:
    with zipfile.ZipFile(built_vsix) as archive:
        text = archive.read(sbom.NAME).decode()
        notices = "".join(
            archive.read(name).decode()
            for name in archive.namelist()
            if name.endswith("ThirdPartyNotices.txt")
        )
        locks = "".join(
            archive.read(name).decode() for name in archive.namelist() if "/requirements/" in name
        )
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    purls = {item["purl"]: item for item in bill["components"]}
    headings = re.findall(r"^-{70}\n(\S+) (\S+) \((.+)\)$", notices, re.MULTILINE)
    npm = {f"pkg:npm/{name.replace('@', '%40')}@{version}" for name, version, _ in headings}
    for name in ("azure-pipelines-task-lib", "fast-levenshtein", "azure-devops-extension-sdk"):
        assert any(purl.startswith(f"pkg:npm/{name}@") for purl in npm)
    assert npm == {purl for purl in purls if purl.startswith("pkg:npm/")}
    assert all(purls[purl]["licenses"] and purls[purl]["scope"] == "required" for purl in npm)
    pinned = re.findall(r"^([\w.-]+)==([^\s;]+)", locks, re.MULTILINE)
    assert {f"pkg:pypi/{name}@{version}" for name, version in pinned} == purls.keys() - npm
    (whole,) = (item for item in bill["dependencies"] if item.get("dependsOn"))
    assert set(whole["dependsOn"]) == {item["bom-ref"] for item in bill["components"]}
    assert "timestamp" not in bill["metadata"]


def test_the_extension_stays_below_one_megabyte(built_vsix: Path) -> None:
    assert built_vsix.stat().st_size <= 1_000_000, "see what weighs what: dev.py package"


def test_the_size_is_told_with_its_parts(built_vsix: Path) -> None:
    first, *parts = list(contents.report(built_vsix))
    assert first.startswith(f"{built_vsix.name}: {built_vsix.stat().st_size / 1000:,.0f} kB, ")
    own, others = parts[:-2], parts[-2:]
    told = sum(float(line.split()[0].replace(",", "")) for line in own)
    # The directory of a zip is no part; kilobytes are rounded.
    assert (
        0.9 * built_vsix.stat().st_size
        < 1000 * (told + len(own))
        < 1.1 * (built_vsix.stat().st_size)
    )
    assert all(" times as large: " in line and "#" in line for line in others)


def test_nothing_of_this_machine_is_in_it(built_vsix: Path) -> None:
    with zipfile.ZipFile(built_vsix) as archive:
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert not entry.is_dir()
            assert "__pycache__" not in entry.filename
            assert str(ROOT).encode() not in archive.read(entry), entry.filename


def test_the_same_sources_give_the_same_bytes(built_vsix: Path, tmp_path: Path) -> None:
    """Also in another place and language, with another order of sets and other rights of files."""
    elsewhere = {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7", "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "extension.package", "--out", str(tmp_path / "out")],
        cwd=ROOT,
        check=True,
        env={**os.environ, **elsewhere},
        stdout=subprocess.PIPE,
        text=True,
        umask=0o077,
    )
    again = Path(done.stdout.splitlines()[-1])
    assert again.name == "amltasks.azure-machine-learning-tasks-0.1.0.vsix" == built_vsix.name
    assert again.read_bytes() == built_vsix.read_bytes()


@pytest.mark.slow
def test_a_warning_of_tfx_is_a_failure(tmp_path: Path) -> None:
    staged = tmp_path / "staged"
    package.stage(staged)
    path = staged / "tasks" / TASKS[0] / "task.json"
    task = json.loads(path.read_text())
    task["execution"]["Node24"]["target"] = "missing.js"
    path.write_text(json.dumps(task))
    with pytest.raises(PackagingError, match=r"(?s)tfx warned.*missing\.js"):
        package.create_vsix(staged, tmp_path / "x.vsix")


@pytest.mark.slow
def test_what_tfx_refuses_is_told(tmp_path: Path) -> None:
    staged = tmp_path / "staged"
    package.stage(staged)
    path = staged / "vss-extension.json"
    path.write_text(path.read_text().replace('"publisher": "amltasks"', '"publisher": ""'))
    with pytest.raises(PackagingError, match=r"(?s)failed with exit code.*'publisher' must"):
        package.create_vsix(staged, tmp_path / "x.vsix")


def test_without_node_modules_one_sentence_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundles, "ROOT", tmp_path)
    with pytest.raises(PackagingError, match=r"holds no esbuild\. Next: run `npm ci`"):
        package.stage(tmp_path / "staged")


def test_the_command_line_ends_with_1_and_no_stack_trace(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-m", "extension.package", "--out", str(tmp_path / "file")],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert "is a file" in done.stderr
    assert "Traceback" not in done.stderr


def test_repacking_keeps_every_byte_of_every_entry(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        archive.writestr("b/", "")
        archive.writestr("b/two.png", bytes(range(256)))
        archive.writestr("a.txt", "ä")
    package.repack(tmp_path / "old.zip", tmp_path / "new.zip")
    with zipfile.ZipFile(tmp_path / "new.zip") as archive:
        assert archive.namelist() == ["a.txt", "b/two.png"]
        assert archive.read("b/two.png") == bytes(range(256))


def test_every_entry_has_a_content_type(built_vsix: Path) -> None:
    with zipfile.ZipFile(built_vsix) as archive:
        text = archive.read(package.CONTENT_TYPES_NAME).decode()
    types = ElementTree.fromstring(text)  # noqa: S314 - our own file
    extensions = {item.get("Extension") for item in types if item.tag.endswith("Default")}
    parts = {item.get("PartName") for item in types if item.tag.endswith("Override")}
    for name in names(built_vsix):
        if name != package.CONTENT_TYPES_NAME:
            assert Path(name).suffix in extensions or f"/{name}" in parts
    with pytest.raises(PackagingError, match=r"a\.exe has no known type"):
        package.content_types(["a.exe"])
