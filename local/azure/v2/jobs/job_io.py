"""Inputs and outputs of v2 jobs: read from bodies, given a place, put into commands.

Bindings: learn.microsoft.com/azure/machine-learning/reference-yaml-core-syntax: ${{inputs.x}},
${{outputs.x}}, and $[[...]] around optional inputs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import ServiceError
from local.azure.storage import datastores
from local.azure.v2.assets import uris
from local.azure.v2.jobs.job_bodies import refusal

LITERAL = "literal"
# The type of an output or input that is one file and no folder.
FILE = "uri_file"

_BINDING = re.compile(r"\$\{\{\s*(inputs|outputs)\.([\w.\-]+)\s*\}\}")
_ANY_BINDING = re.compile(r"\$\{\{\s*([^}]*?)\s*\}\}")
_OPTIONAL = re.compile(r"\$\[\[(.*?)\]\]", re.DOTALL)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
# Outputs of these names are what the run keeps anyway: its outputs and logs folders.
_ARTIFACTS = ("artifacts", "default")


@dataclass(frozen=True, kw_only=True)
class Input:
    """A value: literal text or the URI of data. `mode` as in the body, in any spelling."""

    type: str
    value: str
    mode: str = ""


@dataclass(frozen=True, kw_only=True)
class Output:
    """Where an output goes; `uri` None means: to a place named after the run."""

    type: str = "uri_folder"
    uri: str | None = None
    mode: str = ""
    asset_name: str | None = None


def read_input(given: Any) -> Input:
    """An input of a job or node; members are in camelCase or snake_case. Raises ServiceError."""
    if not isinstance(given, dict):
        return Input(type=LITERAL, value=_literal(given))
    kind = str(given.get("jobInputType") or given.get("job_input_type") or LITERAL).lower()
    if kind == LITERAL or given.get("uri") is None:
        return Input(type=LITERAL, value=_literal(given.get("value")))
    if kind == "mltable":
        raise refusal("Inputs of type mltable are", "jobs with uri_file and uri_folder inputs")
    return Input(type=kind, value=str(given["uri"]), mode=str(given.get("mode") or ""))


def read_output(given: Any, *, type_: str | None = None) -> Output:
    """An output of a job or node; `type_`: what its component declares."""
    given = given or {}
    kind = given.get("jobOutputType") or given.get("job_output_type") or type_ or "uri_folder"
    return Output(
        type=str(kind).lower(),
        uri=given.get("uri"),
        mode=str(given.get("mode") or ""),
        asset_name=given.get("assetName") or given.get("asset_name"),
    )


def read_timeout(value: Any) -> float | None:
    """Seconds of an ISO 8601 duration or a number; None when there is none."""
    if value in (None, ""):
        return None
    if isinstance(value, (int, float)):
        return float(value)
    found = _DURATION.fullmatch(str(value))
    if not found or not any(found.groups()):
        raise ServiceError(400, "UserError", f"'{value}' is no ISO 8601 duration.")
    factors = (86400, 3600, 60, 1)
    return sum(
        float(part or 0) * factor for part, factor in zip(found.groups(), factors, strict=True)
    )


def place_outputs(
    outputs: Mapping[str, Output], *, job_name: str, run_id: str, store: str | None
) -> dict[str, Output]:
    """The outputs with their URIs. job_name: what ${{name}} is; store: the default datastore."""
    store = (store or datastores.DEFAULT).rpartition("/")[2].removeprefix("azureml:")
    placed = {}
    for name, output in outputs.items():
        if output.type == "mltable":
            raise refusal(
                "Outputs of type mltable are", "jobs with uri_file and uri_folder outputs"
            )
        ending = "" if output.type == FILE else "/"
        usual = f"azureml://datastores/{store}/paths/azureml/{run_id}/{name}{ending}"
        if name in _ARTIFACTS:
            usual = f"{uris.artifacts_uri(run_id)}/"
        uri = output.uri or usual
        known = {
            "name": job_name,
            "output_name": name,
            "default_datastore": store,
            "node_name": run_id,
        }

        def bound(match: re.Match[str], known: Mapping[str, str] = known) -> str:
            if match[1] not in known:
                raise ServiceError(400, "UserError", f"The binding {match[0]} is not known here.")
            return known[match[1]]

        placed[name] = Output(**{**vars(output), "uri": _ANY_BINDING.sub(bound, uri)})
    return placed


def keep_outputs(cloud: Cloud, run_id: str, outputs: Mapping[str, Output]) -> None:
    """Make the outputs known, which later jobs and downloads ask for by run and name."""
    uris.keep_outputs(
        cloud,
        run_id,
        {name: {"uri": output.uri, "type": output.type} for name, output in outputs.items()},
    )


def bind(text: str, values: Mapping[str, str]) -> str:
    """A command with its bindings replaced. Raises ServiceError 400 for one without a value."""

    def optional(match: re.Match[str]) -> str:
        names = [f"{found[1]}.{found[2]}" for found in _BINDING.finditer(match[1])]
        return match[1] if all(name in values for name in names) else ""

    def bound(match: re.Match[str]) -> str:
        name = f"{match[1]}.{match[2]}"
        if name not in values:
            raise ServiceError(
                400, "UserError", f"The command uses {match[0]}, which has no value."
            )
        return values[name]

    return _BINDING.sub(bound, _OPTIONAL.sub(optional, text))


def _literal(value: Any) -> str:
    return "" if value is None else str(value)
