"""ProvisionAmlCompute: what is told before any call. contract/ has the rest."""

from __future__ import annotations

from tests.tasks.amltasks.conftest import Starter

TASK = "ProvisionAmlCompute"


def test_bad_names_and_numbers_stop_before_any_call(start: Starter) -> None:
    place = {"resourceGroup": "rg", "workspace": "ws"}
    ended = start(TASK, {**place, "computeName": "1-cpu"}).end()
    assert "COMPUTE_NAME_INVALID" in ended.issues
    ended = start(TASK, {**place, "computeName": "cpu", "minNodes": "5"}).end()
    assert "at most maxNodes 4" in ended.issues["INPUT_INVALID"]
