"""What the benchmark hands to a task: all it needs, and one input that is wrong."""

from __future__ import annotations

import json
from pathlib import Path

from bench.wrong_input import CONNECTION, ROOT, TASK, agent_environment


def test_every_required_input_is_given_but_the_one_that_is_to_be_wrong(tmp_path: Path) -> None:
    found = agent_environment(tmp_path)
    task = json.loads((ROOT / TASK / "task.json").read_text(encoding="utf-8"))
    required = {
        f"INPUT_{item['name'].upper()}"
        for item in task["inputs"]
        if item.get("required") and not item.get("defaultValue")
    }
    missing = required - found.keys()
    # The names of the inputs, and the aliases that YAML has.
    aliases = {
        f"INPUT_{alias.upper()}": f"INPUT_{item['name'].upper()}"
        for item in task["inputs"]
        for alias in item.get("aliases", ())
    }
    missing -= {name for alias, name in aliases.items() if alias in found}
    assert missing == {"INPUT_COMPUTENAME"}


def test_the_connection_is_whole() -> None:
    found = agent_environment(Path("folder"))
    assert found["INPUT_CONNECTEDSERVICENAMEARM"] == CONNECTION
    auth = json.loads(found[f"ENDPOINT_AUTH_{CONNECTION}"])
    assert auth["scheme"] == "ServicePrincipal"
    assert set(auth["parameters"]) == {
        *("tenantid", "serviceprincipalid", "serviceprincipalkey", "authenticationType")
    }
    assert json.loads(found[f"ENDPOINT_DATA_{CONNECTION}"]) == {"subscriptionid": "s"}
