"""What conda's own metadata would bound, and the package index does not: numpy's binary interface.

Wheels that were built against numpy 1 break with numpy 2 when they are imported, and their metadata
on the index allows it. Conda's packages name the numpy that they were built with.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

BOUND = "numpy<2"
"""The constraint that keeps old wheels importable."""

# The first release of each whose wheels work with numpy 2; source: their release notes.
_FIRST_FOR_NUMPY_2 = {
    "h5py": (3, 11),
    "matplotlib": (3, 8, 4),
    "pandas": (2, 2, 2),
    "pyarrow": (16,),
    "scikit-image": (0, 23, 1),
    "scikit-learn": (1, 4, 2),
    "scipy": (1, 13),
    "statsmodels": (0, 14, 2),
}
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][\w.\-]*)\s*(?:\[[^\]]*\])?\s*([^;]*)")
_CLAUSE = re.compile(r"(===|==|~=|<=|<)\s*(\d+(?:\.\d+)*)(\.\*)?")


# A bound from above, a pin, or a bound from below that asks for numpy 2.
_DECIDES = re.compile(r"==|~=|<|>=?\s*[2-9]")


def constraints(requirements: Iterable[str]) -> tuple[str, ...]:
    """`BOUND` where a pinned package is too old for numpy 2 and numpy is not decided."""
    found = [match for one in requirements if (match := _REQUIREMENT.match(one))]
    versions = {match[1].lower().replace("_", "-"): match[2] for match in found}
    if _DECIDES.search(versions.get("numpy", "")):
        return ()
    old = any(
        _is_old(versions[name], since)
        for name, since in _FIRST_FOR_NUMPY_2.items()
        if name in versions
    )
    return (BOUND,) if old else ()


def _is_old(clauses: str, since: tuple[int, ...]) -> bool:
    """Whether the clauses of a requirement admit only versions before `since`."""
    return any(
        _ends_before(operator, tuple(int(part) for part in version.split(".")), star, since)
        for operator, version, star in _CLAUSE.findall(clauses)
    )


def _ends_before(
    operator: str, version: tuple[int, ...], star: str, since: tuple[int, ...]
) -> bool:
    if operator == "<":
        return version <= since
    if operator == "~=":  # its last part may grow
        return (*version[:-2], version[-2] + 1) <= since if len(version) > 1 else False
    return version < (since[: len(version)] if star else since)
