"""The run's result as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from local.agent.run import json_report
from local.agent.run.json_report import run_result, write
from local.agent.session.outcomes import JobOutcome, StageOutcome
from local.agent.session.task_result import Result


def stage(result):
    job = JobOutcome(name="j", display_name="J", result=result, seconds=0.12345)
    return StageOutcome(name="s", display_name="S", result=result, seconds=1.0, jobs=[job])


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], Result.Succeeded),
        ([Result.Skipped], Result.Succeeded),
        ([Result.Succeeded, Result.SucceededWithIssues], Result.SucceededWithIssues),
        ([Result.Failed, Result.Skipped], Result.Failed),
    ],
)
def test_the_result_of_a_run(session, results, expected):
    assert run_result([stage(result) for result in results], session) is expected
    session.cancellation.interrupt()
    assert run_result([stage(result) for result in results], session) is Result.Canceled


@pytest.mark.parametrize("result", list(Result))
def test_every_result_has_an_exit_code(session, result):
    assert run_result([stage(result)], session) in json_report.EXIT_CODES


def test_no_secret_is_in_the_document(session, masker):
    masker.add_variable("hunter22")
    session.tags.append("tag hunter22")
    session.predefined["Build.SourceBranch"] = "refs/heads/hunter22"
    found = json_report.document(
        [stage(Result.Succeeded)], session, pipeline=Path("p"), seconds=1.23456
    )
    assert "hunter22" not in json.dumps(found)
    assert found["tags"] == ["tag ***"]
    assert found["build"]["sourceBranch"] == "refs/heads/***"
    assert (found["seconds"], found["stages"][0]["jobs"][0]["seconds"]) == (1.235, 0.123)


def test_the_document_is_written_whole_into_a_new_folder(session, tmp_path):
    found = json_report.document([], session, pipeline=Path("p"), seconds=0)
    write(found, tmp_path / "new" / "result.json")
    assert json.loads((tmp_path / "new" / "result.json").read_text()) == found
    assert [file.name for file in (tmp_path / "new").iterdir()] == ["result.json"]
