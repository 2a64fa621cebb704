"""The sentences that the agent's refusals are made of."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.agent.errors import Place, closest, nearest

FILE = Path("azure-pipelines.yml")


@pytest.mark.parametrize(
    ("line", "expected"),
    [(7, "azure-pipelines.yml:7: no steps"), (0, "azure-pipelines.yml: no steps")],
)
def test_an_error_begins_with_its_place(line, expected):
    assert str(Place(FILE, line).error("no steps")) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("displayNmae", "displayName"), ("CONDITON", "condition"), ("zzz", None)],
)
def test_the_closest_name_is_found_in_any_case(name, expected):
    assert closest(name, ["condition", "displayName"]) == expected


def test_without_a_close_name_all_are_listed():
    assert nearest("zzz", ["script", "Bash"]) == "valid here: Bash, script"
    assert nearest("bahs", ["script", "bash"]) == "did you mean 'bash'?"
    assert nearest("zzz", []) == "valid here: nothing"
