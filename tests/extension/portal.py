"""What the portal makes of a task's `dataSourceBindings`.

Source: docs/authoring/endpoints/dataSources.md of microsoft/azure-pipelines-extensions: values of
inputs replace `$(name)`, the address and the results are mustache templates, and the selector is a
JSONPath. Strict RFC 9535, so that nothing passes that only our JSONPath library knows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import chevron
import jsonpath

STRICT = jsonpath.JSONPathEnvironment(strict=True)


def address(
    binding: Mapping[str, Any], inputs: Mapping[str, str], endpoint: Mapping[str, str]
) -> str:
    """The URL that the portal asks, for values of inputs and the data of a service connection."""
    filled = re.sub(r"\$\((\w+)\)", lambda found: inputs[found[1]], binding["endpointUrl"])
    return str(chevron.render(filled, {"endpoint": endpoint}))


def choices(binding: Mapping[str, Any], answer: Any) -> dict[str, str]:
    """The list that the portal shows for an answer: what is taken, and what people read."""
    selector = binding["resultSelector"].removeprefix("jsonpath:")
    shown = (
        json.loads(chevron.render(binding["resultTemplate"], item))
        for item in STRICT.findall(selector, answer)
    )
    return {item["Value"]: item["DisplayValue"] for item in shown}
