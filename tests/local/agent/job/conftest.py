"""A step that runs, without its process."""

from __future__ import annotations

import pytest

from local.agent.host.console import Console, StepLog
from local.agent.host.variables import Variables
from local.agent.job.step_record import StepRecord


@pytest.fixture
def record(tmp_path, masker, job_variables):
    log = StepLog(Console(masker), "step", tmp_path / "step.log")
    yield StepRecord(
        name="step",
        log=log,
        variables=job_variables,
        task_variables=Variables(masker),
        prepend_path=[],
    )
    log.close()
