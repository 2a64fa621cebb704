"""Role assignments, and whether a principal may do what it asks (Azure RBAC).

Built-in roles: learn.microsoft.com/azure/role-based-access-control/built-in-roles. On Resource
Manager an action is told by the method and the path; on the data planes, whose actions Azure does
not document call by call, by the service that is asked, and whether something is read or changed.
Tokens of runs, and those for storage and Graph, have rights of their own.
"""

from __future__ import annotations

import functools
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from local.azure.identity.principals import managed_identity
from local.azure.kernel import fields
from local.azure.kernel.cloud import PROVIDER, Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.tables import Table
from local.azure.kernel.web import ARM_HOST, Router

_FILTER = ("$filter",)
router = Router(host=ARM_HOST)


class Assignment(TypedDict):
    """A role that a principal has at a scope and below it. role: the GUID of its definition."""

    name: str
    principalId: str
    role: str
    scope: str


class Made(TypedDict):
    """That the assignments of a new state were made."""


_ASSIGNMENTS: Table[Assignment] = Table("role-assignment")
_DEFAULTS: Table[Made] = Table("role-defaults")
_AUTHORIZATION = "Microsoft.Authorization"
_ML = f"{PROVIDER}/workspaces"


@dataclass(frozen=True, kw_only=True)
class Role:
    """A built-in role; `*` in an action stands for anything, `/*/` also for nothing."""

    id: str
    name: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def allows(self, action: str) -> bool:
        """Whether the role's holder may do it."""
        return _any(self.actions, action) and not _any(self.not_actions, action)


ROLES = (
    Role(id="8e3af657-a8ff-443c-a75c-2fe8c4bcb635", name="Owner", actions=("*",)),
    Role(
        id="b24988ac-6180-42a0-ab88-20f7382dd24c",
        name="Contributor",
        actions=("*",),
        not_actions=(f"{_AUTHORIZATION}/*/write", f"{_AUTHORIZATION}/*/delete"),
    ),
    Role(id="acdd72a7-3385-48ef-bd42-f606fba81ae7", name="Reader", actions=("*/read",)),
    Role(
        id="f6c7c914-8db3-469d-8ca1-694a8f32e121",
        name="AzureML Data Scientist",
        actions=tuple(f"{_ML}/*/{verb}" for verb in ("read", "action", "delete", "write")),
        not_actions=(
            f"{_ML}/delete",
            f"{_ML}/write",
            f"{_ML}/computes/*/write",
            f"{_ML}/computes/*/delete",
            f"{_ML}/computes/listKeys/action",
            f"{_ML}/listKeys/action",
        ),
    ),
    Role(
        id="e503ece1-11d0-4e8e-8e2c-7a6c3bf38815",
        name="AzureML Compute Operator",
        actions=(f"{_ML}/computes/*", f"{_ML}/notebooks/vm/*"),
    ),
)
_BY_ID = {role.id: role for role in ROLES}
# Services of the data plane whose action is not called after them.
_DATA_ACTIONS = {
    "artifact": "metadata/artifacts",
    "content": "metadata/snapshots",
    "credential": "metadata/secrets",
    "execution": "experiments/runs",
    "history": "experiments/runs",
    "metric": "experiments/runs",
    "mlflow": "experiments/runs",
    "modelmanagement": "models",
    "data": "datasets/registered",
    "dataset": "datasets/registered",
    "datastore": "datastores",
    "environment": "environments",
    "pipelines": "pipelinedrafts",
}
_QUERY = re.compile(r"query|search|getbatch|/(?:get|list)(?:[-/]|$)|:batchget", re.IGNORECASE)
# Where a long operation is followed: whoever began it may look, wherever his role is.
_OPERATION = re.compile(r"/locations/[^/]+/\w*operation\w*/", re.IGNORECASE)
_GROUP = re.compile(r"/subscriptions/[^/]+(?:/resourceGroups/[^/]+)?", re.IGNORECASE)


def authorize(cloud: Cloud, request: Request) -> None:
    """Let a request pass, or raise ServiceError 403 as the service words it."""
    object_id = str((request.caller or {}).get("oid", ""))
    if request.host == ARM_HOST:
        action, scope = _arm_action(request.method, re.sub("//+", "/", request.path).rstrip("/"))
    elif request.host.endswith(".api.azureml.ms"):
        action, scope = _data_action(request)
    else:
        return
    if not action or not object_id or request.caller is None or not _is_principal(request.caller):
        return
    if _OPERATION.search(request.path):
        return
    if _may(cloud, object_id, action, scope):
        return
    if request.host == ARM_HOST:
        raise ServiceError(
            403,
            "AuthorizationFailed",
            f"The client '{request.caller.get('appid')}' with object id '{object_id}' does not "
            f"have authorization to perform action '{action}' over scope '{scope}' or the scope is "
            "invalid. If access was recently granted, please refresh your credentials.",
        )
    raise ServiceError(
        403,
        "UserError",
        f"Identity(object id: {object_id}) does not have permissions for {action} actions. Please "
        "refer to https://aka.ms/azureml-auth-troubleshooting to fix the permissions issue.",
    )


def assignments(cloud: Cloud) -> Sequence[Assignment]:
    """All role assignments; a new state has the application's and the managed identity's."""
    if _DEFAULTS.look_up(cloud, "made") is None:
        scope = f"/subscriptions/{cloud.subscription_id}"
        _insert(cloud, cloud.object_id, ROLES[0].id, scope)
        _insert(cloud, managed_identity(cloud).object_id, ROLES[1].id, scope)
        _DEFAULTS.put(cloud, "made", {})
    return _ASSIGNMENTS.find(cloud)


def _insert(cloud: Cloud, principal: str, role: str, scope: str, name: str = "") -> Assignment:
    made: Assignment = {
        # By what it says unless it is named, so that the defaults are made once.
        "name": name or str(uuid.uuid5(uuid.NAMESPACE_URL, f"{scope}/{role}/{principal}")),
        "principalId": principal,
        "role": role,
        "scope": scope,
    }
    wanted = (principal, role, scope)
    if any(
        (one["principalId"], one["role"], one["scope"]) == wanted
        for one in _ASSIGNMENTS.find(cloud)
    ):
        if name:
            raise ServiceError(409, "RoleAssignmentExists", "The role assignment already exists.")
        return made
    try:
        _ASSIGNMENTS.insert(cloud, made["name"], made)
    except AlreadyExists:
        if name:
            raise ServiceError(
                409, "RoleAssignmentExists", "The role assignment already exists."
            ) from None
    return made


def _filtered(request: Request, known: str) -> str:
    """What the filter asks for, in lower case; empty without one. Raises ServiceError 501."""
    text = request.query.get("$filter", "").strip()
    found = re.fullmatch(known, text, re.IGNORECASE)
    if text and not found:
        raise ServiceError(501, "NotImplemented", f"The local Azure does not know $filter={text}.")
    return found[1].lower() if found else ""


@router.route(
    "GET", "/{scope:rest}/providers/" + _AUTHORIZATION + "/roleDefinitions", query=_FILTER
)
def list_definitions(_cloud: Cloud, request: Request) -> Response:
    """The roles known here, by `$filter=roleName eq '…'` where it is given."""
    name = _filtered(request, r"roleName eq '([^']+)'")
    named = [role for role in ROLES if name in ("", role.name.lower())]
    return json_response({"value": [_definition(role) for role in named]})


@router.route(
    "GET", "/{scope:rest}/providers/" + _AUTHORIZATION + "/roleAssignments", query=_FILTER
)
def list_assignments(cloud: Cloud, request: Request) -> Response:
    """Assignments at, above and below a scope, by principal where `$filter` names one."""
    scope = "/" + request.params["scope"].lower()
    principal = _filtered(
        request, r"(?:atScope\(\) and )?(?:principalId eq |assignedTo\()\s*'([^']+)'\)?"
    )
    found = [
        one
        for one in assignments(cloud)
        if (_below(scope, one["scope"]) or _below(one["scope"], scope))
        and principal in ("", one["principalId"])
    ]
    return json_response({"value": [_assignment(cloud, one) for one in found]})


@router.route("PUT", "/{scope:rest}/providers/" + _AUTHORIZATION + "/roleAssignments/{name}")
def create_assignment(cloud: Cloud, request: Request) -> Response:
    """Give a role."""
    assignments(cloud)
    given = fields.mapping(request.json_object(), "properties")
    role = fields.text(given, "roleDefinitionId").rpartition("/")[2].lower()
    if role not in {one.id for one in ROLES}:
        raise ServiceError(
            400, "RoleDefinitionDoesNotExist", f"The role definition '{role}' is not known here."
        )
    made = _insert(
        cloud,
        fields.text(given, "principalId").lower(),
        role,
        "/" + request.params["scope"],
        name=request.params["name"].lower(),
    )
    return json_response(_assignment(cloud, made), 201)


@router.route("DELETE", "/{scope:rest}/providers/" + _AUTHORIZATION + "/roleAssignments/{name}")
def delete_assignment(cloud: Cloud, request: Request) -> Response:
    """Take a role away."""
    found = _ASSIGNMENTS.get(cloud, request.params["name"].lower())
    if found is None:
        return Response(status=204)
    _ASSIGNMENTS.delete(cloud, found["name"])
    return json_response(_assignment(cloud, found))


def _assignment(cloud: Cloud, stored: Assignment) -> Mapping[str, object]:
    kind = f"{_AUTHORIZATION}/roleAssignments"
    roles = f"/subscriptions/{cloud.subscription_id}/providers/{_AUTHORIZATION}/roleDefinitions"
    return {
        "id": f"{stored['scope']}/providers/{kind}/{stored['name']}",
        "name": stored["name"],
        "type": kind,
        "properties": {
            "principalId": stored["principalId"],
            "principalType": "ServicePrincipal",
            "roleDefinitionId": f"{roles}/{stored['role']}",
            "scope": stored["scope"],
        },
    }


def _definition(role: Role) -> Mapping[str, object]:
    kind = f"{_AUTHORIZATION}/roleDefinitions"
    permissions = {"actions": list(role.actions), "notActions": list(role.not_actions)}
    return {
        "id": f"/providers/{kind}/{role.id}",
        "name": role.id,
        "type": kind,
        "properties": {
            "roleName": role.name,
            "type": "BuiltInRole",
            "permissions": [{**permissions, "dataActions": [], "notDataActions": []}],
            "assignableScopes": ["/"],
        },
    }


def _is_principal(caller: Any) -> bool:
    """Whether a token is one that Entra gave to a principal, for a service of Azure."""
    return str(caller.get("aud", "")).startswith("https://")


def _may(cloud: Cloud, object_id: str, action: str, scope: str) -> bool:
    assignments(cloud)
    held = _ASSIGNMENTS.find(cloud, {"principalId": object_id})
    if action == "Microsoft.Resources/subscriptions/read":
        return bool(held)  # whoever has a role below a subscription sees it
    return any(_below(scope, one["scope"]) and _BY_ID[one["role"]].allows(action) for one in held)


def _below(scope: str, above: str) -> bool:
    return f"{scope.lower()}/".startswith(f"{above.lower().rstrip('/')}/")


def _arm_action(method: str, path: str) -> tuple[str, str]:
    """The action of a request and the scope it needs it on."""
    head, found, tail = path.rpartition("/providers/")
    if not found:
        names = path.strip("/").split("/")
        kinds = ["subscriptions", "resourceGroups", "resources"]
        depth = 1 if len(names) <= 2 else 2
        kind = "/".join(kinds[:depth]) if names[-1] != "resources" else "subscriptions/resources"
        scope = _GROUP.match(path)
        return f"Microsoft.Resources/{kind}/{_verb(method)}", scope[0] if scope else path
    namespace, *rest = tail.split("/")
    if method == "POST":
        types, last = rest[0::2], rest[-1]
        named = [*types[:-1], last] if len(rest) % 2 else [*types, last]
        parent = rest[:-1]
        return "/".join([namespace, *named, "action"]), _join(head, namespace, parent)
    resource = rest if len(rest) % 2 == 0 else rest[:-1]  # a list is asked of what holds it
    return "/".join([namespace, *rest[0::2], _verb(method)]), _join(head, namespace, resource)


def _join(head: str, namespace: str, rest: list[str]) -> str:
    return f"{head}/providers/{'/'.join([namespace, *rest])}" if rest else head or "/"


def _data_action(request: Request) -> tuple[str, str]:
    scope = re.search(
        rf"/subscriptions/[^/]+/resourceGroups/[^/]+/providers/{PROVIDER}/workspaces/[^/]+",
        request.path,
        re.IGNORECASE,
    )
    if scope is None:
        return "", ""
    service = request.path.strip("/").split("/")[0].lower()
    if service == "rp":  # Resource Manager's own resources, asked here
        return _arm_action(request.method, request.path[scope.start() :].rstrip("/"))
    what = _DATA_ACTIONS.get(service, "metadata")
    reads = request.method in ("GET", "HEAD") or (
        request.method == "POST" and _QUERY.search(request.path[scope.end() :])
    )
    verb = "read" if reads else "delete" if request.method == "DELETE" else "write"
    return f"{_ML}/{what}/{verb}", scope[0]


def _verb(method: str) -> str:
    return {"GET": "read", "HEAD": "read", "DELETE": "delete"}.get(method, "write")


def _any(patterns: tuple[str, ...], action: str) -> bool:
    return any(_expression(pattern).fullmatch(action) for pattern in patterns)


@functools.lru_cache
def _expression(pattern: str) -> re.Pattern[str]:
    text = re.escape(pattern).replace("/\\*/", "/(?:.*/)?").replace("\\*", ".*")
    return re.compile(text, re.IGNORECASE)
