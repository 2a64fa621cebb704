"""The names of releases."""

from __future__ import annotations

import datetime

import pytest

from local.azure.devops.releases.release_names import release_name

NOW = datetime.datetime(2026, 3, 4, 5, 6, 7, tzinfo=datetime.timezone.utc)
VARIABLES = {"release.releaseid": "12", "build.buildnumber": "20260304.1", "own": "x"}


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("Release-$(rev:r)", "Release-7"),
        ("$(rev:rrr) of $(Build.BuildNumber)", "007 of 20260304.1"),
        ("$(Release.ReleaseId)-$(OWN)", "12-x"),
        ("$(Date:yyyyMMdd)-$(date:yy.M.d-HH)", "20260304-26.3.4-05"),
        ("$(Date)", "20260304"),
        ("$(unknown)", "$(unknown)"),
        ("plain", "plain"),
    ],
)
def test_a_format_gives_a_name(form: str, name: str) -> None:
    assert release_name(form, variables=VARIABLES, now=NOW, revision=lambda _: 7) == name


def test_a_revision_counts_for_the_rest_of_the_name() -> None:
    seen: list[str] = []

    def revision(rest: str) -> int:
        seen.append(rest)
        return len(seen)

    for _ in range(2):
        release_name("$(own)-$(rev:r)", variables=VARIABLES, now=NOW, revision=revision)
    assert seen == ["x-$(rev:r)"] * 2
