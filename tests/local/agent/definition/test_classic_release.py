"""Classic releases: artifacts, triggers, stages, approvals, and the variables of a release."""

from __future__ import annotations

import json

import pytest

from local.agent.errors import AgentError
from local.agent.run.deployment import TriggerError


def after(name, state="4"):
    return {"name": name, "conditionType": "environmentState", "value": state}


def approval(*people, key="preDeployApprovals"):
    steps = [{"rank": 1, "isAutomated": False, "approver": {"displayName": one}} for one in people]
    return {key: {"approvals": steps}}


@pytest.fixture
def build_result(tmp_path):
    """Write what a build's --json has for a release; keyword arguments change its facts."""

    def write(*, result="succeeded", tags=(), **facts):
        artifact = tmp_path / "built"
        artifact.mkdir(exist_ok=True)
        (artifact / "file.txt").write_text("built")
        build = {
            "id": "12",
            "number": "20260102.3",
            "definitionName": "made here",
            "sourceBranch": "refs/heads/main",
            "defaultBranch": "refs/heads/main",
            **facts,
        }
        document = {
            "result": result,
            "build": build,
            "artifacts": {"drop": str(artifact)},
            "tags": list(tags),
        }
        path = tmp_path / "build-result.json"
        path.write_text(json.dumps(document))
        return path

    return write


def trigger(*branches):
    filters = [{"sourceBranch": branch, "tags": []} for branch in branches]
    return [
        {"triggerType": "artifactSource", "artifactAlias": "_made", "triggerConditions": filters}
    ]


class TestStages:
    def test_they_start_after_the_release_or_after_each_other(
        self, play_release, release_json, stage_json
    ):
        played = play_release(
            release_json(
                stage_json("Last stage", "echo", conditions=[after("First stage")]),
                stage_json("First stage", "echo"),
                stage_json("By hand", "echo", conditions=[]),
            )
        )
        assert played.result == "succeeded"
        assert played.stages == {
            "Last stage": "succeeded",
            "First stage": "succeeded",
            "By hand": "skipped",
        }

    @pytest.mark.parametrize(
        ("script", "state", "result"),
        [
            ("echo", "4", "succeeded"),
            ("exit 1", "4", "skipped"),
            ("exit 1", "132", "skipped"),
            ("echo '##vso[task.complete result=SucceededWithIssues]'", "4", "skipped"),
            ("echo '##vso[task.complete result=SucceededWithIssues]'", "132", "succeeded"),
        ],
    )
    def test_a_stage_waits_for_a_state(
        self, play_release, release_json, stage_json, script, state, result
    ):
        stages = (
            stage_json("it's first", script),
            stage_json("next", "echo", conditions=[after("it's first", state)]),
        )
        assert play_release(release_json(*stages)).stages["next"] == result

    def test_jobs_of_a_stage_run_in_their_rank(self, play_release, release_json, stage_json):
        stage = stage_json("S", "echo two")
        (second,) = stage["deployPhases"]
        first = {**second, "rank": 1, "name": "first"}
        stage["deployPhases"] = [{**second, "rank": 2, "name": "second"}, first]
        played = play_release(release_json(stage))
        assert [job["displayName"] for job in played.document["stages"][0]["jobs"]] == [
            "first",
            "second",
        ]


class TestVariables:
    def test_a_stages_own_win_over_the_releases(self, play_release, release_json, stage_json):
        stages = (
            stage_json("A", "echo $(who) $(both)", variables={"who": {"value": "a"}}),
            stage_json("B", "echo $(who) $(both)", conditions=[after("A")]),
        )
        variables = {"who": {"value": "all"}, "both": {"value": "$(who)!"}}
        played = play_release(
            release_json(*stages, variables=variables), variables={"who": "given"}
        )
        assert played.lines("BashScript") == ["a a!", "given given!"]

    def test_what_a_release_sets(self, play_release, release_json, stage_json, build_result):
        names = (
            *("System.HostType", "Release.ReleaseName", "Release.DefinitionName"),
            *("Release.EnvironmentName", "Release.PrimaryArtifactSourceAlias"),
            *("Release.Artifacts._made.BuildNumber", "Build.BuildId", "Build.SourceBranch"),
            *("Release.Reason", "Release.TriggeringArtifact.Alias"),
            *("Release.Environments.First.status", "Release.Environments.Next.status"),
        )
        script = "\n".join(f"echo '{name} $({name})'" for name in names)
        stages = (
            stage_json("First", "echo"),
            stage_json("Next", script, conditions=[after("First")]),
        )
        played = play_release(release_json(*stages, triggers=trigger("main")), after=build_result())
        found = dict(line.split(" ", 1) for line in played.lines("BashScript") if " " in line)
        assert found == {
            "System.HostType": "release",
            "Release.ReleaseName": "Release-1",
            "Release.DefinitionName": "deployed here",
            "Release.EnvironmentName": "Next",
            "Release.PrimaryArtifactSourceAlias": "_made",
            "Release.Artifacts._made.BuildNumber": "20260102.3",
            "Build.BuildId": "12",
            "Build.SourceBranch": "refs/heads/main",
            "Release.Reason": "ContinuousIntegration",
            "Release.TriggeringArtifact.Alias": "_made",
            "Release.Environments.First.status": "Succeeded",
            "Release.Environments.Next.status": "InProgress",
        }
        assert played.document["release"]["name"] == "Release-1"

    def test_there_are_no_sources_and_three_names_for_the_artifacts(
        self, play_release, release_json, stage_json
    ):
        script = (
            "pwd; echo $(System.ArtifactsDirectory); echo $(Agent.ReleaseDirectory)\n"
            "echo '[$(Build.SourcesDirectory)]'\n"
            "cat $(System.DefaultWorkingDirectory)/_made/file.txt"
        )
        played = play_release(release_json(stage_json("S", script)))
        here, first, second, literal, text = played.lines("BashScript")
        assert here == first == second
        assert here.endswith("/_work/r1/a")
        assert literal == "[$(Build.SourcesDirectory)]"
        assert text == "in the artifact"


class TestArtifacts:
    def test_a_builds_are_below_the_alias(
        self, play_release, release_json, stage_json, build_result
    ):
        stage = stage_json("S", "cat _made/drop/file.txt")
        played = play_release(release_json(stage), artifacts={"_MADE": build_result()})
        assert played.lines("BashScript") == ["built"]
        assert played.document["release"]["reason"] == "Manual"

    @pytest.mark.parametrize(
        "given",
        [
            {"skipArtifactsDownload": True},
            {
                "artifactsDownloadInput": {
                    "downloadInputs": [{"alias": "_made", "artifactDownloadMode": "Skip"}]
                }
            },
        ],
    )
    def test_a_job_may_do_without(self, play_release, release_json, stage_json, given):
        stage = stage_json("S", "ls")
        stage["deployPhases"][0]["deploymentInput"] = given
        assert play_release(release_json(stage)).lines("BashScript") == []

    def test_a_release_publishes_nothing(self, play_release, release_json, stage_json):
        publish = {
            "task": {"id": "ecdc45f6-832d-4ad9-b52b-ee49e94659be", "versionSpec": "1.*"},
            "inputs": {"targetPath": ".", "artifactName": "x"},
        }
        played = play_release(release_json(stage_json("S", publish)))
        assert "artifacts are published by builds" in played.console
        assert played.stages == {"S": "failed"}

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"artifacts": {}}, "the release deploys _made; say what"),
            (
                {"artifacts": {"_mad": "."}},
                "--artifact _mad: the release has no such artifact; did",
            ),
            ({"artifacts": {"_made": "nowhere.json"}}, "nowhere.json cannot be read"),
            ({"artifacts": {"_made": "release.json"}}, "is not the result of a build"),
            ({"after": "."}, "a folder starts no release"),
        ],
    )
    def test_what_cannot_be_deployed(
        self, play_release, release_json, stage_json, tmp_path, options, words
    ):
        here = tmp_path / "repository"
        if "artifacts" in options:
            paths = {alias: here / path for alias, path in options["artifacts"].items()}
            options = {"artifacts": paths}
        else:
            options = {"after": tmp_path}
        with pytest.raises(AgentError) as found:
            play_release(release_json(stage_json("S", "echo")), **options)
        assert words in str(found.value)

    def test_an_artifact_that_is_gone(self, play_release, release_json, stage_json, build_result):
        path = build_result()
        document = json.loads(path.read_text())
        document["artifacts"]["drop"] = "/nowhere"
        path.write_text(json.dumps(document))
        with pytest.raises(AgentError, match=r"no longer exists .*; run the build again"):
            play_release(release_json(stage_json("S", "echo")), artifacts={"_made": path})


class TestTrigger:
    @pytest.mark.parametrize("result", ["succeeded", "succeededWithIssues"])
    def test_a_good_build_of_the_branch_starts_a_release(
        self, play_release, release_json, stage_json, build_result, result
    ):
        definition = release_json(stage_json("S", "echo"), triggers=trigger("main"))
        played = play_release(definition, after=build_result(result=result))
        assert played.stages == {"S": "succeeded"}

    @pytest.mark.parametrize(
        ("triggers", "build", "words"),
        [
            (trigger("main"), {"result": "failed"}, "failed, so no release is created"),
            (trigger("main"), {"result": "canceled"}, "canceled, so no release is created"),
            (
                trigger("main"),
                {"sourceBranch": "refs/heads/topic"},
                "is of refs/heads/topic, and the trigger is for main: no release",
            ),
            (trigger("main"), {"sourceBranch": ""}, "is of no branch"),
            ([], {}, "no continuous deployment of '_made'"),
        ],
    )
    def test_another_build_does_not(
        self, play_release, release_json, stage_json, build_result, triggers, build, words
    ):
        definition = release_json(stage_json("S", "echo"), triggers=triggers)
        with pytest.raises(TriggerError) as found:
            play_release(definition, after=build_result(**build))
        assert words in str(found.value)

    def test_a_build_of_another_definition_is_a_mistake(
        self, play_release, release_json, stage_json, build_result
    ):
        definition = release_json(stage_json("S", "echo"), triggers=trigger("main"))
        with pytest.raises(AgentError, match="no artifact comes from the build 'other'"):
            play_release(definition, after=build_result(definitionName="other"))

    @pytest.mark.parametrize(("branch", "result"), [("main", "succeeded"), ("v1", "skipped")])
    def test_a_stage_may_want_a_branch_of_its_own(
        self, play_release, release_json, stage_json, build_result, branch, result
    ):
        wanted = json.dumps({"sourceBranch": branch, "tags": [], "useBuildDefinitionBranch": False})
        conditions = [
            {"name": "ReleaseStarted", "conditionType": 1, "value": ""},
            {"name": "_made", "conditionType": 4, "value": wanted},
        ]
        definition = release_json(stage_json("S", "echo", conditions=conditions))
        assert play_release(definition, artifacts={"_made": build_result()}).stages == {"S": result}


class TestApprovals:
    def test_one_that_is_automatic_asks_nobody(self, play_release, release_json, stage_json):
        automatic = {"preDeployApprovals": {"approvals": [{"rank": 1, "isAutomated": True}]}}
        played = play_release(release_json(stage_json("S", "echo", **automatic)))
        assert played.stages == {"S": "succeeded"}
        assert played.document["release"]["approvals"] == []

    def test_without_a_terminal_it_is_refused_before_anything_runs(
        self, play_release, release_json, stage_json
    ):
        definition = release_json(stage_json("S", "echo", **approval("Jo", "Ann")))
        with pytest.raises(AgentError, match="S needs the approval of Jo and Ann, and there is no"):
            play_release(definition)

    def test_a_stage_that_nothing_starts_needs_none(self, play_release, release_json, stage_json):
        stage = stage_json("S", "echo", conditions=[], **approval("Jo"))
        assert play_release(release_json(stage)).stages == {"S": "skipped"}

    @pytest.mark.parametrize(
        ("key", "ran"), [("preDeployApprovals", False), ("postDeployApprovals", True)]
    )
    def test_a_rejection_fails_the_stage_and_stops_the_next(
        self, play_release, release_json, stage_json, key, ran
    ):
        stages = (
            stage_json("One", "echo ran", **approval("Jo", key=key)),
            stage_json("Two", "echo", conditions=[after("One")]),
        )
        played = play_release(release_json(*stages), reject=["one"])
        assert played.stages == {"One": "failed", "Two": "skipped"}
        assert ("ran" in played.lines("BashScript")) is ran
        (decision,) = played.document["release"]["approvals"]
        assert (decision["approved"], decision["by"]) == (False, "--reject")

    def test_an_approval_lets_it_go_on(self, play_release, release_json, stage_json):
        stage = stage_json("One", "echo", **approval("Jo"))
        played = play_release(release_json(stage), approve=["ONE"])
        assert played.stages == {"One": "succeeded"}
        assert "One: approved by --approve" in played.console

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            (
                {"approve": ["Prod"]},
                "--approve Prod: there is no such stage; did you mean 'Prods'?",
            ),
            ({"reject": ["x"]}, "--reject x: there is no such stage"),
            ({"approve": ["Prods"], "reject": ["prods"]}, "both approved and rejected"),
        ],
    )
    def test_names_are_checked(self, play_release, release_json, stage_json, options, words):
        with pytest.raises(AgentError) as found:
            play_release(release_json(stage_json("Prods", "echo")), **options)
        assert words in str(found.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"variableGroups": [3]},
            "the variable group '3' is neither in the organisation nor given",
        ),
        ({"preDeploymentGates": {"id": 3, "gates": [{}]}}, "'gates' of preDeploymentGates of the"),
        ({"environmentTriggers": [{}]}, "'environmentTriggers' of the stage 'S'"),
        ({"conditions": [after("Nosuch")]}, "depends on 'Nosuch', which does not exist"),
        ({"conditions": [after("S", "16")]}, "the stage 'S' waits for the state 16 of 'S'"),
        (
            {"conditions": [{"name": "Full moon", "conditionType": 1}]},
            "waits for the event 'Full moon'",
        ),
        (
            {"conditions": [{"name": "_x", "conditionType": 4, "value": "{}"}]},
            "the stage 'S' asks for the artifact '_x', which the release does not have; valid",
        ),
        ({"nosuch": 1}, "a stage has no key 'nosuch'"),
    ],
)
def test_what_is_refused_of_a_stage(play_release, release_json, stage_json, change, words):
    with pytest.raises(AgentError) as found:
        play_release(release_json(stage_json("S", "echo", **change)))
    assert words in str(found.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            {"phaseType": 2},
            "step 'Bash Script': the task 6C731C3C-3C68",
        ),
        ({"phaseType": 4}, "'Agent job' of the stage 'S' is for a deployment group, which the"),
        ({"phaseType": "machineGroupBasedDeployment"}, "is for a deployment group"),
        ({"phaseType": 9}, "'phaseType' is '9'; valid here: agentBasedDeployment, "),
        (
            {"deploymentInput": {"parallelExecution": {"parallelExecutionType": "multiMachine"}}},
            "runs several times; set its parallelism to none",
        ),
        ({"deploymentInput": {"overrideInputs": {"a": "b"}}}, "'overrideInputs' of"),
        (
            {
                "deploymentInput": {
                    "artifactsDownloadInput": {
                        "downloadInputs": [{"alias": "_made", "artifactDownloadMode": "Selective"}]
                    }
                }
            },
            "downloads a part of '_made'; choose all or none",
        ),
        (
            {"workflowTasks": [{"name": "G", "taskId": "1", "definitionType": "metaTask"}]},
            "the task 'G' of the job 'Agent job' of the stage 'S' is a task group",
        ),
    ],
)
def test_what_is_refused_of_a_job(play_release, release_json, stage_json, change, words):
    stage = stage_json("S", "echo")
    stage["deployPhases"][0].update(change)
    with pytest.raises(AgentError) as found:
        play_release(release_json(stage))
    assert words in str(found.value)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"environments": []}, "the release definition has no stages"),
        ({"environments": None, "process": {}}, "has no key 'process'"),
        (
            {"artifacts": [{"alias": "../x", "type": "Build"}]},
            "'../x' cannot be an artifact's alias",
        ),
        ({"artifacts": [{"alias": "a"}, {"alias": "A"}]}, "two artifacts have the alias 'A'"),
        (
            {"triggers": [{"triggerType": 1, "artifactAlias": "_b"}]},
            "a trigger asks for the artifact '_b', which the release does not have",
        ),
    ],
)
def test_what_is_refused_of_a_release(play_release, release_json, stage_json, change, words):
    with pytest.raises(AgentError) as found:
        play_release(release_json(stage_json("S", "echo"), **change))
    assert words in str(found.value)


def test_a_build_definition_is_no_release(play_release, build_json):
    with pytest.raises(AgentError, match="this is not a release definition"):
        play_release(build_json("echo"))
