"""``python -m local.agent run|release FILE``: run builds and releases on this machine."""

from __future__ import annotations

import dataclasses
import functools
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from local.agent.errors import AgentError
from local.agent.host.connection import SCHEMES
from local.agent.run import json_report
from local.agent.run.deployment import TriggerError
from local.agent.run.run import run_pipeline
from local.agent.run.setup import Options
from local.agent.run.start import Prepared, prepare, prepare_release
from local.agent.session.session import Cancellation
from local.agent.session.task_result import Result

NO_RELEASE = 3


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run Azure Pipelines on this machine."""


Command = Callable[..., None]


@dataclass(frozen=True, kw_only=True)
class Shared:
    """The options that builds and releases share, as click gives them."""

    vsix: Path | None
    variables: tuple[str, ...]
    connections: tuple[str, ...]
    groups: tuple[str, ...]
    json_file: Path | None
    work: Path | None
    until_stdin_closes: bool

    def options(self) -> Options:
        """Return what a run needs of them; raises AgentError for one that is written wrong."""
        return Options(
            vsix=self.vsix,
            variables=_pairs("--variable", self.variables),
            connections=_pairs("--connection", self.connections),
            groups=_files("--variable-group", self.groups),
            work=self.work,
        )


_SHARED_OPTIONS = (
    click.option(
        "--vsix",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The extension whose tasks the pipeline uses.",
    ),
    click.option(
        "--variable",
        "variables",
        multiple=True,
        metavar="K=V",
        help="Set a variable of the pipeline; it wins over the file's top level.",
    ),
    click.option(
        "--variable-group",
        "groups",
        multiple=True,
        metavar="NAME=FILE",
        help="Take a variable group from a file: a mapping of names to values, or what "
        "az pipelines variable-group show prints.",
    ),
    click.option(
        "--connection",
        "connections",
        multiple=True,
        metavar="NAME=SCHEME",
        help=f"Add a service connection; SCHEME is one of {', '.join(SCHEMES)}.",
    ),
    click.option(
        "--json",
        "json_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write the result as JSON to this file.",
    ),
    click.option(
        "--work",
        type=click.Path(file_okay=False, path_type=Path),
        help="Keep the run's folder below this one. Default: the user's cache folder.",
    ),
    click.option(
        "--until-stdin-closes",
        is_flag=True,
        help="Cancel when standard input closes: for a program that starts this one and "
        "may be killed.",
    ),
)


def common(command: Command) -> Command:
    """Add the shared options to a command, which receives them as one :class:`Shared`."""

    @functools.wraps(command)
    def wrapped(**given: object) -> None:
        names = [one.name for one in dataclasses.fields(Shared)]
        shared = Shared(**{name: given.pop(name) for name in names})  # type: ignore[arg-type]
        command(shared=shared, **given)

    result: Command = wrapped
    for option in reversed(_SHARED_OPTIONS):
        result = option(result)
    return result


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="K=V",
    help="Set a parameter of the pipeline; the value is YAML.",
)
@common
def run(*, file: Path, parameters: tuple[str, ...], shared: Shared) -> None:
    """Run an azure-pipelines.yml, or a classic build definition (.json), to its end.

    The exit code is 0 when it succeeded (with or without issues), 1 when it failed, 2 when the
    file or the arguments are wrong, 130 when it was canceled.
    """
    _carry_out(
        file,
        shared,
        lambda: prepare(file, shared.options(), parameters=_pairs("--parameter", parameters)),
    )


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--after",
    type=click.Path(path_type=Path),
    help="Deploy this build (what run --json wrote) if the continuous-deployment trigger fires.",
)
@click.option(
    "--artifact",
    "artifacts",
    multiple=True,
    metavar="ALIAS=PATH",
    help="Deploy this build (what run --json wrote), or this folder, whatever the trigger says.",
)
@click.option("--approve", multiple=True, metavar="STAGE", help="Give the approvals of this stage.")
@click.option(
    "--reject", multiple=True, metavar="STAGE", help="Refuse the approvals of this stage."
)
@common
def release(
    *,
    file: Path,
    artifacts: tuple[str, ...],
    after: Path | None,
    approve: tuple[str, ...],
    reject: tuple[str, ...],
    shared: Shared,
) -> None:
    """Create a release of a classic release definition (.json) and deploy it, stage by stage.

    Stages with approvals ask on the terminal, unless --approve or --reject has decided.

    The exit code is 0 when it succeeded (with or without issues), 1 when it failed or was
    rejected, 2 when the file or the arguments are wrong, 3 when the build of --after starts no
    release, 130 when it was canceled.
    """
    _carry_out(
        file,
        shared,
        lambda: prepare_release(
            file,
            shared.options(),
            artifacts=_files("--artifact", artifacts),
            after=after,
            approve=approve,
            reject=reject,
        ),
    )


def _carry_out(file: Path, shared: Shared, make: Callable[[], Prepared]) -> NoReturn:
    began = time.monotonic()
    json_file = shared.json_file
    if json_file is not None:
        # An earlier run's result must not pass for this one's.
        json_file.unlink(missing_ok=True)
    try:
        prepared = make()
    except TriggerError as error:
        click.echo(f"agent: {error}", err=True)
        sys.exit(NO_RELEASE)
    except AgentError as error:
        click.echo(f"agent: {error}", err=True)
        sys.exit(2)
    if shared.until_stdin_closes:
        cancellation = prepared.session.cancellation
        threading.Thread(target=_cancel_with_stdin, args=(cancellation,), daemon=True).start()
    sys.exit(_run(prepared, file, json_file, began))


def _run(prepared: Prepared, file: Path, json_file: Path | None, began: float) -> int:
    session = prepared.session
    console = session.console
    _handle_signals(session.cancellation)
    console.line("run", f"{file} {session.title}, folder {session.folders.root}")
    stages = run_pipeline(prepared.pipeline, prepared.plan, session)
    seconds = time.monotonic() - began
    outcome = json_report.run_result(stages, session)
    found = json_report.document(stages, session, pipeline=file, seconds=seconds)
    for name, path in session.artifacts.items():
        console.line("file", f"artifact {name}: {path}")
    for path in session.summaries:
        console.line("file", f"summary {path}")
    console.line("run", f"{file} {session.title}: {outcome.json_name} in {seconds:.1f} s")
    if json_file is not None:
        try:
            json_report.write(found, json_file)
        except OSError as error:
            message = f"the result cannot be written to {json_file} ({error.strerror})"
            click.echo(f"agent: {message}; choose another --json file", err=True)
            return json_report.EXIT_CODES[Result.Failed]
    return json_report.EXIT_CODES[outcome]


def _cancel_with_stdin(cancellation: Cancellation) -> None:
    # Not sys.stdin: its lock, held by a thread that reads, would abort the interpreter's end.
    while os.read(0, 4096):
        pass
    cancellation.interrupt()


def _handle_signals(cancellation: Cancellation) -> None:
    """Count interrupts; the running job looks at the count, a handler must not print."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        cancellation.interrupt()

    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK"):
        # Windows has no SIGHUP, the others no SIGBREAK.
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), interrupt)


def _pairs(option: str, texts: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for name, value in _split(option, texts):
        if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            raise AgentError(f"{option} {name}={value}: write it as NAME=VALUE")
        pairs[name] = value
    return pairs


def _files(option: str, texts: tuple[str, ...]) -> dict[str, Path]:
    return {name: Path(path) for name, path in _split(option, texts)}


def _split(option: str, texts: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise AgentError(f"{option} {text}: write it as NAME=VALUE")
        yield name, value


if __name__ == "__main__":
    main(prog_name="python -m local.agent")
