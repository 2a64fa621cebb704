"""The port for tests: a call that a test does not foresee fails it.

mypy checks these classes, and the fakes that derive from them, against the port.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from amltasks.workspace.port import (
    AksCluster,
    AksSpec,
    Answer,
    Cluster,
    ClusterSpec,
    Compute,
    Elsewhere,
    Kept,
    Model,
    Models,
    Place,
    PreparedRun,
    Quota,
    Revision,
    Rollout,
    Run,
    Runs,
    Service,
    Services,
    ServiceSpec,
    Submission,
    VmSize,
    Workspace,
)


def unexpected(method: str) -> NoReturn:
    raise AssertionError(f"the test foresees no call of {method}")


class FakeCompute(Compute):
    def find_cluster(self, name: str) -> Cluster | None:
        unexpected("Compute.find_cluster")

    def clusters(self) -> tuple[Cluster, ...]:
        unexpected("Compute.clusters")

    def delete_cluster(self, name: str) -> None:
        unexpected("Compute.delete_cluster")

    def sizes(self, location: str) -> tuple[VmSize, ...]:
        unexpected("Compute.sizes")

    def quotas(self, location: str) -> tuple[Quota, ...]:
        unexpected("Compute.quotas")

    def create_cluster(self, spec: ClusterSpec) -> None:
        unexpected("Compute.create_cluster")

    def scale_cluster(self, spec: ClusterSpec) -> None:
        unexpected("Compute.scale_cluster")

    def find_kubernetes(self, name: str) -> AksCluster | None:
        unexpected("Compute.find_kubernetes")

    def find_aks(self, name: str) -> AksCluster | None:
        unexpected("Compute.find_aks")

    def create_aks(self, spec: AksSpec) -> None:
        unexpected("Compute.create_aks")


class FakeRuns(Runs):
    def prepare(self, submission: Submission) -> PreparedRun:
        unexpected("Runs.prepare")

    def claimed(self, claim: str) -> Run | None:
        unexpected("Runs.claimed")

    def get(self, run_id: str) -> Run:
        unexpected("Runs.get")

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        unexpected("Runs.tag")

    def steps(self, run_id: str) -> tuple[Run, ...]:
        unexpected("Runs.steps")

    def new_log_lines(self, run_id: str, *, last: bool = False) -> list[str]:
        unexpected("Runs.new_log_lines")

    def metrics(self, run_id: str) -> dict[str, float]:
        unexpected("Runs.metrics")

    def files(self, run_id: str) -> tuple[str, ...]:
        unexpected("Runs.files")

    def download_files(self, run_id: str, prefix: str, folder: Path) -> int:
        unexpected("Runs.download_files")

    def download_output(self, step_id: str, output: str, folder: Path) -> int:
        unexpected("Runs.download_output")

    def cancel(self, run_id: str) -> None:
        unexpected("Runs.cancel")


class FakeModels(Models):
    def get(self, name: str, version: int) -> Model:
        unexpected("Models.get")

    def versions(self, name: str) -> tuple[Model, ...]:
        unexpected("Models.versions")

    def register(
        self, *, run_id: str, path: str, name: str, tags: Mapping[str, str], description: str
    ) -> Model:
        unexpected("Models.register")

    def tag(self, model: Model, tags: Mapping[str, str]) -> Model:
        unexpected("Models.tag")

    def shared(self, registry: str, name: str) -> tuple[Model, ...]:
        unexpected("Models.shared")

    def elsewhere(self, place: Place) -> Elsewhere:
        unexpected("Models.elsewhere")


class FakeServices(Services):
    @property
    def restores(self) -> bool:
        unexpected("Services.restores")

    def find(self, name: str) -> Service | None:
        unexpected("Services.find")

    def plan(self, spec: ServiceSpec, live: Service | None, mark: str) -> Revision:
        unexpected("Services.plan")

    def deploy(self, spec: ServiceSpec, revision: Revision) -> None:
        unexpected("Services.deploy")

    def rollout(self, revision: Revision) -> Rollout:
        unexpected("Services.rollout")

    def unfinished(self, name: str) -> Revision | None:
        unexpected("Services.unfinished")

    def promote(self, spec: ServiceSpec, revision: Revision, percent: int = 100) -> Revision:
        unexpected("Services.promote")

    def restore(self, revision: Revision) -> None:
        unexpected("Services.restore")

    def kept(self, name: str) -> tuple[Kept, ...]:
        unexpected("Services.kept")

    def went_back(self, name: str) -> str:
        unexpected("Services.went_back")

    def go_back(self, revision: Revision, mark: str) -> Revision:
        unexpected("Services.go_back")

    def remove(self, name: str) -> tuple[str, ...]:
        unexpected("Services.remove")

    def clean_up(self, revision: Revision, keep: int = 0) -> tuple[str, ...]:
        unexpected("Services.clean_up")

    def logs(self, revision: Revision) -> list[str]:
        unexpected("Services.logs")

    def key(self, name: str) -> str:
        unexpected("Services.key")

    def score(self, revision: Revision, body: str) -> Answer:
        unexpected("Services.score")


def fake_workspace(
    *,
    compute: Compute | None = None,
    runs: Runs | None = None,
    models: Models | None = None,
    services: Services | None = None,
) -> Workspace:
    """A workspace of these; what is not given foresees no call."""
    return Workspace(
        name="ws",
        location="eastus",
        compute=compute or FakeCompute(),
        runs=runs or FakeRuns(),
        models=models or FakeModels(),
        services=services or FakeServices(),
    )
