"""What a rules file may hold, from the dataclasses: for editors and for people.

``python -m amltasks.gate.schema docs/gate-rules.schema.json tasks/EvaluateAndGateV1/README.md``
writes the JSON schema, and the table of keys between two markers.
"""

from __future__ import annotations

import dataclasses
import json
import math
import sys
from pathlib import Path
from typing import Any

from amltasks.gate import rule_sense
from amltasks.gate.measures import ALIASES, FORMS, MEASURES, WITH_PARAMETER
from amltasks.gate.roles import NEEDED, QUANTILE, ROLES
from amltasks.gate.rule_model import ANCHORS, HYGIENE, LOWER, Evaluation, Rule, Rules

_AMOUNT = {
    "oneOf": [
        {"type": "number", "minimum": 0},
        {"type": "string", "pattern": "^([0-9]+(\\.[0-9]+)?|\\.[0-9]+)\\s*%$"},
    ]
}
_NAME = "\\S"


def schema() -> dict[str, Any]:
    """The schema, JSON Schema draft-07."""
    rule = _object(Rule)
    rule["properties"]["metric"]["examples"] = sorted({*MEASURES, *FORMS.values(), *HYGIENE})
    rule["not"] = {"required": ["min_gain", "max_loss"]}
    limits = ("floor", "ceiling", "min_gain", "max_loss", "max_gap")
    rule["anyOf"] = [{"required": [name]} for name in limits]
    rule["dependencies"] = {"max_gap": ["slices"], "max_total_loss": ["max_loss"]}
    known = [
        {"enum": sorted({*MEASURES, *HYGIENE, *LOWER})},
        {"pattern": "_loss$"},
        *({"pattern": f"^{name}"} for name, each in WITH_PARAMETER.items() if each.direction),
    ]
    rule["if"] = {"properties": {"metric": {"not": {"anyOf": known}}}}
    rule["then"] = {"required": ["direction"]}
    rule["allOf"] = [_of_metric(name) for name in sorted({*MEASURES, *HYGIENE})]
    rule["allOf"].append(
        {
            "if": {"properties": {"metric": {"anyOf": [{"enum": sorted(LOWER)}, known[1]]}}},
            "then": {"properties": {"direction": {"const": "lower"}}},
        }
    )
    top = _object(Rules)
    top["properties"]["confidence"] |= {
        "minimum": rule_sense.LEAST_CONFIDENCE,
        "maximum": rule_sense.MOST_CONFIDENCE,
    }
    top["properties"]["min_inputs"]["minimum"] = 1
    top["properties"]["resamples"] |= {
        "minimum": rule_sense.LEAST_RESAMPLES,
        "maximum": rule_sense.MOST_RESAMPLES,
    }
    top["properties"]["examples"] |= {"minimum": 0, "maximum": rule_sense.MOST_EXAMPLES}
    top["properties"]["anchor"] |= {
        "oneOf": [{"enum": list(ANCHORS)}, {"type": "integer", "minimum": 1}],
        "default": "best",
    }
    evaluation = _object(Evaluation)
    evaluation["minProperties"] = 1
    evaluation["properties"]["sha256"]["pattern"] = "^[0-9a-f]{64}$"
    for name in ("min_rows", "min_inputs"):
        evaluation["properties"][name]["minimum"] = 1
    top["properties"]["evaluation"] |= evaluation
    top["properties"]["columns"] |= _columns()
    top["properties"]["positive_label"] = {
        "description": top["properties"]["positive_label"]["description"],
        "type": ["string", "number", "boolean"],
        "pattern": _NAME,
    }
    top["properties"]["rules"] |= {"type": "array", "minItems": 1, "items": rule}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Rules of the task EvaluateAndGate",
        **top,
    }


def _of_metric(name: str) -> dict[str, Any]:
    """What a known metric allows: its direction, and limits within its range."""
    least, most = rule_sense.value_range(name)
    within = {"minimum": least, **({} if math.isinf(most) else {"maximum": most})}
    limits: dict[str, Any] = {"floor": within, "ceiling": within}
    limits["direction"] = {"const": rule_sense.direction(name)}
    if not math.isinf(most):
        below = {"exclusiveMaximum": most - least}
        limits |= dict.fromkeys(("min_gain", "max_loss", "max_total_loss", "max_gap"), below)
    return {
        "if": {"properties": {"metric": {"const": name}}, "required": ["metric"]},
        "then": {"properties": limits},
    }


def _columns() -> dict[str, Any]:
    """A mapping of what a column stands for to its name."""
    name = {"type": "string", "pattern": _NAME}
    return {
        "type": "object",
        "minProperties": 1,
        "additionalProperties": False,
        "properties": {role: {**name, "description": text} for role, text in ROLES.items()},
        "patternProperties": {QUANTILE: name},
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
    if "Evaluation" in written or field.name == "anchor":
        return found
    if "Amount" in written:
        return {**found, **_AMOUNT}
    if "tuple[str" in written:
        named = {"type": "string", "pattern": _NAME}
        return {
            **found,
            "type": ["array", "string"],
            "pattern": _NAME,
            "minItems": 1,
            "items": named,
        }
    if "tuple[float" in written:
        return {**found, "type": "array", "minItems": 2, "items": {"type": "number"}}
    if "int" in written:
        return {**found, "type": "integer", "default": field.default}
    if field.name == "max_gap":
        return {**found, "type": "number", "minimum": 0}
    if "float" in written:
        default = {} if field.default is None else {"default": field.default}
        return {**found, "type": "number", **default}
    return {**found, "type": "string", "pattern": _NAME} if "str" in written else found


def text() -> str:
    """The schema as the file has it."""
    return json.dumps(schema(), indent=2) + "\n"


def table() -> str:
    """The keys as a markdown table: those of the file, then those of a rule."""
    lines = ["| Key | Default | What it says |", "|---|---|---|"]
    for kind, where in ((Rule, "a rule"), (Rules, "the file"), (Evaluation, "`evaluation`")):
        for field in dataclasses.fields(kind):
            default = "**required**" if field.metadata["required"] else _shown(field.default)
            options = " or ".join(f"`{each}`" for each in field.metadata["options"])
            words = field.metadata["text"] + (f" {options}." if options else "")
            lines.append(f"| `{field.name}` *({where})* | {default} | {words} |")
    return "\n".join(lines)


def columns_table() -> str:
    """What the columns of a file of predictions stand for, as a markdown table."""
    lines = ["| Column | What it is |", "|---|---|"]
    return "\n".join([*lines, *(f"| `{role}` | {text} |" for role, text in ROLES.items())])


def model_types_table() -> str:
    """The measures of each kind of model, as a markdown table."""
    lines = ["| `model_type` | Columns beside `id` | Measures |", "|---|---|---|"]
    for model_type, columns in NEEDED.items():
        found = [name for name, each in MEASURES.items() if model_type in each.model_types]
        found = [name for name in found if name not in ALIASES]
        found += [FORMS[name] for name, m in WITH_PARAMETER.items() if model_type in m.model_types]
        lines.append(f"| `{model_type}` | {columns} | {', '.join(f'`{each}`' for each in found)} |")
    return "\n".join(lines)


def filled(readme: str) -> str:
    """The README with the tables written anew, each between its markers."""
    for name, made in (
        ("rules", table()),
        ("columns", columns_table()),
        ("model types", model_types_table()),
    ):
        start = f"<!-- {name}: written by python -m amltasks.gate.schema -->"
        end = f"<!-- end of {name} -->"
        before, _, rest = readme.partition(start)
        _, _, after = rest.partition(end)
        readme = f"{before}{start}\n\n{made}\n\n{end}{after}"
    return readme


def _shown(default: object) -> str:
    return f"`{default}`" if default not in (None, (), dataclasses.MISSING) else ""


def main(paths: list[str]) -> None:
    """Write the files: the schema into ``.json``, the table into ``.md``."""
    for path in map(Path, paths):
        new = text() if path.suffix == ".json" else filled(path.read_text(encoding="utf-8"))
        path.write_text(new, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
