"""The built tasks over three builds of one consumer: a first model, its equal, a bad one."""

from __future__ import annotations

import json
import ssl
from pathlib import Path

import httpx
import pytest

from local.demo.scoring import locate
from tests.extension.tab.frame import opening, pages_of
from tests.extension.tab.service import Service
from tests.patience import PATIENCE_S

# The local Azure has a cluster attached, for v2; v1 makes its own.
CHOSEN = {
    "v2": {"sdk": "v2", "aml_pipeline": "aml_pipeline_v2.yml", "aks_name": "k8s-cluster"},
    "v1": {"sdk": "v1", "aml_pipeline": "aml_pipeline_v1.py", "aks_name": "consumer-aks"},
}


@pytest.fixture(scope="module", params=["v2", "v1"])
def sdk(request):
    return request.param


@pytest.fixture(scope="module")
def builds(run_pipeline, sdk):
    return [run_pipeline(quality=quality, **CHOSEN[sdk]) for quality in ("0.91", "0.91", "0.55")]


@pytest.fixture(scope="module")
def answer(builds, azure_environment, sdk):
    """What the service says after all three builds."""
    trust = ssl.create_default_context(cafile=azure_environment["SSL_CERT_FILE"])
    proxy = azure_environment["HTTPS_PROXY"]
    with httpx.Client(proxy=proxy, verify=trust, trust_env=False, timeout=PATIENCE_S) as client:
        endpoint, key = locate(client, azure_environment, "consumer-service", sdk)
        headers = {"Authorization": f"Bearer {key}"}
        return client.post(endpoint, json={"data": [3, -3]}, headers=headers)


def results(build):
    return {step["name"]: step["result"] for step in build.document["steps"] if step["name"]}


class TestFirstBuild:
    def test_every_step_succeeds(self, builds):
        expected = dict.fromkeys(("provision", "train", "gate", "deploy"), "succeeded")
        assert builds[0].exit_code == 0, builds[0].console
        assert results(builds[0]).items() >= expected.items()

    def test_the_cluster_is_created(self, builds):
        outputs = builds[0].step("provision")["outputs"]
        assert outputs == {
            "computeName": "cpu-cluster",
            "computeState": "Succeeded",
            "computeOutcome": "created",
        }

    def test_metrics_become_outputs(self, builds):
        outputs = builds[0].step("train")["outputs"]
        assert outputs["metric.accuracy"] == "0.91"
        assert json.loads(outputs["metrics"])["accuracy"] == 0.91
        assert outputs["runStatus"] == "Completed"
        assert outputs["runId"] in outputs["portalUrl"]

    def test_a_command_in_a_training_log_is_only_text(self, builds):
        assert "a log is foreign text" in builds[0].console
        assert "##vso[task.setvariable variable=stolen]" not in builds[0].console

    def test_the_first_model_passes_because_the_rules_allow_it(self, builds):
        outputs = builds[0].step("gate")["outputs"]
        assert outputs["passed"] == "true"
        assert outputs["modelVersion"] == "1"

    def test_the_evidence_is_written(self, builds):
        outputs = builds[0].step("gate")["outputs"]
        information = json.loads(Path(outputs["evalInfoPath"]).read_text())
        assert information["model_name"] == "consumer-model"
        assert information["deployed_model_acc"] == -1
        assert information["deploy_model"] is True
        assert "accuracy" in Path(outputs["reportPath"]).read_text()

    def test_the_service_is_live(self, builds):
        outputs = builds[0].step("deploy")["outputs"]
        assert outputs["serviceState"] == "Healthy"
        assert outputs["scoringUri"].startswith("https://")
        assert "primaryKey" not in outputs


class TestSecondBuild:
    def test_it_is_compared_with_the_model_in_service(self, builds):
        outputs = builds[1].step("gate")["outputs"]
        assert (outputs["passed"], outputs["reason"]) == ("true", "PASSED")
        information = json.loads(Path(outputs["evalInfoPath"]).read_text())
        assert information["deployed_model_acc"] == 0.91

    def test_the_cluster_is_reused(self, builds):
        assert builds[1].step("provision")["outputs"]["computeOutcome"] == "reused"

    def test_the_next_version_is_deployed(self, builds):
        assert builds[1].exit_code == 0, builds[1].console
        assert builds[1].step("gate")["outputs"]["modelVersion"] == "2"
        assert builds[1].step("deploy")["outputs"]["serviceState"] == "Healthy"


class TestRejectedBuild:
    def test_the_gate_fails_and_says_why(self, builds):
        gate = builds[2].step("gate")
        assert builds[2].exit_code == 1
        assert gate["result"] == "failed"
        assert gate["outputs"]["passed"] == "false"
        assert gate["outputs"]["reason"] == "BELOW_FLOOR"
        assert "0.55" in builds[2].console

    def test_nothing_is_registered(self, builds):
        assert not builds[2].step("gate")["outputs"].get("modelVersion")

    def test_the_deployment_is_skipped(self, builds):
        assert builds[2].step("deploy")["result"] == "skipped"

    def test_the_old_service_still_answers(self, answer):
        assert answer.status_code == 200
        assert answer.json() == {"predictions": [1, 0], "quality": 0.91}


def test_the_tab_of_a_build_shows_what_its_tasks_attached(
    builds, azure_environment, vsix, browser, tmp_path
):
    service = Service(azure_environment)
    found = service.call("GET", f"{service.project['id']}/_apis/build/builds").json()["value"]
    rejected, second, _ = found
    with opening(browser, pages_of(vsix, tmp_path), service) as open_tab:
        tab = open_tab(Build=second["id"])
        text = tab.text()
        assert "Gate: consumer-model ✓ passed" in text
        assert "Deployment: consumer-service ✓ Healthy" in text
        assert "consumer-model:2" in text
        (chart,) = tab.frame.locator("svg").all()
        assert str(chart.get_attribute("aria-label")).startswith(
            f"accuracy, higher is better: 3 builds from {found[2]['buildNumber']} to "
            f"{rejected['buildNumber']}, lowest 0.55, highest 0.91, last 0.55 (rejected)."
        )
        page = tab.frame.frame_locator('iframe[title="Gate report: consumer-model"]')
        page.get_by_role("heading", name="consumer-model", exact=True).wait_for()
        shown = tab.frame.locator("details", has_text="Deployment report: consumer-service")
        shown.evaluate("details => { details.open = true }")
        page = tab.frame.frame_locator('iframe[title="Deployment report: consumer-service"]')
        page.get_by_role("row", name=f"Deployment's build id {second['id']}").wait_for()

        text = open_tab(Build=rejected["id"]).text()
        assert "Gate: consumer-model ✕ rejected" in text
        assert "BELOW_FLOOR" in text
    service.session.close()


def test_no_credential_reaches_any_console(builds, azure_environment):
    for build in builds:
        assert azure_environment["AZURE_CLIENT_SECRET"] not in build.console
