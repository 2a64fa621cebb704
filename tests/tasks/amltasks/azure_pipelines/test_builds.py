"""What of a build is written on what it makes."""

from __future__ import annotations

from amltasks.azure_pipelines.agent import Handover
from amltasks.azure_pipelines.builds import build_tags, model_tags


def handover(**variables: str) -> Handover:
    named = {name.replace("_", "."): value for name, value in variables.items()}
    return Handover(task="t", inputs={}, connection=None, variables=named)


BUILD = handover(
    build_buildnumber="20260801.1",
    build_buildid="7",
    build_sourceversion="abc",
    build_sourcebranch="refs/heads/main",
    build_definitionname="train",
    build_requestedfor="Ada",
    system_teamproject="cars",
)


def test_the_tags_of_a_build() -> None:
    assert build_tags(BUILD) == {
        "build_number": "20260801.1",
        "build_id": "7",
        "commit": "abc",
        "branch": "refs/heads/main",
        "definition": "train",
        "requested_for": "Ada",
        "project": "cars",
    }


def test_a_model_carries_where_it_comes_from_and_no_person() -> None:
    assert model_tags(BUILD) == {
        "build_number": "20260801.1",
        "build_id": "7",
        "commit": "abc",
        "branch": "refs/heads/main",
    }


def test_a_release_without_a_build() -> None:
    release = handover(
        release_definitionname="ship", release_requestedfor="Bo", release_releasename="Release-3"
    )
    assert build_tags(release) == {
        "definition": "ship",
        "requested_for": "Bo",
        "release": "Release-3",
    }
    assert model_tags(release) == {}


def test_a_release_of_a_build_is_told_by_the_build() -> None:
    both = handover(build_definitionname="train", release_definitionname="ship")
    assert build_tags(both) == {"definition": "train"}


def test_outside_of_azure_pipelines_nothing_is_said() -> None:
    assert build_tags(handover()) == {}
