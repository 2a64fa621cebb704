"""Approvals of stages: given, refused, asked for."""

from __future__ import annotations

import pytest

from local.agent.errors import AgentError


def after(name, state="4"):
    return {"name": name, "conditionType": "environmentState", "value": state}


def approval(*people, key="preDeployApprovals"):
    steps = [{"rank": 1, "isAutomated": False, "approver": {"displayName": one}} for one in people]
    return {key: {"approvals": steps}}


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
