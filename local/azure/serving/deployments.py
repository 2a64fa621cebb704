"""Web services as processes: Azure ML's inference server, on 127.0.0.1.

Each deployment makes a revision: a folder with the score script, its source directory, the model
files and a log. The new revision is started beside the one in service and takes its place only when
it answers; otherwise it is ended and the one in service stays.

The inference server is what Azure's inference images run. They add it themselves, so it is added
here too, to whatever packages the environment lists.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import sys
import tarfile
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any, TypedDict
from urllib.parse import unquote

from local.azure.kernel.background import Stop
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.registry import model_records
from local.azure.running import logs, processes, virtualenvs
from local.azure.running.conda import EnvironmentFailure, read_definition
from local.azure.running.variables import PASSED_ON
from local.azure.serving import data_collector
from local.azure.serving.calls import Calls
from local.azure.serving.data_collector import Sidecar
from local.azure.serving.server import GRACEFUL_S, server
from local.azure.storage import blob, datastores

INFERENCE_SERVER = "azureml-inference-server-http"

_HEALTHY_WITHIN_S = 600.0
_GRACE_S = 3.0
# As long as the longest scoring timeout of both kinds of services.
DRAIN_S = 300.0
_ARTIFACT = "aml://artifact/"

_WINDOWS = sys.platform == "win32"


class DeploymentFailure(Exception):  # noqa: N818 -- a deployment fails because of it
    """A revision that does not start; `code` and `detail` as the service words them."""

    def __init__(self, code: str, detail: str) -> None:
        """`detail`: what went wrong, for the user."""
        super().__init__(detail)
        self.code = code


class SourceAsset(TypedDict, total=False):
    """A file of the source directory. url: aml://artifact/<id>; unpack: it is a tar archive."""

    id: str
    url: str
    unpack: bool


class RevisionRecord(TypedDict):
    """A revision as it is kept, to be started again."""

    id: str
    service: str
    python: str
    entry: str
    model_directory: str
    variables: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Revision:
    """What is needed to start a revision again, after a restart too."""

    id: str
    service: str
    python: str
    entry: str
    model_directory: str
    variables: Mapping[str, str]

    def record(self) -> RevisionRecord:
        """What is kept of it: `Revision(**record)` is equal to it."""
        return {
            "id": self.id,
            "service": self.service,
            "python": self.python,
            "entry": self.entry,
            "model_directory": self.model_directory,
            "variables": self.variables,
        }

    def folder(self, cloud: Cloud) -> Path:
        """Where its files and its log lie."""
        return cloud.root / "services" / self.service / self.id


@dataclass(frozen=True, kw_only=True)
class Running:
    """A revision that answers on a port of 127.0.0.1.

    calls: those it has not answered yet. sidecar: takes the data that it collects, if it does.
    """

    revision: Revision
    process: Popen[bytes]
    port: int
    calls: Calls = field(default_factory=Calls)
    sidecar: Sidecar | None = None


def prepare(
    cloud: Cloud,
    service: str,
    request: Mapping[str, Any],
    *,
    stop: Stop,
    progress: Callable[[str], None],
) -> Revision:
    """Make the folder and the environment of a new revision. Raises DeploymentFailure."""

    def place_sources(app: Path) -> None:
        for asset in request.get("assets") or []:
            _place_asset(cloud, asset, app)

    return assemble(
        cloud,
        service,
        definition=request.get("environment") or {},
        extra=(INFERENCE_SERVER,),
        models=dict.fromkeys(request.get("modelIds") or []),
        entry=request.get("driverProgram") or "",
        place_sources=place_sources,
        stop=stop,
        progress=progress,
    )


def assemble(
    cloud: Cloud,
    service: str,
    *,
    definition: Mapping[str, Any],
    extra: Sequence[str],
    models: Mapping[str, Path | None],
    entry: str,
    place_sources: Callable[[Path], None],
    variables: Mapping[str, str] | None = None,
    stop: Stop,
    progress: Callable[[str], None],
) -> Revision:
    """Make the folder and the environment of a new revision from its parts.

    definition: of the environment, as conda.py reads it; extra: requirements added to it. entry:
    the score script below the folder that `place_sources` fills, unless the environment names one.
    models: name:version -> file or folder; None: the workspace's model of that id. variables: set
    for the process, over those of the environment. Raises DeploymentFailure.
    """
    # Sorts by age, so that the log of the newest one is found.
    revision_id = f"{cloud.store.next_number('revision'):08d}"
    folder = cloud.root / "services" / service / revision_id
    folder.mkdir(parents=True)
    log = logs.appender(folder / "log.txt")
    try:
        spec = read_definition(definition, extra=extra)
        progress("Creating the environment")
        python = virtualenvs.ensure(cloud, spec, key=f"{revision_id}/uv", log=log, stop=stop)
        progress("Placing models and source files")
        model_directory = _place_models(cloud, models, folder)
        place_sources(folder / "app")
    except EnvironmentFailure as failure:
        raise DeploymentFailure("EnvironmentBuildFailed", str(failure)) from None
    except ServiceError as error:
        raise DeploymentFailure(error.code, error.message) from None
    entry = spec.variables.get("AZUREML_ENTRY_SCRIPT") or entry
    if not (folder / "app" / entry).is_file():
        raise DeploymentFailure("BadArgument", f"The entry script '{entry}' is not in the assets.")
    return Revision(
        id=revision_id,
        service=service,
        python=str(python),
        entry=entry,
        model_directory=str(model_directory),
        variables={**spec.variables, **(variables or {})},
    )


def start(
    cloud: Cloud, revision: Revision, *, stop: Stop, healthy_within_s: float = _HEALTHY_WITHIN_S
) -> Running:
    """Start a revision and wait until it answers. Raises DeploymentFailure.

    It gets a listening socket rather than a port number, so nobody can take the port in between.
    """
    folder = revision.folder(cloud)
    sidecar = data_collector.start(folder)
    environment = _environment(cloud, revision, folder)
    if sidecar is not None:
        environment |= sidecar.environment()
    with socket.create_server(("127.0.0.1", 0)) as listener, (folder / "log.txt").open("ab") as log:
        port = listener.getsockname()[1]
        serving = server(revision.python, folder, listener, windows=_WINDOWS)
        process = processes.start(
            cloud,
            f"service/{revision.id}",
            serving.command,
            directory=folder / "app",
            environment=environment,
            output=log.fileno(),
            inherited=serving.inherited,
        )
    running = Running(revision=revision, process=process, port=port, sidecar=sidecar)
    try:
        _wait_until_healthy(running, stop, folder / "log.txt", healthy_within_s)
    except DeploymentFailure:
        end(cloud, running)
        raise
    return running


def end(cloud: Cloud, running: Running, *, drain: bool = False) -> None:
    """End the process of a revision; its files stay. drain: let it answer its calls before.

    The server itself drops the calls that wait in its backlog when it is asked to end.
    """
    grace_s = _GRACE_S
    if drain and running.calls.wait(DRAIN_S):
        grace_s += GRACEFUL_S
    processes.end(cloud, f"service/{running.revision.id}", running.process, grace_s=grace_s)
    if running.sidecar is not None:
        running.sidecar.close()


def _place_models(cloud: Cloud, models: Mapping[str, Path | None], folder: Path) -> Path:
    """Copy the models. Returns AZUREML_MODEL_DIR: of one version, or above several."""
    # Below AML_APP_ROOT, where Model.get_model_path looks.
    root = folder / "app" / "azureml-models"
    root.mkdir(parents=True)
    places = []
    for model_id, files in models.items():
        name, _, version = model_id.rpartition(":")
        place = root / name / version
        place.mkdir(parents=True)
        if files is None:
            model_records.copy_files(cloud, model_id, place)
        elif files.is_dir():
            shutil.copytree(files, place / files.name)
        else:
            shutil.copyfile(files, place / files.name)
        places.append(place)
    return places[0] if len(places) == 1 else root


def _place_asset(cloud: Cloud, asset: SourceAsset, app: Path) -> None:
    app.mkdir(exist_ok=True)
    url = str(asset.get("url"))
    if not url.startswith(_ARTIFACT):
        raise ServiceError(400, "BadArgument", f"The asset '{url}' is not an artifact.")
    name = unquote(url.removeprefix(_ARTIFACT))
    source = blob.path_of(cloud, datastores.ARTIFACT_CONTAINER, name)
    if not source.is_file():
        raise ServiceError(404, "AssetNotFound", f"The asset '{url}' was not uploaded.")
    if not asset.get("unpack"):
        shutil.copyfile(source, app / Path(str(asset.get("id"))).name)
        return
    try:
        with tarfile.open(source) as archive:
            # Python 3.11 has the filter since 3.11.4 only; the argument of that name likewise.
            archive.extraction_filter = getattr(tarfile, "data_filter", _as_it_is)
            archive.extractall(app)  # noqa: S202 -- the line above makes it safe
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise ServiceError(
            400, "BadArgument", f"The asset '{url}' is no archive: {error}"
        ) from None


def _as_it_is(member: tarfile.TarInfo, _path: str) -> tarfile.TarInfo:
    return member


def _environment(cloud: Cloud, revision: Revision, folder: Path) -> dict[str, str]:
    passed_on = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    path = [str(Path(revision.python).parent), passed_on.get("PATH", os.defpath)]
    return {
        **passed_on,
        **cloud.client_environment(),
        "PATH": os.pathsep.join(path),
        "HOME": str(folder),
        "PYTHONUNBUFFERED": "1",
        "SERVICE_NAME": revision.service,
        "WORKSPACE_NAME": cloud.workspace_name,
        **revision.variables,
        "AML_APP_ROOT": str(folder / "app"),
        "AML_APP_INSIGHTS_ENABLED": "false",
        "AZUREML_ENTRY_SCRIPT": str(folder / "app" / revision.entry),
        "AZUREML_MODEL_DIR": revision.model_directory,
    }


def _wait_until_healthy(running: Running, stop: Stop, log: Path, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if stop.is_set():
            raise DeploymentFailure("Canceled", stop.reason)
        if running.process.poll() is not None:
            raise DeploymentFailure("CrashLoopBackOff", _crash(log))
        if is_alive(running.port):
            return
        stop.wait(0.1)
    raise DeploymentFailure(
        "DeploymentTimedOut",
        f"The container did not answer within {within_s:.0f} s. The end of its log:\n"
        + logs.tail(log),
    )


def is_alive(port: int) -> bool:
    """Whether the inference server answers its liveness probe."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _crash(log: Path) -> str:
    return (
        "Your container application crashed. This may be caused by errors in your scoring file's "
        "init() function. You can also interactively debug your scoring file locally. "
        "The end of its log:\n" + logs.tail(log)
    )
