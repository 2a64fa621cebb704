"""Access tokens of Microsoft Entra for a service connection, for both SDKs.

azure-identity caches tokens and renews them before they expire; with workload identity federation
it asks Azure DevOps for a new assertion each time. Instance discovery at login.microsoftonline.com
is off: the connection names its authority, and a sovereign cloud may not reach that host.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from amltasks import errors
from amltasks.workspace.failures import short, translate
from amltasks.workspace.port import (
    ClientCertificate,
    ClientSecret,
    ManagedIdentity,
    Principal,
    WorkloadIdentity,
)

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential


# Seconds. azure-core's defaults are minutes, and it tries four times.
_PATIENCE = {"connection_timeout": 10, "read_timeout": 30}


class SignIn:
    """The tokens of one principal, as azure-core's ``TokenCredential``. Safe for threads.

    azureml-core makes deep copies of objects that hold its credential.
    """

    def __init__(self, principal: Principal) -> None:
        """Send nothing yet."""
        self.principal = principal
        self._credential: TokenCredential | None = None
        self._worked = False
        self._lock = threading.Lock()

    def __deepcopy__(self, _memo: object) -> SignIn:
        """The same object, so that a token refused to one holder is renewed for all."""
        return self

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        """A token for a scope such as ``https://management.azure.com/.default``.

        Raises:
            TaskError: ``AUTHENTICATION_FAILED``, ``CERTIFICATE_INVALID``,
                ``FEDERATION_NOT_TRUSTED``, ``ASSERTION_EXPIRED``, ``ID_TOKEN_REFUSED``,
                ``MANAGED_IDENTITY_MISSING``, ``NO_NETWORK``, ``TLS_FAILED``, ``THROTTLED``,
                ``SERVICE_UNAVAILABLE``.
        """
        try:
            with self._lock:
                credential = self._credential = self._credential or _credential(self.principal)
            token = credential.get_token(*scopes, **options)
        except Exception as cause:
            raise self._named(cause) from cause
        self._worked = True
        return token

    def renew(self) -> None:
        """Forget the cached tokens, because a service refused one."""
        with self._lock:
            self._credential = None

    def _named(self, cause: Exception) -> errors.TaskError:
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import CredentialUnavailableError

        named = translate(cause, "signing in")
        # A metadata service that never answered is not there: the machine has no identity.
        absent = isinstance(self.principal.proof, ManagedIdentity) and not self._worked
        passing = named.cause in errors.TRANSIENT or named.cause is errors.TLS_FAILED
        if passing and not (absent and named.cause is errors.NO_NETWORK):
            return named
        match self.principal.proof:
            case ClientCertificate() if isinstance(cause, ValueError):
                return errors.CERTIFICATE_INVALID.error(detail=short(str(cause)))
            case ManagedIdentity() if isinstance(cause, CredentialUnavailableError):
                client_id = self.principal.client_id
                which = f"with the client id {client_id}" if client_id else "of its own"
                return errors.MANAGED_IDENTITY_MISSING.error(
                    identity=which, detail=short(str(cause))
                )
            case WorkloadIdentity() if isinstance(cause, CredentialUnavailableError):
                return errors.ID_TOKEN_REFUSED.error(
                    detail="the agent names no address for it (System.OidcRequestUri)"
                )
            case WorkloadIdentity() if isinstance(cause, ClientAuthenticationError) and (
                "OIDC" in cause.message
            ):
                return errors.ID_TOKEN_REFUSED.error(detail=_answered(cause))
        return named


def _credential(principal: Principal) -> TokenCredential:
    # Importing takes a fifth of a second; wrong inputs are reported before that.
    from azure.identity import (
        AzurePipelinesCredential,
        CertificateCredential,
        ClientSecretCredential,
        ManagedIdentityCredential,
    )

    tenant, client = principal.tenant_id, principal.client_id
    where: dict[str, Any] = {
        "authority": principal.cloud.authority,
        "disable_instance_discovery": True,
        **_PATIENCE,
    }
    match principal.proof:
        case ClientSecret(secret=secret):
            return ClientSecretCredential(tenant, client, secret, **where)
        case ClientCertificate(pem=pem):
            return CertificateCredential(tenant, client, certificate_data=pem.encode(), **where)
        case ManagedIdentity():
            return ManagedIdentityCredential(client_id=client or None)
        case WorkloadIdentity(connection_id=connection_id, access_token=access_token):
            return AzurePipelinesCredential(
                tenant_id=tenant,
                client_id=client,
                service_connection_id=connection_id,
                system_access_token=access_token,
                authority=principal.cloud.authority,
                **_PATIENCE,
            )


def _answered(cause: Any) -> str:
    """The answer of Azure DevOps, with its status."""
    if cause.response is None:
        return "its answer held none"
    said = short(cause.response.text())
    return f"HTTP {cause.response.status_code}" + (f": {said}" if said else "")
