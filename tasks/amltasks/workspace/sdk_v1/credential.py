"""Our tokens as azureml-core wants them; it has no credential for certificates or federation.

azureml-core goes on using a token that Azure refuses (401), for example after the key was rotated
or when the agent's clock is wrong. Here the next request after a 401 signs in again.
"""

from __future__ import annotations

from typing import Any

from azureml.core.authentication import AbstractAuthentication

from amltasks.workspace.retries import may_pass, retrying
from amltasks.workspace.sign_in import SignIn


class WrappedSignIn(AbstractAuthentication):  # type: ignore[misc]  # untyped SDK
    """The SDK's credential on a :class:`SignIn`. Run history signs its sessions with it."""

    def __init__(self, sign_in: SignIn) -> None:
        """Send nothing yet."""
        super().__init__(sign_in.principal.cloud.name)
        self._sign_in = sign_in

    def get_token(self, *scopes: str, **options: Any) -> Any:
        """azure-core's method, for the Azure packages that the SDK uses."""
        return self._sign_in.get_token(*scopes, **options)

    def signed_session(self, session: Any = None) -> Any:
        """The session with the token and a hook that notices refusals."""
        signed = super().signed_session(session)
        if self._note_refusal not in signed.hooks["response"]:
            signed.hooks["response"].append(self._note_refusal)
        return signed

    def _note_refusal(self, response: Any, **_: Any) -> None:
        if response.status_code == 401:
            self._sign_in.renew()
        elif may_pass(response.status_code):
            retrying(str(response.request.method), str(response.url), response.status_code)

    def _get_arm_token(self) -> str:
        return self._sign_in.get_token(self._sign_in.principal.cloud.scope).token

    def _get_azureml_client_token(self) -> str:
        return self._sign_in.get_token(f"{self._get_aml_resource_id()}/.default").token

    def _get_all_subscription_ids(self) -> tuple[list[Any], str]:
        """The connection's own: an identity with a role on the workspace only may list none."""
        from azureml.core.authentication import _SubscriptionInfo

        principal = self._sign_in.principal
        given = _SubscriptionInfo(principal.subscription_id, principal.subscription_id)
        return [given], principal.tenant_id
