"""Runs: what is submitted, and what becomes of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Scalar:
    """One value of a YAML mapping: as read, and as it was written.

    Both, because a build number ``20190809.10`` read as a number loses its zero.
    """

    value: str | int | float | bool
    written: str


COMPLETED = frozenset({"Completed", "Finished"})
"""The states of a run that succeeded."""

ENDED = COMPLETED | {"Failed", "Canceled"}
"""The final states of a run."""


ONLY_STEP = "job"
"""The name of a command job where steps of a run are named."""


@dataclass(frozen=True, kw_only=True)
class Submission:
    """A job to run. ``file`` is the SDK's own YAML, or Python with ``build_pipeline``.

    Of all submissions with the same ``claim``, however many processes send them, Azure starts one
    run. It is a name that may be part of an address; empty for a submission that shares no run.
    ``force_rerun``: no step takes the outputs of an earlier run. ``moved``: a cluster, and the one
    that its steps run on instead; None for none. ``overrides``: values of settings of a YAML file
    by their paths, such as ``jobs.train.compute``; v2 only.
    """

    file: Path
    experiment: str
    parameters: Mapping[str, Scalar]
    tags: Mapping[str, str]
    display_name: str = ""
    claim: str = ""
    force_rerun: bool = False
    moved: tuple[str, str] | None = None
    overrides: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run or a step of one. ``started`` is UTC, ``seconds`` its duration; None before the start.

    ``target`` is the compute target. ``reused``: the step did not run; ``id`` is that of the
    earlier step whose outputs it has.
    """

    id: str
    name: str
    status: str
    error: str = ""
    url: str = ""
    started: datetime | None = None
    seconds: float | None = None
    reused: bool = False
    target: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        """Whether the run is over."""
        return self.status in ENDED


class PreparedRun(ABC):
    """A run that is ready to start: all that it needs is built."""

    @abstractmethod
    def start(self, sending: Callable[[str], None]) -> Run:
        """Start the run, or return the one that was started under the same claim.

        It may be called again when it failed: the run starts once.

        Args:
            sending: called with the run's id before each request that may start it. What it
                raises stops the submission.
        """


class Runs(ABC):
    """Runs of the workspace."""

    @abstractmethod
    def prepare(self, submission: Submission) -> PreparedRun:
        """Build a pipeline. Nothing that costs anything runs after this.

        Raises:
            TaskError: ``PIPELINE_FILE_INVALID``, ``PARAMETER_UNKNOWN``, ``PARAMETER_INVALID``,
                ``PARAMETER_MISSING``
        """

    @abstractmethod
    def claimed(self, claim: str) -> Run | None:
        """The run, with its tags, that was started under a claim; None while there is none."""

    @abstractmethod
    def get(self, run_id: str) -> Run:
        """The current state of a run. Raises ``RUN_NOT_FOUND``."""

    @abstractmethod
    def tag(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Add tags to a run; tags of the same name are replaced."""

    @abstractmethod
    def steps(self, run_id: str) -> tuple[Run, ...]:
        """The run's steps that exist so far, in the order they started.

        A command job is its own step, named ``job``."""

    @abstractmethod
    def new_log_lines(self, run_id: str, *, last: bool = False) -> list[str]:
        """The log lines of a step since the last call; :meth:`steps` must have returned it.

        Args:
            run_id: the step's run.
            last: the step has ended: return an unfinished last line, too.
        """

    @abstractmethod
    def metrics(self, run_id: str) -> dict[str, float]:
        """The numbers logged to this run itself; they may be NaN or infinite."""

    @abstractmethod
    def files(self, run_id: str) -> tuple[str, ...]:
        """Paths of the run's artifacts, such as ``outputs/model/weights.h5``."""

    @abstractmethod
    def download_files(self, run_id: str, prefix: str, folder: Path) -> int:
        """Download the artifacts at or under ``prefix`` into ``folder``, keeping their paths.

        Returns:
            How many files there were.
        """

    @abstractmethod
    def download_output(self, step_id: str, output: str, folder: Path) -> int:
        """Download a step's named output (``PipelineData``) into ``folder``.

        Returns:
            How many files there were; 0 also when the step has no such output.
        """

    @abstractmethod
    def cancel(self, run_id: str) -> None:
        """Ask Azure ML to cancel the run and its steps."""
