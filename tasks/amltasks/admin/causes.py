"""Every error that can end a verb of ``dev.py admin``, in the form of ``amltasks.errors``."""

from __future__ import annotations

from amltasks.errors import Cause, Fault

ORGANIZATION_INVALID = Cause(
    code="ORGANIZATION_INVALID",
    happened="'{given}' is not an organization of Azure DevOps",
    next_step="give its name, or its address as https://dev.azure.com/<name>",
)
TOKEN_MISSING = Cause(
    code="TOKEN_MISSING",
    happened="there is no token, and no terminal on which to ask for one",
    next_step="put a personal access token into the environment variable AZURE_DEVOPS_EXT_PAT",
)
TOKEN_REFUSED = Cause(
    code="TOKEN_REFUSED",
    happened="{where} refused the token while {doing}",
    next_step="create a personal access token for this organization with the scopes that "
    "docs/setup.md lists, and put it into the environment variable AZURE_DEVOPS_EXT_PAT",
)
ORGANIZATION_UNKNOWN = Cause(
    code="ORGANIZATION_UNKNOWN",
    happened="there is no organization at {where}",
    next_step="correct --organization; it is the first part of the path in your browser's address",
)
PROJECT_UNKNOWN = Cause(
    code="PROJECT_UNKNOWN",
    happened="there is no project '{project}' in {where}, or the token's owner may not see it",
    next_step="correct --project, or let an administrator add you to the project",
)
PERMISSION_MISSING = Cause(
    code="PERMISSION_MISSING",
    happened="Azure DevOps denied the token's owner access while {doing}: {detail}",
    next_step="ask an administrator to grant {permission}, and check that the token has the scopes "
    "that docs/setup.md lists",
)
REQUEST_REFUSED = Cause(
    code="REQUEST_REFUSED",
    happened="Azure DevOps refused with {status} while {doing}: {detail}",
    next_step="fix what the message names, and run the same command again; what is already done "
    "stays",
)
SERVICE_UNREACHABLE = Cause(
    code="SERVICE_UNREACHABLE",
    happened="{where} did not answer while {doing}: {detail}",
    next_step="check the network and the proxy (HTTPS_PROXY, REQUESTS_CA_BUNDLE) and run the same "
    "command again",
    fault=Fault.SYSTEM,
)
CONNECTION_DIFFERS = Cause(
    code="CONNECTION_DIFFERS",
    happened="the project already has a service connection '{name}' with another {differences}",
    next_step="choose another --name, or edit or remove that connection under Project settings > "
    "Service connections; nothing was changed",
)
CONNECTION_UNKNOWN = Cause(
    code="CONNECTION_UNKNOWN",
    happened="the project has no service connection '{name}'",
    next_step="create it with the verb connect, or choose another with --connection",
)
POOL_UNKNOWN = Cause(
    code="POOL_UNKNOWN",
    happened="the project cannot use an agent pool '{name}'; it can use {known}",
    next_step="choose one of those with --pool, or add the pool under Project settings > Agent "
    "pools",
)
REPOSITORY_TAKEN = Cause(
    code="REPOSITORY_TAKEN",
    happened="the repository '{name}' already has files, and {path} is not among them",
    next_step="choose another --repository; nothing was changed",
)
SAMPLE_CHANGED = Cause(
    code="SAMPLE_CHANGED",
    happened="the verb cannot adapt the sample in this clone: {detail}",
    next_step="restore samples/ from git and run the same command again",
)
EXTENSION_NOT_OFFERED = Cause(
    code="EXTENSION_NOT_OFFERED",
    happened="the Marketplace has no extension {extension} for this organization",
    next_step="publish it and share it with the organization (verbs publish and share), or name "
    "its "
    "publisher with --publisher",
)
EXTENSION_DISABLED = Cause(
    code="EXTENSION_DISABLED",
    happened="the extension {extension} is installed but switched off ({flags})",
    next_step="switch it on in Organization settings > Extensions",
)
TFX_MISSING = Cause(
    code="TFX_MISSING",
    happened="tfx-cli or Node 20 was not found",
    next_step="run the verb as `python3 dev.py admin`, which installs tfx-cli from the lock",
)
TFX_FAILED = Cause(
    code="TFX_FAILED",
    happened="tfx could not {doing}: {detail}",
    next_step="check that the token is for all accessible organizations with the scope Marketplace "
    "(publish), and that the publisher is yours",
)
EXTENSION_VERSION_TAKEN = Cause(
    code="EXTENSION_VERSION_TAKEN",
    happened="the Marketplace already has {extension} {version}, with other content",
    next_step="raise 'version' in vss-extension.json, build the package again, and publish it",
)
TASK_VERSION_STALE = Cause(
    code="TASK_VERSION_STALE",
    happened="organizations would not receive {tasks}: its files changed since "
    "{extension} {version}, but its own version did not",
    next_step="run .envs/dev/bin/python -m extension.versions raise, build the package again, and "
    "publish it; nothing was published",
)
VSIX_INVALID = Cause(
    code="VSIX_INVALID",
    happened="'{path}' is not an extension: {detail}",
    next_step="build it with `python3 dev.py package`",
)
NOT_READY = Cause(
    code="NOT_READY",
    happened="the sample cannot run yet: {count} of {all} checks failed ({names})",
    next_step="follow the advice under each failed check above, and run doctor again",
)
UNEXPECTED = Cause(
    code="UNEXPECTED",
    happened="the verb failed in a way that it does not know: {detail}",
    next_step="run it again; if that does not help, report this line as a bug",
    fault=Fault.SYSTEM,
)
