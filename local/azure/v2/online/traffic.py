"""The front of online endpoints: checks key or token, splits and mirrors traffic, passes calls on.

Protocol: learn.microsoft.com/azure/machine-learning/how-to-authenticate-online-endpoint and
.../how-to-safely-rollout-online-endpoints. The header `azureml-model-deployment` of a request picks
a deployment whatever its traffic; that of an answer says which one answered.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from local.azure.identity import entra
from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError
from local.azure.kernel.web import ANY, Router
from local.azure.serving.deployments import Running
from local.azure.serving.scoring import has_key, pass_on, plain
from local.azure.v2.online import endpoints, records, rollout
from local.azure.v2.online.bodies import seconds
from local.azure.v2.online.deployment_records import record_of
from local.azure.v2.online.records import Endpoint

INFERENCE_HOST = "*.inference.ml.azure.com"
PICK = "azureml-model-deployment"

router = Router(host=INFERENCE_HOST)


class Splitter:
    """Spreads calls as evenly as percentages allow: of 100, each deployment gets exactly its share.

    Smooth weighted round-robin, as in nginx.
    """

    def __init__(self) -> None:
        """No call was spread yet."""
        self._lock = threading.Lock()
        self._credits: dict[str, tuple[dict[str, int], dict[str, int]]] = {}

    def next(self, purpose: str, shares: Mapping[str, int]) -> str | None:
        """Whose turn it is among the shares, None when there are none above 0.

        Other shares than before begin anew, or a debt from before would bend them.
        """
        live = {name: share for name, share in shares.items() if share > 0}
        if not live:
            return None
        with self._lock:
            of, known = self._credits.get(purpose, ({}, {}))
            before = known if of == live else {}
            credit = {name: before.get(name, 0) + share for name, share in live.items()}
            chosen = max(credit, key=lambda name: credit[name])
            credit[chosen] -= sum(live.values())
            self._credits[purpose] = (live, credit)
            return chosen


_splitter = Splitter()


@router.route("GET|POST", "/{path:rest}", authenticated=False, query=ANY)
def score(cloud: Cloud, request: Request) -> Response:
    """Score, or show /swagger.json, on the deployment that the header or the traffic picks."""
    name, _, rest = request.host.partition(".")
    endpoint = records.find(cloud, name)
    is_here = rest.partition(".")[0] == cloud.location
    if endpoint is None or not is_here or records.state_of(endpoint) in ("Creating", "Deleting"):
        return plain(404, f"The endpoint {name} was not found on {request.host}.")
    refusal = _refusal(cloud, request, endpoint)
    if refusal:
        return plain(401, refusal)
    picked = request.headers.get(PICK)
    if picked:
        return _ask(cloud, request, endpoint["name"], picked)
    answer = _ask_by_traffic(cloud, request, endpoint)
    _mirror(cloud, request, endpoint)
    return answer


def _ask_by_traffic(cloud: Cloud, request: Request, endpoint: Endpoint) -> Response:
    """Let the deployment answer whose turn it is; chosen again if it went away meanwhile."""
    name = endpoint["name"]
    while True:
        traffic = records.traffic_of(endpoint)["traffic"]
        chosen = _splitter.next(name, traffic)
        if chosen is None:
            return plain(404, f"No deployment of the endpoint {name} takes any traffic.")
        with rollout.lent(cloud, name, chosen) as running:
            if running is not None:
                return _pass_on(cloud, request, name, chosen, running)
        latest = records.find(cloud, name)
        if latest is None or records.traffic_of(latest)["traffic"] == traffic:
            return _not_up(name, chosen)
        endpoint = latest


def _refusal(cloud: Cloud, request: Request, endpoint: Endpoint) -> str:
    """Why a request may not score; empty when it may."""
    mode = endpoint["properties"]["authMode"]
    if mode == "Key":
        return "" if has_key(request, endpoint["keys"].values()) else "key_auth_access_denied"
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        return "token_auth_bad_header_forbidden"
    audience = endpoints.SCORING_AUDIENCE if mode == "AMLToken" else None
    try:
        claims = entra.verify_token(cloud, token.strip(), host=request.host, audience=audience)
        # A later endpoint of the same name is another one.
        if audience and claims.get("serviceId") != endpoint["id"]:
            return "token_auth_access_denied: the token is for another endpoint"
    except ServiceError as error:
        return f"token_auth_access_denied: {error.message}"
    return ""


def _ask(cloud: Cloud, request: Request, endpoint: str, deployment: str) -> Response:
    if record_of(cloud, endpoint, deployment) is None:
        return plain(404, f"The deployment {deployment} of the endpoint {endpoint} was not found.")
    with rollout.lent(cloud, endpoint, deployment) as running:
        if running is None:
            return _not_up(endpoint, deployment)
        return _pass_on(cloud, request, endpoint, deployment, running)


def _pass_on(
    cloud: Cloud, request: Request, endpoint: str, deployment: str, running: Running
) -> Response:
    record = record_of(cloud, endpoint, deployment)
    asked = record["properties"]["requestSettings"]["requestTimeout"] if record else ""
    answer = pass_on(
        request,
        running.port,
        request.raw_path.lstrip("/"),
        limit_s=seconds(asked) or 5.0,
        name=f"{endpoint}/{deployment}",
    )
    return Response(
        status=answer.status, body=answer.body, headers={**answer.headers, PICK: deployment}
    )


def _not_up(endpoint: str, deployment: str) -> Response:
    return plain(502, f"The deployment {deployment} of the endpoint {endpoint} is not up.")


def _mirror(cloud: Cloud, request: Request, endpoint: Endpoint) -> None:
    """Let another deployment have a copy of a share of the calls; nobody waits for its answers."""
    mirror = records.traffic_of(endpoint)["mirrorTraffic"]
    for name, share in mirror.items():
        shares = {name: share, "": 100 - share}
        if share and _splitter.next(f"{endpoint['name']} to {name}", shares) == name:
            arguments = (cloud, request, endpoint["name"], name)
            threading.Thread(target=_ask, args=arguments, daemon=True).start()
