"""Which role a principal lacks, according to Azure's refusal (403).

Two forms are known. Resource Manager's ``AuthorizationFailed`` names the object id, the action and
the scope; the data plane names the object id and the action. Roles and their actions:
learn.microsoft.com/azure/machine-learning/how-to-assign-roles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# The SDKs quote bodies, so that an apostrophe may have backslashes before it.
_OBJECT = re.compile(r"object id:? (?:\\*')?([0-9a-fA-F-]{36})\b")
_ACTION = re.compile(r"\b(Microsoft\.\w+/[\w/.*-]+/(?:read|write|delete|action))\b")
_SCOPE = re.compile(r"over scope \\*'([^'\\]+)")
_WORKSPACE = re.compile(
    r"/subscriptions/[^/\s'\"]+/resourceGroups/[^/\s'\"]+"
    r"/providers/Microsoft\.MachineLearningServices/workspaces/[^/\s'\"?]+",
    re.IGNORECASE,
)
_ML = "microsoft.machinelearningservices/workspaces/"

SCIENTIST, OPERATOR, CONTRIBUTOR = (
    "AzureML Data Scientist",
    "AzureML Compute Operator",
    "Contributor",
)


@dataclass(frozen=True, kw_only=True)
class Missing:
    """A missing permission. ``scope`` is the resource to give the role on."""

    action: str
    role: str
    scope: str
    object_id: str

    @property
    def command(self) -> str:
        """The Azure CLI command that gives the role."""
        return (
            f"az role assignment create --assignee-object-id {self.object_id or '<object id>'} "
            f"--assignee-principal-type ServicePrincipal --role '{self.role}' "
            f"--scope {self.scope or '<the id of the workspace>'}"
        )


def missing(told: str, address: str = "") -> Missing | None:
    """The permission that a refusal names, None if it names none.

    Args:
        told: the texts of the service and the SDK.
        address: the request's URL, which has the workspace if the refusal has not.
    """
    action = _ACTION.search(told)
    if action is None:
        return None
    scope = _SCOPE.search(told)
    object_id = _OBJECT.search(told)
    role = _role(action[1])
    workspace = _WORKSPACE.search(scope[1] if scope else "") or _WORKSPACE.search(address)
    where = workspace[0] if workspace else (scope[1] if scope else "")
    return Missing(
        action=action[1],
        role=role,
        scope=where,
        object_id=object_id[1] if object_id else "",
    )


def _role(action: str) -> str:
    """The built-in role with the fewest rights that allows an action."""
    name = action.lower()
    if not name.startswith(_ML) or name in (f"{_ML}write", f"{_ML}delete"):
        return CONTRIBUTOR
    if name.startswith(f"{_ML}computes/") and not name.endswith("/read"):
        return OPERATOR
    return SCIENTIST
