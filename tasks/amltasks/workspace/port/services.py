"""Web services."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amltasks.workspace.port.models import Model


@dataclass(frozen=True, kw_only=True)
class EnvironmentReference:
    """A registered environment: ``name`` and ``version`` (empty: the latest) in the workspace, or
    the ``address`` of one in a registry.
    """

    name: str = ""
    version: str = ""
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class RequestLimits:
    """How a replica takes requests; ``timeout`` and ``queue_wait`` in seconds."""

    timeout: float
    concurrent: int
    queue_wait: float


@dataclass(frozen=True, kw_only=True)
class Probe:
    """How Azure asks whether a container is well: seconds and counts, None for Azure's default."""

    initial_delay: int | None = None
    period: int | None = None
    timeout: int | None = None
    successes: int | None = None
    failures: int | None = None


@dataclass(frozen=True, kw_only=True)
class Scaling:
    """Replicas that follow the load, ``least`` to ``most``, so that ``percent`` of them are busy.

    Azure looks each ``seconds``. None: Azure's default.
    """

    least: int | None = None
    most: int | None = None
    percent: int | None = None
    seconds: int | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What few services need. None or empty: Azure's default.

    ``auth`` is ``key``, ``aml_token``, ``aad_token`` or, in v1, ``none``. ``cpu_limit`` and
    ``memory_limit`` (gigabytes) are a replica's; ``gpus`` too. ``namespace`` is the cluster's.
    ``identities`` are resource ids of the endpoint's user-assigned identities; ``public_access``
    is its, and ``egress`` its deployments' network access. ``properties`` are the deployment's.
    """

    auth: str = ""
    scaling: Scaling | None = None
    gpus: int = 0
    cpu_limit: float = 0.0
    memory_limit: float = 0.0
    liveness: Probe | None = None
    readiness: Probe | None = None
    namespace: str = ""
    model_mount_path: str = ""
    identities: tuple[str, ...] = ()
    public_access: bool | None = None
    egress: bool | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ServiceSpec:
    """A web service. Paths are absolute; ``cpu_cores`` and ``memory_gb`` are a replica's.

    ``target`` is ``kubernetes``, in the compute target ``cluster``, or ``managed``, on machines of
    the size ``instance_type`` that Azure ML runs. ``environment`` names the environment: one name
    for one conda file, so that its image is built once, however many services use it. In its place
    may stand a registered one, ``registered``, or an ``image``, which ``environment_file`` may add
    to. An MLflow model may come without script and environment. ``variables`` are the environment
    variables of the container.
    """

    name: str
    target: str
    cluster: str
    instance_type: str
    model: Model
    entry_script: Path | None
    source_directory: Path | None
    environment_file: Path | None
    environment: str
    registered: EnvironmentReference | None
    variables: Mapping[str, str]
    limits: RequestLimits
    app_insights: bool
    cpu_cores: float
    memory_gb: float
    replicas: int
    description: str
    tags: Mapping[str, str]
    image: str = ""
    settings: Settings = Settings()


@dataclass(frozen=True, kw_only=True)
class Service:
    """A web service as it is.

    ``kind`` is AKS or Kubernetes in a cluster of one's own, Managed, ACI, …; ``cluster`` the
    compute target's name; ``serving`` names the revisions that share the requests, where the
    service has such; ``auth``, ``identities`` and ``public_access`` as in :class:`Settings`.
    """

    name: str
    kind: str
    state: str
    cluster: str
    scoring_uri: str
    models: tuple[Model, ...] = ()
    serving: tuple[str, ...] = ()
    auth: str = "key"
    identities: tuple[str, ...] = ()
    public_access: bool = True


@dataclass(frozen=True, kw_only=True)
class Revision:
    """One deployment of a service.

    ``label`` is the name in messages; ``fresh`` says that no other revision is in service, and
    ``in_service`` that this one is.
    """

    service: str
    name: str
    label: str
    fresh: bool
    in_service: bool = False


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A revision that gets no requests and could have them again.

    ``build`` is the number of the build that deployed it, empty when nothing says; ``model`` its
    model; ``served`` tells whether it was in service.
    """

    revision: Revision
    build: str
    model: Model | None
    served: bool


@dataclass(frozen=True, kw_only=True)
class Rollout:
    """The progress of a deployment. ``state`` is Azure's; ``problem`` is set when it failed."""

    state: str
    done: bool
    succeeded: bool
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A service's answer: HTTP status, body, and the seconds that it took."""

    status: int
    body: str
    seconds: float


class Services(ABC):
    """Web services of the workspace.

    A new revision is deployed beside the one in service, promoted after it passed its tests, and
    what is no longer needed is removed. No method deletes a service in use.
    """

    @property
    @abstractmethod
    def restores(self) -> bool:
        """Whether two revisions can share the requests, and :meth:`restore` undo a promotion."""

    @abstractmethod
    def unfinished(self, name: str) -> Revision | None:
        """The revision that a release left with a part of the requests when its agent died.

        None when there is no such release. :meth:`restore` gives the requests back.
        """

    @abstractmethod
    def find(self, name: str) -> Service | None:
        """The service of that name, None when absent."""

    @abstractmethod
    def plan(self, spec: ServiceSpec, live: Service | None, mark: str) -> Revision:
        """Choose the name of the revision to deploy.

        Args:
            spec: what will be deployed.
            live: the current service.
            mark: the build's id, which becomes part of the name; empty for a random one.
        """

    @abstractmethod
    def deploy(self, spec: ServiceSpec, revision: Revision) -> None:
        """Start the deployment of the revision, and of its service if there is none."""

    @abstractmethod
    def rollout(self, revision: Revision) -> Rollout:
        """The progress of its last :meth:`deploy`, :meth:`promote` or :meth:`restore`."""

    @abstractmethod
    def promote(self, spec: ServiceSpec, revision: Revision, percent: int = 100) -> Revision:
        """Start giving the revision a share of the requests; returns it as it will be then.

        Args:
            spec: what is deployed.
            revision: the revision beside.
            percent: its share, 1 to 100; those in service before keep the rest. Less than 100
                only where :attr:`restores` is true.
        """

    @abstractmethod
    def restore(self, revision: Revision) -> None:
        """Start serving as before :meth:`promote`, if :attr:`restores`."""

    @abstractmethod
    def kept(self, name: str) -> tuple[Kept, ...]:
        """The revisions of a service that could go back into service, the last served one first."""

    @abstractmethod
    def went_back(self, name: str) -> str:
        """The mark of the last :meth:`go_back`; empty if a promotion came after it."""

    @abstractmethod
    def go_back(self, revision: Revision, mark: str) -> Revision:
        """Start giving all requests to a kept revision; returns it as it will be then.

        Revisions that were in service after it are forgotten: the next one to go back to is the
        one that served before it.

        Args:
            revision: one of :meth:`kept`.
            mark: what :meth:`went_back` tells, so that a step that is tried again goes back once.
        """

    @abstractmethod
    def remove(self, name: str) -> tuple[str, ...]:
        """Start removing a service that a task made, with all its revisions.

        Returns:
            What is being removed, in words; nothing when there is no such service.

        Raises:
            TaskError: ``SERVICE_NOT_OURS``
        """

    @abstractmethod
    def clean_up(self, revision: Revision, keep: int = 0) -> tuple[str, ...]:
        """Remove what is no longer needed, of what tasks made for this service.

        That is what the revision replaced and what earlier releases left when they failed or, if
        the revision is not in service, the revision itself. What was in service last goes last.

        Args:
            revision: the one that this release deployed.
            keep: how many of those that were in service before stay, without requests.

        Returns:
            What was removed, in words.
        """

    @abstractmethod
    def logs(self, revision: Revision) -> list[str]:
        """The container's log lines; empty if there are none."""

    @abstractmethod
    def key(self, name: str) -> str:
        """The service's primary key, empty when it has none. A secret."""

    @abstractmethod
    def score(self, revision: Revision, body: str) -> Answer:
        """POST ``body`` (JSON) with the key to the service, or to a revision beside it."""
