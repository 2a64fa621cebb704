"""The workspace's key vault through azureml-core."""

from __future__ import annotations

import pytest


def test_secrets_are_kept_listed_and_deleted(aml_workspace):
    vault = aml_workspace.get_default_keyvault()
    vault.set_secret("my-Secret", "value")
    vault.set_secrets({"second": "2", "third": "3"})
    assert vault.get_secret("my-secret") == "value"
    assert vault.get_secrets(["second", "absent"]) == {"second": "2", "absent": None}
    listed = vault.list_secrets()
    assert {"name": "my-Secret"} in listed
    assert "value" not in str(listed)
    vault.set_secret("second", "changed")
    assert vault.get_secret("second") == "changed"
    vault.delete_secret("second")
    with pytest.raises(Exception, match="The secret 'second' was not found"):
        vault.get_secret("second")


def test_a_bad_name_is_refused(aml_workspace):
    with pytest.raises(Exception, match="may hold only letters, digits and dashes"):
        aml_workspace.get_default_keyvault().set_secret("under_score", "x")


def test_values_are_not_logged(aml_workspace, local_azure):
    aml_workspace.get_default_keyvault().set_secret("unlogged", "do-not-show-me")
    assert "do-not-show-me" not in local_azure.log.read_text()
