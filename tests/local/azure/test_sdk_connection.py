"""Workspace.get with right and wrong credentials, names and scopes."""

from __future__ import annotations

import uuid

import pytest

from tests.local.azure.conftest import open_workspace


def test_finds_the_workspace(azure_variables):
    workspace = open_workspace(azure_variables)
    assert workspace.name == "ws-local"
    assert workspace.resource_group == "rg-local"
    assert workspace.location == "eastus"


def test_lists_the_workspace_under_its_name(aml_workspace):
    found = type(aml_workspace).list(aml_workspace.subscription_id, auth=aml_workspace._auth_object)
    assert list(found) == ["ws-local"]


@pytest.mark.parametrize(
    ("replaced", "message"),
    [
        ({"secret": "wrong"}, "AADSTS7000215: Invalid client secret provided"),
        ({"client": str(uuid.uuid4())}, "AADSTS700016: Application with identifier"),
        ({"tenant": str(uuid.uuid4())}, "Unable to get authority configuration"),
        ({"name": "nowhere"}, "Workspace not found"),
        ({"group": "nowhere"}, "Workspace not found"),
        ({"subscription": str(uuid.uuid4())}, "You don't have access to"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_says_what_is_wrong(azure_variables, replaced, message):
    with pytest.raises(Exception, match=message):
        open_workspace(azure_variables, **replaced)
