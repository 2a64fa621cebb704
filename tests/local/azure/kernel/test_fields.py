"""Bodies of the wrong shape: each is answered 400, none makes a handler fail."""

from __future__ import annotations

import re

import pytest

from local.azure.history import (
    artifacts,
    experiments,
    metrics,
    run_events,
    runs,
    snapshots,
)
from local.azure.kernel import fields
from local.azure.kernel.http import ServiceError
from local.azure.registry import models
from local.azure.resources import compute
from local.azure.storage import datastores, key_vault

MODULES = (
    artifacts,
    compute,
    snapshots,
    key_vault,
    datastores,
    experiments,
    runs,
    metrics,
    models,
    run_events,
)
ROUTES = [
    pytest.param(method, route, id=f"{method} {route.path}")
    for module in MODULES
    for route in module.router.routes
    for method in sorted(route.methods & {"POST", "PUT", "PATCH"})
]
ODD = [5, "x", [1], {"a": 1}]
NAMES = [
    *("properties", "tags", "kvTags", "values", "paths", "secrets", "name", "filter", "artifacts"),
    *("FileNames", "DirTreeNode", "FileRevisionList", "runs", "events", "data", "metricName"),
    *("azureStorageSection", "url", "orderby", "top", "continuationToken"),
]


@pytest.fixture(scope="module", autouse=True)
def known_run(azure_http, local_azure):
    base = f"https://eastus.api.azureml.ms/history/v1.0{local_azure.scope}/experiments/odd"
    azure_http.post(base).raise_for_status()
    azure_http.patch(f"{base}/runs/odd", json={}).raise_for_status()


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_no_body_makes_a_handler_fail(azure_http, local_azure, method, route):
    known = {
        "workspace": local_azure.scope,
        "subscription": local_azure.environment["AML_SUBSCRIPTION_ID"],
        "origin": "ExperimentRun",
        "container": "dcid.odd",
    }
    path = re.sub(r"\{(\w+)(:rest)?\}", lambda found: known.get(found[1], "odd"), route.path)
    url = f"https://{route.host.replace('*', 'eastus')}{path}"
    bodies = [*ODD, *({name: value} for name in NAMES for value in ODD)]
    failed = [
        body for body in bodies if azure_http.request(method, url, json=body).status_code == 500
    ]
    assert failed == []


def test_what_was_refused_left_nothing_behind(azure_http, local_azure):
    """The lists still work, and the odd run still has no tags but texts."""
    api = "https://eastus.api.azureml.ms"
    for path in (
        f"/modelmanagement/v1.0{local_azure.scope}/models?tags=a",
        f"/modelmanagement/v1.0{local_azure.scope}/assets",
        f"/datastore/v1.0{local_azure.scope}/datastores",
        f"/credential/v2.0{local_azure.scope}/secrets",
    ):
        assert azure_http.get(api + path).status_code == 200
    run = azure_http.get(f"{api}/history/v1.0{local_azure.scope}/runs/odd").json()
    assert all(isinstance(value, str) for value in run["tags"].values())


@pytest.mark.parametrize(
    ("read", "value", "expected"),
    [
        (fields.text, "x", "x"),
        (fields.text, 5, "5"),
        (fields.text, True, "true"),
        (fields.optional_text, None, None),
        (fields.mapping, None, {}),
        (fields.texts, {"a": 1, "b": None, "c": False}, {"a": "1", "b": None, "c": "false"}),
        (fields.objects, [{}], [{}]),
        (fields.names, ["a", 1], ["a", "1"]),
    ],
)
def test_reads_what_fits(read, value, expected):
    assert read({"field": value}, "field") == expected


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (fields.text, None),
        (fields.text, []),
        (fields.optional_text, {}),
        (fields.mapping, []),
        (fields.texts, {"a": []}),
        (fields.objects, {}),
        (fields.objects, [1]),
        (fields.names, "abc"),
        (fields.names, [[]]),
    ],
)
def test_names_the_field_that_does_not_fit(read, value):
    with pytest.raises(ServiceError, match="'field'") as raised:
        read({"field": value}, "field")
    assert raised.value.status == 400
