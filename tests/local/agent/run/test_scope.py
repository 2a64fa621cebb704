"""What conditions and ``$[ ]`` of variables read: evaluated variables, and none of the agent's."""

from __future__ import annotations

import datetime

import pytest

from local.agent.definition.model import VariableDefinition
from local.agent.definition.numbering import Numbers
from local.agent.expressions.values import ExpressionError
from local.agent.run.scope import Scope
from local.agent.session.counters import Counters

STARTED = datetime.datetime(2026, 11, 30, 21, 7, 3, tzinfo=datetime.timezone.utc)


@pytest.fixture
def scope(tmp_path):
    def make(**predefined):
        numbers = Numbers(tmp_path / "numbers.json")
        return Scope(
            predefined=predefined,
            started=STARTED,
            counters=Counters(numbers=numbers, pipeline="p"),
        )

    return make


def texts(scope):
    return {one.name: one.value for one in scope.definitions}


def of(**expressions):
    return [
        VariableDefinition(name=name, value="", expression=e) for name, e in expressions.items()
    ]


# expression, value; the variable branch is main, plain holds a macro
EXPRESSIONS = [
    ("eq(variables.branch, 'main')", "True"),
    ("ne(variables['branch'], 'main')", "False"),
    ("variables.nosuch", ""),
    ("variables.plain", "$(branch)-x"),
    ("format('{0:yyyyMMdd}', pipeline.startTime)", "20261130"),
    ("format('{0:yyyy}-{0:MM}', pipeline.startTime)", "2026-11"),
    ("pipeline.startTime", "2026-11-30 21:07:03+00:00"),
    ("gt(pipeline.startTime, '2026-11-30T22:07:02+01:00')", "True"),
    ("lt(pipeline.startTime, '2026-12-01 00:00:00Z')", "True"),
    ("dependencies.nosuch.result", ""),
    ("counter('a', 100)", "100"),
    ("counter()", "0"),
    ("counter(variables.branch, '7')", "7"),
]


@pytest.mark.parametrize(("expression", "value"), EXPRESSIONS)
def test_expressions(scope, expression, value):
    plain = VariableDefinition(name="plain", value="$(branch)-x")
    inside = scope(branch="main").inside({}, [plain, *of(x=expression)], {})
    assert texts(inside)["x"] == value


def test_a_variable_reads_those_before_it(scope):
    inside = scope().inside({}, of(a="'1'", b="format('{0}2', variables.a)", c="variables.d"), {})
    assert texts(inside) == {"a": "1", "b": "12", "c": ""}


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("lt(pipeline.startTime, 'x')", "variable 'x': cannot compare"),
        ("format('{0:yyyy-MM}', pipeline.startTime)", "because of '-'"),
        ("format('{0:N2}', 1)", "'N2' is for times"),
        ("counter('a', 'b')", "the seed 'b' is not a number"),
        ("dependencies", "a mapping cannot be converted to text"),
    ],
)
def test_what_cannot_be_evaluated(scope, expression, part):
    with pytest.raises(ExpressionError) as caught:
        scope().inside({}, of(x=expression), {})
    assert part in str(caught.value)


DECISIONS = """
variables:
  isMain: $[eq(variables['Build.SourceBranch'], 'refs/heads/never')]
  isNotX: $[ne(variables['Build.SourceBranch'], 'refs/heads/x')]
  nothing: $[variables['nothingSet']]
  fromAgent: $[variables['Agent.OS']]
  nested: $(isNotX)-suffix
stages:
- stage: first
  jobs:
  - job: always
    steps:
    - checkout: none
    - bash: echo "[$(isMain)] [$(isNotX)] [$(nothing)] [$(nested)]"
      name: values
    - bash: echo "##vso[task.setvariable variable=go;isOutput=true]yes"
      name: set
  - {job: evaluated_true, condition: "eq(variables['isNotX'], 'True')", steps: &none [ECHO]}
  - {job: evaluated_false, condition: "ne(variables.isMain, 'False')", steps: [ECHO]}
  - {job: boolean_text, condition: "eq(variables.isNotX, true)", steps: [ECHO]}
  - {job: empty, condition: "variables['nothing']", steps: [ECHO]}
  - {job: from_agent, condition: "variables.fromAgent", steps: [ECHO]}
  - {job: macro_stays, condition: "eq(variables.nested, '$(isNotX)-suffix')", steps: [ECHO]}
  - {job: message, condition: "variables['Build.SourceVersionMessage']", steps: [ECHO]}
  - {job: agent, condition: "variables['agent.os']", steps: [ECHO]}
  - {job: folder, condition: "variables['Build.SourcesDirectory']", steps: [ECHO]}
  - {job: workspace, condition: "variables['Pipeline.Workspace']", steps: [ECHO]}
  - {job: token, condition: "variables['System.AccessToken']", steps: [ECHO]}
  - {job: own_name, condition: "eq(variables['System.JobName'], 'own_name')", steps: [ECHO]}
  - {job: stage_name, condition: "eq(variables['System.StageName'], 'first')", steps: [ECHO]}
  - {job: reason, condition: "eq(variables['Build.Reason'], 'Manual')", steps: [ECHO]}
  - {job: started, condition: "gt(pipeline.startTime, '2020-01-01 00:00:00Z')", steps: [ECHO]}
- stage: skipped_evaluated
  condition: ne(variables.isMain, 'False')
  jobs: [{job: j, steps: [ECHO]}]
- stage: skipped_message
  dependsOn: first
  condition: contains(variables['build.sourceVersionMessage'], 'x')
  jobs: [{job: j, steps: [ECHO]}]
- stage: second
  dependsOn: first
  variables:
    ofStage: $[ stageDependencies.first.always.outputs['set.go'] ]
  condition: eq(variables.ofStage, 'yes')
  jobs:
  - job: own_variable
    variables:
      ofJob: $[ stageDependencies.first.always.outputs['set.go'] ]
    condition: and(succeeded(), eq(variables.ofJob, 'yes'), eq(variables.ofStage, 'yes'))
    steps: [ECHO]
""".replace("&none ", "").replace("ECHO", "{checkout: none}, {bash: 'true'}")


def test_decisions(play):
    played = play(DECISIONS)
    runs = {
        *("always", "evaluated_true", "boolean_text", "macro_stays", "own_name", "stage_name"),
        *("reason", "started", "own_variable"),
    }
    jobs = [job for stage in played.document["stages"] for job in stage["jobs"]]
    assert {job["name"] for job in jobs if job["result"] == "succeeded"} == runs
    assert played.lines("values") == ["[False] [True] [] [True-suffix]"]
    assert played.stages == {
        "first": "succeeded",
        "skipped_evaluated": "skipped",
        "skipped_message": "skipped",
        "second": "succeeded",
    }


def test_a_variable_that_cannot_be_evaluated_fails_what_it_belongs_to(play):
    played = play(
        """
        stages:
        - stage: a
          variables: {x: "$[ lt(pipeline.startTime, 'x') ]"}
          jobs: [{job: j, steps: [{checkout: none}, {bash: 'true', name: a}]}]
        - stage: b
          dependsOn: []
          jobs:
          - job: k
            variables: {x: "$[ lt(pipeline.startTime, 'x') ]"}
            steps: [{checkout: none}, {bash: 'true', name: k}]
          - job: l
            steps: [{checkout: none}, {bash: 'true', name: l}]
        """
    )
    assert played.results == {"a": "skipped", "k": "skipped", "l": "succeeded"}
    assert played.stages == {"a": "failed", "b": "failed"}
    assert "##[error]stage a: variable 'x': cannot compare" in played.console


def test_a_variable_of_the_run_that_cannot_be_evaluated_fails_the_run(play):
    played = play(
        "variables: {x: \"$[ lt(pipeline.startTime, 'x') ]\"}\n"
        "steps: [{checkout: none}, {bash: 'true', name: s}]\n"
    )
    assert (played.result, played.results) == ("failed", {"s": "skipped"})


def test_a_counter_is_the_same_in_the_whole_run(play):
    text = """
    variables: {major: 1, minor: "$[counter(variables['major'], 100)]"}
    jobs:
    - {job: a, steps: [{checkout: none}, {bash: echo $(minor), name: a}]}
    - {job: b, steps: [{checkout: none}, {bash: echo $(minor), name: b}]}
    """
    assert [play(text).lines("a"), play(text).lines("b")] == [["100"], ["101"]]


def test_the_file_cannot_set_what_the_service_sets(play):
    text = """
    variables: {build.reason: mine, system.debug: 'false', System.Mine: x, own: y}
    jobs:
    - job: a
      condition: eq(variables['Build.Reason'], 'Manual')
      variables: {Build.BuildId: '99'}
      steps:
      - checkout: none
      - bash: echo "$(Build.Reason) $(own) [$SYSTEM_MINE]"; [ "$BUILD_BUILDID" != 99 ]
        name: s
    """
    played = play(text)
    assert played.lines("s") == ["Manual y []"]
    assert played.result == "succeeded"
    warned = [line.split("'")[1] for line in played.console.splitlines() if "ignored" in line]
    assert warned == ["build.reason", "System.Mine", "Build.BuildId"]


def test_the_command_line_can(play):
    text = "steps: [{checkout: none}, {bash: 'echo $(Build.Reason)', name: s}]\n"
    assert play(text, variables={"Build.Reason": "PullRequest"}).lines("s") == ["PullRequest"]


def test_the_run_number_reads_evaluated_variables(play):
    text = """
    name: $(major).$(minor)-$(Build.SourceVersionMessage)
    variables: {major: 1, minor: "$[counter(variables['major'], 5)]"}
    steps: [{checkout: none}, {bash: 'echo $(minor)', name: s}]
    """
    for minor in ("5", "6"):
        played = play(text)
        assert played.document["buildNumber"] == f"1.{minor}-$(Build.SourceVersionMessage)"
        assert played.lines("s") == [minor]


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("Build.Reason", True),
        ("build.nosuch", False),
        ("System.Mine", True),
        ("system.debug", False),
        ("serviceName", False),
        ("my.name", False),
    ],
)
def test_which_variables_the_service_sets_itself(scope, name, taken):
    """An organisation sends the definition's own variables beside those that it sets."""
    own = scope(**{"Build.Reason": "x", "serviceName": "x", "my.name": "x"})
    assert own.is_taken(VariableDefinition(name=name, value="mine")) is taken
