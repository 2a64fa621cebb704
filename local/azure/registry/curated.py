"""Environments that are images in Azure ML, and what stands for them where there is no Docker.

The package lists are those of the images' conda_dependencies.yaml (Azure/azureml-assets,
assets/training/general/environments) without profilers and notebooks, and with version bounds that
this machine's Python has packages for. What is not listed here cannot be had: a job that asks for
it fails and says so.
"""

from __future__ import annotations

import re
from typing import TypedDict


class Pip(TypedDict):
    """The packages from PyPI among the dependencies of a conda file."""

    pip: list[str]


class Conda(TypedDict, total=False):
    """A conda file (conda env export): packages as text, and those of pip."""

    name: str
    channels: list[str]
    dependencies: list[str | Pip]


_COMMON = (
    *("azureml-core", "azureml-mlflow", "azureml-inference-server-http"),
    # MLflow 3 saves models with packages that these images do not have.
    "mlflow-skinny<3",
    'pandas~=1.5.3 ; python_version < "3.12"',
    'pandas>=2.1,<3 ; python_version >= "3.12"',
    "numpy>=1.22,<2",
)
_SKLEARN = (*_COMMON, "scipy~=1.10", "joblib>=1.2", "matplotlib>=3.5", "psutil")
_PACKAGES: dict[str, tuple[str, ...]] = {
    "sklearn-1.0": (*_SKLEARN, "scikit-learn>=1.0,<1.6"),
    "sklearn-1.1": (*_SKLEARN, "scikit-learn>=1.1,<1.6"),
    "sklearn-1.5": (*_SKLEARN, "scikit-learn~=1.5.0"),
    "lightgbm-3.3": (*_SKLEARN, "scikit-learn~=1.5.1", "lightgbm>=3.3", "xgboost>=1.7"),
    "tensorflow-2.16-cuda12": (*_COMMON, "tensorflow~=2.16.1", "scikit-learn", "matplotlib"),
}
# Images that hold Python and nothing that a job could import.
_BARE = re.compile(
    r"(?:docker\.io/)?(?:library/)?python(?::(?P<tag>[\w.\-]+))?"
    r"|mcr\.microsoft\.com/azureml/(?:openmpi|minimal|base|inference-base|mlflow)[\w.\-]*"
    r"(?::[\w.\-]+)?"
)


def conda_of_curated(name: str) -> tuple[Conda, str] | None:
    """Conda dependencies that stand for a curated environment, and a note; None: none do.

    name: as in the registry azureml (`sklearn-1.5`) or in a workspace (`AzureML-sklearn-1.5`, also
    with an ending such as `-ubuntu20.04-py38-cpu`).
    """
    short = re.sub("^AzureML-", "", name, flags=re.IGNORECASE)
    known = next((key for key in _PACKAGES if short == key or short.startswith(key + "-")), None)
    if known is None:
        return None
    note = (
        f"the curated environment '{name}' is an image in Azure ML; here its Python packages stand "
        "for it, on this machine's Python and without its system packages"
    )
    return {"name": name, "dependencies": [{"pip": list(_PACKAGES[known])}]}, note


def curated_names() -> tuple[str, ...]:
    """The names that `conda_of_curated` knows."""
    return tuple(_PACKAGES)


def conda_of_image(image: str) -> tuple[Conda, str] | None:
    """Conda dependencies that stand for an image with a bare Python; None for any other image."""
    found = _BARE.fullmatch(image)
    if not found:
        return None
    version = re.match(r"3\.\d+", found["tag"] or "")
    note = f"a bare Python stands for the image '{image}', without the image's system packages"
    return {"dependencies": [f"python={version[0]}"] if version else []}, note
