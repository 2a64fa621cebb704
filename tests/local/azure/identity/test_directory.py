"""Microsoft Graph: federated credentials of the application."""

from __future__ import annotations

import dataclasses
import json

import pytest

from local.azure.identity import directory
from local.azure.kernel.http import ServiceError
from tests.local.azure.conftest import asked as requested

MINE = {"name": "Mine", "issuer": "https://i", "subject": "s", "audiences": ["a"]}


@pytest.fixture
def asked(fresh_azure):
    """A request of the application for its own credentials."""

    def request(body=None, *, caller=fresh_azure.object_id, **params):
        made = requested(body, **{"application": fresh_azure.client_id, **params})
        return dataclasses.replace(made, caller={"oid": caller})

    return request


def listed(cloud, asked):
    found = json.loads(directory.list_credentials(cloud, asked()).body)["value"]
    return [one["name"] for one in found]


def test_a_credential_is_added_and_deleted_by_name_or_id(fresh_azure, asked):
    made = directory.create_credential(fresh_azure, asked(MINE))
    assert made.status == 201
    assert listed(fresh_azure, asked) == ["aml-connection", "Mine"]
    for name in ("MINE", "aml-connection"):
        directory.delete_credential(fresh_azure, asked(credential=name))
    assert listed(fresh_azure, asked) == []


def test_a_principal_shows_what_is_selected(fresh_azure, asked):
    def shown(select=None):
        query = {} if select is None else {"$select": select}
        answer = directory.get_principal(fresh_azure, dataclasses.replace(asked(), query=query))
        return sorted(json.loads(answer.body))

    assert shown() == shown("appId,id") == ["appId", "id"]
    assert shown("id") == ["id"]
    with pytest.raises(ServiceError) as refused:
        shown("id,displayName")
    assert refused.value.status == 501


@pytest.mark.parametrize("change", [{"subject": "other"}, {"name": "other"}])
def test_neither_a_name_nor_issuer_and_subject_are_there_twice(fresh_azure, asked, change):
    directory.create_credential(fresh_azure, asked(MINE))
    with pytest.raises(ServiceError) as refused:
        directory.create_credential(fresh_azure, asked({**MINE, **change}))
    assert refused.value.status == 409


def test_another_application_and_another_credential_are_not_there(fresh_azure, asked):
    with pytest.raises(ServiceError) as unknown:
        directory.get_principal(fresh_azure, asked(application="another"))
    with pytest.raises(ServiceError) as gone:
        directory.delete_credential(fresh_azure, asked(credential="gone"))
    assert (unknown.value.status, gone.value.status) == (404, 404)


def test_a_credential_needs_all_its_members(fresh_azure, asked):
    for name in MINE:
        body = {key: value for key, value in MINE.items() if key != name}
        with pytest.raises(ServiceError) as refused:
            directory.create_credential(fresh_azure, asked(body))
        assert refused.value.status == 400


def test_nobody_else_may_see_or_change_them(fresh_azure, asked):
    for handler in (directory.list_credentials, directory.create_credential):
        with pytest.raises(ServiceError) as refused:
            handler(fresh_azure, asked(MINE, caller="somebody"))
        assert refused.value.status == 403
