"""Tokens: issued for the right secret, signed, and checked by every plane."""

from __future__ import annotations

import time
import uuid

import jwt
import pytest

from local.azure.identity import entra
from local.azure.kernel.http import ServiceError
from tests.local.azure.conftest import get_token

LOGIN = "https://login.microsoftonline.com"


@pytest.fixture(scope="module")
def ask(anonymous_http, local_azure):
    """POST to the token endpoint; keyword arguments replace or (None) leave out fields."""
    env = local_azure.environment

    def post(tenant=None, path="/oauth2/v2.0/token", **fields):
        form = {
            "grant_type": "client_credentials",
            "client_id": env["AZURE_CLIENT_ID"],
            "client_secret": env["AZURE_CLIENT_SECRET"],
            "scope": "https://management.azure.com/.default",
            **fields,
        }
        return anonymous_http.post(f"{LOGIN}/{tenant or env['AZURE_TENANT_ID']}{path}", data=form)

    return post


def test_a_token_is_signed_with_a_published_key(anonymous_http, local_azure, ask):
    tenant = local_azure.environment["AZURE_TENANT_ID"]
    config = anonymous_http.get(f"{LOGIN}/{tenant}/v2.0/.well-known/openid-configuration").json()
    assert config["token_endpoint"] == f"{LOGIN}/{tenant}/oauth2/v2.0/token"
    keys = anonymous_http.get(config["jwks_uri"]).json()["keys"]
    answer = ask().json()
    claims = jwt.decode(
        answer["access_token"],
        jwt.PyJWK(keys[0]).key,
        algorithms=["RS256"],
        audience="https://management.azure.com",
    )
    assert claims["tid"] == tenant
    assert claims["appid"] == local_azure.environment["AZURE_CLIENT_ID"]
    assert claims["exp"] - time.time() == pytest.approx(answer["expires_in"], abs=60)


def test_the_v1_endpoint_takes_a_resource(ask):
    answer = ask(path="/oauth2/token", scope=None, resource="https://management.azure.com/").json()
    assert answer["resource"] == "https://management.azure.com/"
    assert answer["expires_in"] == "3600"


@pytest.mark.parametrize(
    ("fields", "status", "error", "code"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"client_secret": None}, 401, "invalid_client", 7000216),
        ({"client_id": str(uuid.uuid4())}, 400, "unauthorized_client", 700016),
        ({"client_id": None}, 400, "invalid_request", 900144),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": "https://example.com/.default"}, 400, "invalid_resource", 500011),
        ({"scope": None}, 400, "invalid_request", 900144),
        ({"tenant": str(uuid.uuid4())}, 400, "invalid_request", 90002),
    ],
)
def test_a_wrong_request_is_answered_as_entra_does(ask, local_azure, fields, status, error, code):
    answer = ask(**fields)
    assert answer.status_code == status
    body = answer.json()
    assert body["error"] == error
    assert body["error_codes"] == [code]
    assert body["error_description"].startswith(f"AADSTS{code}: ")
    assert local_azure.environment["AZURE_CLIENT_SECRET"] not in answer.text


def test_an_unknown_tenant_has_no_configuration(anonymous_http):
    answer = anonymous_http.get(f"{LOGIN}/{uuid.uuid4()}/v2.0/.well-known/openid-configuration")
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_tenant"


def verify(azure, token, host="management.azure.com"):
    return entra.verify_token(azure, token, host=host)


ARM = "https://management.azure.com/"


def test_a_token_of_this_state_is_accepted(fresh_azure):
    token = entra.issue_token(fresh_azure, audience=ARM, lifetime_s=60, extra="1")
    assert verify(fresh_azure, token)["extra"] == "1"


@pytest.mark.parametrize(
    ("audience", "lifetime", "code"),
    [
        (ARM, -1, "ExpiredAuthenticationToken"),
        ("https://storage.azure.com", 60, "InvalidAuthenticationTokenAudience"),
        (entra.RUN_AUDIENCE, 60, "InvalidAuthenticationTokenAudience"),
    ],
)
def test_arm_refuses_old_tokens_and_those_for_others(fresh_azure, audience, lifetime, code):
    token = entra.issue_token(fresh_azure, audience=audience, lifetime_s=lifetime)
    with pytest.raises(ServiceError) as raised:
        verify(fresh_azure, token)
    assert (raised.value.status, raised.value.code) == (401, code)


def test_a_run_speaks_to_the_data_planes(fresh_azure):
    token = entra.issue_token(fresh_azure, audience=entra.RUN_AUDIENCE, lifetime_s=60)
    assert verify(fresh_azure, token, host="eastus.api.azureml.ms")


def test_a_forged_token_is_refused(fresh_azure):
    token = entra.issue_token(fresh_azure, audience=ARM, lifetime_s=60)
    claims = jwt.decode(token, options={"verify_signature": False})
    for forged in (
        jwt.encode(claims, "x" * 32, algorithm="HS256"),
        jwt.encode(claims, "", algorithm="none"),
        "no-token",
    ):
        with pytest.raises(ServiceError) as raised:
            verify(fresh_azure, forged)
        assert raised.value.code == "InvalidAuthenticationToken"


@pytest.mark.parametrize("header", [None, "Bearer ", "Bearer x.y.z", "Basic eDp5"])
def test_every_plane_wants_a_token(anonymous_http, local_azure, header):
    headers = {"Authorization": header} if header else {}
    for url in (
        f"https://management.azure.com{local_azure.scope}",
        f"https://eastus.api.azureml.ms/history/v1.0{local_azure.scope}/runs/x",
        f"https://eastus.api.azureml.ms/modelmanagement/v1.0{local_azure.scope}/models",
        f"https://eastus.api.azureml.ms/credential/v2.0{local_azure.scope}/secrets",
    ):
        assert anonymous_http.get(url, headers=headers).status_code == 401


def test_a_token_for_storage_does_not_open_arm(anonymous_http, local_azure):
    token = get_token(anonymous_http, local_azure, "https://storage.azure.com")
    answer = anonymous_http.get(
        f"https://management.azure.com{local_azure.scope}",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 401
