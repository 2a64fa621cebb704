"""The port: what a task may ask of Azure ML, in words both SDKs can honour.

Every method may raise ``TaskError`` with one of the causes any call can meet (``UNAUTHORIZED``,
``FORBIDDEN``, ``ROLE_MISSING``, ``THROTTLED``, ``SERVICE_UNAVAILABLE``, ``NO_NETWORK``,
``TLS_FAILED``, ``REFUSED``, and ``errors.SIGN_IN``, for a token may have to be renewed);
the docstrings name only what else it may raise. Nothing here blocks longer than one question to
Azure takes: waiting is the task's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

# --- who signs in ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """One Azure cloud. ``name`` is the SDKs' own; the others are addresses without a last slash.

    ``scope`` is what a token for Resource Manager is asked for with.
    """

    name: str
    authority: str
    resource_manager: str
    scope: str


@dataclass(frozen=True, kw_only=True)
class ClientSecret:
    """A service principal's key."""

    secret: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ClientCertificate:
    """A service principal's certificate and its private key, as PEM text."""

    pem: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ManagedIdentity:
    """The identity of the machine that the agent runs on."""


@dataclass(frozen=True, kw_only=True)
class WorkloadIdentity:
    """A service principal that trusts Azure DevOps, which vouches for the service connection.

    ``access_token`` is the job's own, with which Azure DevOps is asked for that.
    """

    connection_id: str
    access_token: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who signs in, how and where. ``client_id`` is empty for a machine's own identity."""

    tenant_id: str
    client_id: str
    proof: ClientSecret | ClientCertificate | ManagedIdentity | WorkloadIdentity
    subscription_id: str
    cloud: Cloud


@dataclass(frozen=True, kw_only=True)
class Scalar:
    """One value of a YAML mapping: as read, and as it was written.

    Both, because a build number ``20190809.10`` read as a number loses its zero.
    """

    value: str | int | float | bool
    written: str


# --- compute ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ClusterSpec:
    """An AmlCompute cluster to be made. ``location`` empty: the workspace's region."""

    name: str
    vm_size: str
    min_nodes: int
    max_nodes: int
    priority: str
    idle_seconds: int
    location: str = ""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """An AmlCompute cluster as it is.

    ``state`` is Azure's provisioning state (``Creating``, ``Succeeded``, ``Failed``, …);
    ``problems`` are the errors it reports, provisioning first; nodes are counts.
    """

    name: str
    state: str
    location: str
    vm_size: str
    priority: str
    min_nodes: int
    max_nodes: int
    idle_seconds: int
    nodes: int = 0
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AksSpec:
    """An AKS cluster to be made as a compute target. ``location`` empty: the workspace's."""

    name: str
    location: str
    vm_size: str
    agent_count: int
    purpose: str


@dataclass(frozen=True, kw_only=True)
class AksCluster:
    """An AKS compute target as it is; ``state`` and ``problems`` as in :class:`Cluster`."""

    name: str
    state: str
    location: str
    problems: tuple[str, ...] = ()


class Compute(Protocol):
    """Compute targets of the workspace."""

    def find_cluster(self, name: str) -> Cluster | None:
        """The AmlCompute of that name, None when absent. Raises ``COMPUTE_WRONG_TYPE``."""

    def create_cluster(self, spec: ClusterSpec) -> None:
        """Ask for a new cluster; it is being made when this returns."""

    def scale_cluster(self, spec: ClusterSpec) -> None:
        """Ask that a cluster have the numbers of nodes and the idle time of ``spec``."""

    def find_aks(self, name: str) -> AksCluster | None:
        """The AKS target of that name, None when absent. Raises ``COMPUTE_WRONG_TYPE``."""

    def create_aks(self, spec: AksSpec) -> None:
        """Ask for a new AKS cluster; it is being made when this returns.

        Raises:
            TaskError: ``KUBERNETES_NOT_ATTACHED`` where a workspace can make none.
        """


# --- runs ------------------------------------------------------------------------------------

COMPLETED = frozenset({"Completed", "Finished"})
"""The states of a run that went well."""

ENDED = COMPLETED | {"Failed", "Canceled"}
"""The states a run does not leave."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A pipeline to be run. ``file`` is the SDK's own YAML, or Python with ``build_pipeline``."""

    file: Path
    experiment: str
    parameters: Mapping[str, Scalar]
    tags: Mapping[str, str]
    display_name: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run or a step of one. ``started`` is UTC, ``seconds`` how long it ran; None before.

    ``reused``: this step did not run; ``id`` is that of the earlier one whose outputs it has.
    """

    id: str
    name: str
    status: str
    error: str = ""
    url: str = ""
    started: datetime | None = None
    seconds: float | None = None
    reused: bool = False

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.status in ENDED


class Runs(Protocol):
    """Runs of the workspace."""

    def submit(self, submission: Submission) -> Run:
        """Build and submit a pipeline, tagged.

        Raises:
            TaskError: ``PIPELINE_FILE_INVALID``, ``PARAMETER_UNKNOWN``, ``PARAMETER_INVALID``,
                ``PARAMETER_MISSING``; nothing was submitted then.
        """

    def get(self, run_id: str) -> Run:
        """The run as it is now. Raises ``RUN_NOT_FOUND``."""

    def find(self, experiment: str, tag: str, value: str) -> list[tuple[Run, dict[str, str]]]:
        """The runs of an experiment that have this tag, the newest first, each with its tags."""

    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Add tags to a run; tags of the same name are replaced."""

    def steps(self, run_id: str) -> tuple[Run, ...]:
        """The run's steps that exist so far, in the order they started."""

    def new_log_lines(self, run_id: str, *, last: bool = False) -> list[str]:
        """Log lines of a step since this was last asked; :meth:`steps` must have shown it.

        Args:
            run_id: the step's run.
            last: the step has ended: give an unfinished last line, too.
        """

    def metrics(self, run_id: str) -> dict[str, float]:
        """The numbers logged to this very run; they may be NaN or infinite."""

    def files(self, run_id: str) -> tuple[str, ...]:
        """Paths of the run's artifacts, such as ``outputs/model/weights.h5``."""

    def download_files(self, run_id: str, prefix: str, folder: Path) -> int:
        """Download the artifacts at or under ``prefix`` into ``folder``, keeping their paths.

        Returns:
            How many files there were.
        """

    def download_output(self, step_id: str, output: str, folder: Path) -> int:
        """Download a step's named output (``PipelineData``) into ``folder``.

        Returns:
            How many files there were; 0 also when the step has no such output.
        """

    def cancel(self, run_id: str) -> None:
        """Ask Azure ML to cancel the run and its steps."""


# --- models ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Model:
    """A registered model version. ``run_id`` is empty when it came from no run."""

    name: str
    version: int
    run_id: str
    description: str
    tags: Mapping[str, str]


class Models(Protocol):
    """The workspace's model registry."""

    def get(self, name: str, version: int) -> Model:
        """One version. Raises ``MODEL_NOT_FOUND``."""

    def versions(self, name: str) -> tuple[Model, ...]:
        """All versions of that name, the newest first; empty when there is none."""

    def register(
        self, *, run_id: str, path: str, name: str, tags: Mapping[str, str], description: str
    ) -> Model:
        """Register the artifacts at or under ``path`` of a run as the next version."""

    def tag(self, model: Model, tags: Mapping[str, str]) -> Model:
        """Add tags to a version; tags of the same name are replaced."""


# --- services --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ServiceSpec:
    """A web service. Paths are absolute; ``cpu_cores`` and ``memory_gb`` are a replica's.

    ``target`` is ``kubernetes``, in the compute target ``cluster``, or ``managed``, on machines of
    the size ``instance_type`` that Azure ML runs. ``environment`` names the environment: one name
    for one conda file, so that its image is built once, however many services use it.
    """

    name: str
    target: str
    cluster: str
    instance_type: str
    model: Model
    entry_script: Path
    source_directory: Path
    environment_file: Path
    environment: str
    cpu_cores: float
    memory_gb: float
    replicas: int
    description: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Service:
    """A web service as it is.

    ``kind`` is AKS or Kubernetes in a cluster of one's own, Managed, ACI, …; ``cluster`` the
    compute target's name; ``serving`` names the revisions that share the requests, where the
    service has such.
    """

    name: str
    kind: str
    state: str
    cluster: str
    scoring_uri: str
    models: tuple[Model, ...] = ()
    serving: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One deployment of a service.

    ``label`` is what people are told; ``fresh`` says that no other revision is in service, and
    ``in_service`` that this one is.
    """

    service: str
    name: str
    label: str
    fresh: bool
    in_service: bool = False


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """How a deployment goes. ``state`` is Azure's word; ``problem`` is set when it failed."""

    state: str
    done: bool
    succeeded: bool
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a service said: the HTTP status, the body, and after how many seconds."""

    status: int
    body: str
    seconds: float


class Services(Protocol):
    """Web services of the workspace.

    A new revision is deployed beside the one in service, promoted when it has proved itself, and
    what is then of no more use is cleaned up. Nothing here ever takes a service away.
    """

    @property
    def restores(self) -> bool:
        """Whether :meth:`restore` can undo a promotion."""

    def find(self, name: str) -> Service | None:
        """The service of that name, None when absent."""

    def plan(self, spec: ServiceSpec, live: Service | None, mark: str) -> Revision:
        """Name the revision that is to be deployed.

        Args:
            spec: what will be deployed.
            live: the service as it is.
            mark: the build's id, which goes into the name; empty for a random one.
        """

    def deploy(self, spec: ServiceSpec, revision: Revision) -> None:
        """Ask for the revision, and for its service when there is none."""

    def rollout(self, revision: Revision) -> Rollout:
        """How the last :meth:`deploy`, :meth:`promote` or :meth:`restore` of it goes."""

    def promote(self, spec: ServiceSpec, revision: Revision) -> Revision:
        """Ask that the service answer with this revision; returns it as it will be then."""

    def restore(self, revision: Revision) -> None:
        """Ask that the service answer as before :meth:`promote`, where that can be."""

    def clean_up(self, revision: Revision) -> tuple[str, ...]:
        """Remove what the revision replaced or, when it is not in service, the revision itself.

        Returns:
            What was removed, in words.
        """

    def logs(self, revision: Revision) -> list[str]:
        """The container's log lines; empty when there are none to be had."""

    def key(self, name: str) -> str:
        """The service's primary key, empty when it has none. A secret."""

    def score(self, revision: Revision, body: str) -> Answer:
        """POST ``body`` (JSON) with the key: to the service, or past it to a revision beside."""


class Workspace(Protocol):
    """An open workspace."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def location(self) -> str:
        """Its region, such as ``eastus``."""

    @property
    def compute(self) -> Compute:
        """Compute targets."""

    @property
    def runs(self) -> Runs:
        """Runs."""

    @property
    def models(self) -> Models:
        """Models."""

    @property
    def services(self) -> Services:
        """Services."""
