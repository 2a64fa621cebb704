"""What a release deploys, and whether a build starts it."""

from __future__ import annotations

import json

import pytest

from local.agent.errors import AgentError
from local.agent.run.deployment import TriggerError


def after(name, state="4"):
    return {"name": name, "conditionType": "environmentState", "value": state}


def trigger(*branches):
    filters = [{"sourceBranch": branch, "tags": []} for branch in branches]
    return [
        {"triggerType": "artifactSource", "artifactAlias": "_made", "triggerConditions": filters}
    ]


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
