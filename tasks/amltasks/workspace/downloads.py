"""Downloads one file: resumed where it broke off, told while it lasts, and checked by its MD5.

Protocol: Get Blob with ``Range`` and ``If-Range``, learn.microsoft.com/rest/api/storageservices.
The answer names the MD5 of the whole blob: ``Content-MD5``, or ``x-ms-blob-content-md5`` of a part.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import time
from collections.abc import Callable
from pathlib import Path

import requests

from amltasks import errors

log = logging.getLogger("amltasks")

# What a broken connection loses at most.
_CHUNK_BYTES = 1 << 16
_TIMEOUT_SECONDS = (10, 60)
_TELL_SECONDS = 10.0
# How often in a row an attempt may bring nothing new.
_VAIN_ATTEMPTS = 5
_PAUSE_SECONDS = 1.0
_BROKEN = (
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ConnectionError,
    requests.exceptions.Timeout,
)


def download(
    session: requests.Session,
    address: str,
    target: Path,
    pause: Callable[[float], None] = time.sleep,
) -> None:
    """Download a file. Nothing is at ``target`` until all of it is there and right.

    Args:
        session: sends the requests.
        address: a signed address of the file.
        target: where the file goes; its folder is made.
        pause: sleeps between attempts (seconds).

    Raises:
        requests.RequestException: what the last of several attempts raised.
        TaskError: ``DOWNLOAD_DAMAGED`` when the content is not what its MD5 says.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    try:
        answer = _fetch(session, address, part, pause)
        _check(answer, part, target.name)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _fetch(
    session: requests.Session, address: str, part: Path, pause: Callable[[float], None]
) -> requests.Response:
    """Read the file to its end, going on where a connection broke; returns the last answer."""
    vain, tag = 0, ""
    part.touch()
    while True:
        before = part.stat().st_size
        resume = {"Range": f"bytes={before}-", "If-Range": tag} if before and tag else {}
        try:
            with session.get(
                address, headers=resume, stream=True, timeout=_TIMEOUT_SECONDS
            ) as answer:
                answer.raise_for_status()
                tag = answer.headers.get("ETag", "")
                _write(answer, part, append=answer.status_code == 206)
            return answer
        except _BROKEN as cause:
            vain = 0 if part.stat().st_size > before else vain + 1
            if vain >= _VAIN_ATTEMPTS:
                raise
            log.info(
                "The download of %s broke off after %s (%s); going on",
                *(part.stem, _size(part.stat().st_size), type(cause).__name__),
            )
        pause(_PAUSE_SECONDS)


def _write(answer: requests.Response, part: Path, *, append: bool) -> None:
    whole = int(answer.headers.get("Content-Length") or 0)
    done = part.stat().st_size if append else 0
    whole += done
    spoke = time.monotonic()
    with part.open("ab" if append else "wb") as file:
        for chunk in answer.iter_content(_CHUNK_BYTES):
            file.write(chunk)
            done += len(chunk)
            if time.monotonic() - spoke >= _TELL_SECONDS:
                spoke = time.monotonic()
                log.info("Downloading %s: %s of %s", part.stem, _size(done), _size(whole))


def _check(answer: requests.Response, part: Path, name: str) -> None:
    """See that the content is what the MD5 of the whole file says, where the service knows one."""
    headers = answer.headers
    said = headers.get("x-ms-blob-content-md5")
    if not said and answer.status_code == 200:
        said = headers.get("Content-MD5")
    if not said:
        return
    digest = hashlib.md5(usedforsecurity=False)
    with part.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    if base64.b64encode(digest.digest()).decode() != said:
        raise errors.DOWNLOAD_DAMAGED.error(name=name)


def _size(count: int) -> str:
    """``1234567`` -> ``1.2 MB``."""
    return f"{count / 1e6:,.1f} MB" if count >= 100_000 else f"{count:,} bytes"
