"""`python -m local.azure`: the local Azure in the foreground."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shlex
import signal
import sqlite3
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import platformdirs

from local.azure import server
from local.azure.identity import organization as devops
from local.azure.identity import principals
from local.azure.kernel import certificates
from local.azure.kernel.cloud import TOKEN_LIFETIME_S, open_cloud
from local.azure.kernel.faults import Fault, parse
from local.azure.kernel.listener import listen
from local.azure.kernel.store import Store


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--state",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that keeps everything; made when absent. Default: the user's data folder.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=0,
    help="Port of the proxy on 127.0.0.1; 0 takes a free one.",
)
@click.option(
    "--env-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Written when ready: KEY=VALUE lines that a client's shell can source. "
    "Default: client.env in the state folder.",
)
@click.option(
    "--fault",
    "specs",
    multiple=True,
    metavar="SPEC",
    help="Let something go wrong, such as 'status=429 retry-after=1 times=3 path=/history/*'; "
    "may be repeated. See the README.",
)
@click.option(
    "--token-lifetime",
    type=click.IntRange(1, 86400),
    default=TOKEN_LIFETIME_S,
    show_default=True,
    metavar="SECONDS",
    help="How long access tokens live.",
)
@click.option(
    "--other-workspace",
    "others",
    multiple=True,
    metavar="NAME",
    callback=lambda _context, _parameter, names: _workspace_names(names),
    help="A further workspace in the same resource group; may be repeated.",
)
@click.option("--verbose", is_flag=True, help="Show each call.")
@click.option(
    "--until-stdin-closes",
    is_flag=True,
    help="End when standard input does: for a program that starts this one and may be killed.",
)
def main(
    state: Path | None,
    port: int,
    env_file: Path | None,
    specs: tuple[str, ...],
    token_lifetime: int,
    others: tuple[str, ...],
    verbose: bool,
    until_stdin_closes: bool,
) -> None:
    """Serve Entra, ARM, Azure ML and blob storage on loopback, under Azure's own host names."""
    logging.basicConfig(
        stream=sys.stderr,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        level=logging.WARNING,
    )
    logging.getLogger("local.azure").setLevel(logging.INFO if verbose else logging.WARNING)
    faults = [_fault(spec) for spec in specs]
    root = (state or Path(platformdirs.user_data_dir("local-azure", False))).resolve()
    try:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise click.ClickException(f"The state folder {root} cannot be made: {error}.") from None
    if until_stdin_closes:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    try:
        with _locked(root):
            _serve(root, port, env_file or root / "client.env", faults, token_lifetime, others)
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(
            f"The local Azure cannot keep its state in {root}: {error}. "
            "Make room and write access there, or choose another folder with --state."
        ) from None


def _end_with_stdin() -> None:
    # Not sys.stdin: its lock, held by a thread that reads, would abort the interpreter's end.
    while os.read(0, 4096):
        pass
    signal.raise_signal(signal.SIGTERM)


def _fault(spec: str) -> Fault:
    try:
        return parse(spec)
    except ValueError as error:
        raise click.BadParameter(f"in '{spec}': {error}", param_hint="--fault") from None


def _workspace_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Check names as Azure ML does; each becomes a folder of the state."""
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{2,32}", name):
            raise click.BadParameter(
                f"'{name}' cannot name a workspace: 3 to 33 letters, digits, '-' and '_'"
            )
    return names


def _serve(
    root: Path,
    port: int,
    env_file: Path,
    faults: Sequence[Fault],
    token_lifetime_s: int,
    others: Sequence[str],
) -> None:
    try:
        listener = listen(port)
    except OSError as error:
        raise click.ClickException(
            f"Port {port} on 127.0.0.1 cannot be used: {error.strerror}. "
            "Choose another with --port, or 0 for a free one."
        ) from None
    # Now rather than when all is up; and a file of an earlier server would lead clients nowhere.
    try:
        env_file.unlink(missing_ok=True)
        tempfile.TemporaryFile(dir=env_file.parent).close()
    except OSError as error:
        raise click.ClickException(
            f"The file {env_file} cannot be written: {error.strerror}. "
            "Choose another with --env-file."
        ) from None
    authority = certificates.load_authority(root)
    store = Store(root / "state.db")
    cloud = open_cloud(
        root,
        store=store,
        proxy_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
        ca_file=root / certificates.CA_FILE,
        faults=faults,
        token_lifetime_s=token_lifetime_s,
        others=others,
    )

    def ready() -> None:
        given = (cloud.environment(), principals.environment(cloud), devops.environment(cloud))
        write_env_file(env_file, {name: text for each in given for name, text in each.items()})
        click.echo(f"Local Azure is ready behind the proxy {cloud.proxy_url}.")
        click.echo(f"A client needs the variables in {env_file}.")
        click.echo(f"Runs, models and endpoints are shown at {cloud.proxy_url}/.")

    try:
        server.run(cloud, authority=authority, proxy_listener=listener, ready=ready)
    finally:
        for workspace in cloud.workspaces:
            workspace.store.close()
        env_file.unlink(missing_ok=True)
    click.echo(f"Local Azure has ended; its state is in {root}.")


@contextlib.contextmanager
def _locked(root: Path) -> Iterator[None]:
    # SQLite's own lock works alike on all systems and goes with the process, however it ends.
    lock = sqlite3.connect(root / "lock.db", timeout=0, isolation_level=None)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise
        raise click.ClickException(
            f"Another local Azure already uses the state folder {root}. "
            "End that one, or choose another folder with --state."
        ) from None
    else:
        yield
    finally:
        lock.close()


def write_env_file(path: Path, variables: Mapping[str, str]) -> None:
    """Write KEY=VALUE lines atomically, readable by the owner only (it holds the client secret)."""
    temporary = path.with_name(path.name + ".tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    temporary.replace(path)


if __name__ == "__main__":
    main()
