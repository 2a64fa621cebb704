"""A classic release definition as the portal exports it: a pipeline, artifacts, triggers."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from dataclasses import dataclass
from pathlib import Path

from local.agent.definition import classic, document
from local.agent.definition.classic_stage import read_jobs
from local.agent.definition.document import Mapping, Node, Scalar
from local.agent.definition.fields import Fields
from local.agent.definition.graph import checked_graph
from local.agent.definition.model import NEVER, Pipeline, Stage
from local.agent.definition.triggers import Filter, read_filter
from local.agent.definition.variable_groups import VariableGroups
from local.agent.definition.variable_syntax import overridden
from local.agent.errors import nearest
from local.agent.host.file_names import is_file_name

_DEFINITION = (
    "id",
    "name",
    "path",
    "url",
    "_links",
    "projectReference",
    "source",
    "revision",
    "comment",
    "description",
    "createdBy",
    "createdOn",
    "modifiedBy",
    "modifiedOn",
    "isDeleted",
    "isDisabled",
    "lastRelease",
    "pipelineProcess",
    "properties",
    "releaseNameFormat",
    "tags",
    "retentionPolicy",
    "artifacts",
    "environments",
    "triggers",
    "variableGroups",
    "variables",
)
_STAGE = (
    "id",
    "name",
    "rank",
    "owner",
    "variables",
    "variableGroups",
    "preDeployApprovals",
    "postDeployApprovals",
    "deployStep",
    "deployPhases",
    "environmentOptions",
    "demands",
    "conditions",
    "executionPolicy",
    "schedules",
    "currentRelease",
    "retentionPolicy",
    "processParameters",
    "properties",
    "preDeploymentGates",
    "postDeploymentGates",
    "environmentTriggers",
    "badgeUrl",
    "queueId",
    "runOptions",
)
_CONDITIONS = {"0": "undefined", "1": "event", "2": "environmentState", "4": "artifact"}
_TRIGGERS = {
    "1": "artifactSource",
    "2": "schedule",
    "3": "sourceRepo",
    "4": "containerImage",
    "5": "package",
    "6": "pullRequest",
}
# EnvironmentStatus of the REST interface: 4 is succeeded, 128 partially succeeded.
_STATES = {
    "4": "eq({0}, 'Succeeded')",
    "132": "in({0}, 'Succeeded', 'SucceededWithIssues')",
}


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """What a release deploys; ``source`` is the name of the build definition, empty for others."""

    alias: str
    source: str
    primary: bool


@dataclass(frozen=True, kw_only=True)
class Starts:
    """What starts a stage.

    Attributes:
        after: stages that must have ended, and the state they must have.
        filters: by alias, what a stage asks of the builds.
        automatic: whether the stage starts without a person who starts it.
    """

    after: Dict[str, str]
    filters: Dict[str, Filter]
    automatic: bool

    @property
    def condition(self) -> str | None:
        """The stage's condition in the words of a pipeline."""
        if not self.automatic:
            return NEVER
        quoted = {name.replace("'", "''"): state for name, state in self.after.items()}
        terms = [
            _STATES[state].format(f"dependencies['{name}'].result")
            for name, state in quoted.items()
        ]
        return f"and(not(canceled()), {', '.join(terms)})" if terms else None


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release definition.

    Attributes:
        pipeline: its stages and variables.
        artifacts: the primary one first.
        triggers: by alias, the filters of continuous deployment; without filters any build will do.
        starts: by stage.
    """

    pipeline: Pipeline
    artifacts: tuple[Artifact, ...]
    triggers: Dict[str, tuple[Filter, ...]]
    starts: Dict[str, Starts]


def read_release(
    path: Path,
    *,
    environment: dict[str, str],
    overrides: Dict[str, str],
    groups: VariableGroups | None = None,
) -> Release:
    """Read a release definition; arguments and errors are those of ``read_build``."""
    root = classic.load(path)
    if not classic.is_release(root):
        message = "this is not a release definition; run a build definition with: agent run"
        raise root.place.error(message)
    fields = Fields(root, "the release definition", _DEFINITION)
    groups = VariableGroups() if groups is None else groups
    artifacts = _artifacts(fields)
    read = [_stage(node, artifacts, environment, groups) for node in fields.items("environments")]
    if not read:
        raise root.place.error("the release definition has no stages")
    stages = checked_graph([stage for stage, _ in read], "stage")
    variables = (
        *classic.read_groups(fields, groups),
        *classic.read_variables(fields, environment, overrides),
    )
    return Release(
        pipeline=Pipeline(
            path=path,
            name=fields.text("name") or path.stem,
            identity=fields.text("id") or "1",
            name_format=fields.text("releaseNameFormat") or "Release-$(rev:r)",
            variables=overridden(variables, overrides),
            stages=stages,
        ),
        artifacts=artifacts,
        triggers=_triggers(fields, artifacts),
        starts={stage.name: starts for stage, starts in read},
    )


def _stage(
    node: Node,
    artifacts: tuple[Artifact, ...],
    environment: dict[str, str],
    groups: VariableGroups,
) -> tuple[Stage, Starts]:
    fields = Fields(node, "a stage", _STAGE)
    name = fields.text("name")
    if not name:
        raise node.place.error("a stage needs a name")
    fields.what = f"the stage '{name}'"
    classic.refuse_used(fields, "environmentTriggers")
    for key in ("preDeploymentGates", "postDeploymentGates"):
        gates = fields.child(key, f"{key} of {fields.what}", ("id", "gatesOptions", "gates"))
        classic.refuse_used(gates, "gates")
    starts = _starts(fields, artifacts)
    stage = Stage(
        name=name,
        display_name=name,
        jobs=read_jobs(fields, [artifact.alias for artifact in artifacts]),
        depends_on=tuple(starts.after),
        condition=starts.condition,
        variables=(
            *classic.read_groups(fields, groups),
            *classic.read_process_parameters(fields),
            *classic.read_variables(fields, environment, {}),
        ),
        approvers=_approvers(fields, "preDeployApprovals"),
        approvers_after=_approvers(fields, "postDeployApprovals"),
        place=fields.place,
    )
    return stage, starts


def _starts(stage: Fields, artifacts: tuple[Artifact, ...]) -> Starts:
    keys = ("name", "conditionType", "value", "result")
    after: dict[str, str] = {}
    filters: dict[str, Filter] = {}
    automatic = False
    for node in stage.items("conditions"):
        one = Fields(node, f"a condition of {stage.what}", keys)
        kind = one.choice("conditionType", _CONDITIONS, "undefined")
        name, value = one.text("name"), one.text("value")
        if kind == "artifact":
            artifact = _known_alias(name, artifacts, stage, stage.what)
            filters[artifact.alias] = read_filter(document.parse_json(value, stage.path))
            continue
        automatic = True
        if kind == "environmentState":
            if value not in _STATES:
                message = f"{stage.what} waits for the state {value} of '{name}'"
                raise node.place.error(message + "; the local agent knows 4 (succeeded) and 132")
            after[name] = value
        elif name != "ReleaseStarted":
            raise node.place.error(
                f"{stage.what} waits for the event '{name}', which the local agent does not know"
            )
    return Starts(after=after, filters=filters, automatic=automatic)


def _artifacts(fields: Fields) -> tuple[Artifact, ...]:
    keys = ("alias", "type", "sourceId", "definitionReference", "isPrimary", "isRetained")
    found: list[Artifact] = []
    for node in fields.items("artifacts"):
        one = Fields(node, "an artifact", keys)
        alias = one.text("alias")
        if not is_file_name(alias):
            message = f"'{alias}' cannot be an artifact's alias, which names its folder"
            raise node.place.error(message)
        if alias.lower() in (other.alias.lower() for other in found):
            raise node.place.error(f"two artifacts have the alias '{alias}'")
        found.append(Artifact(alias=alias, source=_source(one), primary=one.boolean("isPrimary")))
    return tuple(sorted(found, key=lambda artifact: not artifact.primary))


def _source(artifact: Fields) -> str:
    """Return the name of the build definition that makes an artifact, empty for other kinds."""
    reference = artifact.get("definitionReference")
    definition = reference.get("definition") if isinstance(reference, Mapping) else None
    if artifact.text("type").lower() != "build" or definition is None:
        return ""
    return Fields(definition, "definition", ("id", "name")).text("name")


def _known_alias(
    alias: str, artifacts: tuple[Artifact, ...], fields: Fields, what: str
) -> Artifact:
    for artifact in artifacts:
        if artifact.alias.lower() == alias.lower():
            return artifact
    hint = nearest(alias, [artifact.alias for artifact in artifacts])
    raise fields.error(
        f"{what} asks for the artifact '{alias}', which the release does not have; {hint}"
    )


def _triggers(fields: Fields, artifacts: tuple[Artifact, ...]) -> dict[str, tuple[Filter, ...]]:
    keys = (
        "triggerType",
        "artifactAlias",
        "triggerConditions",
        "alias",
        "schedule",
        "branchFilters",
        "tagFilter",
        "statusPolicyName",
        "pullRequestConfiguration",
    )
    found: dict[str, tuple[Filter, ...]] = {}
    for node in fields.items("triggers"):
        one = Fields(node, "a trigger", keys)
        if one.choice("triggerType", _TRIGGERS, "artifactSource") != "artifactSource":
            continue  # schedules, pull requests and images belong to the service
        artifact = _known_alias(one.text("artifactAlias"), artifacts, fields, "a trigger")
        filters = [read_filter(each) for each in one.items("triggerConditions")]
        found[artifact.alias] = tuple(filters)
    return found


def _approvers(stage: Fields, key: str) -> tuple[str, ...]:
    approvals = stage.child(key, f"{key} of {stage.what}", ("approvals", "approvalOptions"))
    names = []
    for node in approvals.items("approvals"):
        known = ("id", "rank", "isAutomated", "isNotificationOn", "approver")
        one = Fields(node, f"an approval of {stage.what}", known)
        if one.boolean("isAutomated"):
            continue
        approver = one.get("approver")
        name = approver.get("displayName") if isinstance(approver, Mapping) else None
        names.append(name.text if isinstance(name, Scalar) and name.text else "somebody")
    return tuple(names)
