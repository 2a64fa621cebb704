"""The JSON schema of the rules, from their dataclasses: ``python -m amltasks.gate.schema [FILE]``.

Editors complete and check a rules file by it; ``docs/gate-rules.schema.json`` is its output.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from amltasks.gate.measures import MEASURES
from amltasks.gate.rules import HYGIENE, Rule, Rules

_AMOUNT = {
    "oneOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?|\\.[0-9]+)\\s*%$"},
    ]
}


def schema() -> dict[str, Any]:
    """The schema, JSON Schema draft-07."""
    rule = _object(Rule)
    rule["properties"]["metric"]["examples"] = sorted({*MEASURES, *HYGIENE})
    rule["not"] = {"required": ["min_gain", "max_loss"]}
    limits = ("floor", "ceiling", "min_gain", "max_loss", "max_gap")
    rule["anyOf"] = [{"required": [name]} for name in limits]
    top = _object(Rules)
    top["properties"]["rules"] |= {"type": "array", "minItems": 1, "items": rule}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Rules of the task EvaluateAndGate",
        **top,
    }


def _object(kind: type[Any]) -> dict[str, Any]:
    fields = dataclasses.fields(kind)
    return {
        "type": "object",
        "additionalProperties": False,
        "required": [each.name for each in fields if each.metadata["required"]],
        "properties": {each.name: _property(each) for each in fields},
    }


def _property(field: dataclasses.Field[Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"description": field.metadata["text"]}
    if field.metadata["options"]:
        return {**found, "enum": list(field.metadata["options"])}
    written = str(field.type)
    if "Amount" in written:
        return {**found, **_AMOUNT}
    if "tuple[str" in written:
        return {**found, "type": ["array", "string"], "items": {"type": "string"}}
    if "tuple[float" in written:
        return {**found, "type": "array", "minItems": 2, "items": {"type": "number"}}
    if "int" in written:
        return {**found, "type": "integer", "default": field.default}
    if "float" in written:
        default = {} if field.default is None else {"default": field.default}
        return {**found, "type": "number", **default}
    return {**found, "type": "string"} if written == "str" else found


def text() -> str:
    """The schema as the file has it."""
    return json.dumps(schema(), indent=2) + "\n"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(text(), encoding="utf-8", newline="\n")
    else:
        sys.stdout.write(text())
