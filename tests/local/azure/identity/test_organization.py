"""The organization of a state."""

from __future__ import annotations

import re

from local.azure.identity.organization import environment, organization


def test_a_state_keeps_its_organization(fresh_azure):
    found = organization(fresh_azure)
    assert organization(fresh_azure) == found
    assert re.fullmatch(r"https://dev\.azure\.com/local-[0-9a-f]{8}", found.url)
    assert found.issuer == f"https://vstoken.dev.azure.com/{found.id}"
    assert found.user["id"] in found.user["_links"]["avatar"]["href"]


def test_its_clients_find_it_and_its_token_is_as_long_as_real_ones(fresh_azure):
    variables = environment(fresh_azure)
    assert variables["AZURE_DEVOPS_ORG_URL"] == organization(fresh_azure).url
    assert len(variables["AZURE_DEVOPS_EXT_PAT"]) == 84
    assert variables["AZURE_DEVOPS_CACHE_DIR"].startswith(str(fresh_azure.root))
