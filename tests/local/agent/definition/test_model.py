"""The variables that a pipeline declares at any level."""

from __future__ import annotations

from local.agent.definition.model import all_variables


def test_variables_of_every_level_are_found(read):
    pipeline = read(
        """
        variables: {whole: 1}
        stages:
        - stage: a
          variables: {staged: 2}
          jobs:
          - job: x
            variables: {jobbed: 3}
            steps: [{script: echo}]
          - job: y
            steps: [{script: echo}]
        """
    )
    assert [one.name for one in all_variables(pipeline)] == ["whole", "staged", "jobbed"]
