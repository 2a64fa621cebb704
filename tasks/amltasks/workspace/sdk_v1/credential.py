"""A service principal for azureml-core that drops a token which Azure refused.

azureml-core keeps a token until five minutes before its end, by the agent's clock, and sends it on
although Azure answers 401: for an agent whose clock is wrong, or a key that was revoked and given
anew, that is until the run is over. Here the next request after a 401 signs in again.
"""

from __future__ import annotations

from typing import Any

from azureml.core.authentication import ServicePrincipalAuthentication

# Of the process: the SDK makes deep copies of its credential, and all of them need to know.
_refused: set[str] = set()


class RenewingServicePrincipal(ServicePrincipalAuthentication):  # type: ignore[misc]  # untyped SDK
    """The SDK's own, but for tokens that were refused. Run history signs its sessions with it."""

    def signed_session(self, session: Any = None) -> Any:
        """The session with the token, which from now on notes refusals."""
        signed = super().signed_session(session)
        if _note_refusal not in signed.hooks["response"]:
            signed.hooks["response"].append(_note_refusal)
        return signed

    def _is_token_expired(self, token: str) -> bool:
        return token in _refused or bool(super()._is_token_expired(token))


def _note_refusal(response: Any, **_: Any) -> None:
    if response.status_code == 401:
        _refused.add(response.request.headers.get("Authorization", "").removeprefix("Bearer "))
