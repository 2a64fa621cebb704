"""What a task may ask of Azure DevOps, as its job: tags and properties of the build, what an
earlier build left, and one comment on a pull request.

The package ``azure-devops`` is in the environment of ``EvaluateAndGate`` only, and is imported when
a job has an access token to use with it.

A build's properties, which release gates, checks and later builds read:

- ``AmlGate.<model>.Verdict`` (``passed`` or ``rejected``), ``.Reason`` and ``.ModelVersion``;
- ``AmlGate.Verdict``, ``.Reason``, ``.ModelVersion`` and ``.Model``: those of the only gate, and of
  several the worst.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amltasks import errors
from amltasks.azure_pipelines.agent import Job

PREFIX = "AmlGate."
_MARKER = "AmlTasks.Comment"
# What to grant; the service's own words, in the detail of an error, are often narrower.
_VIEW = "'View builds' on this pipeline"
_WRITE = "'Update build information' and 'Edit build quality' on this pipeline"
_COMMENT = "'Contribute to pull requests' on this repository"
_TIMEOUT_S = 30.0
_BUILDS = 20
_RETRIES = 2
_MOST_TAGGED = 1000

log = logging.getLogger("amltasks")


@dataclass(frozen=True, kw_only=True)
class Build:
    """A build: its ``id``, and its ``number`` as people know it, such as ``20261125.3``."""

    id: int
    number: str


def connect(job: Job) -> DevOps | None:
    """Azure DevOps as this job's identity; None where the job has no token or no organisation.

    Nothing is sent yet, and the token never goes to an address without TLS.
    """
    handover = job.handover
    variable = handover.variable
    collection = variable("system.collectionuri") or variable("system.teamfoundationcollectionuri")
    project = variable("system.teamprojectid") or variable("system.teamproject")
    if not (handover.access_token and collection.startswith("https://") and project):
        return None
    _keep_cache_out_of_home(variable("agent.tempdirectory"))
    from azure.devops.connection import Connection
    from msrest.authentication import BasicTokenAuthentication

    credentials = BasicTokenAuthentication({"access_token": handover.access_token})
    connection = Connection(base_url=collection.rstrip("/"), creds=credentials)
    return DevOps(job=job, connection=connection, collection=collection, project=project)


def _keep_cache_out_of_home(folder: str) -> None:
    # The package keeps what it learns for twelve hours, for whoever runs on this agent next.
    kept = Path(folder) / "azure-devops" if folder else Path(tempfile.mkdtemp())
    if not folder:
        atexit.register(shutil.rmtree, kept, ignore_errors=True)
    os.environ["AZURE_DEVOPS_CACHE_DIR"] = str(kept)


class DevOps:
    """One organisation and project, seen from one job.

    What only adds to a build or a pull request never ends the task: its failure is a warning that
    names the permission to grant. What the task needs to know is a TaskError when it cannot be
    found: ``DEVOPS_UNREACHABLE``, ``DEVOPS_FORBIDDEN`` or ``DEVOPS_REFUSED``.
    """

    def __init__(self, *, job: Job, connection: Any, collection: str, project: str) -> None:
        """Use :func:`connect`."""
        self._job = job
        self._connection = connection
        self._collection = collection
        self._project = project
        self._status = 0

    @property
    def build_id(self) -> int | None:
        """This job's build, in a release that of its primary artifact; None where there is none."""
        text = self._job.handover.variable("build.buildid")
        return int(text) if text.isdecimal() else None

    # --- what adds to a build ------------------------------------------------------------------

    def tag_build(self, tags: Sequence[str]) -> None:
        """Add tags to this build; a failure is a warning."""
        with self._or_warning("tagging the build", _WRITE):
            if self.build_id is not None:
                # A comma would make two of one when builds are looked up by tag.
                plain = [tag.replace(",", " ") for tag in tags]
                self._client("build").add_build_tags(plain, self._project, self.build_id)

    def set_properties(self, properties: Mapping[str, str]) -> None:
        """Set properties of this build; a failure is a warning."""
        with self._or_warning("writing the build's properties", _WRITE):
            self._write(properties)

    def record_verdict(self, *, model: str, verdict: str, reason: str, model_version: str) -> None:
        """Write a gate's verdict to this build; a failure is a warning.

        verdict: ``passed`` or ``rejected``.
        """
        with self._or_warning("writing the verdict to the build's properties", _WRITE):
            if self.build_id is None:
                return
            present = self._read(self.build_id)
            own = {"Verdict": verdict, "Reason": reason, "ModelVersion": model_version}
            written = {f"{PREFIX}{model}.{name}": value for name, value in own.items()}
            self._write({**written, **worst({**present, **written}, model)})

    def _write(self, properties: Mapping[str, str]) -> None:
        if self.build_id is None or not properties:
            return
        patch = [
            {"op": "add", "path": "/" + _escaped(name), "value": value}
            for name, value in properties.items()
        ]
        self._client("build").update_build_properties(patch, self._project, self.build_id)

    # --- what an earlier build left ------------------------------------------------------------

    def properties(self, build_id: int) -> dict[str, str]:
        """The properties of a build.

        Raises:
            TaskError: ``DEVOPS_UNREACHABLE``, ``DEVOPS_FORBIDDEN``, ``DEVOPS_REFUSED``
        """
        with self._or_error(f"reading the properties of build {build_id}", _VIEW):
            return self._read(build_id)

    def _read(self, build_id: int) -> dict[str, str]:
        found = self._client("build").get_build_properties(self._project, build_id)
        return {name: str(_plain(value)) for name, value in (found.get("value") or {}).items()}

    def previous_successful_builds(self, definition_id: int, branch: str) -> tuple[Build, ...]:
        """The newest successful builds of a definition on a branch, besides this one.

        branch: in full, such as ``refs/heads/main``. Builds that succeeded with issues do not
        count.

        Raises:
            TaskError: ``DEVOPS_UNREACHABLE``, ``DEVOPS_FORBIDDEN``, ``DEVOPS_REFUSED``
        """
        with self._or_error("looking for the previous successful build", _VIEW):
            found = self._client("build").get_builds(
                self._project,
                definitions=[definition_id],
                branch_name=branch or None,
                status_filter="completed",
                result_filter="succeeded",
                query_order="finishTimeDescending",
                top=_BUILDS,
            )
        # This build is one of them when a job of it runs again.
        others = (one for one in found or () if one.id != self.build_id)
        return tuple(Build(id=one.id, number=one.build_number) for one in others)

    def builds_with(self, tag: str) -> int:
        """Return how many other builds of the project have a tag, at most `_MOST_TAGGED`.

        Raises:
            TaskError: ``DEVOPS_UNREACHABLE``, ``DEVOPS_FORBIDDEN``, ``DEVOPS_REFUSED``
        """
        with self._or_error("counting the builds that were judged on the same rows", _VIEW):
            found = self._client("build").get_builds(
                self._project, tag_filters=[tag], top=_MOST_TAGGED
            )
        return sum(one.id != self.build_id for one in found or ())

    # --- pull requests -------------------------------------------------------------------------

    def comment(self, pull_request_id: int, marker: str, markdown: str) -> None:
        """Say something on a pull request, once: a later call changes the first one's text.

        marker: tells this comment from those of other gates. The thread is closed, so that it
        blocks no merge: that is for the build's own result. A failure is a warning.
        """
        repository = self._job.handover.variable("build.repository.id")
        with self._or_warning("commenting on the pull request", _COMMENT):
            git = self._client("git", once=True)
            where = {"project": self._project}
            threads = git.get_threads(repository, pull_request_id, **where)
            for thread in threads:
                mark = _plain((thread.properties or {}).get(_MARKER))
                if mark == marker and not thread.is_deleted and thread.comments:
                    first = thread.comments[0].id
                    changed = {"content": markdown}
                    git.update_comment(
                        changed, repository, pull_request_id, thread.id, first, **where
                    )
                    return
            thread = {
                "comments": [{"content": markdown, "commentType": "text", "parentCommentId": 0}],
                "status": "closed",
                "properties": {_MARKER: {"$type": "System.String", "$value": marker}},
            }
            git.create_thread(thread, repository, pull_request_id, **where)

    # --- failures ------------------------------------------------------------------------------

    def _client(self, name: str, *, once: bool = False) -> Any:
        """A client of the package; ``once``: what must not happen twice is not tried again."""
        client = getattr(self._connection.clients_v7_1, f"get_{name}_client")()
        config = client.config
        config.connection.timeout = _TIMEOUT_S
        config.retry_policy.retries = _RETRIES
        policy = config.retry_policy.policy
        # msrest means to try every method again, by a name that urllib3 no longer knows.
        policy.allowed_methods = policy.DEFAULT_ALLOWED_METHODS if once else None
        config.hooks = [self._note_status]
        return client

    def _note_status(self, response: Any, *_args: Any, **_options: Any) -> None:
        self._status = response.status_code

    @contextlib.contextmanager
    def _or_warning(self, doing: str, permission: str) -> Iterator[None]:
        try:
            with self._or_error(doing, permission):
                yield
        except errors.TaskError as error:
            self._job.warn(error.cause.code, f"{error.happened}. Next: {error.next_step}")

    @contextlib.contextmanager
    def _or_error(self, doing: str, permission: str) -> Iterator[None]:
        from msrest.exceptions import ClientException

        self._status = 0
        try:
            yield
        # The package raises ValueError for a location that the server does not tell of.
        except (ClientException, OSError, ValueError) as error:
            raise self._meant(error, doing, permission) from error

    def _meant(self, error: Exception, doing: str, permission: str) -> errors.TaskError:
        detail = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        if self._status in (401, 403) or "AuthenticationError" in type(error).__name__:
            return errors.DEVOPS_FORBIDDEN.error(doing=doing, detail=detail, permission=permission)
        if 400 <= self._status < 500 and self._status not in (407, 408, 429):
            return errors.DEVOPS_REFUSED.error(doing=doing, status=self._status, detail=detail)
        return errors.DEVOPS_UNREACHABLE.error(
            doing=f"{doing} at {self._collection}", detail=detail
        )


def look(digest: str) -> str:
    """The tag of a build that judged a model on the rows with this digest."""
    return f"gate-rows-{digest[:16]}"


def worst(properties: Mapping[str, str], model: str) -> dict[str, str]:
    """The four properties for the whole build: those of a model that was rejected, or of `model`.

    properties: all of the build's, with those of ``model``.
    """
    end = ".Verdict"
    judged = [
        name[len(PREFIX) : -len(end)]
        for name in properties
        if name.startswith(PREFIX) and name.endswith(end) and len(name) > len(PREFIX) + len(end)
    ]
    rejected = [one for one in judged if properties[f"{PREFIX}{one}{end}"] != "passed"]
    shown = model if model in rejected or not rejected else rejected[0]
    names = ("Verdict", "Reason", "ModelVersion")
    found = {PREFIX + name: properties.get(f"{PREFIX}{shown}.{name}", "") for name in names}
    return {**found, f"{PREFIX}Model": shown}


def _plain(value: Any) -> Any:
    """A property's value without its type."""
    return value.get("$value") if isinstance(value, dict) else value


def _escaped(name: str) -> str:
    """A name as a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
