"""A certificate authority in the state folder, and a certificate for each host name asked for."""

from __future__ import annotations

import os
import ssl
import threading
from pathlib import Path

import trustme

CA_FILE = "ca.pem"
_CA_KEY_FILE = "ca-key.pem"


def load_authority(root: Path) -> trustme.CA:
    """The authority kept in `root`, made at first start. Its public part is `root / CA_FILE`."""
    certificate, key = root / CA_FILE, root / _CA_KEY_FILE
    if certificate.exists() and key.exists():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    authority = trustme.CA(organization_name="Local Azure", organization_unit_name="development CA")
    descriptor = os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(authority.private_key_pem.bytes())
    authority.cert_pem.write_to_path(certificate)
    return authority


def server_context(authority: trustme.CA) -> ssl.SSLContext:
    """A TLS context that shows, by SNI, a certificate made for the very host asked for.

    Clients without SNI get one for localhost and 127.0.0.1.
    """
    contexts: dict[str, ssl.SSLContext] = {}
    lock = threading.Lock()

    def context_for(*names: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(context)
        return context

    def choose(connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name is None:
            return
        with lock:
            if name not in contexts:
                contexts[name] = context_for(name)
        connection.context = contexts[name]

    default = context_for("localhost", "127.0.0.1")
    default.sni_callback = choose
    return default
