"""The application signs in without its secret: by certificate, by Azure DevOps, as the machine.

azure-identity, unmodified, and assertions that are wrong in one point each.
"""

from __future__ import annotations

import base64
import time
import warnings
from pathlib import Path

import jwt
import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import (
    CertificateCredential,
    ClientAssertionCredential,
    CredentialUnavailableError,
    ManagedIdentityCredential,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.local.azure.conftest import get_token

LOGIN = "https://login.microsoftonline.com"
# azure-identity 1.17, which azureml-sdk still needs, calls what msal has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Use list:DeprecationWarning")
SCOPE = "https://management.core.windows.net//.default"


@pytest.fixture
def env(local_azure, monkeypatch):
    for name, value in local_azure.environment.items():
        monkeypatch.setenv(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        yield local_azure.environment


def claims(token):
    return jwt.decode(token.token, options={"verify_signature": False})


def where(env):
    who = {"tenant_id": env["AZURE_TENANT_ID"], "client_id": env["AZURE_CLIENT_ID"]}
    return {**who, "authority": LOGIN}


def test_a_certificate_proves_the_application(env):
    pem = Path(env["AZURE_CLIENT_CERTIFICATE_PATH"]).read_bytes()
    with CertificateCredential(certificate_data=pem, **where(env)) as credential:
        found = claims(credential.get_token(SCOPE))
    assert found["appid"] == env["AZURE_CLIENT_ID"]
    assert found["aud"] == "https://management.core.windows.net/"


def test_another_certificate_does_not(env):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = Path(env["AZURE_CLIENT_CERTIFICATE_PATH"]).read_bytes()
    known = x509.load_pem_x509_certificate(pem)
    made = (
        x509.CertificateBuilder()
        .subject_name(known.subject)
        .issuer_name(known.issuer)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(known.not_valid_before_utc)
        .not_valid_after(known.not_valid_after_utc)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    data = private + made.public_bytes(serialization.Encoding.PEM)
    with (
        CertificateCredential(certificate_data=data, **where(env)) as credential,
        pytest.raises(ClientAuthenticationError, match=r"AADSTS700027: .*not registered"),
    ):
        credential.get_token(SCOPE)


@pytest.fixture
def assertion(env):
    """An assertion signed with the registered certificate; arguments replace claims and header."""
    pem = Path(env["AZURE_CLIENT_CERTIFICATE_PATH"]).read_bytes()
    known = x509.load_pem_x509_certificate(pem)
    thumbprint = base64.urlsafe_b64encode(known.fingerprint(hashes.SHA256())).decode().rstrip("=")

    def make(*, key=pem, headers=None, **replaced):
        now = int(time.time())
        client = env["AZURE_CLIENT_ID"]
        body = {
            "iss": client,
            "sub": client,
            "aud": f"{LOGIN}/{env['AZURE_TENANT_ID']}/oauth2/v2.0/token",
            "nbf": now,
            "exp": now + 60,
            **replaced,
        }
        key = serialization.load_pem_private_key(key, None)
        return jwt.encode(body, key, "RS256", headers=headers or {"x5t#S256": thumbprint})

    return make


OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({}, None),
        ({"exp": 1}, 700024),
        ({"nbf": 32503680000, "exp": 32503680060}, 700024),
        ({"aud": f"{LOGIN}/common/oauth2/v2.0/token"}, 700023),
        ({"sub": "somebody"}, 700021),
        ({"key": OTHER_KEY}, 700027),
        ({"headers": {"x5t": "AAAA"}}, 700027),
        ({"headers": {"kid": "x"}}, 700027),
        ({"iss": "https://token.example.com"}, 700211),
    ],
)
def test_an_assertion_is_right_in_every_point(env, assertion, anonymous_http, changed, code):
    form = {
        "grant_type": "client_credentials",
        "client_id": env["AZURE_CLIENT_ID"],
        "scope": SCOPE,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion(**changed),
    }
    url = f"{LOGIN}/{env['AZURE_TENANT_ID']}/oauth2/v2.0/token"
    answer = anonymous_http.post(url, data=form)
    assert answer.json().get("error_codes") == (code and [code])
    assert answer.ok is (code is None)
    malformed = anonymous_http.post(url, data={**form, "client_assertion": "x.y.z"}).json()
    unknown = anonymous_http.post(url, data={**form, "client_assertion_type": "saml"}).json()
    assert malformed["error_codes"] == unknown["error_codes"] == [50027]


@pytest.fixture
def trust(env, local_azure, anonymous_http):
    """Federated credentials of the application, by Microsoft Graph."""
    token = get_token(anonymous_http, local_azure, "https://graph.microsoft.com")
    url = (
        f"https://graph.microsoft.com/v1.0/applications(appId='{env['AZURE_CLIENT_ID']}')"
        "/federatedIdentityCredentials"
    )

    def ask(method, below="", **body):
        return anonymous_http.request(
            method,
            url + below,
            json=body or None,
            headers={"Authorization": f"Bearer {token}"},
        )

    return ask


def test_federated_credentials_are_kept_and_compared_letter_by_letter(env, trust):
    (first,) = trust("GET").json()["value"]
    assert first["name"] == "aml-connection"
    assert first["subject"].endswith("/aml/aml-connection")
    issuer, subject = first["issuer"], first["subject"].replace("aml-connection", "Other")
    other = {"issuer": issuer, "subject": subject, "audiences": ["api://AzureADTokenExchange"]}
    assert trust("POST", name="other", **other).status_code == 201
    assert trust("POST", name="third", **other).status_code == 409
    assert trust("POST", name="other", **{**other, "subject": "x"}).status_code == 409
    now = int(time.time())

    def refused(**replaced):
        signed = {
            "iss": issuer,
            "sub": subject,
            "aud": "api://AzureADTokenExchange",
            "nbf": now,
            "exp": now + 60,
            **replaced,
        }
        # Nobody but the issuer has its key.
        key = serialization.load_pem_private_key(OTHER_KEY, None)
        assert isinstance(key, rsa.RSAPrivateKey)
        forged = jwt.encode(
            signed,
            key,
            "RS256",
            headers={"kid": "local-azure"},
        )
        with (
            ClientAssertionCredential(func=lambda: forged, **where(env)) as credential,
            pytest.raises(ClientAuthenticationError) as raised,
        ):
            credential.get_token(SCOPE)
        return raised.value.message

    assert "AADSTS50013" in refused()
    assert "AADSTS700213: No matching federated identity record found for presented assertion " in (
        refused(sub="sc://x/y/z")
    )
    assert "AADSTS7002138" in refused(sub=subject.replace("Other", "other"))
    assert "AADSTS700212" in refused(aud="api://other")
    assert "AADSTS700211" in refused(iss="https://vstoken.dev.azure.com/other")
    assert trust("DELETE", "/other").status_code == 204
    assert "AADSTS700213" in refused()


def test_the_machine_has_an_identity_of_its_own(env, anonymous_http):
    with ManagedIdentityCredential() as credential:
        found = claims(credential.get_token(SCOPE))
    assert found["oid"] != ""
    assert found["appid"] != env["AZURE_CLIENT_ID"]
    with ManagedIdentityCredential(client_id=found["appid"]) as named:
        assert claims(named.get_token(SCOPE))["oid"] == found["oid"]
    with (
        ManagedIdentityCredential(client_id=env["AZURE_CLIENT_ID"]) as stranger,
        pytest.raises(CredentialUnavailableError, match="Identity not found"),
    ):
        stranger.get_token(SCOPE)
    base = env["AZURE_POD_IDENTITY_AUTHORITY_HOST"] + "/metadata/identity/oauth2/token"
    asked = {"resource": "https://management.azure.com/", "api-version": "2018-02-01"}
    with_header = anonymous_http.get(base, params=asked, headers={"Metadata": "true"})
    assert with_header.json()["resource"] == "https://management.azure.com/"
    assert anonymous_http.get(base, params=asked).status_code == 400
    assert anonymous_http.get(base + "/x", headers={"Metadata": "true"}).status_code == 404
    # A name that a page's owner lets lead to this machine, and a request that a proxy passed on.
    for other in ({"Host": "attacker.example.com"}, {"Host": ""}, {"X-Forwarded-For": "1.2.3.4"}):
        refused = anonymous_http.get(base, params=asked, headers={"Metadata": "true", **other})
        assert (refused.status_code, "access_token" in refused.text) == (400, False)
    wrong = anonymous_http.get(
        base, params={"resource": "https://example.com"}, headers={"Metadata": "true"}
    )
    assert wrong.status_code == 400
