"""The unmodified Node and browser clients, beside the Python package of the other tests."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import pytest

from local.azure.devops import enumerations
from tests.local.azure.devops.organisation import Organisation

ROOT = Path(__file__).parents[4]
SCRIPT = Path(__file__).with_name("node_client.js")
INTERFACES = ("Build", "Core", "Git", "Release", "TaskAgent", "Test", "Pipelines")


def run_node(*arguments: str, **environment: str) -> Any:
    answer = subprocess.run(
        ["node", *arguments],
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


@pytest.fixture
def connection(organisation: Organisation) -> Any:
    endpoints = organisation.client("service_endpoint")
    project = organisation.client("core").get_project(organisation.project)
    body = {
        "name": "node-federated",
        "type": "azurerm",
        "url": "https://management.azure.com/",
        "authorization": {"scheme": "WorkloadIdentityFederation", "parameters": {"tenantid": "t"}},
        "serviceEndpointProjectReferences": [
            {"name": "node-federated", "projectReference": {"id": project.id}}
        ],
    }
    made = endpoints.create_service_endpoint(body)
    yield made
    endpoints.delete_service_endpoint(made.id, [project.id])


def test_node_and_browser_clients_work_unchanged(
    organisation: Organisation, client_environment: Any, connection: Any
) -> None:
    found = run_node(
        str(SCRIPT), **client_environment.environment, SERVICE_CONNECTION=str(connection.id)
    )
    assert found == {
        "who": "Local User",
        "builds": {
            "queueStatus": 0,
            "status": 32,
            "priority": 1,
            "reason": 1,
            "queueTime": True,
            "listed": [True],
            "tags": ["one", "two"],
            "keepForever": True,
        },
        "repositories": {
            "merge": [1, 3],
            "status": [1, 1, 3],
            "thread": [1, 1],
            "items": [["/", 2], ["/a.txt", 3], ["/b.txt", 3]],
            "content": "x",
        },
        "releases": {
            "status": [1, 2],
            "stage": [1, 32],
            "listed": [True],
            "createdOn": True,
        },
        "browser": {
            "status": 32,
            "priority": [1, 5],
            "queueTime": True,
            "wire": ["number", True],
            "listed": 1,
        },
        "token": {
            "build": True,
            "subject": f"sc://{organisation.name}/{organisation.project}/node-federated",
        },
    }


def test_the_enumerations_are_those_of_the_node_package() -> None:
    modules = [f"azure-devops-node-api/interfaces/{name}Interfaces" for name in INTERFACES]
    modules.append("azure-devops-node-api/interfaces/common/OperationsInterfaces")
    script = f"""
    const all = {{}};
    for (const module of {json.dumps(modules)}) {{
      for (const [name, one] of Object.entries(require(module))) {{
        if (name !== "TypeInfo") all[name] ??= one;
      }}
    }}
    console.log(JSON.stringify(all));
    """
    theirs = run_node("-e", script)
    ours = {
        name: get_args(one)[1].numbers
        for name, one in vars(enumerations).items()
        if get_origin(one) is Annotated
    }
    assert len(ours) > 45
    for name, numbers in ours.items():
        listed = {
            re.sub(r"^\w", lambda first: first[0].lower(), word): number
            for word, number in theirs[name].items()
            if not word.lstrip("-").isdecimal()
        }
        assert numbers == listed, name
