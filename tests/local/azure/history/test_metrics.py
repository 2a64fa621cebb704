"""Metrics of runs: series, tables, and the latest value of each."""

from __future__ import annotations

import json

import pytest

from local.azure.history import metrics, runs
from tests.local.azure.conftest import asked


@pytest.fixture
def post(fresh_azure):
    runs.create_run(fresh_azure, experiment="e", run_id="r")

    def send(*values, name="loss", columns=None):
        rows = [{"data": value, "step": step} for step, value in values]
        metric = {"name": name, "columns": columns or {"loss": "Double"}, "value": rows}
        answer = metrics.post_metrics(fresh_azure, asked({"values": [metric]}, run="r"))
        return answer.status, json.loads(answer.body)["errors"]

    return send


def test_the_latest_value_has_the_highest_step(fresh_azure, post):
    assert post((0, {"loss": 3.0}), (2, {"loss": 1.0}), (1, {"loss": 2.0})) == (200, [])
    assert metrics.latest_value(fresh_azure, "r", "loss") == 1.0
    post((2, {"loss": 0.5}))
    assert metrics.latest_value(fresh_azure, "r", "loss") == 0.5
    ((metric, rows),) = metrics.read(fresh_azure, "r")
    assert metric["name"] == "loss"
    assert len(rows) == 4


@pytest.mark.parametrize(
    "row", [{"a": 1, "b": 2}, {"loss": True}, {"loss": "high"}, {"loss": [1, 2]}]
)
def test_a_table_has_no_latest_value_and_stays_a_table(fresh_azure, post, row):
    columns = dict.fromkeys(row, "Double")
    post((0, row), columns=columns)
    assert metrics.latest_value(fresh_azure, "r", "loss") is None
    assert metrics.latest(fresh_azure, "r") == {}


def test_a_metric_keeps_its_columns(fresh_azure, post):
    post((0, {"loss": 1.0}))
    status, errors = post((1, {"other": 1.0}), columns={"other": "Double"})
    assert (status, len(errors)) == (207, 1)
    assert metrics.latest_value(fresh_azure, "r", "loss") == 1.0


def test_a_number_from_mlflow_goes_into_the_one_column(fresh_azure, post):
    assert metrics.single_column(fresh_azure, "r", "fresh") == "fresh"
    post((0, {"loss": 1.0}))
    assert metrics.single_column(fresh_azure, "r", "loss") == "loss"
    post((0, {"a": 1, "b": 2}), name="table", columns={"a": "Double", "b": "Double"})
    assert metrics.single_column(fresh_azure, "r", "table") is None
