"""Errors in the form of Azure DevOps, with the types that its clients tell them apart by."""

from __future__ import annotations

from local.azure.kernel.http import Response, ServiceError, json_response

_BUILD = ("Microsoft.TeamFoundation.Build.WebApi", "Microsoft.TeamFoundation.Build2.WebApi")
_COMMON = ("Microsoft.VisualStudio.Services.Common", "Microsoft.VisualStudio.Services.Common")
_CORE = ("Microsoft.TeamFoundation.Core.WebApi", "Microsoft.TeamFoundation.Core.WebApi")
_DISTRIBUTED = (
    "Microsoft.TeamFoundation.DistributedTask.WebApi",
    "Microsoft.TeamFoundation.DistributedTask.WebApi",
)
_GIT = ("Microsoft.TeamFoundation.Git.Server", "Microsoft.TeamFoundation.Git.Server")
_RELEASE = (
    "Microsoft.VisualStudio.Services.ReleaseManagement.WebApi.Exceptions",
    "Microsoft.VisualStudio.Services.ReleaseManagement.WebApi",
)
_RELEASE_DATA = (
    "Microsoft.VisualStudio.Services.ReleaseManagement.Data.Exceptions",
    "Microsoft.VisualStudio.Services.ReleaseManagement2.Data",
)
_ENDPOINTS = (
    "Microsoft.VisualStudio.Services.ServiceEndpoints.WebApi",
    "Microsoft.VisualStudio.Services.ServiceEndpoints.WebApi",
)
_SYSTEM = ("System", "mscorlib")
_TEST = (
    "Microsoft.TeamFoundation.TestManagement.WebApi",
    "Microsoft.TeamFoundation.TestManagement.WebApi",
)
_WEB_API = ("Microsoft.VisualStudio.Services.WebApi", "Microsoft.VisualStudio.Services.WebApi")

_HOMES = (
    (_SYSTEM, ("ArgumentException", "ArgumentNullException", "NotImplementedException")),
    (_CORE, ("Project",)),
    (_BUILD, ("Artifact", "Attachment", "Build", "Definition", "Folder", "Timeline")),
    (_GIT, ("Git", "Comment")),
    (_ENDPOINTS, ("ServiceEndpoint", "DuplicateServiceConnection")),
    (_TEST, ("TestObject", "InvalidProperty")),
    (_RELEASE, ("Release", "Deployment")),
    (_RELEASE_DATA, ("InvalidRequest",)),
    (_DISTRIBUTED, ("TaskAgent", "TaskLog", "TaskOrchestration", "VariableGroup")),
    (_WEB_API, ("VssInvalidPreview", "VssVersion")),
)
"""Namespace and assembly of the types whose names begin so."""


def error_answer(error: ServiceError) -> Response:
    """An error as the service writes it (WrappedException); 401 has no body."""
    if error.status == 401:
        return Response(
            status=401, headers={"www-authenticate": 'Basic realm="https://dev.azure.com/"'}
        )
    namespace, assembly = _home(error.code)
    body = {
        "$id": "1",
        "innerException": None,
        "message": error.message,
        "typeName": f"{namespace}.{error.code}, {assembly}",
        "typeKey": error.code,
        "errorCode": 0,
        "eventId": 0 if namespace == _SYSTEM[0] else 3000,
    }
    return json_response(body, error.status)


def _home(code: str) -> tuple[str, str]:
    for home, beginnings in _HOMES:
        if code.startswith(beginnings):
            return home
    return _COMMON


def unsupported(message: str) -> ServiceError:
    """What the service can do and the local Azure cannot."""
    return ServiceError(501, "NotImplementedException", message)


def invalid(message: str) -> ServiceError:
    """A value of a wrong form."""
    return ServiceError(400, "VssPropertyValidationException", message)


def missing(name: str) -> ServiceError:
    """A member that must be there."""
    return ServiceError(400, "ArgumentNullException", f"Value cannot be null. (Parameter '{name}')")
