"""Cases of the agent's src/Test/L0/SecretMaskerTests/SecretMaskerL0.cs at 42bde98."""

from __future__ import annotations

import base64

import pytest

from local.agent.host.masking import SecretMasker, is_secret_parameter

URLS = [
    ("https://simpledomain@example.com", "https://simpledomain@example.com"),
    (
        "https://url.com:443/~user/foo=bar+42-18?what=this.is.an.example....~~many@&param=value",
        "https://url.com:443/~user/foo=bar+42-18?what=this.is.an.example....~~many@&param=value",
    ),
    ("https://user:pass@example.com", "https://user:***@example.com"),
    ("https://user:pass4';.!&*()=,$-+~@example.com", "https://user:***@example.com"),
    ("https://username123:password@example.com", "https://username123:***@example.com"),
    (
        "https://username%10%A3%F6:password123@example.com",
        "https://username%10%A3%F6:***@example.com",
    ),
    (
        "https://username%AZP2510%AZP25A3%AZP25F6:password123@example.com",
        "https://username%AZP2510%AZP25A3%AZP25F6:***@example.com",
    ),
    (f"https://u{'o' * 50}:p{'o' * 50}@example.com", f"https://u{'o' * 50}:***@example.com"),
]


@pytest.mark.parametrize(("text", "expected"), URLS)
def test_passwords_in_urls(masker, text, expected):
    assert masker.mask(text) == expected


# secrets, text, expected
VALUES = [
    (["abcd"], "", ""),
    ([], "abcdefg", "abcdefg"),
    (["def"], "abcdefg", "abc***g"),
    (["def"], "abcdefgdef", "abc***g***"),
    (["abc"], "abcabcdef", "***def"),
    (["bcd", "fgh"], "abcdefghi", "a***e***i"),
    (["def", "bcd"], "abcdefg", "a***g"),
    (["efg", "bcd"], "abcdefgh", "a***h"),
    (
        ['carriage\r_new\n_tab\t_back\\_quote"'],
        'carriage\\r_new\\n_tab\\t_back\\\\_quote\\"',
        "***",
    ),
    (["abc\\\\def\\'\\\"ghi\\t"], "abc\\def'\"ghi\t", "***"),
    (["hello world"], "hello%20world", "***"),
    ([" 𐐷𐐷"], "𐐷 𐐷𐐷", "𐐷***"),
]


@pytest.mark.parametrize(("secrets", "text", "expected"), VALUES)
def test_values(masker, secrets, text, expected):
    for secret in secrets:
        masker.add(secret)
    assert masker.mask(text) == expected


@pytest.mark.parametrize(
    ("min_length", "expected"), [(9, "abcdefgh"), (4, "abcdefgh"), (3, "a***h"), (-3, "a***h")]
)
def test_short_secrets_may_be_left_alone(min_length, expected):
    masker = SecretMasker(min_length)
    masker.add("efg")
    masker.add("bcd")
    assert masker.mask("abcdefgh") == expected


def test_the_minimum_length_is_capped():
    masker = SecretMasker(100)
    masker.add("123456")
    assert masker.mask("123456") == "***"


# Worker.cs InitializeSecretMasker: the forms in which a secret variable may appear.
@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("p%ss\nword", "p%AZP25ss%0Aword"),
        ("p%ss\nword", "p%ss%0Aword"),
        ("password", base64.b64encode(b"password").decode()),
        ("'password'", "password"),
        (" password \r\n", "password"),
    ],
)
def test_forms_of_a_secret_variable(masker, secret, shown):
    masker.add_variable(secret)
    assert masker.mask(f"<{shown}>") == "<***>"


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("serviceprincipalkey", True),
        ("serviceprincipalid", True),
        ("AccessToken", True),
        ("tenantid", False),
        ("authenticationType", False),
        ("ROLE", False),
    ],
)
def test_which_authorization_parameters_are_secret(name, secret):
    assert is_secret_parameter(name) is secret


def test_nested_documents_are_masked(masker):
    masker.add("s3cret")
    found = masker.mask_all({"a": [{"b": "x s3cret y"}, 1, None]})
    assert found == {"a": [{"b": "x *** y"}, 1, None]}
