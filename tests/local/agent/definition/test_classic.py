"""Our readers know every key that the REST interface's own classes have."""

from __future__ import annotations

import pytest
from azure.devops.v7_1.build import models as build
from azure.devops.v7_1.release import models as release

from local.agent.definition import (
    classic,
    classic_build,
    classic_release,
    classic_stage,
)


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (build.BuildDefinition, classic_build._DEFINITION),
        (build.BuildRepository, classic_build._REPOSITORY),
        (build.BuildDefinitionStep, (*classic.STEP_KEYS, "displayName", "task")),
        (release.ReleaseDefinition, classic_release._DEFINITION),
        (release.ReleaseDefinitionEnvironment, classic_release._STAGE),
        (release.EnvironmentOptions, classic_stage._OPTIONS),
        (release.WorkflowTask, classic_stage._TASK),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_no_key_of_an_export_is_unknown(kind, known):
    assert {one["key"] for one in kind._attribute_map.values()} <= set(known)
