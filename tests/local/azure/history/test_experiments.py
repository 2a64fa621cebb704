"""Experiments: made once, found by name and id, listed page by page."""

from __future__ import annotations

import json

import pytest

from local.azure.history import experiments, runs
from local.azure.kernel.http import ServiceError
from tests.local.azure.conftest import asked


@pytest.fixture
def made(fresh_azure):
    return experiments.ensure_experiment(fresh_azure, "train")


def test_an_experiment_is_made_once(fresh_azure, made):
    assert experiments.ensure_experiment(fresh_azure, "train") == made
    for key in ("train", made["experimentId"]):
        assert experiments.existing_experiment(fresh_azure, key) == made
    with pytest.raises(ServiceError) as unknown:
        experiments.existing_experiment(fresh_azure, "gone")
    assert unknown.value.status == 404


def test_an_archived_experiment_is_shown_on_request_only(fresh_azure, made):
    experiments.ensure_experiment(fresh_azure, "other")

    def found(**body):
        answer = experiments.query_experiments(fresh_azure, asked(body))
        return [one["name"] for one in json.loads(answer.body)["value"]]

    change = asked({"archive": True, "tags": {"a": "b"}}, experiment=made["experimentId"])
    experiments.update_experiment(fresh_azure, change)
    assert found() == ["other"]
    assert found(viewType="ArchivedOnly") == ["train"]
    assert sorted(found(viewType="All")) == ["other", "train"]
    assert found(viewType="All", orderby="Name desc") == ["train", "other"]
    experiments.archive(fresh_azure, "train", None)
    assert found(filter='(Tags/a eq "b")') == ["train"]


def test_only_an_empty_experiment_is_deleted(fresh_azure, made):
    runs.create_run(fresh_azure, experiment="train", run_id="r")
    with pytest.raises(ServiceError, match="Only empty Experiments can be deleted"):
        experiments.delete_experiment(fresh_azure, asked(experiment="train"))
    runs.delete_run(fresh_azure, "r")
    experiments.delete_experiment(fresh_azure, asked(experiment="train"))
    assert experiments.find_experiment(fresh_azure, made["experimentId"]) is None


def test_an_experiment_is_not_renamed_by_mistake(fresh_azure, made):
    request = asked({"name": "new"}, experiment=made["experimentId"])
    with pytest.raises(ServiceError) as refused:
        experiments.update_experiment(fresh_azure, request)
    assert refused.value.status == 501


def test_pages_meet_and_do_not_overlap():
    values, token, seen = list(range(7)), None, list[int]()
    while True:
        page = experiments.page(values, {"top": 3, "continuationToken": token})
        seen += page["value"]
        token = page["continuationToken"]
        if token is None:
            break
    assert seen == values


@pytest.mark.parametrize("asked_for", [{"top": "many"}, {"continuationToken": "x"}])
def test_a_page_that_makes_no_sense_is_refused(asked_for):
    with pytest.raises(ServiceError) as refused:
        experiments.page([1], asked_for)
    assert refused.value.status == 400


def test_an_order_is_text_or_a_list_of_terms():
    assert experiments.order_text({"orderby": ["a desc", "b"]}) == "a desc,b"
    assert experiments.order_text({"orderby": "a"}) == "a"
    assert experiments.order_text({}) == ""
