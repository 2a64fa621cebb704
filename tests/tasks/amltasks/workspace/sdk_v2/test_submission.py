"""The client of azure-ai-ml that submits."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import pytest


def test_sends_no_telemetry_where_the_sdk_would(monkeypatch: pytest.MonkeyPatch) -> None:
    with warnings.catch_warnings():
        # azure-ai-ml marks much of itself as experimental when it is imported.
        warnings.simplefilter("ignore")
        from azure.ai.ml._telemetry import logging_handler

        from amltasks.workspace.sdk_v2.submission import Submitter
    begun: list[Any] = []
    # Outside a notebook azure-ai-ml sends none, whatever it is told.
    monkeypatch.setattr(logging_handler, "in_jupyter_notebook", lambda: True)
    monkeypatch.setattr(logging_handler, "setup_azure_monitor", begun.append)
    principal = SimpleNamespace(subscription_id="1", cloud=SimpleNamespace(name="AzureCloud"))
    rest: Any = SimpleNamespace(
        sign_in=object(), principal=principal, resource_group="my-group", name="my-workspace"
    )
    Submitter(rest)
    assert begun == []
