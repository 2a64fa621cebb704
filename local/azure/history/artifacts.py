"""Artifacts: names for files of runs and uploads, kept as blobs of the workspace's container.

Shapes as azureml-core's ArtifactDto. An artifact's id is <origin>/<container>/<path>; a run's files
have the origin ExperimentRun and the container dcid.<run id>.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from local.azure.history.experiments import BY_ID, BY_NAME
from local.azure.history.records import ARTIFACTS, Artifact
from local.azure.kernel import fields
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response
from local.azure.kernel.web import Router
from local.azure.storage import blob
from local.azure.storage.datastores import ARTIFACT_CONTAINER, ARTIFACT_STORE

RUN_ORIGIN = "ExperimentRun"
LOG_FOLDERS = ("azureml-logs/", "logs/", "user_logs/", "system_logs/")

router = Router()
_V2 = "/artifact/v2.0{workspace}/artifacts"


def container_of_run(run_id: str) -> str:
    """The artifact container that holds a run's files."""
    return f"dcid.{run_id}"


def register(cloud: Cloud, run_id: str, path: str) -> None:
    """Make `path` known as an artifact of the run; the file may come later."""
    register_in(cloud, RUN_ORIGIN, container_of_run(run_id), path)


def file_path(cloud: Cloud, run_id: str, path: str) -> Path:
    """Where the file of a run's artifact lies, whether it exists or not."""
    return blob.path_of(cloud, ARTIFACT_CONTAINER, _id(RUN_ORIGIN, container_of_run(run_id), path))


def find(cloud: Cloud, prefix_id: str) -> list[Artifact]:
    """Artifacts whose id is `prefix_id` or lies below it as in a folder."""
    prefix = prefix_id.rstrip("/")
    return [
        artifact
        for artifact in ARTIFACTS.list(cloud, prefix)
        if artifact["artifactId"] == prefix or artifact["artifactId"].startswith(prefix + "/")
    ]


def below(cloud: Cloud, run_id: str, prefix: str) -> list[Artifact]:
    """The artifacts of a run whose path starts with a prefix, oldest first."""
    return ARTIFACTS.list(cloud, f"{RUN_ORIGIN}/{container_of_run(run_id)}/{prefix}")


def file_of(cloud: Cloud, artifact_id: str) -> Path:
    """Where the file of any artifact lies, whether it exists or not."""
    return blob.path_of(cloud, ARTIFACT_CONTAINER, artifact_id)


def log_urls(cloud: Cloud, run_id: str) -> dict[str, str]:
    """Links to the log files of a run, by path; an empty one is not there yet."""
    found = ARTIFACTS.list(cloud, _id(RUN_ORIGIN, container_of_run(run_id), ""))
    logs = (artifact for artifact in found if artifact["path"].startswith(LOG_FOLDERS))
    return {
        artifact["path"]: blob.sas_url(
            cloud, ARTIFACT_CONTAINER, artifact["artifactId"], permissions="r"
        )
        for artifact in sorted(logs, key=lambda artifact: str(artifact["path"]))
        if _has_content(file_of(cloud, artifact["artifactId"]))
    }


def _has_content(file: Path) -> bool:
    # The SDK asks for a range, and an empty blob has none: 416, which v1 tells with a traceback.
    return file.is_file() and file.stat().st_size > 0


def _id(origin: str, container: str, path: str) -> str:
    return f"{origin}/{container}/{_clean(path)}"


def _clean(path: str) -> str:
    """Within a run the SDK names what is in the outputs folder `./outputs/...`."""
    return "/".join(part for part in path.split("/") if part != ".")


def register_in(cloud: Cloud, origin: str, container: str, path: str) -> Artifact:
    """Make a file known as an artifact of any origin and container; the file may come later."""
    artifact_id = _id(origin, container, path)
    blob.path_of(cloud, ARTIFACT_CONTAINER, artifact_id)
    artifact = ARTIFACTS.get(cloud, artifact_id)
    if artifact is None:
        artifact = {
            "artifactId": artifact_id,
            "origin": origin,
            "container": container,
            "path": _clean(path),
            "etag": None,
            "createdTime": cloud.ml_timestamp(),
            "dataPath": {"dataStoreName": ARTIFACT_STORE, "relativePath": artifact_id},
        }
        ARTIFACTS.put(cloud, artifact_id, artifact)
    return artifact


def _content(cloud: Cloud, artifact: Artifact, permissions: str = "r") -> Mapping[str, str]:
    url = blob.sas_url(cloud, ARTIFACT_CONTAINER, artifact["artifactId"], permissions=permissions)
    return {
        "contentUri": url,
        "origin": artifact["origin"],
        "container": artifact["container"],
        "path": artifact["path"],
    }


def _place(request: Request) -> tuple[str, str, str]:
    """Origin, container and path; the SDK sends a path in the address or as a query."""
    params = request.params
    path = params.get("path") or request.query.get("path") or ""
    if "run" in params:
        return RUN_ORIGIN, container_of_run(params["run"]), path
    return params["origin"], params["container"], path


def _existing(cloud: Cloud, request: Request) -> Artifact:
    artifact_id = _id(*_place(request))
    artifact = ARTIFACTS.get(cloud, artifact_id)
    if artifact is None:
        raise ServiceError(404, "UserError", f"Artifact {artifact_id} was not found.")
    return artifact


@router.route("POST", _V2 + "/batch/metadata/{origin}/{container}", query=("datastoreName",))
@router.route("POST", _V2 + "/{origin}/{container}/batch/metadata", query=("datastoreName",))
@router.route("POST", BY_NAME + "/runs/{run}/artifacts/batch/metadata", query=("datastoreName",))
@router.route("POST", BY_ID + "/runs/{run}/artifacts/batch/metadata", query=("datastoreName",))
def create_artifacts(cloud: Cloud, request: Request) -> Response:
    """Register artifacts and say where to upload them."""
    store = request.query.get("datastoreName") or ARTIFACT_STORE
    if store != ARTIFACT_STORE:
        raise ServiceError(
            501, "NotImplemented", f"The local Azure keeps artifacts in {ARTIFACT_STORE} only."
        )
    origin, container, _ = _place(request)
    made = {}
    for entry in fields.objects(request.json_object(), "paths"):
        path = fields.text(entry, "path")
        made[path] = register_in(cloud, origin, container, path)
    return json_response(
        {
            "artifacts": made,
            "artifactContentInformation": {
                path: _content(cloud, artifact, "rcwa") for path, artifact in made.items()
            },
            "errors": {},
        }
    )


@router.route("GET", _V2 + "/contentinfo/{origin}/{container}", query=("path",))
@router.route("GET", _V2 + "/contentinfo/{origin}/{container}/{path:rest}", query=("path",))
@router.route("GET", _V2 + "/{origin}/{container}/contentinfo", query=("path",))
@router.route("GET", BY_NAME + "/runs/{run}/artifacts/contentinfo", query=("path",))
@router.route("GET", BY_NAME + "/runs/{run}/artifacts/contentinfo/{path:rest}", query=("path",))
@router.route("GET", BY_ID + "/runs/{run}/artifacts/contentinfo", query=("path",))
@router.route("GET", BY_ID + "/runs/{run}/artifacts/contentinfo/{path:rest}", query=("path",))
def show_content(cloud: Cloud, request: Request) -> Response:
    """Where to read an artifact."""
    return json_response(_content(cloud, _existing(cloud, request)))


@router.route("GET", _V2 + "/write/{origin}/{container}", query=("path",))
@router.route("GET", _V2 + "/write/{origin}/{container}/{path:rest}", query=("path",))
def show_write_content(cloud: Cloud, request: Request) -> Response:
    """Where to write an artifact."""
    artifact = register_in(cloud, *_place(request))
    return json_response(_content(cloud, artifact, "rcwa"))


@router.route("GET", _V2 + "/prefix/contentinfo/{origin}/{container}", query=("path",))
@router.route("GET", _V2 + "/prefix/contentinfo/{origin}/{container}/{path:rest}", query=("path",))
@router.route("GET", BY_NAME + "/runs/{run}/artifacts/prefix/contentinfo", query=("path",))
@router.route(
    "GET", BY_NAME + "/runs/{run}/artifacts/prefix/contentinfo/{path:rest}", query=("path",)
)
@router.route("GET", BY_ID + "/runs/{run}/artifacts/prefix/contentinfo", query=("path",))
@router.route(
    "GET", BY_ID + "/runs/{run}/artifacts/prefix/contentinfo/{path:rest}", query=("path",)
)
def list_content(cloud: Cloud, request: Request) -> Response:
    """Where to read the artifacts whose path starts with a prefix."""
    found = ARTIFACTS.list(cloud, _id(*_place(request)))
    values = [_content(cloud, artifact) for artifact in found]
    return json_response({"value": values, "continuationToken": None})


@router.route("GET", _V2 + "/metadata/{origin}/{container}/{path:rest}", query=("path",))
def show_artifact(cloud: Cloud, request: Request) -> Response:
    """An artifact."""
    return json_response(_existing(cloud, request))


@router.route("GET", _V2 + "/{origin}/{container}", query=("path",))
@router.route("GET", BY_NAME + "/runs/{run}/artifacts", query=("path",))
@router.route("GET", BY_ID + "/runs/{run}/artifacts", query=("path",))
@router.route("GET", BY_NAME + "/runs/{run}/artifacts/path", query=("path",))
@router.route("GET", BY_NAME + "/runs/{run}/artifacts/path/{path:rest}", query=("path",))
def list_artifacts(cloud: Cloud, request: Request) -> Response:
    """The artifacts of a container, or those whose path starts with a prefix."""
    found = ARTIFACTS.list(cloud, _id(*_place(request)))
    return json_response({"value": found, "continuationToken": None})
