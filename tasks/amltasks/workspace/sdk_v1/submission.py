"""Starts pipeline runs with azureml-pipeline-core, one for each claim.

The pipeline service makes a run in two requests: one creates it unsubmitted, under an id of the
service's, and one submits it, which it accepts once. Between them the claim is made: a blob in the
workspace's default datastore that holds the id, written with ``If-None-Match: *``, so that of many
writers one succeeds (Put Blob, learn.microsoft.com/rest/api/storageservices). Every process then
submits the run that the blob names, also one that finds the blob of a process that was killed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from amltasks.workspace.failures import http_status, not_moved, translated
from amltasks.workspace.port import Submission
from amltasks.workspace.printing import banners_hidden
from amltasks.workspace.sdk_v1 import pipeline_file

log = logging.getLogger("amltasks")

_CLAIMS = "azure-pipelines/claims"


class Claims:
    """The claims of a workspace: which run's id stands under a claim."""

    def __init__(self, sdk: Any) -> None:
        """Work in this ``azureml.core.Workspace``."""
        self._sdk = sdk
        self._container: Any = None

    def holder(self, claim: str) -> str:
        """The run's id under a claim, empty when there is none."""
        with translated(f"looking for the claim '{claim}'"):
            try:
                return str(self._blob(claim).download_blob().readall().decode())
            except Exception as cause:
                if http_status(cause) != 404:
                    raise
                return ""

    def make(self, claim: str, run_id: str) -> str:
        """Claim for a run; returns the id of the run that has the claim, which may be another."""
        with translated(f"making the claim '{claim}'"):
            try:
                self._blob(claim).upload_blob(run_id.encode(), overwrite=False)
            except Exception as cause:
                if http_status(cause) not in (409, 412):
                    raise
                return self.holder(claim)
        return run_id

    def _blob(self, claim: str) -> Any:
        if self._container is None:
            datastore = self._sdk.get_default_datastore()
            self._container = datastore.blob_service.get_container_client(datastore.container_name)
        return self._container.get_blob_client(f"{_CLAIMS}/{claim}")


class Submitter:
    """A pipeline that is built, and the run that was created for it."""

    def __init__(self, sdk: Any, claims: Claims, submission: Submission) -> None:
        """Build the pipeline and create its run. Raises as ``Runs.prepare`` says."""
        self._claims = claims
        self._claim = submission.claim
        with translated(f"building the pipeline '{submission.file.name}'"):
            self._pipeline, parameters = pipeline_file.load(
                submission.file, sdk, submission.parameters
            )
        with translated("submitting the pipeline"), banners_hidden():
            self._pipeline._set_experiment_name(submission.experiment)
            self._id = self._create(parameters, submission)

    def _create(self, parameters: Mapping[str, object], submission: Submission) -> str:
        """Upload the sources and create the run; what ``Graph.submit`` does before it submits."""
        graph = self._pipeline.graph
        graph._validate_and_finalize(
            pipeline_parameters=parameters, regenerate_outputs=submission.force_rerun
        )
        if submission.moved:
            _move(graph, *submission.moved)
        info = graph._graph_provider.get_pipeline_run_creation_info_with_graph(
            graph,
            pipeline_parameters=parameters,
            continue_on_step_failure=False,
            enable_email_notification=self._pipeline._enable_email_notification,
        )
        info.creation_info.tags = dict(submission.tags)
        caller = graph._graph_provider._service_caller
        made = caller.create_unsubmitted_pipeline_run_async(
            info, experiment_name=submission.experiment
        )
        return str(made.id)

    def start(self, sending: Callable[[str], None]) -> str:
        """Claim and submit; returns the id of the run that has the claim."""
        if self._claim:
            self._id = self._claims.make(self._claim, self._id)
        caller = self._pipeline.graph._graph_provider._service_caller
        with translated("submitting the pipeline"), banners_hidden():
            sending(self._id)
            try:
                caller.submit_saved_pipeline_run_async(self._id)
            except Exception as cause:
                # The request before this one came through although its answer did not, or the
                # process that shares the claim was first.
                if not self._submitted(caller, cause):
                    raise
        return self._id

    def _submitted(self, caller: Any, cause: Exception) -> bool:
        status = http_status(cause)
        if status is not None and status not in (400, 409):
            return False
        return bool(caller.get_pipeline_run_async(self._id).is_submitted)


def _move(graph: Any, source: str, target: str) -> None:
    """Have what is to run on one cluster run on another. Raises ``REFUSED`` when nothing is."""
    named = [
        param
        for node in graph.module_nodes
        for param in node.params.values()
        if param.name == "Target" and str(param.value).lower() == source.lower()
    ]
    for param in named:
        param.set_value(target)
    if not named:
        raise not_moved(source, target)
