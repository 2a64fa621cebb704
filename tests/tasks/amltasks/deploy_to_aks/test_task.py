"""DeployToAks: what is told before any call. contract/ has the rest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.tasks.amltasks.conftest import Starter

TASK = "DeployToAks"
WHERE = {
    "serviceName": "compliance",
    "modelName": "served",
    "modelVersion": "1",
    "aksName": "aks-near",
    "entryScript": "scoring/score.py",
    "environmentFile": "scoring/conda.yml",
    "smokeFile": "smoke.json",
}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"smokeFile": "scoring/score.py"}, "SMOKE_FILE_INVALID"),
        ({"smokeFile": "nowhere.json"}, "FILE_NOT_FOUND"),
        ({"entryScript": "nowhere.py"}, "FILE_NOT_FOUND"),
        ({"environmentFile": ""}, "INPUT_MISSING"),
        ({"sourceDirectory": "steps"}, "INPUT_INVALID"),
        ({"sourceDirectory": "nowhere"}, "FILE_NOT_FOUND"),
        ({"serviceName": "Compliance"}, "SERVICE_NAME_INVALID"),
        ({"aksName": "a"}, "COMPUTE_NAME_INVALID"),
        ({"modelVersion": "latest"}, "INPUT_INVALID"),
        ({"modelVersion": "0"}, "INPUT_INVALID"),
        ({"modelVersion": "build:"}, "INPUT_INVALID"),
        ({"exportKey": "perhaps"}, "INPUT_INVALID"),
        ({"smokeFile": "", "smokeMaxSeconds": "1"}, "INPUT_MISSING"),
        ({"aksName": ""}, "INPUT_MISSING"),
        ({"target": "aci"}, "INPUT_INVALID"),
        ({"target": "managed", "sdk": "v1"}, "TARGET_UNSUPPORTED"),
        ({"target": "managed", "instanceCount": "0"}, "INPUT_INVALID"),
        ({"sdk": "v3"}, "INPUT_INVALID"),
        ({"ramp": "10,50"}, "INPUT_INVALID"),
        ({"ramp": "50,10,100"}, "INPUT_INVALID"),
        ({"ramp": "0,100"}, "INPUT_INVALID"),
        ({"ramp": "ten,100"}, "INPUT_INVALID"),
        ({"ramp": "10,100", "sdk": "v1"}, "INPUT_INVALID"),
        ({"bakeSeconds": "-1"}, "INPUT_INVALID"),
        ({"mode": "undo"}, "INPUT_INVALID"),
        ({"environment": "scoring:1"}, "INPUT_INVALID"),  # and a file too
        ({"environmentFile": "", "environment": "scoring"}, "INPUT_INVALID"),
        (
            {
                "environmentFile": "",
                "environment": "azureml://registries/azureml/environments/e/versions/1",
                "sdk": "v1",
            },
            "INPUT_INVALID",
        ),
        (
            {
                "environmentFile": "",
                "environment": "azureml://registries/azureml/environments/e/versions/1",
            },
            "INPUT_INVALID",
        ),
        ({"entryScript": ""}, "INPUT_MISSING"),  # for there is an environment file
        ({"entryScript": "", "environmentFile": "", "sdk": "v1"}, "INPUT_MISSING"),
        ({"environmentVariables": "- a"}, "INPUT_INVALID"),
        ({"requestTimeout": "0"}, "INPUT_INVALID"),
        ({"maxConcurrentRequests": "0"}, "INPUT_INVALID"),
        ({"maxQueueWait": "-1"}, "INPUT_INVALID"),
        ({"mode": "rollback", "sdk": "v1"}, "MODE_UNSUPPORTED"),
        ({"mode": "rollback", "smokeFile": "nowhere.json"}, "FILE_NOT_FOUND"),
        ({"mode": "delete", "serviceName": "Compliance"}, "SERVICE_NAME_INVALID"),
        ({"keepRevisions": "1", "sdk": "v1"}, "MODE_UNSUPPORTED"),
        ({"keepRevisions": "6"}, "INPUT_INVALID"),
        ({"requireGate": "yes"}, "INPUT_INVALID"),
        ({"modelName": ""}, "INPUT_MISSING"),
        ({"modelName": "azureml://registries/central/models/m"}, "INPUT_INVALID"),
        ({"modelName": "azureml://registries/central/models/m", "sdk": "v1"}, "INPUT_INVALID"),
        ({"modelName": "azureml://locations/eastus/workspaces/w/models/m"}, "INPUT_INVALID"),
        ({"appInsights": "perhaps"}, "INPUT_INVALID"),
        ({"deploymentFiles": "nowhere.yml"}, "FILE_NOT_FOUND"),
        ({"settings": "surprise: 1"}, "SETTING_INVALID"),
        ({"settings": "type: managed"}, "SETTING_INVALID"),
        ({"settings": "compute: azureml:other"}, "SETTING_INVALID"),
        ({"modelName": "", "settings": "model: served"}, "SETTING_INVALID"),
        ({"settings": "request_settings: {request_timeout_ms: 900000}"}, "SETTING_INVALID"),
        ({"settings": "namespace: parts"}, "SETTING_UNSUPPORTED"),
        ({"settings": "authEnabled: false"}, "SETTING_UNSUPPORTED"),
        ({"settings": "dataCollection: {storageEnabled: true}"}, "SETTING_UNSUPPORTED"),
        ({"settings": "load_balancer_type: InternalLoadBalancer"}, "SETTING_UNSUPPORTED"),
        ({"settings": "egress_public_network_access: disabled"}, "SETTING_UNSUPPORTED"),
        ({"settings": "scale_settings: {max_instances: 3}"}, "SETTING_INVALID"),
        (
            {
                "settings": "autoScaler: {autoscaleEnabled: true, minReplicas: 4, maxReplicas: 3}",
            },
            "SETTING_INVALID",
        ),
        ({"settings": "resources: {limits: {cpu: 0.1}}"}, "SETTING_INVALID"),
        ({"settings": "identity: {type: user_assigned}"}, "SETTING_INVALID"),
        (
            {"settings": "identity: {type: system_assigned, user_assigned_identities: [a]}"},
            "SETTING_INVALID",
        ),
        (
            {"sdk": "v1", "settings": "identity: {user_assigned_identities: [a]}"},
            "SETTING_UNSUPPORTED",
        ),
        (
            {"settings": "environment: {version: 2}", "environmentFile": ""},
            "SETTING_INVALID",
        ),
        (
            {"settings": "environment: {name: e, image: i}", "environmentFile": ""},
            "SETTING_INVALID",
        ),
        ({"environmentFile": "", "settings": "environment: e"}, "INPUT_INVALID"),
        (
            {
                "target": "managed",
                "settings": "scale_settings: {type: target_utilization, max_instances: 3}",
            },
            "SETTING_UNSUPPORTED",
        ),
        (
            {"target": "managed", "settings": "resources: {requests: {cpu: 1}}"},
            "SETTING_UNSUPPORTED",
        ),
        ({"sdk": "v1", "settings": "readiness_probe: {period: 3}"}, "SETTING_UNSUPPORTED"),
        ({"sdk": "v1", "settings": "auth_mode: aad_token"}, "SETTING_UNSUPPORTED"),
        ({"sdk": "v1", "settings": "instance_type: gpu"}, "SETTING_UNSUPPORTED"),
        ({"sdk": "v1", "instanceType": "gpu"}, "INPUT_INVALID"),
        (
            {"sdk": "v1", "settings": "{authEnabled: true, tokenAuthEnabled: true}"},
            "SETTING_INVALID",
        ),
        ({"sdk": "v1", "settings": "{authEnabled: true, auth_mode: key}"}, "SETTING_INVALID"),
        (
            {"sdk": "v1", "numReplicas": "2", "settings": "autoScaler: {autoscaleEnabled: true}"},
            "SETTING_INVALID",
        ),
        ({"sdk": "v1", "settings": "ssl_cname: a.example"}, "SETTING_INVALID"),
        ({"modelSource": "evalInfo"}, "INPUT_MISSING"),
        ({"modelSource": "evalInfo", "evalInfoFile": "nowhere.json"}, "FILE_NOT_FOUND"),
        ({"modelSource": "evalInfo", "evalInfoFile": "smoke.json"}, "EVAL_INFO_INVALID"),
        ({"modelSource": "evalInfo", "evalInfoFile": "rejected.json"}, "GATE_REJECTED"),
    ],
)
def test_wrong_inputs_stop_before_any_call(
    consumer: Path, start: Starter, changed: dict[str, str], code: str
) -> None:
    place = {"resourceGroup": "rg", "workspace": "ws"}
    rejected = {"model_name": "served", "model_version": "", "deploy_model": False}
    (consumer / "rejected.json").write_text(json.dumps(rejected))
    assert list(start(TASK, {**place, **WHERE, **changed}).end().issues) == [code]
