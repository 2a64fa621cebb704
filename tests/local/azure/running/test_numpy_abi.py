"""Old pins bound numpy, as conda's metadata would."""

from __future__ import annotations

import pytest

from local.azure.running import numpy_abi


@pytest.mark.parametrize(
    "pinned",
    [
        "scikit-learn==0.24.1",
        "scikit-learn==1.4.1.post1",
        "scikit-learn==1.4",
        "scikit_learn == 1.2.*",
        "scikit-learn~=1.2.0",
        "scikit-learn<1.3",
        "pandas==1.5.3",
        "scipy<=1.10 ; python_version < '3.12'",
    ],
)
def test_what_was_built_against_numpy_1_gets_it(pinned: str) -> None:
    assert numpy_abi.constraints(["azureml-defaults", pinned]) == (numpy_abi.BOUND,)
    assert numpy_abi.constraints([pinned, "numpy"]) == (numpy_abi.BOUND,)
    assert numpy_abi.constraints([pinned, "numpy>=1.20"]) == (numpy_abi.BOUND,)
    assert numpy_abi.constraints([pinned, "numpy>=2"]) == (), "what was asked for stays"
    assert numpy_abi.constraints([pinned, "numpy==1.21.6"]) == (), "what was asked for stays"


@pytest.mark.parametrize(
    "free",
    [
        "scikit-learn",
        "scikit-learn==1.4.2",
        "scikit-learn==1.4.*",
        "scikit-learn>=1.0",
        "scikit-learn~=1.2",
        "scikit-learn<2",
        "pandas==2.2.2",
        "xgboost==1.0",
    ],
)
def test_what_may_be_new_is_not_bound(free: str) -> None:
    assert numpy_abi.constraints([free]) == ()
