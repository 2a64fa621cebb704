"""Removes secrets from everything that is shown or stored, by the agent's rules.

The agent: src/Agent.Worker/Worker.cs InitializeSecretMasker, src/Agent.Sdk/SecretMasking/,
src/Agent.Sdk/Util/MaskingUtil.cs,
src/Microsoft.VisualStudio.Services.Agent/AdditionalMaskingRegexes.cs and HostContext.cs.
"""

from __future__ import annotations

import base64
import json
import re
import threading
import urllib.parse
from collections.abc import Callable

MASK = "***"
# A larger minimum would let short secrets through.
MAX_MIN_LENGTH = 6
_URL_PASSWORD = re.compile(
    r"(?P<head>//[^:/?#\n]+:)(?P<secret>(?:[\w.~-]|(?:%|%AZP25)[0-9a-fA-F]{2}|[!$&'()*+,;=]|:)+)(?=@)"
)
_QUOTES = ("'", '"')
_PUBLIC_PARAMETERS = frozenset(
    name.lower()
    for name in (
        "Role",
        "Scope",
        "TenantId",
        "IssuedAt",
        "ExpiresAt",
        "Audience",
        "AuthenticationType",
        "AuthorizationType",
        "AccessTokenType",
        "AccessTokenFetchingMethod",
        "UseWindowsSecurity",
        "Unsecured",
        "OAuthAccessTokenIsSupplied",
        "CompleteCallbackPayload",
        "AcceptUntrustedCertificates",
    )
)


def is_secret_parameter(name: str) -> bool:
    """Say whether a service connection's authorization parameter is masked."""
    return name.lower() not in _PUBLIC_PARAMETERS


def _json_escape(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)[1:-1]


def _uri_escape(value: str) -> str:
    return urllib.parse.quote(value, safe="-_.~")


def _backslash_unescape(value: str) -> str:
    special = {"\\\\": "\\", "\\'": "'", '\\"': '"', "\\t": "\t"}
    return re.sub(r"\\[\\'\"t]", lambda match: special[match[0]], value)


ENCODERS: tuple[Callable[[str], str], ...] = (_json_escape, _uri_escape, _backslash_unescape)


class SecretMasker:
    """A growing set of secrets and the function that hides them; safe for threads.

    Args:
        min_length: secrets shorter than this many characters are not masked; at most 6.
        encoders: each also hides its encoding of every secret.
    """

    def __init__(
        self,
        min_length: int = 0,
        encoders: tuple[Callable[[str], str], ...] = ENCODERS,
    ) -> None:
        """Start without secrets."""
        self.min_length = min(min_length, MAX_MIN_LENGTH)
        self._encoders = encoders
        self._values: set[str] = set()
        self._lock = threading.Lock()

    def add(self, secret: str) -> None:
        """Hide ``secret`` and its encodings from now on; the empty text is ignored."""
        forms = {secret, *(encode(secret) for encode in self._encoders)}
        kept = {form for form in forms if form and len(form) >= self.min_length}
        with self._lock:
            self._values |= kept

    def add_variable(self, secret: str) -> None:
        """Hide a secret variable in each form the agent expects to meet it in."""
        if not secret.strip():
            return
        encoded = base64.b64encode(secret.encode()).decode()
        for value in (secret, encoded):
            newlines = value.replace("\r", "%0D").replace("\n", "%0A")
            percents = value.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")
            for form in (value, percents, newlines):
                self.add(form)
                self.add(form.strip("\r\n "))
                for quote in _QUOTES:
                    if form.startswith(quote) and form.endswith(quote):
                        self.add(form.strip(quote))

    def mask(self, text: str) -> str:
        """Return ``text`` with each run of touching secrets replaced by ``***``."""
        spans = [match.span("secret") for match in _URL_PASSWORD.finditer(text)]
        with self._lock:
            values = list(self._values)
        for value in values:
            start = text.find(value)
            while start >= 0:
                spans.append((start, start + len(value)))
                start = text.find(value, start + 1)
        if not spans:
            return text
        spans.sort()
        pieces: list[str] = []
        position = 0
        start, end = spans[0]
        for next_start, next_end in [*spans[1:], (len(text) + 1, 0)]:
            if next_start <= end:
                end = max(end, next_end)
                continue
            pieces += [text[position:start], MASK]
            position = end
            start, end = next_start, next_end
        return "".join(pieces) + text[position:]

    def mask_all(self, value: object) -> object:
        """Mask every text inside nested lists and mappings, but not the mappings' keys."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, dict):
            return {key: self.mask_all(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.mask_all(item) for item in value]
        return value
