"""Classic release definitions: what of an export runs, and what is refused by name."""

from __future__ import annotations

import pytest

from local.agent.errors import AgentError


def after(name, state="4"):
    return {"name": name, "conditionType": "environmentState", "value": state}


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
