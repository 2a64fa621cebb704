"""Logging commands printed by real Node processes, and what becomes of them.

Rules: the agent's src/Agent.Worker/TaskCommandExtension.cs and WorkerCommandManager.cs; the cases
on settable variables are those of src/Test/L0/Worker/SetVariableRestrictionsL0.cs (42bde98).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest

from local.agent.job.logging_commands import process_line
from local.agent.job.step_record import Restrictions
from local.agent.session.session import Session
from local.agent.session.task_result import Result


class FakeSession:
    """Only what commands without files touch."""

    environment: dict[str, str] = {}  # noqa: RUF012
    tags: list[str] = []  # noqa: RUF012
    summaries: list[Path] = []  # noqa: RUF012

    def attach(self, *_):
        raise AssertionError("there is no file to attach")


def say(record, line):
    return process_line(line, record, cast(Session, FakeSession()))


@pytest.mark.parametrize(
    ("allowed", "settable", "others"),
    [
        ([], ["myVar"], []),
        ([None], ["myVar"], []),
        ([()], [], ["myVar"]),
        ([("myVar", "otherVar")], ["myVar", "myvar", "MYVAR", "otherVAR"], ["badVar"]),
        ([("my*",)], ["myVar", "mything", "MY"], ["badVar"]),
        (
            [("my*", "otherVar"), ("myVar", "myThing", "extra")],
            ["myVar", "myThing"],
            ["myStuff", "otherVar", "extra", "neither"],
        ),
        ([("myVar", "otherVar"), ()], [], ["myVar", "otherVar", "neither"]),
    ],
)
def test_settable_variables(record, allowed, settable, others):
    record.restrictions = [Restrictions(settable_variables=names) for names in allowed]
    for name in settable:
        say(record, f"##vso[task.setvariable variable={name}]myValue")
        assert record.variables.get(name) == "myValue"
    assert record.issues == []
    for name in others:
        say(record, f"##vso[task.setvariable variable={name}]changed")
        assert record.variables.get(name) != "changed"
        expected = f"Setting variable '{name}' has been disabled by the task or build definition."
        assert record.issues[-1].message == expected
    assert len(record.issues) == len(others)


def test_prepending_to_path_is_setting_path(record):
    say(record, "##vso[task.prependpath]path1")
    record.restrictions = [Restrictions(settable_variables=())]
    say(record, "##vso[task.prependpath]path2")
    record.restrictions = [Restrictions(settable_variables=("path",))]
    say(record, "##vso[task.prependpath]path3")
    say(record, "##vso[task.prependpath]path1")
    assert record.prepend_path == ["path3", "path1"]


RESTRICTED = ["logdetail", "logissue", "complete", "setprogress", "setsecret", "setvariable"]
RESTRICTED += ["debug", "settaskvariable", "prependpath"]


@pytest.mark.parametrize("event", [*RESTRICTED, "uploadsummary", "addattachment", "uploadfile"])
def test_restricted_steps_keep_harmless_commands(record, event):
    record.restrictions = [Restrictions(commands=True)]
    say(record, f"##vso[task.{event} x=y]z")
    refused = [issue for issue in record.issues if "is not allowed in this step" in issue.message]
    assert bool(refused) is (event not in RESTRICTED)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("Succeeded", None, Result.Succeeded),
        ("SucceededWithIssues", "Succeeded", Result.SucceededWithIssues),
        ("Succeeded", "Failed", Result.Failed),
        ("Failed", "Succeeded", Result.Failed),
        ("Skipped", None, Result.Skipped),
    ],
)
def test_complete_merges(record, first, second, expected):
    for name in filter(None, (first, second)):
        say(record, f"##vso[task.complete result={name};]done")
    assert record.result is expected
    assert record.command_result is None


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("##vso[task.complete result=succeeded]", "Command doesn't have valid result value."),
        ("##vso[task.complete]", "Command doesn't have valid result value."),
        ("##vso[task.setvariable]x", "Required field 'variable' is missing"),
        ("##vso[task.settaskvariable]x", "Required field 'variable' is missing"),
        ("##vso[task.nosuch]x", "is not a recognized command for task command extension"),
        ("##vso[task.setendpoint id=1;field=url]x", "is not supported by the local agent. Make"),
        ("##vso[task.nosuch]x", "is not a recognized command"),
        ("##vso[task.logissue type=info]x", "issue type info is not an expected issue type."),
        ("##vso[task.logdetail id=1]x", "needs a GUID as id"),
        ("##vso[task.uploadsummary]/no/such/file", "names no file that exists"),
        ("##vso[task.addattachment type=a;name=b]/no/such/file", "names no file that exists"),
        ("##vso[task.addattachment type=..;name=b]x", "contains invalid characters"),
        ("##vso[task.addattachment type=a]x", "Required field 'name' is missing"),
        ("##vso[task.setvariable variable=a;issecret=true]x%0Ay", "cannot contain multiple lines"),
        ("##vso[artifact.upload]x", "Required field 'artifactname' is missing"),
        ("##vso[build.updatebuildnumber]", "Build number is required."),
        ("##vso[build.addbuildtag]  ", "Build tag is required."),
    ],
)
def test_commands_that_cannot_be_carried_out_fail_the_step(record, line, part):
    assert say(record, line)
    assert record.command_result is Result.Failed
    assert part in record.issues[-1].message


@pytest.mark.parametrize(
    ("line", "handled", "part"),
    [
        ("##vso[nosuch.event]x", True, "Cannot find command extension for ##vso[nosuch.command]"),
        ("a ##vso[task x", False, "contains logging command keyword '##vso'"),
        ("##vso[task.logissue]x", True, "Can't create TaskIssue from logging event."),
        ("##vso[task.setvariable variable=agent.name]x", True, "Overwriting readonly variable"),
    ],
)
def test_lesser_mistakes_are_warnings(record, line, handled, part):
    record.variables.set("Agent.Name", "a")
    assert say(record, line) is handled
    assert [issue.type for issue in record.issues] == ["warning"]
    assert part in record.issues[0].message
    assert record.command_result is None


def test_a_refused_secret_is_not_shown(record, capsys):
    say(record, "##vso[task.setvariable variable=a;issecret=true]hunter%0Atwo-lines")
    assert "hunter" not in capsys.readouterr().out


COMMANDS = """
    const fs = require('fs');
    const say = (text) => console.log(text);
    fs.writeFileSync('summary.md', '# Hello');
    fs.writeFileSync('result.xml', '<testsuite/>');
    say('##vso[task.setsecret]hunter2');
    say('the password is hunter2');
    say('##vso[task.setvariable variable=token;issecret=true;isoutput=true]tok-en');
    say('##vso[task.setvariable variable=plain;isoutput=true]uses hunter2');
    say('##vso[task.uploadsummary]' + process.cwd() + '/summary.md');
    say('##vso[task.addattachment type=kind;name=nice]' + process.cwd() + '/summary.md');
    say('##vso[task.uploadfile]' + process.cwd() + '/summary.md');
    say('##vso[artifact.upload artifactname=drop]' + process.cwd() + '/summary.md');
    say('##vso[artifact.upload artifactname=drop;containerfolder=deep]'
      + process.cwd() + '/result.xml');
    say('##vso[results.publish type=JUnit;resultFiles=' + process.cwd() + '/result.xml]');
    say('##vso[build.addbuildtag]nightly');
    say('##vso[build.addbuildtag]Nightly');
    say('##vso[build.updatebuildnumber]2.0');
    say('##vso[telemetry.publish area=a;feature=b]{}');
    say('##vso[task.settaskvariable variable=mine]kept');
    console.error('##vso[task.logissue type=warning]from stderr');
    say('##vso[task.debug]not shown');
"""


@pytest.fixture
def everything(play, make_vsix, task_json):
    vsix = make_vsix((task_json("Talk"), {"main.js": COMMANDS}))
    return play(
        """
        steps:
        - task: Talk@1
          name: talk
        - script: echo "$(talk.plain) $(talk.token) ${TALK_TOKEN:-hidden} $(Build.BuildNumber)"
          name: after
        """,
        vsix=vsix,
    )


def test_files_are_collected(everything):
    found = everything.document
    assert everything.result == "succeeded"
    assert [Path(path).read_text() for path in found["summaries"]] == ["# Hello"]
    drop = Path(found["artifacts"]["drop"])
    files = sorted(path.relative_to(drop).as_posix() for path in drop.rglob("*") if path.is_file())
    assert files == ["deep/result.xml", "summary.md"]
    assert [(one["type"], one["name"]) for one in found["attachments"]] == [
        ("kind", "nice"),
        ("DistributedTask.Core.FileAttachment", "summary.md"),
    ]
    assert [Path(path).name for path in found["testResults"]] == ["result.xml"]
    assert found["tags"] == ["nightly"]
    assert found["buildNumber"] == "2.0"


def test_secrets_show_nowhere(everything):
    # Not the first: standard error, a second pipe, may overtake it.
    assert "the password is ***" in everything.lines("talk")
    assert everything.lines("after") == ["uses *** *** hidden 2.0"]
    assert everything.step("talk")["outputs"] == {"plain": "uses ***"}
    logs = Path(everything.document["folder"]) / "logs"
    everywhere = everything.console + json.dumps(everything.document)
    everywhere += "".join(path.read_text() for path in logs.iterdir())
    assert "hunter2" not in everywhere
    assert "tok-en" not in everywhere


def test_issues_come_from_both_streams_and_debug_lines_from_none(everything):
    assert everything.step("talk")["issues"] == [{"type": "warning", "message": "from stderr"}]
    assert "not shown" not in everything.console


def test_debug_lines_show_on_request(play):
    played = play(
        "steps:\n- script: echo '##vso[task.debug]shown'\n  name: s\n",
        variables={"System.Debug": "true"},
    )
    assert "##[debug]shown" in played.lines("s")
