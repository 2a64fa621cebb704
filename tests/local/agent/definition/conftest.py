"""Reading pipeline files."""

from __future__ import annotations

import pytest

from local.agent.definition.pipeline_file import read_pipeline


@pytest.fixture
def read(pipeline_file):
    def read_text(text, *, variables=(), overrides=(), parameters=()):
        return read_pipeline(
            pipeline_file(text),
            variables=dict(variables),
            overrides=dict(overrides),
            parameters=dict(parameters),
        )

    return read_text
