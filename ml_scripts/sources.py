"""Files named by a path or by a URL, downloaded once and checked."""

import hashlib
import logging
import os
import shutil
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

log = logging.getLogger("compliance.sources")

# Of silence, not of the whole download.
TIMEOUT_SECONDS = 60


# Words for "no file": an input of a job cannot be empty in azure-ai-ml.
NO_FILE = frozenset({"", "generated", "none"})


class SourceError(Exception):
    """A file that cannot be used; the message says what, why and what to do next."""


def cache_folder() -> Path:
    """Return the folder in which downloads are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "compliance-classifier"


def given(source: str) -> str:
    """Return ``source``, or an empty text for a word that stands for no file."""
    return "" if source in NO_FILE else source


def fetch(source: str, folder: Path) -> Path:
    """Return the local path of ``source``, downloading it into ``folder`` when it is a URL.

    A URL may end in ``#sha256=`` and the hexadecimal digest of the file, which is then checked. A
    file that is already in ``folder`` is not downloaded again.
    Raises SourceError when there is no such file, or when it is not the promised one.
    """
    if is_url(source):
        url = urllib.parse.urlsplit(source)
        if url.scheme not in ("http", "https"):
            raise SourceError(
                f"{shown(source)} cannot be read: only http and https addresses are downloaded. "
                "Next: give such an address, or the path of a file."
            )
        return _download(url, folder)
    path = Path(source)
    if not path.is_file():
        raise SourceError(
            f"There is no file {source} (looked in {Path.cwd()}). "
            "Next: give the path of a file that is part of the run's source directory, or a URL."
        )
    return path


def _download(url: urllib.parse.SplitResult, folder: Path) -> Path:
    digest = urllib.parse.parse_qs(url.fragment).get("sha256", [""])[0].lower()
    address = url._replace(fragment="").geturl()
    label = shown(address)
    name = hashlib.sha256(address.encode()).hexdigest()[:16] + "-" + Path(url.path).name
    target = folder / name
    if target.is_file() and (not digest or _sha256(target) == digest):
        log.info("Using the copy of %s in %s", label, folder)
        return target
    folder.mkdir(parents=True, exist_ok=True)
    log.info("Downloading %s", label)
    handle, temporary_name = tempfile.mkstemp(dir=folder, prefix=name)
    temporary = Path(temporary_name)
    try:
        with (
            os.fdopen(handle, "wb") as file,
            # The scheme was checked by the caller.
            urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as response,  # noqa: S310
        ):
            shutil.copyfileobj(response, file)
            expected = response.headers.get("Content-Length")
        if expected is not None and temporary.stat().st_size != int(expected):
            raise SourceError(
                f"The download of {label} ended after {temporary.stat().st_size} of {expected} "
                "bytes. Next: run again."
            )
        if digest and _sha256(temporary) != digest:
            raise SourceError(
                f"{label} has the SHA-256 {_sha256(temporary)}, but {digest} was asked for. "
                "Next: find out who changed the file, or correct the digest in the URL."
            )
        # Only now does it carry the name: a half-written file is never taken for a whole one.
        temporary.replace(target)
    except OSError as error:  # urllib's own errors are OSErrors
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        raise SourceError(
            f"{label} cannot be downloaded: {error}. "
            "Next: check the address, and that this machine may reach it."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
    return target


def shown(source: str) -> str:
    """Return ``source`` for logs and records: a URL without query, which may hold a signature."""
    return source.partition("?")[0].partition("#")[0] if is_url(source) else source


def is_url(source: str) -> bool:
    """Tell a URL from a path."""
    return "://" in source


def _sha256(path: Path) -> str:
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            hasher.update(chunk)
    return hasher.hexdigest()
