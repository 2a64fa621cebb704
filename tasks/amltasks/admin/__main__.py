"""The verbs, their options, and how they end: 0 done, 1 failed, 2 used wrongly, 130 interrupted."""

from __future__ import annotations

import functools
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from amltasks.admin import causes
from amltasks.admin import connect as connecting
from amltasks.admin import doctor as health
from amltasks.admin import install as installing
from amltasks.admin import publish as publishing
from amltasks.admin import sample as importing
from amltasks.admin.install import Extension
from amltasks.admin.organization import Organization, open_organization
from amltasks.admin.pools import HOSTED
from amltasks.errors import TaskError

_TOKEN = "AZURE_DEVOPS_EXT_PAT"  # noqa: S105  (a variable's name)
_FAILED, _INTERRUPTED = 1, 130
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
Verb = Callable[..., None]


class _Guid(click.ParamType[str]):
    name = "GUID"

    def convert(self, value: Any, param: Any, ctx: Any) -> str:
        if not re.fullmatch(_GUID, str(value)):
            self.fail(f"'{value}' is no GUID", param, ctx)
        return str(value).lower()


def _options(*options: Callable[[Verb], Verb]) -> Callable[[Verb], Verb]:
    def add(verb: Verb) -> Verb:
        for option in reversed(options):
            verb = option(verb)
        return verb

    return add


_organization = click.option(
    "--organization",
    envvar="AZURE_DEVOPS_ORG_URL",
    required=True,
    show_envvar=True,
    help="Name or address of the organization.",
)
_project = click.option(
    "--project",
    envvar="AZURE_DEVOPS_PROJECT",
    required=True,
    show_envvar=True,
    help="Name of the project.",
)
_dry_run = click.option(
    "--dry-run", is_flag=True, help="Show the calls that would change something; change nothing."
)
_workspace = _options(
    click.option("--resource-group", required=True, help="Resource group of the workspace."),
    click.option("--workspace", required=True, help="The Azure ML workspace."),
)
_extension = click.option(
    "--publisher",
    default=installing.PUBLISHER,
    show_default=True,
    help="Whose extension; give yours if you publish a fork.",
)
_names = _options(
    click.option(
        "--name",
        default="compliance-classifier",
        show_default=True,
        help="Name of the sample's repository and pipelines.",
    ),
    click.option(
        "--connection",
        default="aml-connection",
        show_default=True,
        help="Name of the service connection.",
    ),
    click.option(
        "--pool", default=HOSTED, show_default=True, help="Name of the agent pool in the project."
    ),
    click.option(
        "--aks",
        default="k8s-cluster",
        show_default=True,
        help="The Kubernetes cluster that is attached to the workspace.",
    ),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Set an organization of Azure DevOps up for the Azure Machine Learning tasks.

    The token is read from the variable AZURE_DEVOPS_EXT_PAT, or asked for; it is no option, so that
    no list of processes and no history of a shell has it. A verb that is run again changes nothing.
    """


def _ending(verb: Verb) -> Verb:
    @functools.wraps(verb)
    def run(**options: Any) -> None:
        try:
            verb(**options)
        except TaskError as error:
            click.echo(str(error), err=True)
            sys.exit(_FAILED)
        except KeyboardInterrupt:
            click.echo("interrupted; what is done already stays", err=True)
            sys.exit(_INTERRUPTED)
        except (click.ClickException, click.Abort, click.exceptions.Exit):
            raise  # click's own ways to end
        except Exception as cause:
            detail = f"{type(cause).__name__}: {cause}"
            click.echo(str(causes.UNEXPECTED.error(detail=detail)), err=True)
            sys.exit(_FAILED)

    return run


def _token() -> str:
    given = os.environ.get(_TOKEN, "").strip()
    if given:
        return given
    if not sys.stdin.isatty():
        raise causes.TOKEN_MISSING.error()
    asked: str = click.prompt("Personal access token", hide_input=True, err=True)
    return asked


def _open(organization: str, *, dry_run: bool = False) -> Organization:
    return open_organization(organization, _token(), dry_run=dry_run)


@main.command()
@_options(_organization, _project)
@click.option("--name", default="aml-connection", show_default=True, help="Its name.")
@click.option("--tenant", type=_Guid(), required=True, help="The Entra tenant.")
@click.option("--client-id", type=_Guid(), required=True, help="The application it signs in as.")
@click.option("--subscription", type=_Guid(), required=True, help="The Azure subscription.")
@click.option("--subscription-name", default="", help="The subscription's name, as it is shown.")
@_workspace
@_dry_run
@_ending
def connect(
    *,
    organization: str,
    project: str,
    name: str,
    tenant: str,
    client_id: str,
    subscription: str,
    subscription_name: str,
    resource_group: str,
    workspace: str,
    dry_run: bool,
) -> None:
    """Create a service connection with workload identity federation.

    Prints issuer and subject, and the commands that make Azure trust it and give it its two roles.
    """
    wanted = connecting.Wanted(
        name=name,
        tenant=tenant,
        client=client_id,
        subscription=subscription,
        subscription_name=subscription_name,
        resource_group=resource_group,
        workspace=workspace,
    )
    connecting.connect(_open(organization, dry_run=dry_run), project, wanted)


@main.command()
@_options(_organization, _project, _names, _workspace)
@click.option(
    "--only",
    type=click.Choice(["yaml", "classic"]),
    help="Import one kind of pipeline; both if not given.",
)
@_dry_run
@_ending
def sample(
    *,
    organization: str,
    project: str,
    name: str,
    connection: str,
    pool: str,
    aks: str,
    resource_group: str,
    workspace: str,
    only: str | None,
    dry_run: bool,
) -> None:
    """Import the sample: a repository, a YAML pipeline, a classic build and its release."""
    wanted = importing.Wanted(
        name=name,
        connection=connection,
        pool=pool,
        aks=aks,
        resource_group=resource_group,
        workspace=workspace,
        flavours=(only,) if only else ("yaml", "classic"),
    )
    importing.sample(_open(organization, dry_run=dry_run), project, wanted)


@main.command()
@_options(_organization, _project, _names, _workspace, _extension)
@_ending
def doctor(
    *,
    organization: str,
    project: str,
    name: str,
    connection: str,
    pool: str,
    aks: str,
    resource_group: str,
    workspace: str,
    publisher: str,
) -> None:
    """Say what is missing for the sample to run. Changes nothing."""
    subject = health.Subject(
        name=name,
        connection=connection,
        pool=pool,
        aks=aks,
        resource_group=resource_group,
        workspace=workspace,
        extension=Extension(publisher=publisher),
    )
    health.doctor(_open(organization), project, subject)


@main.command()
@_options(_organization, _extension, _dry_run)
@_ending
def install(*, organization: str, publisher: str, dry_run: bool) -> None:
    """Install the extension that is shared with the organization."""
    installing.install(_open(organization, dry_run=dry_run), Extension(publisher=publisher))


@main.command()
@click.option(
    "--vsix",
    type=click.Path(path_type=Path),
    required=True,
    help="The package; `dev.py admin publish` builds it.",
)
@_dry_run
@_ending
def publish(*, vsix: Path, dry_run: bool) -> None:
    """Publish the extension to the Marketplace, as a private one."""
    publishing.publish(publishing.read_package(vsix), _token(), dry_run=dry_run)


@main.command()
@_options(_organization, _extension, _dry_run)
@_ending
def share(*, organization: str, publisher: str, dry_run: bool) -> None:
    """Share the published extension with the organization."""
    token = _token()
    name = open_organization(organization, token, dry_run=dry_run).name
    publishing.share(Extension(publisher=publisher), name, token, dry_run=dry_run)


if __name__ == "__main__":
    main(prog_name="amltasks.admin")
