"""Who may touch a blob: service and account SAS, Shared Key, or an Entra token, all checked.

Formulas: learn.microsoft.com/rest/api/storageservices/create-service-sas, .../create-account-sas
and .../authorize-with-shared-key. Not covered: user delegation SAS (refused).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qsl, quote, unquote

from local.azure.identity import entra
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, ServiceError

SAS_VERSION = "2019-07-07"
SAS_LIFETIME = timedelta(days=1)

# The permission letter that each operation needs; any one of several will do.
_NEEDS = {"GET": "r", "HEAD": "r", "PUT": "cwa", "DELETE": "d"}
_RESPONSE_OVERRIDES = ("rscc", "rscd", "rsce", "rscl", "rsct")
# These versions sign the same fields; from 2020-12-06 an encryption scope is added.
_OLDEST_VERSION = "2018-11-09"
_ENCRYPTION_SCOPE_VERSION = "2020-12-06"


def account_host(cloud: Cloud) -> str:
    """The host name of the workspace's storage account."""
    return f"{cloud.storage_account}.blob.core.windows.net"


def make_sas(cloud: Cloud, container: str, name: str, *, permissions: str) -> str:
    """The query string of a service SAS, valid for a day. An empty name signs the container."""
    expiry = datetime.now(timezone.utc) + SAS_LIFETIME
    fields = {
        "sv": SAS_VERSION,
        "sr": "b" if name else "c",
        "se": expiry.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sp": permissions,
    }
    signature = _sign(cloud, _sas_text(cloud, fields, container, name))
    return "&".join(
        f"{key}={quote(value, safe='')}" for key, value in (*fields.items(), ("sig", signature))
    )


def make_account_sas(account: str, key: str, *, hours: float) -> str:
    """The query string of an account SAS for blobs and files, as datastores are opened with.

    key: the account's, base64. Raises ServiceError 400 when it is none.
    """
    expiry = datetime.now(timezone.utc) + timedelta(hours=hours)
    fields = {
        "sv": SAS_VERSION,
        "se": expiry.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "srt": "co",
        "ss": "bf",
        "sp": "rcuwdl",
    }
    signature = _signature(key, _account_sas_text(account, fields))
    return "&".join(
        f"{name}={quote(value, safe='')}" for name, value in (("sig", signature), *fields.items())
    )


def check(cloud: Cloud, request: Request, container: str, name: str) -> None:
    """Raises ServiceError 403 (or 401) unless the request proves a right to do what it asks."""
    authorization = request.headers.get("authorization", "")
    if "sig" in request.query:
        _check_sas(cloud, request, container, name)
    elif authorization.startswith("SharedKey "):
        expected = (
            f"SharedKey {cloud.storage_account}:{_sign(cloud, _shared_key_text(cloud, request))}"
        )
        if not hmac.compare_digest(authorization.encode(), expected.encode()):
            raise _refusal(
                "The MAC signature found in the request is not the same as any computed signature."
            )
    elif authorization.startswith("Bearer "):
        entra.verify_token(cloud, authorization.removeprefix("Bearer "), host=request.host)
    else:
        raise ServiceError(
            401,
            "NoAuthenticationInformation",
            "Server failed to authenticate the request: no SAS, account key or token was sent.",
        )


def _check_sas(cloud: Cloud, request: Request, container: str, name: str) -> None:
    fields = dict(parse_qsl(request.raw_query, keep_blank_values=True))
    if fields.get("sv", "") < _OLDEST_VERSION:
        raise _refusal("The version of the signature (sv) is too old or missing.")
    if "ss" in fields:
        text = _account_sas_text(cloud.storage_account, fields)
    elif fields.get("sr") in ("b", "c"):
        text = _sas_text(cloud, fields, container, name if fields["sr"] == "b" else "")
    else:
        raise _refusal("Only an account SAS, or a service SAS of a blob or container is served.")
    if not hmac.compare_digest(fields["sig"].encode(), _sign(cloud, text).encode()):
        raise _refusal("Signature did not match.")
    now = datetime.now(timezone.utc)
    if not fields.get("se") or _time(fields["se"]) <= now:
        raise _refusal(f"Signature not valid: the signed expiry is '{fields.get('se', '')}'.")
    if fields.get("st") and _time(fields["st"]) > now:
        raise _refusal(f"Signature not valid yet: the signed start is '{fields['st']}'.")
    if "ss" in fields:
        _check_account_sas(fields, name)
    if not set(_needed(request)) & set(fields.get("sp", "")):
        raise ServiceError(
            403,
            "AuthorizationPermissionMismatch",
            "This request is not authorized to perform this operation using this permission.",
        )


def _check_account_sas(fields: Mapping[str, str], name: str) -> None:
    """Raises ServiceError 403 unless the SAS is for the Blob service and this kind of resource."""
    if "b" not in fields["ss"]:
        raise ServiceError(
            403,
            "AuthorizationServiceMismatch",
            "This request is not authorized to perform this operation using this service.",
        )
    kind = "o" if name else "c"
    if kind not in fields.get("srt", ""):
        raise ServiceError(
            403,
            "AuthorizationResourceTypeMismatch",
            "This request is not authorized to perform this operation using this resource type.",
        )


def _needed(request: Request) -> str:
    """The letters of which a SAS must have one."""
    comp = request.query.get("comp")
    if comp == "list":
        return "l"
    if comp in ("metadata", "properties") and request.method == "PUT":
        return "w"
    return _NEEDS.get(request.method, "r")


def _time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        raise _refusal(f"'{text}' is not a time.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _account_sas_text(account: str, fields: Mapping[str, str]) -> str:
    names = ("sp", "ss", "srt", "st", "se", "sip", "spr", "sv")
    lines = [account, *(fields.get(name, "") for name in names)]
    if fields.get("sv", "") >= _ENCRYPTION_SCOPE_VERSION:
        lines.append(fields.get("ses", ""))
    return "\n".join([*lines, ""])


def _sas_text(cloud: Cloud, fields: Mapping[str, str], container: str, name: str) -> str:
    resource = "/".join(part for part in ("/blob", cloud.storage_account, container, name) if part)
    lines = [fields.get("sp", ""), fields.get("st", ""), fields.get("se", ""), resource]
    lines += [fields.get(key, "") for key in ("si", "sip", "spr", "sv", "sr")]
    lines.append("")  # snapshot time
    if fields.get("sv", "") >= _ENCRYPTION_SCOPE_VERSION:
        lines.append(fields.get("ses", ""))
    lines += [fields.get(key, "") for key in _RESPONSE_OVERRIDES]
    return "\n".join(lines)


def _shared_key_text(cloud: Cloud, request: Request) -> str:
    headers = request.headers
    length = headers.get("content-length", "")
    lines = [
        request.method,
        headers.get("content-encoding", ""),
        headers.get("content-language", ""),
        "" if length == "0" else length,
        headers.get("content-md5", ""),
        headers.get("content-type", ""),
        "" if "x-ms-date" in headers else headers.get("date", ""),
        *(
            headers.get(f"if-{name}", "")
            for name in ("modified-since", "match", "none-match", "unmodified-since")
        ),
        headers.get("range", ""),
    ]
    own = sorted((name, value) for name, value in headers.items() if name.startswith("x-ms-"))
    lines += [f"{name}:{' '.join(value.split())}" for name, value in own]
    resource = f"/{cloud.storage_account}{request.raw_path}"
    query = sorted(
        (name.lower(), value)
        for name, value in parse_qsl(request.raw_query, keep_blank_values=True)
    )
    return "\n".join([*lines, resource, *(f"{name}:{unquote(value)}" for name, value in query)])


def _sign(cloud: Cloud, text: str) -> str:
    return _signature(cloud.storage_key, text)


def _signature(key: str, text: str) -> str:
    try:
        raw = base64.b64decode(key, validate=True)
    except ValueError:
        raise ServiceError(400, "UserError", "The account key is not base64.") from None
    return base64.b64encode(hmac.new(raw, text.encode(), hashlib.sha256).digest()).decode()


def _refusal(detail: str) -> ServiceError:
    return ServiceError(
        403,
        "AuthenticationFailed",
        "Server failed to authenticate the request. Make sure the value of the Authorization "
        f"header is formed correctly including the signature. {detail}",
    )
