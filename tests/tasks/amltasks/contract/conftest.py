"""The contract: what a task does is the same on both SDKs. Each test here runs once on each."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.patience import PATIENCE_S

from ..conftest import CLUSTER, CONSUMER, Azure, Ended, Starter, start_task

PIPELINES = {"v1": "pipeline.py", "v2": "pipeline_v2.py"}
KUBERNETES = "aks-near"

Ask = Callable[[str], Any]


@pytest.fixture(scope="session", params=["v2", "v1"])
def sdk(request: pytest.FixtureRequest) -> str:
    """The SDK that the tasks work with."""
    return str(request.param)


@pytest.fixture
def start_in_azure(aml_azure: Azure, sdk: str, tmp_path: Path) -> Starter:
    """Start a task against the local Azure, in its workspace."""

    def begin(task: str, inputs: Mapping[str, str], **more: Any) -> Any:
        given = {"connection": aml_azure.connection, "environment": aml_azure.client_environment}
        return start_task(
            task, {**aml_azure.place, "sdk": sdk, **inputs}, folder=tmp_path, **{**given, **more}
        )

    return begin


_ASKED = """
import json, os, sys, traceback, warnings
warnings.simplefilter("ignore")
given = os.environ
scoring = lambda: given["SCORING"]
{open}
for line in sys.stdin:
    try:
        answer = {{"is": eval(line)}}
    except Exception:
        answer = {{"raised": traceback.format_exc()}}
    print("answer:" + json.dumps(answer), flush=True)
os._exit(0)
"""
OPEN = {
    "v1": """
from azureml.core import Environment, Webservice, Workspace
from azureml.core.compute import AksCompute
from azureml.core.model import InferenceConfig
from azureml.core.webservice import AksWebservice
from azureml.core.authentication import ServicePrincipalAuthentication
from azureml.core.model import Model
auth = ServicePrincipalAuthentication(
    given["AZURE_TENANT_ID"], given["AZURE_CLIENT_ID"], given["AZURE_CLIENT_SECRET"]
)
ws = Workspace.get(
    given["AML_WORKSPACE_NAME"], auth, given["AML_SUBSCRIPTION_ID"], given["AML_RESOURCE_GROUP"]
)
""",
    "v2": """
from azure.ai.ml import MLClient
from azure.ai.ml.entities import Environment, KubernetesCompute, KubernetesOnlineEndpoint, Model
from azure.identity import EnvironmentCredential
ml = MLClient(
    EnvironmentCredential(), given["AML_SUBSCRIPTION_ID"], given["AML_RESOURCE_GROUP"],
    given["AML_WORKSPACE_NAME"], enable_telemetry=False, show_progress=False
)
""",
}


class Seen(ABC):
    """What the unmodified SDK sees, asked in a process of its own."""

    def __init__(self, ask: Ask) -> None:
        self.ask = ask

    @abstractmethod
    def vm_size(self, cluster: str) -> str: ...

    @abstractmethod
    def cluster(self, name: str) -> dict[str, Any]:
        """Size, subnet, whether nodes have public addresses, kind of identity, tags."""

    @abstractmethod
    def run(self, run_id: str) -> tuple[str, dict[str, str]]:
        """Display name and tags."""

    @abstractmethod
    def status(self, run_id: str) -> str: ...

    @abstractmethod
    def versions(self, model: str) -> list[dict[str, Any]]:
        """Version, tags and text of each, the oldest first."""

    @abstractmethod
    def services(self) -> list[str]: ...

    @abstractmethod
    def service(self, name: str) -> dict[str, Any]:
        """Tags, description and primary key."""

    @abstractmethod
    def revisions(self, name: str) -> list[str]:
        """What runs for a service: services beside it (v1), deployments (v2)."""

    @abstractmethod
    def call(self, name: str, body: str) -> Any: ...

    @abstractmethod
    def targets(self) -> list[str]: ...

    @abstractmethod
    def make_service(self, name: str, model: str, cluster: str) -> None:
        """A service that no task made."""

    @abstractmethod
    def register_again(self, model: str) -> int:
        """Register a version by hand, without a gate; returns its number."""

    @abstractmethod
    def register_environment(self, name: str) -> None:
        """Register the environment of the consumer's scoring script."""

    @abstractmethod
    def limits(self, service: str) -> dict[str, int]:
        """What a replica takes: timeout_ms, concurrent, wait_ms."""

    @abstractmethod
    def serving(self, service: str) -> dict[str, Any]:
        """Auth, scaling, resources, limits, liveness probe and request settings."""


class SeenByV1(Seen):
    def vm_size(self, cluster: str) -> str:
        return str(self.ask(f"ws.compute_targets['{cluster}'].vm_size"))

    def cluster(self, name: str) -> dict[str, Any]:
        return dict(
            self.ask(
                "[{'size': c['properties']['properties']['vmSize'],"
                " 'subnet': c['properties']['properties']['subnet']['id'],"
                " 'public': c['properties']['properties']['enableNodePublicIp'],"
                " 'identity': c['identity']['type'], 'tags': c['tags']}"
                f" for c in [ws.compute_targets['{name}'].get()]][0]"
            )
        )

    def run(self, run_id: str) -> tuple[str, dict[str, str]]:
        name, tags = self.ask(
            f"[(r.display_name, r.get_tags()) for r in [ws.get_run('{run_id}')]][0]"
        )
        return name, tags

    def status(self, run_id: str) -> str:
        return str(self.ask(f"ws.get_run('{run_id}').get_status()"))

    def versions(self, model: str) -> list[dict[str, Any]]:
        found = self.ask(
            "[{'version': m.version, 'tags': m.tags, 'text': m.description}"
            f" for m in Model.list(ws, '{model}')]"
        )
        return sorted(found, key=lambda one: int(one["version"]))

    def services(self) -> list[str]:
        return sorted(self.ask("[s.name for s in Webservice.list(ws)]"))

    def service(self, name: str) -> dict[str, Any]:
        return dict(
            self.ask(
                "[{'tags': s.tags, 'text': s.description, 'key': s.get_keys()[0]}"
                f" for s in [Webservice(ws, '{name}')]][0]"
            )
        )

    def revisions(self, name: str) -> list[str]:
        return [each for each in self.services() if each.startswith(name)]

    def call(self, name: str, body: str) -> Any:
        return self.ask(f"Webservice(ws, '{name}').run({body!r})")

    def targets(self) -> list[str]:
        return list(self.ask("list(ws.compute_targets)"))

    def make_service(self, name: str, model: str, cluster: str) -> None:
        self.ask(
            f"(lambda s: s.wait_for_deployment() or s.name)(Model.deploy(ws, '{name}', "
            f"[Model(ws, '{model}')], InferenceConfig(entry_script='score.py', "
            "source_directory=scoring(), environment=Environment.from_conda_specification("
            "'by-hand', scoring() + '/conda.yml')), AksWebservice.deploy_configuration(), "
            f"AksCompute(ws, '{cluster}')))"
        )

    def register_again(self, model: str) -> int:
        path = "(open('m.txt', 'w').write('m'), 'm.txt')[1]"
        return int(self.ask(f"Model.register(ws, {path}, '{model}').version"))

    def register_environment(self, name: str) -> None:
        made = f"Environment.from_conda_specification('{name}', scoring() + '/conda.yml')"
        self.ask(f"{made}.register(ws).version")

    def limits(self, service: str) -> dict[str, int]:
        return dict(
            self.ask(
                "[{'timeout_ms': s.scoring_timeout_ms, 'wait_ms': s.max_request_wait_time,"
                " 'concurrent': s.max_concurrent_requests_per_container}"
                f" for s in [Webservice(ws, '{service}')]][0]"
            )
        )

    def serving(self, service: str) -> dict[str, Any]:
        return dict(
            self.ask(
                "[{'auth': 'aml_token' if s.token_auth_enabled else 'key',"
                " 'scaling': [a.min_replicas, a.max_replicas, a.target_utilization,"
                " a.refresh_period_seconds],"
                " 'resources': [f'{c.cpu:g}', f'{c.memory_in_gb:g}', str(c.gpu)],"
                " 'limits': [f'{c.cpu_limit:g}', f'{c.memory_in_gb_limit:g}'],"
                " 'liveness': [l.period_seconds, l.timeout_seconds],"
                " 'requests': [s.scoring_timeout_ms, s.max_concurrent_requests_per_container]}"
                f" for s in [Webservice(ws, '{service}')]"
                " for a in [s.autoscaler] for c in [s.container_resource_requirements]"
                " for l in [s.liveness_probe_requirements]][0]"
            )
        )


class SeenByV2(Seen):
    def vm_size(self, cluster: str) -> str:
        return str(self.ask(f"ml.compute.get('{cluster}').size"))

    def cluster(self, name: str) -> dict[str, Any]:
        return dict(
            self.ask(
                "[{'size': c.size, 'subnet': c.network_settings.subnet,"
                " 'public': c.enable_node_public_ip,"
                " 'identity': 'SystemAssigned' if c.identity.type == 'system_assigned'"
                f" else c.identity.type, 'tags': c.tags}} for c in [ml.compute.get('{name}')]][0]"
            )
        )

    def run(self, run_id: str) -> tuple[str, dict[str, str]]:
        name, tags = self.ask(f"[(j.display_name, j.tags) for j in [ml.jobs.get('{run_id}')]][0]")
        return name, tags

    def status(self, run_id: str) -> str:
        return str(self.ask(f"ml.jobs.get('{run_id}').status"))

    def versions(self, model: str) -> list[dict[str, Any]]:
        found = self.ask(
            "[{'version': int(m.version), 'tags': m.tags, 'text': m.description}"
            f" for c in ml.models.list() if c.name == '{model}'"  # 404 for a name that is unknown
            f" for m in ml.models.list(name='{model}')]"
        )
        return sorted(found, key=lambda one: int(one["version"]))

    def services(self) -> list[str]:
        return sorted(self.ask("[e.name for e in ml.online_endpoints.list()]"))

    def service(self, name: str) -> dict[str, Any]:
        return dict(
            self.ask(
                "[{'tags': e.tags, 'text': e.description, 'key': "
                f"ml.online_endpoints.get_keys('{name}').primary_key}}"
                f" for e in [ml.online_endpoints.get('{name}')]][0]"
            )
        )

    def revisions(self, name: str) -> list[str]:
        listed = f"[(d.name, d.provisioning_state) for d in ml.online_deployments.list('{name}')]"
        end = time.monotonic() + PATIENCE_S
        while any(state == "Deleting" for _, state in self.ask(listed)):
            assert time.monotonic() < end, "a deployment is not deleted"
            time.sleep(0.2)
        return sorted(each for each, _ in self.ask(listed))

    def call(self, name: str, body: str) -> Any:
        request = f"(open('request.json', 'w').write({body!r}), 'request.json')[1]"
        return json.loads(
            self.ask(f"ml.online_endpoints.invoke(endpoint_name='{name}', request_file={request})")
        )

    def targets(self) -> list[str]:
        return list(self.ask("[c.name for c in ml.compute.list()]"))

    def make_service(self, name: str, model: str, cluster: str) -> None:
        self.ask(
            "ml.online_endpoints.begin_create_or_update("
            f"KubernetesOnlineEndpoint(name='{name}', compute='{cluster}')).result().name"
        )

    def register_again(self, model: str) -> int:
        path = "(open('m.txt', 'w').write('m'), 'm.txt')[1]"
        made = f"ml.models.create_or_update(Model(name='{model}', path={path}))"
        return int(self.ask(f"{made}.version"))

    def register_environment(self, name: str) -> None:
        image = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04"
        made = f"Environment(name='{name}', image='{image}', conda_file=scoring() + '/conda.yml')"
        self.ask(f"ml.environments.create_or_update({made}).version")

    def limits(self, service: str) -> dict[str, int]:
        return dict(
            self.ask(
                "[{'timeout_ms': r.request_timeout_ms, 'wait_ms': r.max_queue_wait_ms,"
                " 'concurrent': r.max_concurrent_requests_per_instance}"
                f" for d in ml.online_deployments.list('{service}') for r in [d.request_settings]"
                "][0]"
            )
        )

    def serving(self, service: str) -> dict[str, Any]:
        return dict(
            self.ask(
                f"[{{'auth': ml.online_endpoints.get('{service}').auth_mode,"
                " 'scaling': [a.min_instances, a.max_instances, a.target_utilization_percentage,"
                " a.polling_interval],"
                " 'resources': [q.cpu, f\"{float(q.memory.removesuffix('Gi')):g}\", q.gpu],"
                " 'limits': [l.cpu, l.memory.removesuffix('Gi')],"
                " 'liveness': [p.period, p.timeout],"
                " 'requests': [r.request_timeout_ms, r.max_concurrent_requests_per_instance]}"
                f" for d in ml.online_deployments.list('{service}')"
                " for a in [d.scale_settings] for q in [d.resources.requests]"
                " for l in [d.resources.limits] for p in [d.liveness_probe]"
                " for r in [d.request_settings]][0]"
            )
        )


@contextlib.contextmanager
def asked(azure: Azure, opening: str, folder: Path) -> Iterator[Ask]:
    """A process of its own that opens an SDK and answers expressions; ``given`` is the env file."""
    with subprocess.Popen(
        [sys.executable, "-c", _ASKED.format(open=opening)],
        cwd=folder,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "SCORING": str(CONSUMER / "scoring"),
            **azure.environment,
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        questions, said = process.stdin, process.stdout
        assert questions is not None
        assert said is not None

        def answer(expression: str) -> Any:
            questions.write(expression + "\n")
            questions.flush()
            lines = iter(said.readline, "")
            found = next(line for line in lines if line.startswith("answer:"))
            told = json.loads(found.removeprefix("answer:"))
            assert "is" in told, told["raised"]
            return told["is"]

        yield answer
        questions.close()


@pytest.fixture(scope="session")
def seen(aml_azure: Azure, sdk: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    """What the unmodified SDK sees."""
    with asked(aml_azure, OPEN[sdk], tmp_path_factory.mktemp("ask")) as ask:
        yield (SeenByV1 if sdk == "v1" else SeenByV2)(ask)


@pytest.fixture(scope="session")
def made() -> dict[str, Ended]:
    """What was made once for each SDK. pytest ends a session's fixture when the SDK changes, and
    makes it anew when a later file comes back to that SDK; Azure still has the first one.
    """
    return {}


@pytest.fixture(scope="session")
def cluster(
    aml_azure: Azure,
    sdk: str,
    made: dict[str, Ended],
    tmp_path_factory: pytest.TempPathFactory,
) -> Ended:
    """A cluster for the pipelines, provisioned by the task; v2 comes first and makes it."""
    name = f"{CLUSTER}-{sdk}"
    if name not in made:
        made[name] = start_task(
            "ProvisionAmlCompute",
            {**aml_azure.place, "sdk": sdk, "computeName": name},
            folder=tmp_path_factory.mktemp("cluster"),
            connection=aml_azure.connection,
            environment=aml_azure.client_environment,
        ).end()
        assert made[name].result == "Succeeded", made[name].log
    return made[name]


def trained_inputs(sdk: str) -> dict[str, str]:
    """How the pipeline that ran well was asked for."""
    return {
        "sdk": sdk,
        "pipelineFile": PIPELINES[sdk],
        "experimentName": "compliance",
        "parameters": f"accuracy: 0.9\nmode: good\ncompute: {CLUSTER}-{sdk}",
        "tags": "team: parts\nversion: 1.10",
        "displayName": "nightly",
        "downloadOutputs": "train/report\ntrain/outputs/model",
    }


@pytest.fixture(scope="session")
def trained(
    aml_azure: Azure,
    sdk: str,
    cluster: Ended,
    made: dict[str, Ended],
    tmp_path_factory: pytest.TempPathFactory,
) -> Ended:
    """A pipeline that ran well, with accuracy 0.9: what gates and deployments start from."""
    name = f"trained-{sdk}"
    if name not in made:
        folder = tmp_path_factory.mktemp("trained")
        shutil.copytree(CONSUMER, folder, dirs_exist_ok=True)
        made[name] = start_task(
            "RunAmlPipeline",
            {**aml_azure.place, **trained_inputs(sdk)},
            folder=folder,
            connection=aml_azure.connection,
            environment=aml_azure.client_environment,
        ).end()
        assert made[name].result == "Succeeded", made[name].log
    return made[name]


@pytest.fixture(scope="session")
def kubernetes(sdk: str, seen: Seen) -> str:
    """A cluster to deploy to: attached already with v2, yet to be made by the task with v1."""
    if sdk == "v1":
        return f"{KUBERNETES}-v1"
    cluster = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService"
    seen.ask(
        f"ml.compute.begin_create_or_update(KubernetesCompute(name='{KUBERNETES}-v2', "
        f"resource_id='{cluster}/managedClusters/near', namespace='default')).result().name"
    )
    return f"{KUBERNETES}-v2"
