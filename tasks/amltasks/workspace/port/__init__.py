"""The port: what a task may ask of Azure ML, in words that both SDKs can honour.

The classes are abstract: an adapter, or a fake in a test, is a subclass and has every method. The
docstrings of the methods are here and hold for every subclass.

Every method may raise ``TaskError`` with one of the causes that any call can have
(``UNAUTHORIZED``, ``FORBIDDEN``, ``ROLE_MISSING``, ``THROTTLED``, ``SERVICE_UNAVAILABLE``,
``NO_NETWORK``, ``TLS_FAILED``, ``REFUSED``, and ``errors.SIGN_IN``, because a token may have to be
renewed); the docstrings name only what else it may raise. No method blocks for longer than one
request to Azure takes: the task does the waiting.
"""

from amltasks.workspace.port.compute import (
    AksCluster,
    AksSpec,
    Cluster,
    ClusterNetwork,
    ClusterSpec,
    Compute,
    Quota,
    VmSize,
)
from amltasks.workspace.port.models import (
    Elsewhere,
    Model,
    Models,
    Place,
    RegistryPlace,
    WorkspacePlace,
)
from amltasks.workspace.port.principals import (
    ClientCertificate,
    ClientSecret,
    Cloud,
    ManagedIdentity,
    Principal,
    WorkloadIdentity,
)
from amltasks.workspace.port.runs import (
    COMPLETED,
    ENDED,
    ONLY_STEP,
    PreparedRun,
    Run,
    Runs,
    Scalar,
    Submission,
)
from amltasks.workspace.port.services import (
    Answer,
    EnvironmentReference,
    Kept,
    Probe,
    RequestLimits,
    Revision,
    Rollout,
    Scaling,
    Service,
    Services,
    ServiceSpec,
    Settings,
)
from amltasks.workspace.port.workspace import Workspace

__all__ = [
    "COMPLETED",
    "ENDED",
    "ONLY_STEP",
    "AksCluster",
    "AksSpec",
    "Answer",
    "ClientCertificate",
    "ClientSecret",
    "Cloud",
    "Cluster",
    "ClusterNetwork",
    "ClusterSpec",
    "Compute",
    "Elsewhere",
    "EnvironmentReference",
    "Kept",
    "ManagedIdentity",
    "Model",
    "Models",
    "Place",
    "PreparedRun",
    "Principal",
    "Probe",
    "Quota",
    "RegistryPlace",
    "RequestLimits",
    "Revision",
    "Rollout",
    "Run",
    "Runs",
    "Scalar",
    "Scaling",
    "Service",
    "ServiceSpec",
    "Services",
    "Settings",
    "Submission",
    "VmSize",
    "WorkloadIdentity",
    "Workspace",
    "WorkspacePlace",
]
