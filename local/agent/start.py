"""From the command line's arguments to a session that is ready to run, or a refusal."""

from __future__ import annotations

import datetime
import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from local.agent import connection, organization
from local.agent.console import Console
from local.agent.errors import AgentError
from local.agent.handlers import find_node
from local.agent.masking import SecretMasker
from local.agent.model import Pipeline
from local.agent.numbering import Numbers, build_number
from local.agent.pipeline import read_pipeline
from local.agent.plan import Plan, make_plan, needs_node
from local.agent.predefined import run_variables
from local.agent.reporting import report_of
from local.agent.session import Folders, Session
from local.agent.sources import find_sources
from local.agent.tasks import read_tasks, unpack

APPLICATION = "azure-pipelines-local-agent"
# Older runs in the default place are deleted; with --work nothing ever is.
KEPT_RUNS = 10


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What is needed to run."""

    pipeline: Pipeline
    plan: Plan
    session: Session


def prepare(
    file: Path,
    *,
    vsix: Path | None,
    variables: Mapping[str, str],
    parameters: Mapping[str, str],
    connections: Mapping[str, str],
    work: Path | None,
) -> Prepared:
    """Read, check and plan; nothing of the pipeline has run when this refuses.

    Raises:
        AgentError: with the one sentence that the user needs.
    """
    environment = dict(os.environ)
    own = connection.from_environment(environment, connections)
    masker = _masker(environment)
    joined = organization.from_environment(environment, masker)
    for name in (*connection.OWN_SETTINGS, *organization.SETTINGS):
        environment.pop(name, None)
    for one in own:
        one.hide(masker)
    if joined is not None:
        own = tuple(joined.adopt(one) for one in own)
    now = datetime.datetime.now(datetime.timezone.utc)
    sources = find_sources(file)
    cache = Path(platformdirs.user_cache_dir(APPLICATION, appauthor=False))
    numbers = Numbers((work or cache) / "numbers.json")
    predefined = run_variables(file, sources, 0, now)
    pipeline = read_pipeline(file, variables=predefined, overrides=variables, parameters=parameters)
    tasks = read_tasks(vsix) if vsix is not None else []
    plan = make_plan(pipeline, tasks, own, predefined)
    node = find_node(environment.get("PATH")) if needs_node(plan) else "node"
    request = joined.queue(predefined, file) if joined is not None else None
    build_id = request.build if request is not None else numbers.next("Build.BuildId")
    predefined = run_variables(file, sources, build_id, now)
    if request is not None:
        predefined = request.completed(predefined)
    static = {definition.name: definition.value for definition in pipeline.variables}
    if pipeline.name_format or request is None:
        predefined["Build.BuildNumber"] = build_number(
            pipeline.name_format,
            variables={**predefined, **static},
            now=now,
            numbers=numbers,
            pipeline=str(file.resolve()),
        )
    folders = _folders(work, cache, now, build_id, environment)
    if vsix is not None:
        unpack(vsix, tasks, folders.tasks)
    token = request.token if request is not None else secrets.token_urlsafe(24)
    system = connection.system_connection(predefined["System.CollectionUri"], token)
    system.hide(masker)
    masker.add_variable(token)
    console = Console(masker)
    session = Session(
        folders=folders,
        masker=masker,
        console=console,
        report=report_of(request, console),
        source=file,
        environment=environment,
        predefined=predefined,
        access_token=token,
        connections=own,
        system=system,
        node=node,
    )
    return Prepared(pipeline=pipeline, plan=plan, session=session)


def _masker(environment: Mapping[str, str]) -> SecretMasker:
    shortest = environment.get("AZP_IGNORE_SECRETS_SHORTER_THAN", "")
    return SecretMasker(int(shortest) if shortest.isdecimal() else 0)


def _folders(
    work: Path | None,
    cache: Path,
    now: datetime.datetime,
    build_id: int,
    environment: Mapping[str, str],
) -> Folders:
    runs = work or cache / "runs"
    tools = environment.get("AGENT_TOOLSDIRECTORY") or str(cache / "tools")
    folder = runs / f"{now:%Y%m%d-%H%M%S}-{build_id}"
    try:
        folder.mkdir(parents=True)
        Path(tools).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise AgentError(
            f"the folder '{error.filename}' cannot be made ({error.strerror}); choose another "
            "with --work, or another AGENT_TOOLSDIRECTORY"
        ) from error
    if work is None:
        for old in sorted(runs.glob("[0-9]*-[0-9]*-[0-9]*"))[:-KEPT_RUNS]:
            shutil.rmtree(old, ignore_errors=True)
    return Folders(root=folder.resolve(), tools=Path(tools).resolve())
