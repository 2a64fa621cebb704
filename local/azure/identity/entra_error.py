"""An error in Entra's own form, which is not ARM's.

Codes and texts: learn.microsoft.com/entra/identity-platform/reference-error-codes.
"""

from __future__ import annotations


class EntraError(Exception):
    """What the token endpoint answers instead of a token."""

    def __init__(self, status: int, error: str, code: int, text: str) -> None:
        """`error`: OAuth's word; `code`: the number after AADSTS; `text`: the description."""
        super().__init__(text)
        self.status, self.error, self.code, self.text = status, error, code, text


def refused_client(code: int, text: str) -> EntraError:
    """The client did not prove who it is (RFC 6749, 5.2)."""
    return EntraError(401, "invalid_client", code, text)
