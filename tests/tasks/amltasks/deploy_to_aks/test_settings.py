"""Settings from files and input: names, values, and what is refused before any call."""

from __future__ import annotations

from pathlib import Path

import pytest

from amltasks import errors
from amltasks.deploy_to_aks import settings


def read(folder: Path, written: str = "", **files: str) -> settings.Found:
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    return settings.read(tuple(files), written, folder, "parts")


def test_a_later_source_overrides_member_by_member(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "liveness_probe: {timeout: 3}\nenvironment_variables: {B: 2}",
        first="liveness_probe: {period: 5, timeout: 1}\nenvironment_variables: {A: 1, B: true}",
        second='{"livenessProbeRequirements": {"periodSeconds": 9}, "tags": null}',
    )
    assert found.group("liveness") == {"period": 9, "timeout": 3}
    assert found.mappings["environment_variables"] == {"A": "1", "B": "2"}
    assert found.told["liveness.period"].where == "second"


@pytest.mark.parametrize(
    ("earlier", "later", "left"),
    [
        ("environment: {name: e, version: 1}", "environment: e:2", {"environment": "e:2"}),
        ("environment: {image: i, conda_file: c}", "environment: e:2", {"environment": "e:2"}),
        ("environment: e:2", "environment: {name: f}", {"environment_name": "f"}),
        ("environment: e:2", "baseImage: i", {"image": "i"}),
    ],
)
def test_a_later_environment_overrides_the_whole_of_an_earlier_one(
    earlier: str, later: str, left: dict[str, str], tmp_path: Path
) -> None:
    found = read(tmp_path, later, first=earlier)
    assert {name: found.text(name) for name in found.told} == left


def test_units_are_those_of_kubernetes_and_of_the_files(tmp_path: Path) -> None:
    requests = "resources: {requests: {cpu: 250m, memory: 512Mi}, limits: {memory: 2G}}"
    found = read(tmp_path, f"{requests}\nrequest_settings: {{request_timeout_ms: 1500}}")
    assert (found.number("cpu"), found.number("memory")) == (0.25, 0.5)
    assert found.number("memory_limit") == pytest.approx(1.8626, abs=1e-4)
    assert found.number("request_timeout") == 1.5
    assert found.whole("replicas") is None
    assert found.flag("egress") is None
    assert found.texts("identities") == ()


def test_files_lie_beside_the_file_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "v1.json").write_text(
        '{"sourceDirectory": "src", "entryScript": "score.py", "condaFile": "conda.yml"}'
    )
    found = settings.read(("deep/v1.json",), "", tmp_path, "parts")
    source = tmp_path / "deep" / "src"
    assert found.text("source_directory") == str(source)
    assert found.text("entry_script") == str(source / "score.py")
    assert found.text("environment_file") == str(source / "conda.yml")
    found = read(tmp_path, v2="environment: {conda_file: conda.yml}\nendpoint_name: parts")
    assert found.text("environment_file") == str(tmp_path / "conda.yml")


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("- a", "SETTING_INVALID", "no mapping"),
        ("a: [", "SETTING_INVALID", "line"),
        ("surprise: 1", "SETTING_INVALID", "surprise (line 1) is no setting that this task knows"),
        ("\nliveness_probe:\n  speed: 1", "SETTING_INVALID", "liveness_probe.speed (line 3)"),
        ("traffic: {blue: 100}", "SETTING_UNSUPPORTED", "traffic, which cannot be done: this task"),
        ("keys: {primaryKey: tell-nobody}", "SETTING_UNSUPPORTED", "Azure makes the keys"),
        ("model: {path: ./m}", "SETTING_UNSUPPORTED", "registered models"),
        ("name: other\nauth_mode: key", "SETTING_INVALID", "name is not the task's serviceName"),
        ("endpoint_name: other", "SETTING_INVALID", "endpoint_name is not the task's"),
        ("auth_mode: password", "SETTING_INVALID", "one of key, aml_token, aad_token"),
        ("instance_count: 0", "SETTING_INVALID", "a whole number from 1"),
        ("instance_count: true", "SETTING_INVALID", "a whole number from 1"),
        ("resources: {requests: {cpu: many}}", "SETTING_INVALID", "a number of 0 or more"),
        ("resources: {requests: {memory: 0Gi}}", "SETTING_INVALID", "a number above 0"),
        ("scale_settings: {target_utilization_percentage: 101}", "SETTING_INVALID", "1 to 100"),
        ("app_insights_enabled: 'yes'", "SETTING_INVALID", "true or false"),
        ("tags: [a]", "SETTING_INVALID", "one value each"),
        ("identity: {user_assigned_identities: one}", "SETTING_INVALID", "not a list"),
        ("gpuCores: .inf", "SETTING_INVALID", "a whole number from 0"),
        ("description: ''", "SETTING_INVALID", "not a text"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, code: str, words: str) -> None:
    with pytest.raises(errors.TaskError) as raised:
        read(tmp_path, text)
    assert raised.value.cause.code == code
    assert words in str(raised.value)
    assert "tell-nobody" not in str(raised.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(errors.TaskError, match="FILE_NOT_FOUND"):
        settings.read(("nowhere.yml",), "", tmp_path, "parts")
    (tmp_path / "wide.yml").write_bytes("name: ä".encode("utf-16"))
    with pytest.raises(errors.TaskError, match="no UTF-8 text"):
        settings.read(("wide.yml",), "", tmp_path, "parts")
