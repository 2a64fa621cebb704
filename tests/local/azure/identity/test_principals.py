"""Who may sign in."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from local.azure.identity import principals


def test_the_certificate_is_made_once_and_its_key_is_the_owners(fresh_azure):
    first = principals.certificate(fresh_azure)
    path = Path(principals.environment(fresh_azure)["AZURE_CLIENT_CERTIFICATE_PATH"])
    assert principals.certificate(fresh_azure) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = load_pem_private_key(path.read_bytes(), password=None)
    assert key.public_key() == first.public_key()


def test_a_certificate_whose_file_is_gone_is_made_anew(fresh_azure):
    first = principals.certificate(fresh_azure)
    (fresh_azure.root / principals.CERTIFICATE_FILE).unlink()
    assert principals.certificate(fresh_azure).serial_number != first.serial_number


def test_all_who_ask_at_once_get_one_managed_identity(fresh_azure):
    found = set()
    start = threading.Barrier(8)

    def ask():
        start.wait()
        found.add(principals.managed_identity(fresh_azure))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 1
    assert found.pop() != principals.application(fresh_azure)


def test_a_new_state_trusts_one_connection_and_forgets_it_when_told(fresh_azure):
    (trusted,) = principals.federated_credentials(fresh_azure)
    assert trusted["subject"].endswith("/aml/aml-connection")
    principals.FEDERATED.delete(fresh_azure, "aml-connection")
    assert principals.federated_credentials(fresh_azure) == []
