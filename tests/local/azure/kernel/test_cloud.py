"""The identity of a state: kept, and never the same twice."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

import pytest

from local.azure.kernel.cloud import ml_time, open_cloud
from local.azure.kernel.store import Store


@pytest.fixture
def opened(tmp_path):
    stores: list[Store] = []

    def open_state(name, **options):
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        store = Store(root / "state.db")
        cloud = open_cloud(
            root, store=store, proxy_url="http://127.0.0.1:1", ca_file=root / "ca.pem", **options
        )
        stores.extend(each.store for each in cloud.workspaces)
        return cloud

    yield open_state
    for store in stores:
        store.close()


def test_a_state_keeps_its_identity_and_another_has_its_own(opened):
    first, again, other = opened("a"), opened("a"), opened("b")
    assert first.environment() == {**again.environment()}
    assert first.signing_key.private_numbers() == again.signing_key.private_numbers()
    for name in ("workspace_id", "tenant_id", "client_secret", "storage_key", "storage_account"):
        assert getattr(first, name) != getattr(other, name)


def test_other_workspaces_have_states_of_their_own_and_the_same_principals(opened):
    cloud = opened("a", others=["ws-two"])
    (other,) = cloud.others
    assert other.workspace_scope.endswith("/workspaces/ws-two")
    assert other.client_secret == cloud.client_secret
    assert other.workspace_id == opened("a", others=["ws-two"]).others[0].workspace_id
    assert len({cloud.workspace_id, other.workspace_id}) == 2
    other.store.put("thing", "a", {"a": 1})
    assert cloud.store.get("thing", "a") is None


def test_credentials_are_not_among_the_variables_for_any_client(opened):
    cloud = opened("a")
    assert cloud.client_secret not in cloud.client_environment().values()
    assert cloud.environment()["AZURE_CLIENT_SECRET"] == cloud.client_secret
    assert not {cloud.storage_key} & set(cloud.environment().values())


def test_times_have_the_forms_of_the_services(opened):
    moment = datetime(2026, 1, 2, 4, 4, 5, 6, tzinfo=timezone(timedelta(hours=1)))
    assert ml_time(moment) == "2026-01-02T03:04:05.0000060+00:00"
    assert re.fullmatch(r"[-\d]{10}T[:\d]{8}\.\d{6}Z", opened("a").timestamp())
