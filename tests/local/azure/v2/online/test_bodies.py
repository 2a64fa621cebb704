from __future__ import annotations

import pytest

from local.azure.v2.online.bodies import filled, seconds


@pytest.mark.parametrize(
    ("duration", "expected"),
    [
        ("PT5S", 5.0),
        ("PT0.5S", 0.5),
        ("PT1M30S", 90.0),
        ("P1DT2H", 93600.0),
        ("P0D", 0.0),
        ("", 0.0),
        ("5 seconds", 0.0),
    ],
)
def test_a_duration_in_seconds(duration: str, expected: float) -> None:
    assert seconds(duration) == expected


def test_what_a_managed_deployment_leaves_out_is_filled_in() -> None:
    full = filled({"endpointComputeType": "managed", "model": "azureml:m:1", "description": None})
    assert full["endpointComputeType"] == "Managed"
    assert full["model"] == "azureml:m:1"
    assert full["codeConfiguration"] is None
    assert full["scaleSettings"] == {"scaleType": "Default"}
    assert full["requestSettings"]["requestTimeout"] == "PT5S"
    assert "containerResourceRequirements" not in full


def test_what_is_given_stays_beside_the_defaults() -> None:
    full = filled(
        {
            "endpointComputeType": "Kubernetes",
            "readinessProbe": {"failureThreshold": 3, "period": None},
            "requestSettings": {"requestTimeout": "PT60S"},
            "containerResourceRequirements": {"containerResourceRequests": {"cpu": "1"}},
        }
    )
    assert full["readinessProbe"]["failureThreshold"] == 3
    assert full["readinessProbe"]["period"] == "PT10S"
    assert full["requestSettings"]["requestTimeout"] == "PT60S"
    shown = dict(full)
    assert shown["containerResourceRequirements"] == {
        "containerResourceRequests": {"cpu": "1", "memory": "0.5Gi", "gpu": None},
        "containerResourceLimits": {"cpu": "2", "memory": "4Gi", "gpu": None},
    }
