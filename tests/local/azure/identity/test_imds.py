"""Tokens for the machine's identity, and who may ask for them."""

from __future__ import annotations

import json

import jwt
import pytest

from local.azure.identity.imds import answer
from local.azure.identity.principals import managed_identity

PATH = (
    "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/"
)
HEADERS = {"host": "127.0.0.1:80", "metadata": "true"}


def told(cloud, target=PATH, method="GET", **headers):
    found = answer(cloud, method, {**HEADERS, **headers}, target)
    return found.status, json.loads(found.body)


def test_a_token_is_the_managed_identitys(fresh_azure):
    status, body = told(fresh_azure)
    identity = managed_identity(fresh_azure)
    claims = jwt.decode(body["access_token"], options={"verify_signature": False})
    assert (status, body["client_id"]) == (200, identity.client_id)
    assert claims["appid"] == identity.client_id != fresh_azure.client_id
    assert claims["oid"] == identity.object_id
    assert told(fresh_azure, f"{PATH}&client_id={identity.client_id}")[0] == 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"metadata": ""}, "Required metadata header not specified"),
        ({"host": "evil.example.com"}, "did not come from this machine"),
        ({"x-forwarded-for": "10.0.0.1"}, "did not come from this machine"),
        ({"target": f"{PATH}&client_id=another"}, "Identity not found"),
        ({"target": PATH.replace("management", "mangement")}, "was not found in the tenant"),
    ],
)
def test_what_a_page_in_a_browser_could_ask_is_refused(fresh_azure, change, words):
    status, body = told(fresh_azure, **change)
    assert (status, words in body["error_description"]) == (400, True)


@pytest.mark.parametrize(("method", "path"), [("POST", PATH), ("GET", "/metadata/instance")])
def test_other_metadata_is_not_found(fresh_azure, method, path):
    assert told(fresh_azure, path, method)[0] == 404
