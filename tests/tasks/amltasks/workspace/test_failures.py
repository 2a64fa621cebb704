"""What the SDK raises, as named errors; texts as the SDK and requests really word them."""

import pytest
import requests
from azureml.exceptions import (
    AuthenticationException,
    ComputeTargetException,
    UserErrorException,
    WebserviceException,
)

from amltasks import errors
from amltasks.workspace.failures import http_status, message, translate, translated


def bad_response(status: int, body: str) -> ComputeTargetException:
    return ComputeTargetException(
        "Received bad response from Resource Provider:\n"
        f"Response Code: {status}\n"
        "Headers: {'Date': 'Mon, 23 Nov 2026', 'x-ms-request-id': 'abc'}\n"
        f"Content: {body.encode()!r}"
    )


BODY = '{"error": {"code": "Denied", "message": "It\'s not yours."}}'


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "UNAUTHORIZED"),
        (403, "FORBIDDEN"),
        (404, "NOT_FOUND"),
        (429, "THROTTLED"),
        (500, "SERVICE_UNAVAILABLE"),
        (503, "SERVICE_UNAVAILABLE"),
        (400, "REFUSED"),
        (409, "REFUSED"),
    ],
)
def test_statuses_in_the_sdks_texts(status: int, code: str) -> None:
    error = translate(bad_response(status, BODY), "creating 'cpu'")
    assert error.cause.code == code
    assert "while creating 'cpu'" in str(error)
    assert "It's not yours" in str(error)
    assert "x-ms-request-id" not in str(error)


def test_a_status_on_the_response_of_an_inner_exception() -> None:
    response = requests.Response()
    response.status_code = 403
    response._content = BODY.encode()
    try:
        try:
            raise requests.HTTPError("403 Client Error", response=response)
        except requests.HTTPError as inner:
            raise UserErrorException("could not", inner_exception=inner) from None
    except UserErrorException as outer:
        assert http_status(outer) == 403
        assert message(outer) == "It's not yours"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        (
            "AADSTS7000215: Invalid client secret provided. Ensure it is right.\r\nTrace ID",
            "AUTHENTICATION_FAILED",
            "Invalid client secret provided",
        ),
        ("invalid_tenant: check your tenant name", "AUTHENTICATION_FAILED", "tenant name"),
        (
            "HTTPSConnectionPool(host='management.azure.com', port=443): Max retries exceeded with "
            "url: / (Caused by NewConnectionError('[Errno -2] Name or service not known'))",
            "NO_NETWORK",
            "Name or service not known (management.azure.com)",
        ),
        (
            "HTTPSConnectionPool(host='x.azure.com', port=443): Max retries exceeded (Caused by "
            "ProxyError('Unable to connect to proxy', OSError('Tunnel connection failed: 407 Proxy "
            "Authentication Required')))",
            "NO_NETWORK",
            "Tunnel connection failed: 407 Proxy Authentication Required (x.azure.com)",
        ),
        (
            "HTTPSConnectionPool(host='x.azure.com', port=443): Max retries exceeded (Caused by "
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate "
            "verify failed: unable to get local issuer certificate (_ssl.c:1006)')))",
            "TLS_FAILED",
            "unable to get local issuer certificate (x.azure.com)",
        ),
        (
            "HTTPSConnectionPool(host='x.azure.com', port=443): Max retries exceeded (Caused by "
            "SSLError(SSLEOFError(8, '[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in "
            "violation of protocol (_ssl.c:1006)')))",
            "NO_NETWORK",
            "EOF occurred in violation of protocol (x.azure.com)",
        ),
        ("Model name is not valid", "REFUSED", "Model name is not valid"),
    ],
)
def test_texts_without_a_status(text: str, code: str, words: str) -> None:
    error = translate(AuthenticationException(text), "signing in")
    assert error.cause.code == code
    assert words in str(error)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (70021, "FEDERATION_NOT_TRUSTED"),
        (700213, "FEDERATION_NOT_TRUSTED"),
        (7002138, "FEDERATION_NOT_TRUSTED"),
        (700024, "ASSERTION_EXPIRED"),
        (700027, "AUTHENTICATION_FAILED"),
    ],
)
def test_what_entra_says_has_a_cause_by_its_number(number: int, code: str) -> None:
    error = translate(Exception(f"AADSTS{number}: Because. Trace ID: x"), "signing in")
    assert error.cause.code == code
    assert f"AADSTS{number}: Because." in str(error)


@pytest.mark.parametrize(
    ("status", "code"),
    [(503, "SERVICE_UNAVAILABLE"), (429, "THROTTLED"), (400, "AUTHENTICATION_FAILED")],
)
def test_an_authority_that_does_not_answer_is_no_wrong_tenant(status: int, code: str) -> None:
    try:
        try:
            raise ValueError(f"OIDC Discovery failed on https://x. HTTP status: {status}, Error: x")
        except ValueError:
            raise ValueError("Unable to get authority configuration for https://x") from None
    except ValueError as found:
        assert translate(found, "signing in").cause.code == code
    plain = translate(Exception(f"Authentication failed: HTTP Error: {status}"), "signing in")
    assert plain.cause.code == (code if status != 400 else "REFUSED")


def test_signing_in_that_failed_in_the_midst_of_the_sdk_is_told_as_itself() -> None:
    own = errors.ID_TOKEN_REFUSED.error(detail="HTTP 404")
    wrapped = AuthenticationException("Could not retrieve a token", inner_exception=own)
    assert translate(wrapped, "opening") is own
    # Another cause in the chain may be what was being handled, not why this failed.
    other = AuthenticationException(
        "No", inner_exception=errors.MODEL_NOT_FOUND.error(model="m", workspace="w")
    )
    assert translate(other, "opening").cause is errors.REFUSED


def test_nested_details_are_told() -> None:
    body = (
        '{"error": {"message": "Invalid.", "details": [{"code": "X", "message": "No such VM."}]}}'
    )
    assert message(bad_response(400, body)) == "Invalid.: No such VM"


def test_long_texts_are_cut() -> None:
    assert len(message(WebserviceException("x" * 5000))) == 400


def test_named_errors_pass_through() -> None:
    own = errors.MODEL_NOT_FOUND.error(model="m:1", workspace="ws")
    with pytest.raises(errors.TaskError) as found, translated("looking"):
        raise own
    assert found.value is own


def test_a_cancel_passes_through() -> None:
    with pytest.raises(KeyboardInterrupt), translated("looking"):
        raise KeyboardInterrupt
