"""What the task is asked for: its inputs, checked before anything is done."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from amltasks import clusters, errors
from amltasks.azure_pipelines import inputs
from amltasks.azure_pipelines.agent import Job
from amltasks.deploy_to_aks import smoke
from amltasks.workspace.port import EnvironmentReference

log = logging.getLogger("amltasks")

_NAME = re.compile(r"^[a-z][a-z0-9-]{1,30}[a-z0-9]$")
_IN_REGISTRY = re.compile(
    r"azureml://registries/[\w.-]+/environments/[\w.-]+/(?:versions|labels)/[\w.-]+"
)
_IN_WORKSPACE = re.compile(r"(?:azureml:)?([A-Za-z0-9][\w.-]*)(?::([\w.-]+)|@latest)")
_RELEASE = inputs.Shown(input="mode", value="release")


@dataclass(frozen=True, kw_only=True)
class DeployInputs:
    """The task's inputs; ``task.json`` describes them."""

    resource_group: str = inputs.text(required=True, alias="resourceGroupName")
    workspace: str = inputs.text(required=True, alias="workspaceName")
    service_name: str = inputs.text(required=True)
    mode: str = inputs.choice("release", "rollback", "delete")
    rollback_to: str = inputs.text(shown=inputs.Shown(input="mode", value="rollback"))
    model_source: str = inputs.choice("version", "evalInfo", shown=_RELEASE)
    model_name: str = inputs.text(
        shown=inputs.Shown(input="modelSource", value="version", also=_RELEASE)
    )
    model_version: str = inputs.text(
        shown=inputs.Shown(input="modelSource", value="version", also=_RELEASE)
    )
    eval_info_file: str = inputs.file(
        required=True, shown=inputs.Shown(input="modelSource", value="evalInfo", also=_RELEASE)
    )
    require_gate: str = inputs.choice("auto", "true", "false", shown=_RELEASE)
    target: str = inputs.choice("kubernetes", "managed", shown=_RELEASE)
    aks_name: str = inputs.text(
        shown=inputs.Shown(input="target", value="kubernetes", also=_RELEASE)
    )
    instance_type: str = inputs.text(shown=_RELEASE)
    instance_count: int | None = inputs.whole(
        least=1,
        most=1000,
        shown=inputs.Shown(input="target", value="managed", also=_RELEASE),
    )
    entry_script: str = inputs.file(shown=_RELEASE)
    environment_file: str = inputs.file(shown=_RELEASE)
    environment: str = inputs.text(shown=_RELEASE)
    source_directory: str = inputs.text()
    environment_variables: Mapping[str, str] = inputs.texts()
    deployment_files: tuple[str, ...] = inputs.lines()
    settings: str = inputs.text()
    request_timeout: float | None = inputs.number(least=1, most=300)
    max_concurrent_requests: int | None = inputs.whole(least=1, most=1000)
    max_queue_wait: float | None = inputs.number(least=0, most=300)
    app_insights: str = inputs.choice("auto", "true", "false")
    create_if_missing: bool = inputs.boolean(default=False)
    aks_region: str = inputs.text()
    aks_vm_size: str = inputs.text(default="Standard_D3_v2")
    aks_agent_count: int = inputs.whole(default=1, least=1, most=1000)
    cluster_purpose: str = inputs.choice("DevTest", "FastProd")
    cpu_cores: float | None = inputs.number(least=0.1, most=1000)
    memory_gb: float | None = inputs.number(least=0.1, most=10_000)
    num_replicas: int | None = inputs.whole(least=1, most=1000)
    smoke_file: str = inputs.text()
    smoke_max_seconds: float = inputs.number(default="0", least=0, most=60)
    smoke_malformed: bool = inputs.boolean(default=False)
    ramp: str = inputs.text()
    bake_seconds: float = inputs.number(default="30", least=0, most=86_400)
    keep_revisions: int = inputs.whole(default=0, least=0, most=5)
    export_key: bool = inputs.boolean(default=False)
    description: str = inputs.text()
    tags: Mapping[str, str] = inputs.texts()
    timeout_minutes: float = inputs.number(default="20", least=0.01, most=1440)
    sdk: str = inputs.choice("v2", "v1")


def check_names(given: DeployInputs) -> None:
    """Refuse a name that Azure does not allow, and what the SDK cannot do.

    Raises:
        TaskError: ``SERVICE_NAME_INVALID``, ``COMPUTE_NAME_INVALID``, ``TARGET_UNSUPPORTED`` or
            ``MODE_UNSUPPORTED``
    """
    if not _NAME.match(given.service_name):
        raise errors.SERVICE_NAME_INVALID.error(name=given.service_name)
    if given.sdk == "v1" and given.mode == "rollback":
        raise errors.MODE_UNSUPPORTED.error(what="mode 'rollback' has nothing to go back to")
    if given.mode != "release":
        return
    if given.sdk == "v1" and given.keep_revisions:
        raise errors.MODE_UNSUPPORTED.error(what="keepRevisions must be 0")
    if given.target == "managed" and given.sdk == "v1":
        raise errors.TARGET_UNSUPPORTED.error(target=given.target)


@dataclass(frozen=True, kw_only=True)
class Files:
    """What is uploaded: absolute paths of what is there, None for what is not given."""

    entry_script: Path | None = None
    source_directory: Path | None = None
    environment_file: Path | None = None


def files(job: Job, given: DeployInputs, image: str = "") -> Files:
    """The files of the scoring code; none for an MLflow model, which brings its own.

    Args:
        job: knows where relative names begin.
        given: the inputs, filled from the files of the deployment.
        image: the image to run in, if a file names one.

    Raises:
        TaskError: ``INPUT_MISSING``, ``INPUT_INVALID`` or ``FILE_NOT_FOUND``
    """
    if given.target == "kubernetes":
        clusters.check_name(given.aks_name, "aksName")
    _check_environment(given, image)
    if not given.entry_script:
        return Files()
    entry_script = inputs.existing_file("entryScript", given.entry_script, job.sources)
    environment_file = None
    if given.environment_file:
        environment_file = inputs.existing_file(
            "environmentFile", given.environment_file, job.sources
        )
    return Files(
        entry_script=entry_script,
        source_directory=_source_directory(job, given, entry_script),
        environment_file=environment_file,
    )


def _check_environment(given: DeployInputs, image: str) -> None:
    """A script has one environment; without a script, the MLflow model brings its own."""
    if given.entry_script:
        if not given.environment_file and not given.environment and not image:
            why = ", and so is 'environment', though entryScript is given"
            raise errors.INPUT_MISSING.error(name="environmentFile", why=why)
        if given.environment_file and given.environment:
            raise errors.INPUT_INVALID.error(
                name="environment",
                value=given.environment,
                expected="to be given together with environmentFile",
            )
        if given.environment and image:
            expected = "to be given together with the image of a file"
            raise errors.INPUT_INVALID.error(
                name="environment", value=given.environment, expected=expected
            )
        if given.environment:
            parse_reference(given.environment, given.sdk, given.target)
        return
    if given.sdk == "v1":
        why = ", and azureml-sdk (sdk 'v1') deploys no model to AKS without a script"
        raise errors.INPUT_MISSING.error(name="entryScript", why=why)
    for name, value in (
        ("environmentFile", given.environment_file),
        ("environment", given.environment),
        ("sourceDirectory", given.source_directory),
        ("an image", image),
    ):
        if value:
            why = f", though {name} is given (an MLflow model without a script brings its own)"
            raise errors.INPUT_MISSING.error(name="entryScript", why=why)


def parse_reference(reference: str, sdk: str, target: str) -> EnvironmentReference:
    """The environment that the input names.

    Args:
        reference: ``azureml:name:version``, ``name:version``, ``name@label``, or with v2 the
            address of an environment in a registry,
            ``azureml://registries/<registry>/environments/<name>/versions/<version>``.
        sdk: ``v1`` or ``v2``.
        target: ``kubernetes``, which takes nothing from a registry (azure-ai-ml,
            ``exit_if_registry_assets``), or ``managed``.

    Raises:
        TaskError: ``INPUT_INVALID``
    """
    if _IN_REGISTRY.fullmatch(reference):
        if sdk == "v1" or target == "kubernetes":
            expected = (
                "name:version with sdk v1, which knows no registries"
                if sdk == "v1"
                else "name:version: only the target managed takes an environment of a registry"
            )
            raise errors.INPUT_INVALID.error(name="environment", value=reference, expected=expected)
        return EnvironmentReference(address=reference)
    found = _IN_WORKSPACE.fullmatch(reference)
    if found is None:
        raise errors.INPUT_INVALID.error(
            name="environment",
            value=reference,
            expected="name:version, name@latest or azureml://registries/<registry>/environments/"
            "<name>/versions/<version>",
        )
    return EnvironmentReference(name=found[1], version=found[2] or "")


def _source_directory(job: Job, given: DeployInputs, entry_script: Path) -> Path:
    if not given.source_directory:
        return entry_script.parent
    source_directory = job.folder(given.source_directory).resolve()
    if not source_directory.is_dir():
        raise errors.FILE_NOT_FOUND.error(
            name="sourceDirectory",
            path=given.source_directory,
            what="folder",
            folder=job.sources,
        )
    if not entry_script.is_relative_to(source_directory):
        raise errors.INPUT_INVALID.error(
            name="entryScript",
            value=given.entry_script,
            expected=f"a file under sourceDirectory ({given.source_directory})",
        )
    return source_directory


def smoke_test(job: Job, given: DeployInputs) -> smoke.Test:
    """What a revision must stand before it gets requests."""
    if given.smoke_max_seconds and not given.smoke_file:
        raise errors.INPUT_MISSING.error(name="smokeFile", why=", though smokeMaxSeconds is set")
    rows: tuple[smoke.Row, ...] = ()
    if given.smoke_file:
        rows = smoke.read(inputs.existing_file("smokeFile", given.smoke_file, job.sources))
    else:
        log.info("No smokeFile is given: the service's answers are not checked")
    return smoke.Test(
        rows=rows,
        max_seconds=given.smoke_max_seconds,
        malformed=given.smoke_malformed,
        mlflow=given.mode == "release" and not given.entry_script,
    )


def ramp(given: DeployInputs) -> tuple[int, ...]:
    """The stages of the ramp in percent: rising, the last one 100."""
    written = given.ramp.strip() or ("10,50,100" if given.sdk == "v2" else "100")
    parts = [part.strip() for part in written.split(",")]
    stages = tuple(int(part) for part in parts if part.isdecimal())
    rising = len(stages) == len(parts) and all(a < b for a, b in itertools.pairwise((0, *stages)))
    if not rising or stages[-1] != 100:
        raise errors.INPUT_INVALID.error(
            name="ramp", value=given.ramp, expected="rising percentages that end with 100"
        )
    if given.sdk == "v1" and stages != (100,):
        raise errors.INPUT_INVALID.error(
            name="ramp",
            value=given.ramp,
            expected="100 with sdk v1, whose services take all requests or none",
        )
    return stages
