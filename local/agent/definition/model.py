"""What a pipeline file says, after its template expressions are gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from local.agent.errors import Place

# The condition of a stage that nothing starts.
NEVER = "false"


@dataclass(frozen=True, kw_only=True)
class VariableDefinition:
    """A variable of the pipeline, a stage or a job, as written.

    Attributes:
        value: its text; empty while there is an expression to evaluate.
        expression: the text in ``$[ ]``, None for a plain text.
        from_command_line: it wins over those of the file's top level, and over predefined ones.
        secret: only the variables of classic definitions and of variable groups can be.
    """

    name: str
    value: str
    expression: str | None = None
    from_command_line: bool = False
    read_only: bool = False
    secret: bool = False


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step; shorthands such as ``script:`` are already tasks, as the service makes them.

    Attributes:
        task: ``Name@Major``, or ``checkout``.
        name: reference name for output variables, unique in its job.
        inputs: as written; aliases are not resolved yet.
        input_places: where each of them is written; empty in a classic definition.
        condition: None means ``succeeded()``.
        timeout_minutes: 0 means no limit.
        settable_variables: patterns allowed by ``target:``, None when it does not restrict.
    """

    task: str
    name: str = ""
    display_name: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    input_places: Mapping[str, Place] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    condition: str | None = None
    continue_on_error: bool = False
    enabled: bool = True
    timeout_minutes: float = 0
    retry_count: int = 0
    restricted_commands: bool = False
    settable_variables: tuple[str, ...] | None = None
    place: Place | None = None


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job or, with ``deployment``, a deployment job with the runOnce strategy.

    Attributes:
        server: whether it runs without an agent (``pool: server``).
    """

    name: str
    display_name: str
    steps: tuple[Step, ...]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    continue_on_error: bool = False
    timeout_minutes: float = 60
    cancel_timeout_minutes: float = 5
    variables: tuple[VariableDefinition, ...] = ()
    deployment: bool = False
    environment: str = ""
    server: bool = False
    place: Place


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage; ``depends_on`` is already the previous stage where the file says nothing.

    Attributes:
        approvers: who must approve the start of a release's stage; empty for no approval.
        approvers_after: who must approve after its jobs have succeeded.
    """

    name: str
    display_name: str
    jobs: tuple[Job, ...]
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    variables: tuple[VariableDefinition, ...] = ()
    approvers: tuple[str, ...] = ()
    approvers_after: tuple[str, ...] = ()
    place: Place


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A whole pipeline, as a file or a classic definition describes it.

    Attributes:
        name: of the definition.
        name_format: the run number's format, empty for the default.
        default_branch: what a classic build definition builds by itself, else empty.
    """

    path: Path
    stages: tuple[Stage, ...]
    name: str
    identity: str = "1"
    name_format: str = ""
    variables: tuple[VariableDefinition, ...] = ()
    default_branch: str = ""


def all_variables(pipeline: Pipeline) -> Iterator[VariableDefinition]:
    """Yield the variables of the pipeline, its stages and its jobs."""
    yield from pipeline.variables
    for stage in pipeline.stages:
        yield from stage.variables
        for job in stage.jobs:
            yield from job.variables
