"""What every run needs: the agent's environment, connections, tasks, counters and folders."""

from __future__ import annotations

import contextlib
import datetime
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from local.agent.definition.model import Pipeline, all_variables
from local.agent.definition.numbering import Numbers, build_number
from local.agent.definition.variable_groups import VariableGroups
from local.agent.errors import AgentError
from local.agent.expressions.values import ExpressionError
from local.agent.host import connection
from local.agent.host.connection import Connection
from local.agent.host.console import Console
from local.agent.host.masking import SecretMasker
from local.agent.host.tasks import TaskDefinition, read_tasks, unpack
from local.agent.job.handlers import find_node
from local.agent.job.planned_step import Plan
from local.agent.organization import organization
from local.agent.organization.caller import SETTINGS
from local.agent.organization.open_runs import OpenRuns
from local.agent.organization.organization import JobRequest, Organization
from local.agent.organization.run_updates import observer_of
from local.agent.run.plan import needs_node
from local.agent.run.scope import Scope
from local.agent.session.counters import Counters
from local.agent.session.predefined import known_to_service
from local.agent.session.session import Folders, Session

APPLICATION = "azure-pipelines-local-agent"
# Older runs in the default place are deleted; with --work nothing ever is.
KEPT_RUNS = 10


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says of any run.

    Attributes:
        vsix: the extension whose tasks are used.
        variables: by name; they win over those of the file's top level.
        connections: more service connections, name to scheme.
        groups: files of variable groups, by name or id.
        work: where the run's folder is kept, None for the user's cache folder.
    """

    vsix: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    connections: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, Path] = field(default_factory=dict)
    work: Path | None = None


@dataclass(frozen=True, kw_only=True)
class RunSetup:
    """What builds and releases need of this machine and of the command line.

    Attributes:
        environment: the agent's own, without its settings; steps inherit it.
        work: where the run's folder is kept, None for the user's cache folder.
    """

    environment: dict[str, str]
    connections: tuple[Connection, ...]
    organization: Organization | None
    masker: SecretMasker
    numbers: Numbers
    now: datetime.datetime
    cache: Path
    work: Path | None
    vsix: Path | None
    tasks: list[TaskDefinition]

    @classmethod
    def find(cls, options: Options) -> RunSetup:
        """Read the environment and the .vsix; raises AgentError when one cannot be used."""
        environment = dict(os.environ)
        own = connection.from_environment(environment, options.connections)
        masker = _masker(environment)
        joined = organization.from_environment(environment, masker)
        for name in (*connection.OWN_SETTINGS, *SETTINGS):
            environment.pop(name, None)
        for one in own:
            one.hide(masker)
        if joined is not None:
            own = tuple(joined.adopt(one) for one in own)
        cache = Path(platformdirs.user_cache_dir(APPLICATION, appauthor=False))
        return cls(
            environment=environment,
            connections=own,
            organization=joined,
            masker=masker,
            numbers=Numbers((options.work or cache) / "numbers.json"),
            now=datetime.datetime.now(datetime.timezone.utc),
            cache=cache,
            work=options.work,
            vsix=options.vsix,
            tasks=read_tasks(options.vsix) if options.vsix is not None else [],
        )

    @property
    def open_runs(self) -> OpenRuns:
        """The runs of this machine that are in progress in organisations."""
        return OpenRuns((self.work or self.cache) / "open-runs")

    def end_abandoned(self) -> None:
        """End the runs in the organisation whose agents were killed, and say so."""
        if self.organization is None:
            return
        for what in self.organization.end_abandoned(self.open_runs):
            message = f"##[warning]{what} was still in progress, and its agent is gone: canceled"
            Console(self.masker).line("run", message)

    def variable_groups(self, files: Mapping[str, Path]) -> VariableGroups:
        """Return where variable groups come from: files first, then the organisation."""
        joined = self.organization
        if joined is None:
            return VariableGroups(files=files, environment=self.environment)
        fetch = joined.variable_group
        return VariableGroups(files=files, fetch=fetch, environment=self.environment)

    def node(self, plan: Plan) -> str:
        """Return the Node to run tasks with; raises AgentError when one is needed and not there."""
        return find_node(self.environment.get("PATH")) if needs_node(plan) else "node"

    def counters(self, pipeline: Pipeline) -> Counters:
        """Return the counters of one run of a pipeline."""
        return Counters(numbers=self.numbers, pipeline=str(pipeline.path.resolve()))

    def number(self, pipeline: Pipeline, predefined: Mapping[str, str], counters: Counters) -> str:
        """Return the next number of a build, or name of a release, by the definition's format.

        The format reads evaluated variables, such as counters, and none that only an agent sets.
        """
        known = known_to_service(predefined)
        scope = Scope(predefined=known, started=self.now, counters=counters)
        # What cannot be evaluated fails the run later, with its own error.
        with contextlib.suppress(ExpressionError):
            scope = scope.of_run(pipeline.variables)
        return build_number(
            pipeline.name_format,
            variables={**known, **{one.name: one.value for one in scope.definitions}},
            now=self.now,
            numbers=self.numbers,
            pipeline=str(pipeline.path.resolve()),
        )

    def session(
        self,
        pipeline: Pipeline,
        predefined: dict[str, str],
        node: str,
        request: JobRequest | None,
        *,
        counters: Counters,
        label: str,
    ) -> Session:
        """Make the run's folder, named after its time and ``label``, and what runs in it."""
        folders = _folders(self.work, self.cache, self.now, label, self.environment)
        if self.vsix is not None:
            unpack(self.vsix, self.tasks, folders.tasks)
        token = request.token if request is not None else secrets.token_urlsafe(24)
        system = connection.system_connection(predefined["System.CollectionUri"], token)
        system.hide(self.masker)
        self.masker.add_variable(token)
        opened = None
        if request is not None and self.organization is not None:
            opened = self.organization.open(self.open_runs, request)
        for definition in all_variables(pipeline):
            if definition.secret:
                self.masker.add_variable(definition.value)
        console = Console(self.masker)
        return Session(
            folders=folders,
            masker=self.masker,
            console=console,
            observer=observer_of(request, console),
            source=pipeline.path,
            environment=self.environment,
            predefined=predefined,
            secrets={} if request is None else request.secrets,
            access_token=token,
            connections=self.connections,
            system=system,
            started=self.now,
            counters=counters,
            node=node,
            default_branch=pipeline.default_branch,
            open_run=opened,
        )


def _masker(environment: Mapping[str, str]) -> SecretMasker:
    shortest = environment.get("AZP_IGNORE_SECRETS_SHORTER_THAN", "")
    return SecretMasker(int(shortest) if shortest.isdecimal() else 0)


def _folders(
    work: Path | None,
    cache: Path,
    now: datetime.datetime,
    label: str,
    environment: Mapping[str, str],
) -> Folders:
    runs = work or cache / "runs"
    tools = environment.get("AGENT_TOOLSDIRECTORY") or str(cache / "tools")
    folder = runs / f"{now:%Y%m%d-%H%M%S}-{label}"
    try:
        folder.mkdir(parents=True)
        Path(tools).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AgentError(
            f"the folder '{error.filename}' cannot be created ({error.strerror}); choose another "
            "with --work, or another AGENT_TOOLSDIRECTORY"
        ) from error
    if work is None:
        for old in sorted(runs.glob("[0-9]*-[0-9]*-[0-9]*"))[:-KEPT_RUNS]:
            shutil.rmtree(old, ignore_errors=True)
    return Folders(root=folder.resolve(), tools=Path(tools).resolve())
