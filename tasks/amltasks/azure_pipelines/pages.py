"""Addresses of the pages that show a run, a model, an endpoint or a build to a person.

The studio's addresses are those that it shows in the browser and the SDKs print:
``/runs/<id>``, ``/model/<name>:<version>/details`` and ``/endpoints/realtime/<name>/detail``,
each with the workspace's resource id in ``wsid`` and the tenant in ``tid``.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from amltasks.azure_pipelines.agent import Handover

# By cloud: `_get_portal_domain` of azureml-core.
_STUDIOS = {
    "azurecloud": "https://ml.azure.com",
    "azurechinacloud": "https://studio.ml.azure.cn",
    "azureusgovernment": "https://ml.azure.us",
}


@dataclass(frozen=True, kw_only=True)
class Studio:
    """The studio of one workspace; ``site`` is its address and ``query`` names the workspace."""

    site: str
    query: str

    def run(self, run_id: str) -> str:
        """The page of a run, ``""`` without an id."""
        return f"{self.site}/runs/{quote(run_id, safe='')}?{self.query}" if run_id else ""

    def model(self, name: str, version: str | int) -> str:
        """The page of a registered model, ``""`` without a name or a version."""
        if not name or not version:
            return ""
        # The colon stands for itself in the studio's addresses.
        return f"{self.site}/model/{quote(name, safe='')}:{version}/details?{self.query}"

    def endpoint(self, name: str) -> str:
        """The page of an online endpoint or a web service, ``""`` without a name."""
        place = f"{self.site}/endpoints/realtime/{quote(name, safe='')}/detail"
        return f"{place}?{self.query}" if name else ""


def studio(handover: Handover, *, resource_group: str, workspace: str) -> Studio:
    """The studio of the workspace that a service connection leads to."""
    connection = handover.connection
    data = connection.data if connection else {}
    tenant = connection.parameters.get("tenantid", "") if connection else ""
    scope = (
        f"/subscriptions/{data.get('subscriptionid', '')}/resourceGroups/{resource_group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace}"
    )
    cloud = (data.get("environment") or "AzureCloud").lower()
    return Studio(
        site=_STUDIOS[cloud],
        query=f"wsid={quote(scope)}" + (f"&tid={quote(tenant)}" if tenant else ""),
    )


def build(handover: Handover) -> str:
    """The page of the build, ``""`` where there is none."""
    variable = handover.variable
    collection, project = variable("system.collectionuri"), variable("system.teamproject")
    number = variable("build.buildid")
    if not (collection and project and number):
        return ""
    return f"{collection.rstrip('/')}/{quote(project)}/_build/results?buildId={number}"
