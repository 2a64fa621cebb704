"""Jobs with azure-ai-ml: the only module that imports it, which takes seconds."""

from __future__ import annotations

import logging
import shutil
import tempfile
import types
import uuid
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from azure.ai.ml import Input, MLClient, load_job
from azure.ai.ml.entities import Job, PipelineJob, PipelineJobSettings
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

from amltasks.workspace.failures import message, not_moved, translated
from amltasks.workspace.pipeline_file import PipelineFile, build, from_azure
from amltasks.workspace.port import Run, Scalar, Submission
from amltasks.workspace.printing import banners_hidden
from amltasks.workspace.retries import may_pass, retrying
from amltasks.workspace.sdk_v2 import overrides
from amltasks.workspace.sdk_v2.rest import Rest

log = logging.getLogger("amltasks")

_WANTED = (
    "give the .yml of a pipeline or command job of azure-ai-ml, or a .py with "
    "build_pipeline(ml_client, **parameters) that returns a PipelineJob; for a pipeline of "
    "azureml-sdk set sdk to 'v1'"
)

_KINDS = ("pipeline", "command")


class _Watch(SansIOHTTPPolicy[Any, Any]):
    """Sees each request of the SDK before it is sent, and each answer.

    ``sending`` is the name of the job that is being submitted and what to call before its PUT.
    """

    def __init__(self) -> None:
        """Watch for no job yet."""
        self.sending: tuple[str, Callable[[str], None]] | None = None

    def on_request(self, request: PipelineRequest[Any]) -> None:
        """Call ``sending`` before the request that starts the job."""
        if self.sending is None or request.http_request.method != "PUT":
            return
        name, call = self.sending
        if request.http_request.url.partition("?")[0].endswith(f"/jobs/{name}"):
            call(name)

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        """Log an answer after which the SDK tries again."""
        status = response.http_response.status_code
        if may_pass(status):
            retrying(request.http_request.method, request.http_request.url, status)


class Submitter:
    """The calls of the port's ``Runs`` that need azure-ai-ml."""

    def __init__(self, rest: Rest) -> None:
        """Work in this workspace."""
        self._watch = _Watch()
        self._client = MLClient(
            rest.sign_in,
            rest.principal.subscription_id,
            rest.resource_group,
            rest.name,
            cloud=rest.principal.cloud.name,
            enable_telemetry=False,
            show_progress=False,
            per_retry_policies=[self._watch],
        )

    def build(self, submission: Submission) -> Job:
        """Build a job, named by its claim. Raises as the port says."""
        with translated(f"building the pipeline '{submission.file.name}'"):
            job = load(submission.file, self._client, submission.parameters, submission.overrides)
        # The name is chosen here, so that a request that is repeated cannot start a second run.
        job.name = submission.claim or f"run-{uuid.uuid4().hex}"
        job.experiment_name = submission.experiment
        job.tags = {**(job.tags or {}), **submission.tags}
        if submission.display_name:
            job.display_name = submission.display_name
        if submission.moved:
            _move(job, *submission.moved)
        # A job of another type runs anew whenever it is submitted.
        if submission.force_rerun and isinstance(job, PipelineJob):
            job.settings = job.settings or PipelineJobSettings()
            job.settings.force_rerun = True
        return job

    def start(self, job: Job, sending: Callable[[str], None]) -> Run:
        """Upload what a job needs and start it."""
        self._watch.sending = (str(job.name), sending)
        try:
            with translated("submitting the pipeline"), banners_hidden():
                made = self._client.jobs.create_or_update(job)
        finally:
            self._watch.sending = None
        name = str(made.name)
        return Run(
            id=name,
            name=str(made.display_name or name),
            status=str(getattr(made.status, "value", made.status) or "NotStarted"),
            url=str(made.studio_url or ""),
            tags=dict(job.tags or {}),
        )

    def download(self, job_id: str, output: str, folder: Path) -> int:
        """Download a named output of an ended job; returns how many files there were."""
        folder.mkdir(parents=True, exist_ok=True)
        # The SDK puts named-outputs/<output>/ before the files' names, which nobody wants.
        with tempfile.TemporaryDirectory(dir=folder) as temporary, banners_hidden():
            self._client.jobs.download(job_id, download_path=temporary, output_name=output)
            source = Path(temporary, "named-outputs", output)
            count = sum(1 for path in source.rglob("*") if path.is_file())
            if count:
                shutil.copytree(source, folder, dirs_exist_ok=True)
        return count


def quiet() -> None:
    """Silence the SDK's warnings of experimental classes; it still raises its errors."""
    warnings.simplefilter("ignore")
    for name in ("azure", "msal", "urllib3", "azure.ai.ml"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def load(
    path: Path,
    client: Any,
    parameters: Mapping[str, Scalar],
    settings: Mapping[str, object] = types.MappingProxyType({}),
) -> Job:
    """The job that a file describes, with the parameters as its inputs.

    Args:
        path: ``.yml``/``.yaml`` (``load_job``), or ``.py`` defining
            ``build_pipeline(ml_client, **parameters)``. Parameters in the hook's signature go to
            the hook as values; the others must be inputs of the job.
        client: the ``MLClient``.
        parameters: what the user gave.
        settings: values for other settings of a YAML file, by their paths.

    Raises:
        TaskError: ``PIPELINE_FILE_INVALID``, ``PARAMETER_UNKNOWN``, ``PARAMETER_INVALID``,
            ``PARAMETER_MISSING``, ``INPUT_INVALID``.
    """
    file = PipelineFile(path=path, wanted=_WANTED)
    taken: dict[str, Scalar] = {}
    known: tuple[str, ...] = ()
    if path.suffix.lower() in (".yml", ".yaml"):
        job = _from_yaml(file, parameters, settings)
        if not isinstance(job, PipelineJob):
            return job  # it has its parameters
    elif path.suffix.lower() == ".py":
        job, taken, known = build(file, client, parameters, kind=PipelineJob)
    else:
        raise file.invalid("its name ends in neither .yml, .yaml nor .py")
    for name, given in parameters.items():
        if name in taken:
            continue
        if name not in job.inputs:
            raise file.unknown(name, (*known, *job.inputs))
        setattr(job.inputs, name, _value(file, name, given, job.inputs[name]))
    return job


def _move(job: Job, source: str, target: str) -> None:
    """Have what is to run on one cluster run on another. Raises ``REFUSED`` when nothing is."""
    moved = 0
    places: list[tuple[Any, str]] = [(job, "compute")]
    nodes: list[Any] = []
    if isinstance(job, PipelineJob):
        places.append((job.settings, "default_compute"))
        nodes += job.jobs.values()
    while nodes:
        node = nodes.pop()
        places.append((node, "compute"))
        nodes += list((getattr(getattr(node, "component", None), "jobs", None) or {}).values())
    for place, name in places:
        value = str(getattr(place, name, None) or "").removeprefix("azureml:").rpartition("/")[2]
        if value.lower() == source.lower():
            setattr(place, name, target)
            moved += 1
    if not moved:
        raise not_moved(source, target)


def _from_yaml(
    file: PipelineFile, parameters: Mapping[str, Scalar], settings: Mapping[str, object]
) -> Job:
    found = file.checked()
    document = found if isinstance(found, dict) else {}
    kind = document.get("type") or ("command" if "command" in document else "not there")
    if "pipeline" in document and "jobs" not in document:
        raise file.invalid("it is a pipeline of azureml-sdk (v1)")
    if kind not in _KINDS:
        raise file.invalid(f"its type is '{kind}', not {' or '.join(_KINDS)}")
    overrides.check(document, settings)
    given = dict(settings)
    if kind != "pipeline":
        given |= _as_settings(file, document, parameters)
    try:
        job = load_job(file.path, params_override=[{path: given[path]} for path in given])
    except Exception as cause:
        if from_azure(cause):
            raise
        log.debug("Loading %s", file.path, exc_info=True)
        wrong = next((path for path in settings if _spoils(file, path, settings[path])), "")
        if wrong:
            raise overrides.unknown(wrong, settings[wrong], document) from cause
        raise file.invalid(message(cause)) from cause
    if settings:
        overrides.check_taken(document, job, settings)
    return job


def _spoils(file: PipelineFile, path: str, value: object) -> bool:
    """Whether azure-ai-ml reads the file as it is, but not with one setting."""
    try:
        load_job(file.path)
    except Exception:
        return False  # the file is wrong by itself
    try:
        load_job(file.path, params_override=[{path: value}])
    except Exception:
        return True
    return False


def _as_settings(
    file: PipelineFile, document: Mapping[str, Any], parameters: Mapping[str, Scalar]
) -> dict[str, object]:
    """The parameters of a job that is no pipeline as settings of its file."""
    inputs = document.get("inputs")
    declared: Mapping[str, Any] = inputs if isinstance(inputs, dict) else {}
    found: dict[str, object] = {}
    for name, given in parameters.items():
        if name not in declared:
            raise file.unknown(name, declared)
        if isinstance(declared[name], dict):
            found[f"inputs.{name}.path"] = given.written
        else:
            found[f"inputs.{name}"] = file.typed(name, given, declared[name])
    return found


def _value(file: PipelineFile, name: str, given: Scalar, declared: Any) -> object:
    """The value of an input: a path for data, else of the type that the pipeline declares."""
    default = declared._data
    if isinstance(default, Input):
        return Input(type=default.type, mode=default.mode, path=given.written)
    kind = {"integer": 0, "number": 0.0, "boolean": False, "string": ""}.get(declared.type or "")
    return file.typed(name, given, default if kind is None else kind)


quiet()
