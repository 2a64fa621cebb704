"""Compute targets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field

SYSTEM = "system"
"""Stands for the system-assigned identity among :attr:`ClusterSpec.identities`."""


@dataclass(frozen=True, kw_only=True)
class ClusterSpec:
    """An AmlCompute cluster to create. An empty ``location`` means the workspace's region.

    ``subnet`` is the resource id of the nodes' subnet; empty for none. ``identities`` are the
    resource ids of user-assigned identities, or ``system`` alone for the system-assigned one.
    ``ssh``: whether the nodes' SSH port is open to the public.
    """

    name: str
    vm_size: str
    min_nodes: int
    max_nodes: int
    priority: str
    idle_seconds: int
    location: str = ""
    subnet: str = ""
    public_address: bool = True
    identities: tuple[str, ...] = ()
    ssh: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)


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
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class VmSize:
    """A size that clusters may have in a region. ``family`` is the name that its quota has."""

    name: str
    family: str
    cpus: int
    low_priority: bool


@dataclass(frozen=True, kw_only=True)
class Quota:
    """The cores of a VM family, or of all clusters, in a region: the limit and those in use."""

    name: str
    limit: int
    used: int


@dataclass(frozen=True, kw_only=True)
class ClusterNetwork:
    """How requests reach the services of an AKS cluster. Empty: Azure's default.

    ``load_balancer`` is ``PublicIp`` or ``InternalLoadBalancer``. TLS has a certificate of one's
    own, for ``host`` in the PEM files ``certificate`` and ``key``, or Microsoft's for a host whose
    name begins with ``leaf_domain``.
    """

    load_balancer: str = ""
    load_balancer_subnet: str = ""
    host: str = ""
    certificate: str = ""
    key: str = ""
    leaf_domain: str = ""


@dataclass(frozen=True, kw_only=True)
class AksSpec:
    """An AKS cluster to create as a compute target. An empty ``location``: the workspace's."""

    name: str
    location: str
    vm_size: str
    agent_count: int
    purpose: str
    network: ClusterNetwork = ClusterNetwork()


@dataclass(frozen=True, kw_only=True)
class AksCluster:
    """An AKS compute target as it is; ``state`` and ``problems`` as in :class:`Cluster`.

    ``load_balancer`` and ``host`` as in :class:`ClusterNetwork`; ``tls``: whether services have it.
    """

    name: str
    state: str
    location: str
    problems: tuple[str, ...] = ()
    load_balancer: str = "PublicIp"
    host: str = ""
    tls: bool = False


class Compute(ABC):
    """Compute targets of the workspace."""

    @abstractmethod
    def find_cluster(self, name: str) -> Cluster | None:
        """The AmlCompute of that name, None when absent. Raises ``COMPUTE_WRONG_TYPE``."""

    @abstractmethod
    def clusters(self) -> tuple[Cluster, ...]:
        """All AmlCompute clusters of the workspace."""

    @abstractmethod
    def delete_cluster(self, name: str) -> None:
        """Start deleting a cluster; a cluster that is not there is no error."""

    @abstractmethod
    def sizes(self, location: str) -> tuple[VmSize, ...]:
        """The sizes that clusters may have in a region."""

    @abstractmethod
    def quotas(self, location: str) -> tuple[Quota, ...]:
        """The quotas for clusters in a region."""

    @abstractmethod
    def create_cluster(self, spec: ClusterSpec) -> None:
        """Start the creation of a cluster; it goes on after this returns."""

    @abstractmethod
    def scale_cluster(self, spec: ClusterSpec) -> None:
        """Start changing a cluster's numbers of nodes and idle time to those of ``spec``."""

    @abstractmethod
    def find_kubernetes(self, name: str) -> AksCluster | None:
        """The attached Kubernetes cluster of that name, None when absent.

        Raises:
            TaskError: ``COMPUTE_WRONG_TYPE``
        """

    @abstractmethod
    def find_aks(self, name: str) -> AksCluster | None:
        """The AKS target of that name, None when absent. Raises ``COMPUTE_WRONG_TYPE``."""

    @abstractmethod
    def create_aks(self, spec: AksSpec) -> None:
        """Start the creation of an AKS cluster; it goes on after this returns.

        Raises:
            TaskError: ``KUBERNETES_NOT_ATTACHED`` if the workspace cannot create one.
        """
