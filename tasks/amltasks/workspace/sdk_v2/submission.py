"""Pipeline jobs with azure-ai-ml: the only module that imports it, which takes seconds."""

from __future__ import annotations

import logging
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from azure.ai.ml import Input, MLClient, load_job
from azure.ai.ml.entities import PipelineJob, PipelineJobSettings
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

from amltasks.workspace.failures import message, not_moved, translated
from amltasks.workspace.pipeline_file import PipelineFile, build, from_azure
from amltasks.workspace.port import Run, Scalar, Submission
from amltasks.workspace.printing import banners_hidden
from amltasks.workspace.retries import may_pass, retrying
from amltasks.workspace.sdk_v2.rest import Rest

log = logging.getLogger("amltasks")

_WANTED = (
    "give an azure-ai-ml pipeline job .yml, or a .py with build_pipeline(ml_client, **parameters) "
    "that returns a PipelineJob; for a pipeline of azureml-sdk set sdk to 'v1'"
)


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

    def build(self, submission: Submission) -> PipelineJob:
        """Build a pipeline job, named by its claim. Raises as the port says."""
        with translated(f"building the pipeline '{submission.file.name}'"):
            job = load(submission.file, self._client, submission.parameters)
        # The name is chosen here, so that a request that is repeated cannot start a second run.
        job.name = submission.claim or f"run-{uuid.uuid4().hex}"
        job.experiment_name = submission.experiment
        job.tags = {**(job.tags or {}), **submission.tags}
        if submission.display_name:
            job.display_name = submission.display_name
        if submission.moved:
            _move(job, *submission.moved)
        if submission.force_rerun:
            job.settings = job.settings or PipelineJobSettings()
            job.settings.force_rerun = True
        return job

    def start(self, job: PipelineJob, sending: Callable[[str], None]) -> Run:
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


def load(path: Path, client: Any, parameters: Mapping[str, Scalar]) -> PipelineJob:
    """The pipeline job that a file describes, with the parameters as its inputs.

    Args:
        path: ``.yml``/``.yaml`` (``load_job``), or ``.py`` defining
            ``build_pipeline(ml_client, **parameters)``. Parameters in the hook's signature go to
            the hook as values; the others must be inputs of the job.
        client: the ``MLClient``.
        parameters: what the user gave.

    Raises:
        TaskError: ``PIPELINE_FILE_INVALID``, ``PARAMETER_UNKNOWN``, ``PARAMETER_INVALID``,
            ``PARAMETER_MISSING``.
    """
    file = PipelineFile(path=path, wanted=_WANTED)
    taken: dict[str, Scalar] = {}
    known: tuple[str, ...] = ()
    if path.suffix.lower() in (".yml", ".yaml"):
        job = _from_yaml(file)
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


def _move(job: PipelineJob, source: str, target: str) -> None:
    """Have what is to run on one cluster run on another. Raises ``REFUSED`` when nothing is."""
    moved = 0
    places: list[tuple[Any, str]] = [(job, "compute"), (job.settings, "default_compute")]
    nodes = list(job.jobs.values())
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


def _from_yaml(file: PipelineFile) -> PipelineJob:
    found = file.checked()
    kind = found.get("type", "command") if isinstance(found, dict) else "no mapping"
    if isinstance(found, dict) and "pipeline" in found and "jobs" not in found:
        raise file.invalid("it is a pipeline of azureml-sdk (v1)")
    if kind != "pipeline":
        raise file.invalid(f"its type is '{kind}', not 'pipeline'")
    try:
        job = load_job(file.path)
    except Exception as cause:
        if from_azure(cause):
            raise
        log.debug("Loading %s", file.path, exc_info=True)
        raise file.invalid(message(cause)) from cause
    assert isinstance(job, PipelineJob)  # noqa: S101 - by its type
    return job


def _value(file: PipelineFile, name: str, given: Scalar, declared: Any) -> object:
    """The value of an input: a path for data, else of the type that the pipeline declares."""
    default = declared._data
    if isinstance(default, Input):
        return Input(type=default.type, mode=default.mode, path=given.written)
    kind = {"integer": 0, "number": 0.0, "boolean": False, "string": ""}.get(declared.type or "")
    return file.typed(name, given, default if kind is None else kind)


quiet()
