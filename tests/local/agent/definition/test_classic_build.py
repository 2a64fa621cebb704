"""Classic build definitions: what of an export runs, and what is refused by name."""

from __future__ import annotations

import copy

import pytest

from local.agent.definition.classic_build import read_build
from local.agent.errors import AgentError


@pytest.fixture
def read(json_file):
    def read_json(definition, *, environment=None, **overrides):
        file = json_file(definition)
        own = {} if environment is None else environment
        return read_build(file, environment=own, overrides=overrides)

    return read_json


def only_job(pipeline):
    ((job,),) = [stage.jobs for stage in pipeline.stages]
    return job


class TestReading:
    def test_a_phase_is_a_job_with_a_checkout(self, read, build_json):
        job = only_job(read(build_json("echo one")))
        assert (job.name, job.display_name) == ("Job_1", "Agent job 1")
        assert [step.task for step in job.steps] == [
            "checkout",
            "6C731C3C-3C68-459A-A5C9-BDE6E6595B5B@3",
        ]

    def test_a_step_is_called_by_its_reference_name_or_its_title(self, read, build_json):
        steps = only_job(read(build_json({"refName": "make"}, "echo", "echo"))).steps
        assert [step.name for step in steps] == ["__checkout", "make", "BashScript", "BashScript1"]

    def test_settings_of_a_step(self, read, build_json):
        settings = {
            "continueOnError": True,
            "timeoutInMinutes": 3,
            "retryCountOnTaskFailure": 2,
            "enabled": False,
            "environment": {"A": "$(x)"},
        }
        step = only_job(read(build_json(settings))).steps[1]
        assert (step.continue_on_error, step.timeout_minutes, step.retry_count) == (True, 3, 2)
        assert (step.enabled, step.env) == (False, {"A": "$(x)"})

    @pytest.mark.parametrize(
        ("changes", "condition"),
        [
            ({}, "succeeded()"),
            ({"condition": "always()", "alwaysRun": False}, "always()"),
            ({"condition": None, "alwaysRun": True}, "succeededOrFailed()"),
            ({"condition": "", "alwaysRun": False}, None),
        ],
    )
    def test_conditions(self, read, build_json, changes, condition):
        assert only_job(read(build_json(changes))).steps[1].condition == condition

    def test_a_job_without_an_agent_has_no_sources(self, read, build_json):
        definition = build_json("echo")
        definition["process"]["phases"][0]["target"] = {"type": 2}
        job = only_job(read(definition))
        assert job.server
        assert "checkout" not in [step.task for step in job.steps]

    def test_sources_are_left_out_where_the_repository_says_so(self, read, build_json):
        repository = {"type": "TfsGit", "properties": {"skipSyncSource": "true"}}
        steps = only_job(read(build_json("echo", repository=repository))).steps
        assert "checkout" not in [step.task for step in steps]

    @pytest.mark.parametrize(("own", "expected"), [(None, 90), (0, 90), (20, 20)])
    def test_a_job_has_its_own_time_or_the_definitions(self, read, build_json, own, expected):
        definition = build_json("echo", jobTimeoutInMinutes=90)
        definition["process"]["phases"][0]["jobTimeoutInMinutes"] = own
        assert only_job(read(definition)).timeout_minutes == expected

    def test_process_parameters_are_variables(self, read, build_json):
        one = {"name": "solution", "label": "S", "defaultValue": "**\\*.sln", "type": "filePath"}
        definition = build_json("echo", processParameters={"inputs": [one, {"name": "empty"}]})
        found = read(definition, **{"Parameters.empty": "x"}).variables
        assert {one.name: one.value for one in found} == {
            "Parameters.solution": "**\\*.sln",
            "Parameters.empty": "x",
        }

    def test_the_command_line_wins(self, read, build_json):
        variables = {"a": {"value": "1"}, "b": {"value": None, "allowOverride": True}}
        found = read(build_json("echo", variables=variables), A="2").variables
        assert {one.name: one.value for one in found} == {"b": "", "A": "2"}

    def test_a_secret_comes_from_the_environment_and_is_taken_out_of_it(self, read, build_json):
        environment = {"API_KEY": "hush-hush", "OTHER": "1"}
        definition = build_json("echo", variables={"api.key": {"value": None, "isSecret": True}})
        (variable,) = read(definition, environment=environment).variables
        assert (variable.value, variable.secret) == ("hush-hush", True)
        assert environment == {"OTHER": "1"}


def changed(definition, path, value):
    """Return a copy with the value at a path of keys and indexes replaced."""
    found = copy.deepcopy(definition)
    *parents, last = path
    part = found
    for key in parents:
        part = part[key]
    part[last] = value
    return found


PHASE = ("process", "phases", 0)
STEP = (*PHASE, "steps", 0)


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("variableGroups",), [{"id": 4}], "the variable group '4' is neither in"),
        (("processParameters",), {"inputs": [{"label": "x"}]}, "a process parameter needs a name"),
        (("processParameters",), {"inputs": [{"nam": "x"}]}, "did you mean 'name'?"),
        (("nosuch",), 1, "the build definition has no key 'nosuch'"),
        (("environments",), [], "this is a release definition; run it with: agent release"),
        (
            ("process",),
            {"type": 2, "yamlFilename": "azure-pipelines.yml"},
            "this definition's process is yaml, not one of the designer; run azure-pipelines.yml",
        ),
        (("process",), None, "the build definition has no phases"),
        ((*PHASE, "steps"), [], "the job 'Agent job 1' has no steps"),
        (
            (*PHASE, "target", "executionOptions"),
            {"type": 1, "multipliers": ["x"]},
            "the job 'Agent job 1' runs several times",
        ),
        ((*PHASE, "dependencies"), [{"scope": "Job_9", "event": "Completed"}], "'Job_9', which"),
        ((*PHASE, "condition"), "suceeded()", "suceeded"),
        ((*STEP, "task", "definitionType"), "metaTask", "the step 'Bash Script' is a task group"),
        ((*STEP, "task", "id"), "", "the step 'Bash Script' does not name a task by its id"),
        ((*STEP, "task", "versionSpec"), "*", "has the version '*'; choose a major one such as"),
        ((*STEP, "task", "versionSpec"), "1.*-preview", "has the version '1.*-preview'"),
        ((*STEP, "condition"), "eq(1", "eq(1"),
        ((*STEP, "refName"), "a b", "'a b' cannot name a step"),
        ((*STEP, "enabled"), "perhaps", "'enabled' must be true or false"),
        (("variables",), {"s": {"isSecret": True}}, "set S in the agent's environment"),
    ],
)
def test_what_is_refused_is_named(read, build_json, path, value, words):
    with pytest.raises(AgentError) as found:
        read(changed(build_json("echo"), path, value))
    assert words in str(found.value)
    assert "\n" not in str(found.value)


def test_a_secret_on_the_command_line_is_refused(read, build_json):
    with pytest.raises(AgentError, match="every process of this machine can read arguments"):
        read(build_json("echo", variables={"s": {"isSecret": True}}), s="hush-hush")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "definition.json:1: this is not valid JSON"),
        ("[]", "a definition must be a JSON object"),
        ('{"name": "a", "name": "b"}', "the key 'name' is twice"),
    ],
)
def test_what_is_no_definition(json_file, text, words):
    file = json_file({})
    file.write_text(text)
    with pytest.raises(AgentError) as found:
        read_build(file, environment={}, overrides={})
    assert words in str(found.value)


def test_an_unknown_task_is_named_by_its_step(play_build, build_json):
    task = {"id": "11111111-2222-3333-4444-555555555555", "versionSpec": "1.*"}
    with pytest.raises(AgentError, match="step 'Deploy it': the task '11111111-2222-"):
        play_build(build_json({"displayName": "Deploy it", "task": task}))


def test_a_build_runs(play_build, build_json):
    publish = {
        "displayName": "Publish",
        "task": {"id": "2ff763a7-ce83-4e1f-bc89-0ae63477cebe", "versionSpec": "1.*"},
        "inputs": {"PathtoPublish": "$(Build.ArtifactStagingDirectory)", "ArtifactName": "drop"},
        "condition": "succeededOrFailed()",
    }
    played = play_build(
        build_json(
            {"script": "echo '##vso[task.setvariable variable=x;isoutput=true]4'", "refName": "a"},
            {"script": "echo $(a.x) $(who) $(Build.DefinitionName) $A", "environment": {"A": "e"}},
            "echo made > $(Build.ArtifactStagingDirectory)/file.txt; exit 3",
            "echo never",
            publish,
            variables={"who": {"value": "me", "allowOverride": True}},
        ),
        who="you",
    )
    assert played.result == "failed"
    assert played.lines("BashScript") == ["4 you made here e"]
    assert played.results == {
        "__checkout": "succeeded",
        "a": "succeeded",
        "BashScript": "succeeded",
        "BashScript1": "failed",
        "BashScript2": "skipped",
        "Publish": "succeeded",
    }
    assert played.document["artifacts"].keys() == {"drop"}
    build = played.document["build"]
    assert (build["definitionName"], build["definitionId"]) == ("made here", "7")
    assert build["defaultBranch"] == "refs/heads/main"
    assert played.document["buildNumber"].endswith(".1")


def test_a_secret_is_masked_and_no_step_inherits_it(play_build, build_json, monkeypatch):
    monkeypatch.setenv("API_KEY", "hush-hush")
    played = play_build(
        build_json(
            "echo $(api.key) [$API_KEY]", variables={"api.key": {"value": None, "isSecret": True}}
        )
    )
    assert played.lines("BashScript") == ["*** []"]


def test_jobs_follow_their_dependencies(play_build, build_json):
    definition = build_json("echo")
    (first,) = definition["process"]["phases"]
    second = copy.deepcopy(first)
    second.update(name="second", refName="Job_2", condition="failed()")
    second["dependencies"] = [{"scope": "Job_1", "event": "Completed"}]
    first["steps"][0]["inputs"]["script"] = "exit 1"
    definition["process"]["phases"] = [second, first]
    played = play_build(definition)
    assert [job["result"] for job in played.document["stages"][0]["jobs"]] == [
        "failed",
        "succeeded",
    ]
