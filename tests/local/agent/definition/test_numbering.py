"""Run numbers, after MicrosoftDocs/azure-devops-docs docs/pipelines/process/run-number.md."""

from __future__ import annotations

import datetime
import threading

import pytest

from local.agent.definition.numbering import Numbers, build_number

NOW = datetime.datetime(2019, 5, 5, 21, 7, 3, tzinfo=datetime.timezone.utc)
VARIABLES = {
    "System.TeamProject": "Fabrikam",
    "Build.DefinitionName": "CIBuild",
    "Build.SourceBranchName": "master",
    "Build.BuildId": "752",
    "My.Variable": "mine",
}


@pytest.fixture
def number(tmp_path):
    numbers = Numbers(tmp_path / "numbers.json")

    def make(pattern, pipeline="one"):
        return build_number(
            pattern, variables=VARIABLES, now=NOW, numbers=numbers, pipeline=pipeline
        )

    return make


def test_the_documented_example(number):
    pattern = "$(TeamProject)_$(Build.DefinitionName)_$(SourceBranchName)_$(Date:yyyyMMdd)$(Rev:.r)"
    assert [number(pattern), number(pattern)] == [
        "Fabrikam_CIBuild_master_20190505.1",
        "Fabrikam_CIBuild_master_20190505.2",
    ]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("", "20190505.1"),
        ("$(BuildDefinitionName) $(BuildID)", "CIBuild 752"),
        ("$(DayOfMonth)/$(DayOfYear)/$(Month)", "5/125/5"),
        ("$(Hours):$(Minutes):$(Seconds)", "21:7:3"),
        ("$(Year:yy) $(Year:yyyy)", "19 2019"),
        ("$(Date:MMddyy)", "050519"),
        ("$(Date:yyyy-MM-dd_HH.mm.ss)", "2019-05-05_21.07.03"),
        ("1.0.$(Rev:rrr)", "1.0.001"),
        ("$(my.variable) $(nosuch)", "mine $(nosuch)"),
    ],
)
def test_tokens(number, pattern, expected):
    assert number(pattern) == expected


def test_revisions_are_counted_for_each_pipeline_and_prefix(number):
    found = [number("a$(Rev:.r)"), number("b$(Rev:.r)"), number("a$(Rev:.r)", "two")]
    assert [*found, number("a$(Rev:.r)")] == ["a.1", "b.1", "a.1", "a.2"]


def test_no_number_is_given_twice(tmp_path):
    found: list[int] = []

    def take():
        numbers = Numbers(tmp_path / "numbers.json")
        found.extend(numbers.next("x") for _ in range(10))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == list(range(1, 41))


def test_a_broken_file_starts_again(tmp_path):
    (tmp_path / "numbers.json").write_text("{")
    assert Numbers(tmp_path / "numbers.json").next("x") == 1
