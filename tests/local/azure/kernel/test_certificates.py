"""The authority of a state, and a certificate for each host that is asked for."""

from __future__ import annotations

import ssl
import stat

import pytest

from local.azure.kernel.certificates import CA_FILE, load_authority, server_context


def shaken(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> ssl.SSLObject:
    """The client's end of a TLS connection that exists in memory only."""
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(there, back, server_side=True)
    theirs = client.wrap_bio(back, there, server_hostname=name)
    waiting = [theirs, ours]
    while waiting:
        end = waiting.pop(0)
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(end)
    return theirs


@pytest.fixture
def client(tmp_path):
    load_authority(tmp_path)
    return ssl.create_default_context(cafile=str(tmp_path / CA_FILE))


def test_the_authority_stays_and_its_key_is_the_owners(tmp_path):
    first = load_authority(tmp_path).cert_pem.bytes()
    assert load_authority(tmp_path).cert_pem.bytes() == first == (tmp_path / CA_FILE).read_bytes()
    assert stat.S_IMODE((tmp_path / "ca-key.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name", ["management.azure.com", "a.blob.core.windows.net", "localhost", "127.0.0.1"]
)
def test_a_client_that_trusts_the_authority_trusts_each_host(tmp_path, client, name):
    shown = shaken(server_context(load_authority(tmp_path)), client, name).getpeercert()
    assert shown is not None
    assert name in str(shown["subjectAltName"])


def test_another_authority_is_not_trusted(tmp_path, client):
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(ssl.SSLCertVerificationError):
        shaken(server_context(load_authority(other)), client, "management.azure.com")
