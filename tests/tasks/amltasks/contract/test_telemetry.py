"""Nothing in a task reports to Microsoft what the SDK is used for."""

from __future__ import annotations

import json
from pathlib import Path

from ..conftest import Azure, Starter
from .conftest import PIPELINES
from .test_run_aml_pipeline import TASK, inputs

# A pipeline file in Python runs in the task's own process, so it can look around there.
LOOKS_AROUND = """
import gc, json, sys
from pathlib import Path

import {neighbour}  # imports of the SDK what a pipeline needs

SENDERS = ("TelemetryClient", "TelemetryChannel", "AzureMonitorLogExporter")


def build_pipeline(session):
    reporting = {{type(one).__name__ for one in gc.get_objects()}} & set(SENDERS)
    sdk = [name for name in ("azureml.data", "azure.ai.ml") if name in sys.modules]
    found = {{"reporting": sorted(reporting), "sdk": sdk}}
    Path("seen.json").write_text(json.dumps(found), encoding="utf-8")
    raise ValueError("seen enough")
"""


def test_no_client_of_application_insights_is_made(
    aml_azure: Azure, sdk: str, consumer: Path, start_in_azure: Starter
) -> None:
    neighbour = Path(PIPELINES[sdk]).stem
    text = LOOKS_AROUND.format(neighbour=neighbour)
    (consumer / "looks_around.py").write_text(text, encoding="utf-8")
    ended = start_in_azure(TASK, {**inputs(sdk), "pipelineFile": "looks_around.py"}).end()
    assert "seen enough" in ended.message
    seen = json.loads((consumer / "seen.json").read_text(encoding="utf-8"))
    assert seen == {"reporting": [], "sdk": [{"v1": "azureml.data", "v2": "azure.ai.ml"}[sdk]]}
